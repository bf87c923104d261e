"""What is known beside a report's text: which films of the patient there are."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.catalog.study_rows import InstanceRow
from workstation.dicom.view_position import find_lateral
from workstation.reading.hanging import Prior
from workstation.reporting.checks.report_check import ReportContext
from workstation.reporting.checks.site_rules import DEFAULT_RULES, SiteRules


def describe_context(
    films: Sequence[InstanceRow], priors: Sequence[Prior], rules: SiteRules = DEFAULT_RULES
) -> ReportContext:
    """A film without a view may well be the lateral."""
    views = [film.view_position for film in films]
    has_lateral: bool | None = find_lateral(views) is not None
    if not has_lateral and not all(views):
        has_lateral = None
    return ReportContext(
        has_prior=bool(priors),
        has_lateral=has_lateral,
        required=rules.required,
        must_settle=rules.must_settle,
    )
