"""Who and what a report is about, from the films themselves: the catalog keeps names as they are
shown, DICOM wants them as they were written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset

from workstation.catalog.study_rows import InstanceRow
from workstation.dicom.dataset_reading import check_regular_file, parse_instance
from workstation.dicom.element_values import clean_text, text_of, values_of
from workstation.dicom.header_text import read_date
from workstation.dicom.instance_reader import read_header
from workstation.dicom.unreadable import UnreadableInstance, as_unreadable, muted_warnings
from workstation.exports.exported_report import ExportedImage, StudyHeader

_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d)?)?")
_LONG_STRING = 64  # characters of LO (PS3.5 6.2)
_SHORT_STRING = 16  # and of SH


def read_study(
    study_instance_uid: str, films: Sequence[InstanceRow]
) -> tuple[StudyHeader, tuple[ExportedImage, ...]]:
    """The study's header and every film of it. Reads files: not for the UI's thread.

    Raises UnreadableInstance for the first film that is gone, is none, or is another one by now.
    """
    images = tuple(_read_image(study_instance_uid, film) for film in films)
    return _read_study_header(study_instance_uid, films[0].path), images


def _read_image(study_instance_uid: str, film: InstanceRow) -> ExportedImage:
    header = read_header(film.path)
    if header.source_format != "DICOM":
        reason = (
            "is a picture and no DICOM film, so nothing can refer to it: say whose it is first "
            "(Study > Patient and view of a picture)"
        )
        raise UnreadableInstance(film.path, reason)
    if (header.study_instance_uid, header.sop_instance_uid) != (
        study_instance_uid,
        film.sop_instance_uid,
    ):
        raise UnreadableInstance(film.path, "is not the film any more that was imported from there")
    return ExportedImage(
        sop_class_uid=header.sop_class_uid,
        sop_instance_uid=header.sop_instance_uid,
        series_instance_uid=header.series_instance_uid,
        technique=f"{header.modality} {header.view_position}".strip(),
        path=film.path,
    )


def _read_study_header(study_instance_uid: str, path: Path) -> StudyHeader:
    with as_unreadable(path):
        size = check_regular_file(path)
        with path.open("rb") as stream, muted_warnings():
            dataset = parse_instance(stream, size).dataset
            sex = text_of(dataset, "PatientSex").upper()
            return StudyHeader(
                study_instance_uid=study_instance_uid,
                patient_name=_person_name(dataset, "PatientName"),
                patient_id=text_of(dataset, "PatientID")[:_LONG_STRING],
                issuer_of_patient_id=text_of(dataset, "IssuerOfPatientID")[:_LONG_STRING],
                patient_birth_date=read_date(dataset, "PatientBirthDate"),
                patient_sex=sex if sex in ("M", "F", "O") else "",
                study_id=text_of(dataset, "StudyID")[:_SHORT_STRING],
                study_date=read_date(dataset, "StudyDate"),
                study_time=_time(text_of(dataset, "StudyTime")),
                study_description=text_of(dataset, "StudyDescription")[:_LONG_STRING],
                accession_number=text_of(dataset, "AccessionNumber")[:_SHORT_STRING],
                referring_physician=_person_name(dataset, "ReferringPhysicianName"),
                institution=text_of(dataset, "InstitutionName")[:_LONG_STRING],
            )


def _person_name(dataset: Dataset, keyword: str) -> str:
    """All three groups in DICOM's form, each of at most 64 characters and without controls."""
    names = values_of(dataset, keyword)
    if not names:
        return ""
    groups = [clean_text(group)[:_LONG_STRING] for group in str(names[0]).split("=")[:3]]
    return "=".join(groups).rstrip("=")


def _time(stated: str) -> str:
    """HHMMSS of whatever length is stated; "" if it is no time."""
    match = _TIME.match(stated.replace(":", ""))
    return match.group() if match else ""
