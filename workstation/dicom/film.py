"""A decoded image with all that is needed to show it, and the header's words about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from workstation.dicom.display_attributes import DisplayAttributes, measure_robust_range
from workstation.dicom.overlays import OverlayPlane, draw_planes

if TYPE_CHECKING:
    from workstation.dicom.presentation_state import ImagePresentation

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
    frame_count: int = 1


@dataclass(frozen=True, eq=False)
class Film:
    """One decoded image. stored: [rows, columns] int or uint, read-only.

    frame_index: from 0. overlays: the planes of this frame. presentations: what the presentation
    states found with the film ask, newest first; presentation: the one applied, and original: the
    film as its own header has it, where one is (presentation_state.present).
    """

    header: InstanceHeader
    path: Path
    stored: np.ndarray
    display: DisplayAttributes
    image_sha256: str
    overlays: tuple[OverlayPlane, ...] = ()
    frame_index: int = 0
    decode_frame: Callable[[int], Film] | None = None
    original: Film | None = None
    presentation: ImagePresentation | None = None
    presentations: tuple[ImagePresentation, ...] = ()

    @property
    def frame_count(self) -> int:
        return self.header.frame_count if self.decode_frame is not None else 1

    def frame(self, index: int) -> Film:
        """Another frame of the same file, decoded when asked for (off the UI's thread: up to a
        second); UnreadableInstance where it can't be. IndexError beyond frame_count."""
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index} of {self.frame_count}")
        if index == self.frame_index or self.decode_frame is None:
            return self
        return self.decode_frame(index)

    @cached_property
    def hidden_mask(self) -> np.ndarray | None:
        """[rows, columns] bool, True under the display shutter; None without one."""
        if self.display.shutter is None:
            return None
        rows, columns = self.stored.shape
        return self.display.shutter.hidden(rows, columns, self.display.pixel_aspect_ratio)

    @cached_property
    def overlay_mask(self) -> np.ndarray | None:
        """[rows, columns] bool, True where overlay planes are drawn; None without any. The plane
        that is the shutter is none of them."""
        bitmap = self.display.shutter.bitmap if self.display.shutter is not None else None
        planes = [plane for plane in self.overlays if plane is not bitmap]
        rows, columns = self.stored.shape
        return draw_planes(planes, rows, columns) if planes else None

    @cached_property
    def robust_range(self) -> tuple[float, float]:
        """Modality values at the 0.5th and 99.5th percentile, padding left out."""
        return measure_robust_range(self.stored, self.display)

    @cached_property
    def stored_range(self) -> tuple[int, int]:
        """Least and greatest stored value."""
        return int(self.stored.min()), int(self.stored.max())

    @property
    def stored_levels(self) -> np.ndarray:
        """Every stored value from the least to the greatest, [n] float64."""
        least, greatest = self.stored_range
        return np.arange(least, greatest + 1, dtype=np.float64)
