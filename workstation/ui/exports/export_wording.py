"""Names of forms and statuses on screen."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from workstation.exports.export_formats import ExportFormat
from workstation.exports.exported_report import ExportedReport, ReportStatus
from workstation.exports.person_names import display_name

_CONTEXT = "Exports"
_translate = QCoreApplication.translate


def name_format(form: ExportFormat) -> str:
    names: dict[ExportFormat, str] = {
        "sr": _translate(_CONTEXT, "DICOM Structured Report"),
        "pdf": _translate(_CONTEXT, "PDF"),
        "dicom-pdf": _translate(_CONTEXT, "PDF in DICOM"),
        "fhir": _translate(_CONTEXT, "FHIR DiagnosticReport"),
        "hl7": _translate(_CONTEXT, "HL7 v2 message (ORU)"),
        "text": _translate(_CONTEXT, "Plain text"),
    }
    return names[form]


def describe_format(form: ExportFormat) -> str:
    words: dict[ExportFormat, str] = {
        "sr": _translate(_CONTEXT, "Enhanced SR after TID 2000, with coded findings and negatives"),
        "pdf": _translate(_CONTEXT, "A4 pages with every font embedded"),
        "dicom-pdf": _translate(_CONTEXT, "The same pages, for a PACS"),
        "fhir": _translate(_CONTEXT, "R4, JSON, with an Observation a sentence and a finding"),
        "hl7": _translate(_CONTEXT, "Version 2.5.1, ORU^R01, UTF-8"),
        "text": _translate(_CONTEXT, "UTF-8, as it is copied"),
    }
    return words[form]


def name_status(report: ExportedReport) -> str:
    """Whose report it is and as what it leaves, e.g. "Doe, Jane · leaves as: ▲ DRAFT"."""
    names: dict[ReportStatus, str] = {
        "draft": _translate(_CONTEXT, "▲ DRAFT, not signed"),
        "preliminary": _translate(_CONTEXT, "▲ PRELIMINARY"),
        "final": _translate(_CONTEXT, "✓ final report"),
        "addended": _translate(_CONTEXT, "✓ final report with addendum"),
        "corrected": _translate(_CONTEXT, "✓ corrected report"),
    }
    name = names[report.status]
    if report.status == "draft" and report.predecessor is not None:
        name = _translate(_CONTEXT, "▲ DRAFT, edited since the preliminary report, not signed")
    who = display_name(report.study.patient_name) or report.study.patient_id
    words = _translate(_CONTEXT, "{0} · leaves as: {1}")
    return words.format(who, name)
