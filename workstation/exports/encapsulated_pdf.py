"""The PDF inside DICOM: Encapsulated PDF Storage (PS3.3 A.45.1, C.24.2)."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from workstation.exports import coded_concepts as coded
from workstation.exports.dicom_document import (
    MANUFACTURER,
    evidence_of,
    series_uid,
    stamp_times,
)
from workstation.exports.exported_report import ExportedReport
from workstation.exports.wording import RESEARCH_USE, status_words, word

SERIES_NUMBER = 9002


def write_encapsulated_pdf(report: ExportedReport, pdf: bytes, form: str) -> bytes:
    """A DICOM file. form: what `ExportedReport.document_uid` tells apart."""
    dataset = build_encapsulated_pdf(report, pdf, form)
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def build_encapsulated_pdf(report: ExportedReport, pdf: bytes, form: str) -> Dataset:
    """Verified only where somebody signed it as final."""
    dataset = _of_study(report)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = EncapsulatedPDFStorage
    dataset.SOPInstanceUID = report.document_uid(form)
    dataset.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.Modality = "DOC"
    dataset.SeriesInstanceUID = series_uid(report, "pdf")
    dataset.SeriesNumber = SERIES_NUMBER
    dataset.SeriesDescription = "Report"
    dataset.InstanceNumber = report.issue_number
    dataset.Manufacturer = MANUFACTURER
    dataset.ConversionType = "WSD"
    stamp_times(dataset, report)
    moment = datetime.fromisoformat(report.issued_at)
    dataset.AcquisitionDateTime = moment.strftime("%Y%m%d%H%M%S%z")
    dataset.BurnedInAnnotation = "YES"
    dataset.SourceInstanceSequence = [_reference(each) for each in evidence_of(report)]
    title = f"{word('title', report.language)}: {status_words(report)}"
    dataset.DocumentTitle = f"{title}. {RESEARCH_USE[report.language]}"
    dataset.ConceptNameCodeSequence = [_document_name()]
    dataset.VerificationFlag = "VERIFIED" if report.is_signed else "UNVERIFIED"
    dataset.ContentQualification = "RESEARCH"
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(pdf)
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return dataset


def _of_study(report: ExportedReport) -> Dataset:
    """Patient and study of the first film, without the film's own identity."""
    dataset = evidence_of(report)[0]
    del dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.SeriesInstanceUID
    return dataset


def _reference(evidence: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = evidence.SOPClassUID
    item.ReferencedSOPInstanceUID = evidence.SOPInstanceUID
    return item


def _document_name() -> Dataset:
    item = Dataset()
    item.CodeValue = coded.XRAY_REPORT.value
    item.CodingSchemeDesignator = coded.XRAY_REPORT.scheme
    item.CodeMeaning = coded.XRAY_REPORT.meaning
    return item
