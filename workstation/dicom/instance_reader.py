"""Open one file as a film: DICOM (any greyscale image), PNG or JPEG.

Every reason not to is an UnreadableInstance; no other exception leaves this module. May be
called from any thread but the UI's: decoding takes up to a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from workstation.dicom.acceptance import PixelFormat, check_is_film, sop_class_of
from workstation.dicom.dataset_reading import ParsedInstance, check_regular_file, parse_instance
from workstation.dicom.display_attributes import BADGE_LOSSY, DisplayAttributes
from workstation.dicom.element_values import clean_text, text_of
from workstation.dicom.film import Film, InstanceHeader
from workstation.dicom.frame_source import FrameSource, hash_stored, measure
from workstation.dicom.header_text import (
    derive_uid_for,
    format_person_name,
    read_date,
    read_orientation,
    read_uid,
)
from workstation.dicom.picture_reader import Picture, picture_format, read_picture
from workstation.dicom.unreadable import as_unreadable, muted_warnings
from workstation.dicom.voi import WINDOW_AS_SAVED

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def read_header(path: Path) -> InstanceHeader:
    """The header, refusing what `read_film` would refuse; DICOM pixels stay unread.

    A picture, or a film stored with three samples, is decoded: only its pixels tell whether it
    is coloured.
    """
    with as_unreadable(path):
        size = check_regular_file(path)
        with path.open("rb") as stream:
            if picture_format(stream.read(8)):
                return _read_picture_film(path).header
            stream.seek(0)
            with muted_warnings():
                parsed = parse_instance(stream, size)
                pixel_format = check_is_film(parsed)
                header = _read_dicom_header(parsed, pixel_format, _hash_file_of(path))
            if pixel_format.samples > 1:
                FrameSource(path, header, parsed, pixel_format).decode_from(parsed, 0)
            return header


def read_film(path: Path) -> Film:
    """The decoded film, of several frames the first. A truncated image is refused, never shown
    as if complete."""
    with as_unreadable(path):
        size = check_regular_file(path)
        with path.open("rb") as stream:
            if picture_format(stream.read(8)):
                return _read_picture_film(path)
            stream.seek(0)
            with muted_warnings():
                parsed = parse_instance(stream, size)
                pixel_format = check_is_film(parsed)
                header = _read_dicom_header(parsed, pixel_format, _hash_file_of(path))
            return FrameSource(path, header, parsed, pixel_format).decode_from(parsed, 0)


def _hash_file_of(path: Path) -> Callable[[], str]:
    def hash_file() -> str:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    return hash_file


def _read_dicom_header(
    parsed: ParsedInstance, pixel_format: PixelFormat, content_sha256: Callable[[], str]
) -> InstanceHeader:
    dataset = parsed.dataset
    if not text_of(dataset, "SOPInstanceUID") and "MediaStorageSOPInstanceUID" in parsed.meta:
        dataset.SOPInstanceUID = text_of(parsed.meta, "MediaStorageSOPInstanceUID")
    return InstanceHeader(
        sop_instance_uid=read_uid(dataset, "SOPInstanceUID", "instance", content_sha256),
        sop_class_uid=sop_class_of(parsed),
        series_instance_uid=read_uid(dataset, "SeriesInstanceUID", "series", content_sha256),
        study_instance_uid=read_uid(dataset, "StudyInstanceUID", "study", content_sha256),
        patient_name=format_person_name(dataset, "PatientName"),
        patient_id=text_of(dataset, "PatientID"),
        patient_birth_date=read_date(dataset, "PatientBirthDate"),
        patient_sex=text_of(dataset, "PatientSex"),
        study_date=read_date(dataset, "StudyDate"),
        study_time=text_of(dataset, "StudyTime"),
        study_description=text_of(dataset, "StudyDescription"),
        accession_number=text_of(dataset, "AccessionNumber"),
        modality=text_of(dataset, "Modality"),
        view_position=text_of(dataset, "ViewPosition"),
        image_laterality=text_of(dataset, "ImageLaterality") or text_of(dataset, "Laterality"),
        body_part=text_of(dataset, "BodyPartExamined"),
        patient_orientation=read_orientation(dataset),
        rows=pixel_format.rows,
        columns=pixel_format.columns,
        source_format="DICOM",
        frame_count=pixel_format.frame_count,
    )


def _read_picture_film(path: Path) -> Film:
    file_bytes = path.read_bytes()
    picture = read_picture(file_bytes)
    header = _make_picture_header(picture, path, hashlib.sha256(file_bytes).hexdigest())
    bits = 8 * picture.stored.dtype.itemsize
    is_lossy = picture.source_format == "JPEG"
    windows = (WINDOW_AS_SAVED,) if bits == 8 else ()
    display = DisplayAttributes(
        windows=windows,
        bits_stored=bits,
        is_lossy=is_lossy,
        badges=(BADGE_LOSSY,) if is_lossy else (),
    )
    picture.stored.setflags(write=False)
    return measure(Film(header, path, picture.stored, display, hash_stored(picture.stored)))


def _make_picture_header(picture: Picture, path: Path, content_sha256: str) -> InstanceHeader:
    rows, columns = picture.stored.shape
    return InstanceHeader(
        sop_instance_uid=derive_uid_for("instance", content_sha256),
        sop_class_uid=_SECONDARY_CAPTURE,
        series_instance_uid=derive_uid_for("series", content_sha256),
        study_instance_uid=derive_uid_for("study", content_sha256),
        patient_name="",
        patient_id="",
        patient_birth_date="",
        patient_sex="",
        study_date="",
        study_time="",
        study_description=clean_text(path.name),
        accession_number="",
        modality="OT",
        view_position="",
        image_laterality="",
        body_part="",
        patient_orientation=(),
        rows=rows,
        columns=columns,
        source_format=picture.source_format,
    )
