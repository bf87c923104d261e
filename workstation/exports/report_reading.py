"""Gather what is exported of a study: its report, every issue before it, films and figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.presentation_search import open_as_presented
from workstation.exports.exported_report import (
    ExportedImage,
    ExportedMeasurement,
    ExportedReport,
    ExportedSignature,
    NothingToExport,
    ReportStatus,
)
from workstation.exports.study_reading import read_study
from workstation.reading.figure_wording import word_for_report
from workstation.reading.figures import (
    angle_degrees,
    cardiothoracic_ratio,
    region_area,
    ruler_of,
)
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import Measurement
from workstation.reporting.report_state import SECTIONS, ReportState
from workstation.reporting.versions.report_store import ReportStore
from workstation.reporting.versions.report_version import SIGNED_KINDS, ReportVersion
from workstation.reporting.versions.stored_report import Addendum, StoredReport

_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True)
class ReportSources:
    """The services an export reads; each method of them may raise CatalogUnavailable."""

    catalog: StudyCatalog
    reports: ReportStore
    audit: AuditLog
    measurements: MeasurementStore


def read_report(
    sources: ReportSources, study_instance_uid: str, *, with_measurements: bool = False
) -> ExportedReport:
    """The report as it counts now. Reads and decodes films: not for the UI's thread.

    Raises NothingToExport, UnreadableInstance, UnknownStudy, CatalogUnavailable.
    """
    sources.catalog.study(study_instance_uid)
    stored = sources.reports.load(study_instance_uid)
    if stored is None or stored.state.is_blank:
        raise NothingToExport(f"Study {study_instance_uid} has no report yet.")
    films = sources.catalog.instances(study_instance_uid)
    if not films:
        raise NothingToExport(f"Study {study_instance_uid} has no films any more.")
    study, images = read_study(study_instance_uid, films)
    measurements = _read_measurements(sources, images, stored) if with_measurements else ()
    blank = ExportedReport(
        study=study,
        images=images,
        status="draft",
        state=_exportable(stored.state),
        issued_at=stored.updated_at,
        audit_head="",
        measurements=measurements,
    )
    issues = _issues(blank, stored, sources.reports.versions(study_instance_uid))
    if issues and not _is_draft(stored):
        return issues[-1]
    draft = _of_draft(blank, stored, issues[-1] if issues else None)
    return replace(draft, audit_head=sources.audit.head())


def _is_draft(stored: StoredReport) -> bool:
    """Whether what would leave is nobody's: also a preliminary report edited since."""
    return stored.stage == "draft" or (stored.stage == "preliminary" and stored.is_edited_since)


def _of_draft(
    blank: ExportedReport, stored: StoredReport, predecessor: ExportedReport | None
) -> ExportedReport:
    return replace(
        blank,
        model_name=stored.model_name,
        model_sha256=stored.model_sha256,
        decoding=stored.decoding,
        image_sha256=stored.image_sha256,
        issue_number=1 if predecessor is None else predecessor.issue_number + 1,
        predecessor=predecessor,
    )


def _issues(
    blank: ExportedReport, stored: StoredReport, versions: Sequence[ReportVersion]
) -> list[ExportedReport]:
    """Every issue of the report that somebody signed or added to, oldest first.

    By their audit rows: a clock that was set back must not put a correction before what it
    corrects.
    """
    events: list[tuple[int, ReportVersion | Addendum]] = [
        (version.audit_row, version) for version in versions if version.kind in SIGNED_KINDS
    ]
    events += [(each.audit_row, each) for each in stored.addenda]
    issues: list[ExportedReport] = []
    for _, event in sorted(events, key=lambda each: each[0]):
        last = issues[-1] if issues else blank
        if isinstance(event, Addendum):
            event = replace(event, text=_NO_TEXT.sub(" ", event.text))
            issue = replace(
                last, status="addended", addenda=(*last.addenda, event), issued_at=event.added_at
            )
        else:
            issue = _signed_issue(last, event)
        number = len(issues) + 1
        predecessor = issues[-1] if issues else None
        issues.append(replace(issue, issue_number=number, predecessor=predecessor))
    return issues


def _exportable(state: ReportState) -> ReportState:
    """The state without what neither DICOM text, JSON of FHIR nor XML may hold; nobody sees it."""
    for section in SECTIONS:
        sentences = state.sentences(section)
        if any(_NO_TEXT.search(each.text) for each in sentences):
            cleaned = (replace(each, text=_NO_TEXT.sub(" ", each.text)) for each in sentences)
            state = state.with_section(section, cleaned)
    return state


_STATUSES: dict[str, ReportStatus] = {
    "preliminary": "preliminary",
    "final": "final",
    "corrected": "corrected",
}


def _signed_issue(last: ExportedReport, version: ReportVersion) -> ExportedReport:
    return replace(
        last,
        status=_STATUSES[version.kind],
        state=_exportable(version.state),
        issued_at=version.created_at,
        audit_head=version.audit_head,
        signature=ExportedSignature(
            signer=version.author,
            signed_at=version.created_at,
            meaning=version.meaning,
            text_sha256=version.text_sha256,
            state_sha256=version.state_sha256,
            audit_row=version.audit_row,
            audit_head=version.audit_head,
            role=version.role,
            reason=version.reason,
        ),
        model_name=version.origin.model_name,
        model_sha256=version.origin.model_sha256,
        decoding=version.origin.decoding,
        image_sha256=version.origin.image_sha256,
    )


def _read_measurements(
    sources: ReportSources, images: Sequence[ExportedImage], stored: StoredReport
) -> tuple[ExportedMeasurement, ...]:
    found: list[ExportedMeasurement] = []
    for image in images:
        drawn = sources.measurements.load(image.sop_instance_uid)
        if not drawn:
            continue
        film = open_as_presented(read_film(image.path))
        for each in drawn:
            text = word_for_report(each, film.stored, film.display, stored.state.language)
            if text:
                value, unit = _value_of(each, film)
                uid = image.sop_instance_uid
                found.append(ExportedMeasurement(uid, each.kind, text, value, unit))
    return tuple(found)


def _value_of(measurement: Measurement, film: Film) -> tuple[float | None, str]:
    """The number and its UCUM unit; None for what has no millimetres behind it."""
    ruler, points = ruler_of(film.display), measurement.points
    is_scaled = ruler.spacing_kind != "none"
    match measurement.kind:
        case "length":
            return (round(ruler.between(*points), 1), "mm") if is_scaled else (None, "mm")
        case "angle":
            return round(angle_degrees(points, ruler), 1), "deg"
        case "cardiothoracic":
            ratio = cardiothoracic_ratio(points, ruler)
            return (None if ratio is None else round(ratio, 2)), "1"
        case "rectangle" | "ellipse":
            area = round(region_area(measurement, ruler), 1)
            return (area, "mm2") if is_scaled else (None, "mm2")
    return None, "1"
