"""Open one file as a film: DICOM (any single-frame greyscale image), PNG or JPEG.

Every reason not to is an UnreadableInstance; no other exception leaves this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from workstation.dicom.display_pipeline import DisplayAttributes
from workstation.dicom.unreadable import UnreadableInstance

__all__ = ["Film", "InstanceHeader", "UnreadableInstance", "read_film", "read_header"]

SourceFormat = Literal["DICOM", "PNG", "JPEG"]


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
    """One decoded image. stored: [rows, columns] int or uint, never written to."""

    header: InstanceHeader
    path: Path
    stored: np.ndarray
    display: DisplayAttributes
    image_sha256: str

    @cached_property
    def stored_range(self) -> tuple[int, int]:
        """Least and greatest stored value."""
        return int(self.stored.min()), int(self.stored.max())


def read_header(path: Path) -> InstanceHeader:
    """The header, refusing what `read_film` would refuse; DICOM pixels stay unread."""
    raise UnreadableInstance(path, "not implemented yet")


def read_film(path: Path) -> Film:
    """The decoded film. A truncated image is refused, never shown as if complete."""
    raise UnreadableInstance(path, "not implemented yet")
