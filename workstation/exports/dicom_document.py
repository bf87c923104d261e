"""What Structured Report and Encapsulated PDF share: whose they are, their series, their times."""

from __future__ import annotations

import hashlib
from datetime import datetime

from pydicom.dataset import Dataset

from workstation.dicom.header_text import derive_uid
from workstation.exports.exported_report import ExportedImage, ExportedReport
from workstation.exports.person_names import signer_name

MANUFACTURER = "ECHO Workstation"
_NO_ORGANIZATION = "unknown"  # Verifying Organization is type 1 and the films name none


def evidence_of(report: ExportedReport) -> list[Dataset]:
    """One data set a film with what documents about it take over: patient and study as text of
    UTF-8, and nothing else of a file nobody vouches for."""
    return [_describe_image(report, image) for image in report.images]


def _describe_image(report: ExportedReport, image: ExportedImage) -> Dataset:
    study, dataset = report.study, Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = image.sop_class_uid
    dataset.SOPInstanceUID = image.sop_instance_uid
    dataset.SeriesInstanceUID = image.series_instance_uid
    dataset.StudyInstanceUID = study.study_instance_uid
    dataset.PatientName = study.patient_name
    dataset.PatientID = study.patient_id
    if study.issuer_of_patient_id:
        dataset.IssuerOfPatientID = study.issuer_of_patient_id
    dataset.PatientBirthDate = study.patient_birth_date
    dataset.PatientSex = study.patient_sex
    dataset.StudyID = study.study_id
    dataset.StudyDate, dataset.StudyTime = study.study_date, study.study_time
    dataset.AccessionNumber = study.accession_number
    dataset.ReferringPhysicianName = study.referring_physician
    if study.study_description:
        dataset.StudyDescription = study.study_description
    return dataset


def series_uid(report: ExportedReport, form: str) -> str:
    """One series a study for each kind of document, whatever becomes of the report."""
    named = f"series:{form}:{report.study.study_instance_uid}"
    return derive_uid(hashlib.sha256(named.encode()).digest())


def verifying_observers(report: ExportedReport) -> list[Dataset]:
    """Who answers for the content as final (PS3.3 C.17.2); nobody for a preliminary report."""
    signature = report.signature
    if signature is None or not report.is_signed:
        return []
    item = Dataset()
    item.VerifyingObserverName = signer_name(signature.signer)
    item.VerifyingObserverIdentificationCodeSequence = []
    item.VerifyingOrganization = report.study.institution or _NO_ORGANIZATION
    moment = datetime.fromisoformat(signature.signed_at)
    item.VerificationDateTime = moment.strftime("%Y%m%d%H%M%S%z")
    return [item]


def stamp_times(document: Dataset, report: ExportedReport) -> None:
    """The document is as old as its text, however often it is written."""
    local = datetime.fromisoformat(report.issued_at).astimezone()
    day, time = local.strftime("%Y%m%d"), local.strftime("%H%M%S")
    document.InstanceCreationDate = document.ContentDate = day
    document.InstanceCreationTime = document.ContentTime = time
    for item in document.get("ContributingEquipmentSequence", []):
        item.ContributionDateTime = local.strftime("%Y%m%d%H%M%S%z")
