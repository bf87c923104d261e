"""Open one file as a film: DICOM (any single-frame greyscale image), PNG or JPEG.

Every reason not to is an UnreadableInstance; no other exception leaves this module. May be
called from any thread but the UI's: decoding takes up to a second.
"""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from workstation.dicom.acceptance import PixelFormat, check_is_film, sop_class_of
from workstation.dicom.dataset_reading import ParsedInstance, check_regular_file, parse_instance
from workstation.dicom.display_attributes import read_display_attributes
from workstation.dicom.display_pipeline import (
    BADGE_LOSSY,
    DisplayAttributes,
    Window,
    measure_robust_range,
    padding_mask,
)
from workstation.dicom.element_values import clean_text, text_of
from workstation.dicom.header_text import (
    derive_uid_for,
    format_person_name,
    read_date,
    read_orientation,
    read_uid,
)
from workstation.dicom.picture_reader import Picture, picture_format, read_picture
from workstation.dicom.pixel_decoding import decode_pixels
from workstation.dicom.unreadable import UnreadableInstance, reason_for

__all__ = ["Film", "InstanceHeader", "UnreadableInstance", "read_film", "read_header"]

SourceFormat = Literal["DICOM", "PNG", "JPEG"]
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# warnings.catch_warnings swaps process-wide state: two readers must not interleave.
_warnings_lock = threading.RLock()


@dataclass(frozen=True)
class InstanceHeader:
    """Who, what and when of one instance, as displayable text; "" where unknown.

    Dates are YYYYMMDD. UIDs missing in the file are derived from its bytes, so that the
    same file always gets the same ones.
    """

    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    study_instance_uid: str
    patient_name: str
    patient_id: str
    patient_birth_date: str
    patient_sex: str
    study_date: str
    study_time: str
    study_description: str
    accession_number: str
    modality: str
    view_position: str
    image_laterality: str
    body_part: str
    patient_orientation: tuple[str, ...]
    rows: int
    columns: int
    source_format: SourceFormat


@dataclass(frozen=True, eq=False)
class Film:
    """One decoded image. stored: [rows, columns] int or uint, read-only."""

    header: InstanceHeader
    path: Path
    stored: np.ndarray
    display: DisplayAttributes
    image_sha256: str

    @cached_property
    def robust_range(self) -> tuple[float, float]:
        """Modality values at the 0.5th and 99.5th percentile, padding left out."""
        return measure_robust_range(self.stored, self.display)

    @cached_property
    def stored_range(self) -> tuple[int, int]:
        """Least and greatest stored value."""
        return int(self.stored.min()), int(self.stored.max())


def read_header(path: Path) -> InstanceHeader:
    """The header, refusing what `read_film` would refuse; DICOM pixels stay unread.

    A picture is decoded: only its pixels tell whether it is coloured.
    """
    with _as_unreadable(path):
        size = check_regular_file(path)
        with path.open("rb") as stream:
            if picture_format(stream.read(8)):
                return _read_picture_film(path).header
            stream.seek(0)
            parsed = parse_instance(stream, size)
            return _read_dicom_header(parsed, check_is_film(parsed), _hash_file_of(path))


def read_film(path: Path) -> Film:
    """The decoded film. A truncated image is refused, never shown as if complete."""
    with _as_unreadable(path):
        size = check_regular_file(path)
        with path.open("rb") as stream:
            if picture_format(stream.read(8)):
                return _read_picture_film(path)
            stream.seek(0)
            parsed = parse_instance(stream, size)
            pixel_format = check_is_film(parsed)
            header = _read_dicom_header(parsed, pixel_format, _hash_file_of(path))
            stored = decode_pixels(parsed, pixel_format)
            display = read_display_attributes(parsed, pixel_format)
            return _make_film(header, path, stored, _check_padding(display, stored))


def hash_stored(stored: np.ndarray) -> str:
    """sha256 over dtype, shape and little endian values: what the engine saw, reproducibly."""
    little = np.ascontiguousarray(stored, stored.dtype.newbyteorder("<"))
    shape = "x".join(str(n) for n in stored.shape)
    digest = hashlib.sha256(f"{little.dtype.str} {shape} ".encode())
    digest.update(little.data)
    return digest.hexdigest()


@contextmanager
def _as_unreadable(path: Path) -> Iterator[None]:
    """Anything at all that reading raises becomes UnreadableInstance; warnings are muted."""
    try:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnreadableInstance:
        raise
    except Exception as error:
        # from None: a kept traceback would hold the pixels and, in a log, the patient's name.
        raise UnreadableInstance(path, reason_for(error)) from None


def _make_film(
    header: InstanceHeader, path: Path, stored: np.ndarray, display: DisplayAttributes
) -> Film:
    stored.setflags(write=False)
    film = Film(header, path, stored, display, hash_stored(stored))
    # Measured here, on the reader's thread, so that the first paint need not.
    assert film.stored_range[0] <= film.stored_range[1]
    assert film.robust_range[0] <= film.robust_range[1]
    return film


def _check_padding(display: DisplayAttributes, stored: np.ndarray) -> DisplayAttributes:
    """Without a padding range that would blank the film: less than 1% of it would be left."""
    padding = padding_mask(stored, display)
    if padding is None or np.count_nonzero(~padding) >= 0.01 * padding.size:
        return display
    return replace(display, padding_range=None, badges=(*display.badges, "pixel padding ignored"))


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
    )


def _read_picture_film(path: Path) -> Film:
    file_bytes = path.read_bytes()
    picture = read_picture(file_bytes)
    header = _make_picture_header(picture, path, hashlib.sha256(file_bytes).hexdigest())
    bits = 8 * picture.stored.dtype.itemsize
    is_lossy = picture.source_format == "JPEG"
    # An 8-bit picture was windowed when it was saved: shown as it is (LINEAR 128/256 is identity).
    windows = (Window(128, 256, "LINEAR", "as saved"),) if bits == 8 else ()
    display = DisplayAttributes(
        windows=windows,
        bits_stored=bits,
        is_lossy=is_lossy,
        badges=(BADGE_LOSSY,) if is_lossy else (),
    )
    return _make_film(header, path, picture.stored, display)


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
