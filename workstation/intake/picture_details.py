"""Whose film a PNG or JPEG is: said by a person, written into a DICOM copy and the catalog.

A picture says nothing of a patient, so what is typed needs a place that travels with the film:
a Secondary Capture instance (PS3.3 A.8.1) with the same pixels, kept in the data folder. Viewer,
priors, exports and reports then need to know nothing of pictures. The picture stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from pathlib import Path

from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from sqlalchemy import Connection, delete, select, update

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import write_transaction
from workstation.catalog.schema import InstanceRecord, ReportRecord, StudyRecord
from workstation.catalog.study_catalog import (
    PATIENT,
    PatientConflict,
    StudyCatalog,
    UnknownStudy,
    file_state,
    find_contradiction,
)
from workstation.catalog.study_search import make_search_text
from workstation.dicom.element_values import clean_text
from workstation.dicom.film import Film, InstanceHeader
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance, muted_warnings
from workstation.intake.film_store import FilmStore

VIEWS = ("", "PA", "AP", "LL", "RL")
LATERALITIES = ("", "R", "L", "B", "U")  # PS3.3 C.7.6.16.2.1 Image Laterality
SEXES = ("", "F", "M", "O")
_VIEW_IN_NAME = re.compile(r"(?<![a-z])(pa|ap|ll|rl|lateral|lat)(?![a-z])", re.IGNORECASE)
_DATE_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)")
_LONGEST_TEXT = 64  # of a Long String, and of a component group of a name
_EXIF_TAKEN = 36867  # DateTimeOriginal, "YYYY:MM:DD HH:MM:SS"
_EXIF_SUB_IFD = 0x8769


@dataclass(frozen=True)
class PictureDetails:
    """What the form asks. Dates are "YYYYMMDD" or ""; the name is "family^given" or free text."""

    patient_name: str = ""
    patient_id: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    study_date: str = ""
    view_position: str = ""
    image_laterality: str = ""


def guess_details(path: Path) -> PictureDetails:
    """What file name and camera say, for a person to confirm: a view, a date."""
    match = _VIEW_IN_NAME.search(path.stem.replace("_", " "))
    view = match.group(1).upper() if match else ""
    return PictureDetails(
        study_date=_date_in_name(path.stem) or _date_of_camera(path),
        view_position={"LATERAL": "LL", "LAT": "LL"}.get(view, view),
    )


class PictureDescriber:
    """Every method may raise CatalogUnavailable and OSError. Decodes: not for the UI's thread on
    large pictures, though a second is the most it takes."""

    def __init__(self, catalog: StudyCatalog, audit: AuditLog, user: str) -> None:
        self._catalog, self._audit, self._user = catalog, audit, user
        self._store = FilmStore(catalog.folder)

    def describe(
        self,
        study_instance_uid: str,
        sop_instance_uid: str,
        details: PictureDetails,
        *,
        into_study: str = "",
    ) -> str:
        """Write the details; returns the Study Instance UID the film now belongs to.

        into_study: a study of the same patient it joins (another view taken with it). Raises
        UnreadableInstance, UnknownStudy, and PatientConflict where into_study is of another
        patient or this study has a report already that would lose its film.
        """
        films = self._catalog.instances(study_instance_uid)
        row = next((film for film in films if film.sop_instance_uid == sop_instance_uid), None)
        if row is None:
            raise UnknownStudy(study_instance_uid)
        _require_storable(details, row.path)
        film = read_film(row.path)
        target = into_study or study_instance_uid
        header = replace(film.header, study_instance_uid=target)
        content = _write_secondary_capture(replace(film, header=header), details)
        kept = self._store.keep(BytesIO(content), len(content))
        try:
            written = read_header(kept.path)
            assert written.sop_instance_uid == sop_instance_uid
            with write_transaction(self._catalog.engine) as connection:
                self._update(connection, study_instance_uid, target, sop_instance_uid, kept.path)
                self._audit.append(
                    "picture-described",
                    user=self._user,
                    study_instance_uid=target,
                    details={
                        "sop_instance_uid": sop_instance_uid,
                        "picture": str(row.path),
                        "path": str(kept.path),
                        **vars(details),
                    },
                    connection=connection,
                )
        except BaseException:
            if kept.is_new:
                self._store.discard(kept.path)
            raise
        if row.path != kept.path and row.path.suffix == ".dcm":
            self._store.discard(row.path)  # an earlier description of the same picture
        return target

    def _update(
        self, connection: Connection, before: str, target: str, sop_instance_uid: str, path: Path
    ) -> None:
        header = read_header(path)
        if target != before:
            _check_may_join(connection, before, target, header, path)
        else:
            words = (header.patient_name, header.patient_id, "", header.study_date)
            connection.execute(
                update(StudyRecord)
                .where(StudyRecord.study_instance_uid == before)
                .values(
                    patient_name=header.patient_name,
                    patient_id=header.patient_id,
                    patient_birth_date=header.patient_birth_date,
                    patient_sex=header.patient_sex,
                    study_date=header.study_date,
                    search_text=make_search_text(*words),
                )
            )
        size, mtime_ns = file_state(path)
        connection.execute(
            update(InstanceRecord)
            .where(InstanceRecord.sop_instance_uid == sop_instance_uid)
            .values(
                study_instance_uid=target,
                sop_class_uid=header.sop_class_uid,
                view_position=header.view_position,
                image_laterality=header.image_laterality,
                source_format="DICOM",
                path=str(path),
                file_size=size,
                file_mtime_ns=mtime_ns,
            )
        )
        if target != before:
            _drop_if_empty(connection, before)


def _require_storable(details: PictureDetails, path: Path) -> None:
    """Raises UnreadableInstance for what DICOM would keep as something else (PS3.5 6.2)."""
    for what, text, separators in (
        ("name", details.patient_name, "\\="),
        ("Patient ID", details.patient_id, "\\"),
    ):
        if (
            len(text) > _LONGEST_TEXT
            or set(text) & set(separators)
            or clean_text(text) != " ".join(text.split())
        ):
            held = f"at most {_LONGEST_TEXT} characters, no control character, none of {separators}"
            raise UnreadableInstance(path, f"the {what} can't be kept in DICOM: {held}")


def _check_may_join(
    connection: Connection, before: str, target: str, header: InstanceHeader, path: Path
) -> None:
    query = select(*PATIENT).where(StudyRecord.study_instance_uid == target)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise UnknownStudy(target)
    if contradiction := find_contradiction(found, header):
        reason = f"the study it should join is of another patient ({contradiction})"
        raise PatientConflict(path, reason)
    report = select(ReportRecord.study_instance_uid)
    if connection.execute(report.where(ReportRecord.study_instance_uid == before)).first():
        raise PatientConflict(path, "it has a report of its own already")


def _drop_if_empty(connection: Connection, study_instance_uid: str) -> None:
    left = select(InstanceRecord.sop_instance_uid).where(
        InstanceRecord.study_instance_uid == study_instance_uid
    )
    if connection.execute(left).first() is None:
        gone = delete(StudyRecord).where(StudyRecord.study_instance_uid == study_instance_uid)
        connection.execute(gone)


def _write_secondary_capture(film: Film, details: PictureDetails) -> bytes:
    """The film's pixels with who and what, as a DICOM file."""
    header, stored = film.header, film.stored
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = header.sop_instance_uid
    dataset.StudyInstanceUID = header.study_instance_uid
    dataset.SeriesInstanceUID = header.series_instance_uid
    dataset.ConversionType = "WSD"  # PS3.3 C.8.6.1: workstation
    dataset.Modality = "OT"
    dataset.PatientName = clean_text(details.patient_name)
    dataset.PatientID = clean_text(details.patient_id)
    dataset.PatientBirthDate, dataset.PatientSex = details.patient_birth_date, details.patient_sex
    dataset.StudyDate, dataset.StudyTime = details.study_date, ""
    dataset.StudyID = dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = header.study_description[:64]
    dataset.SeriesNumber = dataset.InstanceNumber = "1"
    dataset.ViewPosition, dataset.ImageLaterality = details.view_position, details.image_laterality
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = 8 * stored.dtype.itemsize
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = 0
    if bits == 8:  # as picture_reader shows it: as it was saved
        dataset.WindowCenter, dataset.WindowWidth = "128", "256"
        dataset.WindowCenterWidthExplanation = "as saved"
    if film.display.is_lossy:
        dataset.LossyImageCompression = "01"
        dataset.LossyImageCompressionMethod = "ISO_10918_1"
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", _even(stored.tobytes()))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = header.sop_instance_uid
    file = BytesIO()
    with muted_warnings():
        dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _even(values: bytes) -> bytes:
    return values + b"\0" * (len(values) % 2)


def _date_in_name(name: str) -> str:
    for match in _DATE_IN_NAME.finditer(name):
        try:
            return date(*(int(part) for part in match.groups())).strftime("%Y%m%d")
        except ValueError:
            continue
    return ""


def _date_of_camera(path: Path) -> str:
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as picture:
            taken = str(picture.getexif().get_ifd(_EXIF_SUB_IFD).get(_EXIF_TAKEN, ""))
    except (OSError, ValueError, SyntaxError):
        return ""
    return _date_in_name(taken[:10].replace(":", "-"))
