"""What a reader should look at again before signing, each with a way to mend it. Qt-free.

Only what the text says is compared; nothing here is a statement about the film.
"""

from __future__ import annotations

from dataclasses import replace

from inference.report_language import Language
from workstation.reporting.check_override import CheckOverride
from workstation.reporting.checks.completeness_checks import (
    check_films_named,
    check_missing,
    check_placeholders,
)
from workstation.reporting.checks.contradiction_checks import check_contradictions
from workstation.reporting.checks.report_check import BLOCKING, Fix, ReportCheck, ReportContext
from workstation.reporting.checks.side_checks import check_sides_concluded
from workstation.reporting.checks.site_rules import SiteRules
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import ReportState
from workstation.reporting.sentences.sentence_place import place_sentence

_NOTHING_KNOWN = ReportContext()


def check_report(
    state: ReportState,
    context: ReportContext = _NOTHING_KNOWN,
    language: Language | None = None,
) -> tuple[ReportCheck, ...]:
    """Every check that fails, blocking ones first. A blank report fails none.

    language: of messages and fix labels; None: the report's own. Keys do not depend on it.
    Which checks block depends on the text and the site's rules alone, not on the films at hand.
    """
    if state.is_blank:
        return ()
    words = language or state.language
    checks = [
        *check_contradictions(state, words),
        *check_sides_concluded(state, words),
        *check_placeholders(state, words),
        *check_missing(state, context.required, words),
        *check_films_named(state, context, words),
    ]
    by_key: dict[str, ReportCheck] = {}
    for check in checks:
        if check.rule in context.must_settle:
            check = replace(check, is_blocking=True)
        by_key.setdefault(check.key, check)
    contradicted = {check.concept for check in checks if check.rule in BLOCKING and check.concept}
    said_once = (
        check
        for check in by_key.values()
        if check.rule != "finding_without_impression" or check.concept not in contradicted
    )
    return tuple(sorted(said_once, key=lambda check: not check.is_blocking))


def context_of(rules: SiteRules) -> ReportContext:
    """What a site asks, of a report whose films aren't known: what a signature is checked by."""
    return ReportContext(required=rules.required, must_settle=rules.must_settle)


def open_checks(
    checks: tuple[ReportCheck, ...], overrides: tuple[CheckOverride, ...]
) -> tuple[ReportCheck, ...]:
    """Those that nobody has set aside."""
    overridden = {override.key for override in overrides}
    return tuple(check for check in checks if check.key not in overridden)


def apply_fix(report: DraftReport, fix: Fix) -> None:
    """Make a fix's edit, one undo step. Raises KeyError where its sentence is gone,
    ReportSigned."""
    if fix.sentence_id is not None:
        report.edit_sentence(fix.section, fix.sentence_id, fix.text)
        return
    place = place_sentence(report, fix.section, fix.text)
    report.add_sentence(fix.section, fix.text, place.index)
