"""Reports out of the house: every format, written whole or not at all, and audited either way."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workstation.catalog.database import CatalogUnavailable, write_transaction
from workstation.exports.export_formats import (
    DICOM_FORMATS,
    FILE_ENDINGS,
    PLAIN,
    ExportFormat,
    ExportOptions,
)
from workstation.exports.exported_report import ExportedReport
from workstation.exports.file_writing import partial_file, require_folder
from workstation.exports.report_reading import ReportSources, read_report
from workstation.reading.key_views import Box

if TYPE_CHECKING:
    from workstation.exports.key_images import KeyImage


@dataclass(frozen=True)
class ExportedDocument:
    """One format of one report. name: of its file; document_uid: its SOP Instance UID where it is
    DICOM."""

    form: ExportFormat
    name: str
    content: bytes
    sha256: str
    document_uid: str
    report: ExportedReport


class ReportExporter:
    """user: who is audited as the one who exports. Methods read and decode films: not for the
    UI's thread. Raised by all: NothingToExport, UnreadableInstance, UnknownStudy,
    CatalogUnavailable.
    """

    def __init__(self, sources: ReportSources, user: str) -> None:
        self._sources, self._user = sources, user

    def read(self, study_instance_uid: str, options: ExportOptions = PLAIN) -> ExportedReport:
        """What the study's report would be exported as now."""
        return read_report(
            self._sources, study_instance_uid, with_measurements=options.with_measurements
        )

    def make(
        self,
        report: ExportedReport,
        form: ExportFormat,
        options: ExportOptions = PLAIN,
    ) -> ExportedDocument:
        """The report in one format; nothing is written."""
        content, document_uid = self._contents(report, form, options)
        name = file_stem(report) + FILE_ENDINGS[form]
        digest = hashlib.sha256(content).hexdigest()
        return ExportedDocument(form, name, content, digest, document_uid, report)

    def write(self, document: ExportedDocument, folder: Path) -> Path:
        """Put the document into a folder, with its audit row or not at all. Raises ExportFailed."""
        require_folder(folder)
        path = folder / document.name
        with partial_file(path, document.content) as file:
            try:
                with write_transaction(self._sources.catalog.engine) as connection:
                    self._sources.audit.append(
                        "export",
                        user=self._user,
                        study_instance_uid=document.report.study.study_instance_uid,
                        details=self._details(document, str(path.absolute())),
                        connection=connection,
                    )
                    file.move()
            except CatalogUnavailable:
                path.unlink(missing_ok=True)  # moved, and then the row could not be committed
                raise
        return path

    def send(
        self, document: ExportedDocument, destination: str, store: Callable[[bytes], None]
    ) -> None:
        """Hand a DICOM document to ``store`` (network.report_sender). What leaves is audited
        before it does, and how it ended afterwards. Raises what ``store`` raises."""
        if document.form not in DICOM_FORMATS:
            raise ValueError(f"{document.form} is no DICOM document")
        self.audit_handed_on(document, destination, "sending")
        try:
            store(document.content)
        except Exception as error:
            self._audit_failure(document, destination, str(error))
            raise
        self.audit_handed_on(document, destination, "stored")

    def audit_handed_on(
        self, document: ExportedDocument, destination: str, outcome: str = "done"
    ) -> None:
        """For what leaves in another way than as a file: the clipboard, a printer, a PACS."""
        self._sources.audit.append(
            "export",
            user=self._user,
            study_instance_uid=document.report.study.study_instance_uid,
            details=self._details(document, destination) | {"outcome": outcome},
        )

    def _audit_failure(self, document: ExportedDocument, destination: str, reason: str) -> None:
        with suppress(CatalogUnavailable):  # the row before says that it was tried
            self.audit_handed_on(document, destination, f"failed: {reason}")

    def _details(self, document: ExportedDocument, destination: str) -> dict[str, Any]:
        report = document.report
        return {
            "format": document.form,
            "sha256": document.sha256,
            "document_uid": document.document_uid,
            "destination": destination,
            "status": report.status,
            "issue": report.issue_number,
            "audit_head": report.audit_head,
        }

    def _contents(
        self, report: ExportedReport, form: ExportFormat, options: ExportOptions
    ) -> tuple[bytes, str]:
        # Imported here: reportlab and highdicom take a second that only an export should cost.
        match form:
            case "sr":
                from workstation.exports.structured_report import write_structured_report

                return write_structured_report(report), report.document_uid("sr")
            case "pdf" | "dicom-pdf":
                return self._pdf_contents(report, form, options)
            case "fhir":
                from workstation.exports.fhir_report import write_fhir

                return write_fhir(report), report.document_uid("fhir")
            case "hl7":
                from workstation.exports.hl7_message import write_hl7

                return write_hl7(report), report.document_uid("hl7")
            case "text":
                from workstation.exports.plain_text import write_text

                return write_text(report).encode(), report.document_uid("text")

    def _pdf_contents(
        self, report: ExportedReport, form: ExportFormat, options: ExportOptions
    ) -> tuple[bytes, str]:
        from workstation.exports.pdf_report import pdf_form, write_pdf

        images = self._key_images(report, options) if options.with_images else []
        pdf, kind = write_pdf(report, images), pdf_form(images)
        if form == "pdf":
            return pdf, report.document_uid(kind)
        from workstation.exports.encapsulated_pdf import write_encapsulated_pdf

        return write_encapsulated_pdf(report, pdf, kind), report.document_uid(kind)

    def _key_images(self, report: ExportedReport, options: ExportOptions) -> list[KeyImage]:
        """What readers kept of the films; the films themselves where they kept nothing, or are
        wanted too."""
        from workstation.exports.key_images import render_key_image, render_key_view

        marks = self._sources.measurements
        views: list[KeyImage] = []
        parts: dict[str, list[tuple[int, Box]]] = {}
        for image in report.images:
            for view in marks.load_key_views(image.sop_instance_uid):
                drawn = marks.load(image.sop_instance_uid)
                number = len(views) + 1
                views.append(render_key_view(image, view, drawn, number, report.language))
                if view.box is not None:
                    parts.setdefault(image.sop_instance_uid, []).append((number, view.box))
        if views and not options.with_whole_films:
            return views
        films = [
            render_key_image(
                image,
                marks.load(image.sop_instance_uid) if options.with_measurements else (),
                marks.load_display(image.sop_instance_uid),
                parts.get(image.sop_instance_uid, ()),
            )
            for image in report.images
        ]
        return views + films


def file_stem(report: ExportedReport) -> str:
    """Patient ID, date and status, with nothing that a file system minds; the end of the document's
    UID keeps two studies of one day apart."""
    study = report.study
    parts = (study.patient_id, study.study_date, report.status, report.document_uid("sr")[-8:])
    named = "-".join(part for part in parts if part)
    safe = "".join(each if each.isalnum() or each in "-_" else "_" for each in named)
    return os.path.normpath(safe)[:120]
