"""Grayscale Softcopy Presentation States: read one, and show a film as it asks (PS3.4 Annex N).

A state names the images it is about; `ImagePresentation` is what it says of one of them.
`present` gives the film the state's grey pipeline and shutter, so that whatever shows films
shows it right; annotations and displayed area are for the viewer to draw and to zoom to.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom.dataset import Dataset

from workstation.dicom.annotations import Annotation, read_annotations
from workstation.dicom.dataset_reading import ParsedInstance, check_regular_file, parse_instance
from workstation.dicom.display_attributes import BADGE_PRESENTED, PresentationShape, identity_window
from workstation.dicom.display_header import read_lookup_table, read_modality, read_windows
from workstation.dicom.displayed_area import DisplayedArea, read_displayed_areas
from workstation.dicom.element_values import (
    clean_text,
    first_int,
    first_item,
    items_of,
    text_of,
    values_of,
)
from workstation.dicom.film import Film
from workstation.dicom.frame_source import measure
from workstation.dicom.header_text import format_person_name, read_date
from workstation.dicom.overlays import OverlayPlane, read_overlays
from workstation.dicom.shutters import Shutter, read_shutter
from workstation.dicom.unreadable import Refusal, as_unreadable, muted_warnings
from workstation.dicom.voi import LookupTable, Window

GRAYSCALE_SOFTCOPY = "1.2.840.10008.5.1.4.1.1.11.1"
MAX_ANNOTATIONS = 1000
"""Of one image: they are drawn anew in every frame."""


@dataclass(frozen=True)
class ImageReference:
    """An image a state, or a part of it, is about; frames counted from 1, () for all."""

    sop_instance_uid: str
    frames: tuple[int, ...] = ()

    def includes(self, sop_instance_uid: str, frame_index: int) -> bool:
        if self.sop_instance_uid != sop_instance_uid:
            return False
        return not self.frames or frame_index + 1 in self.frames


@dataclass(frozen=True, eq=False)
class ImagePresentation:
    """How one frame is to be shown.

    A state without a modality LUT or rescale asks for none, whatever the image has (PS3.4
    N.2.1.1); without windows and voi_luts for the whole range (N.2.1.2). rotation_degrees:
    clockwise, 0, 90, 180 or 270, after which is_flipped mirrors left and right (C.10.6).
    """

    label: str
    description: str
    modality_lut: LookupTable | None
    rescale_slope: float
    rescale_intercept: float
    windows: tuple[Window, ...]
    voi_luts: tuple[LookupTable, ...]
    presentation_lut: LookupTable | None
    presentation_shape: PresentationShape
    shutter: Shutter | None
    overlays: tuple[OverlayPlane, ...]
    annotations: tuple[Annotation, ...]
    displayed_area: DisplayedArea | None
    rotation_degrees: int
    is_flipped: bool


@dataclass(frozen=True, eq=False)
class PresentationState:
    """One state. references: the images it may be applied to, created: YYYYMMDD;
    study_instance_uid and patient_id are "" where it does not say."""

    sop_instance_uid: str
    study_instance_uid: str
    patient_id: str
    label: str
    description: str
    creator: str
    created: str
    references: tuple[ImageReference, ...]
    path: Path
    parsed: ParsedInstance

    def applies_to(self, film: Film) -> bool:
        """Whether the state names the film's image, and its frame."""
        uid = film.header.sop_instance_uid
        return any(reference.includes(uid, film.frame_index) for reference in self.references)

    def for_film(self, film: Film) -> ImagePresentation | None:
        """What the state says of this frame, None if it is not about it; UnreadableInstance
        where that is damaged."""
        if not self.applies_to(film):
            return None
        with as_unreadable(self.path), muted_warnings():
            return _read_presentation(self.parsed, film)


def read_presentation_state(path: Path) -> PresentationState:
    """A grayscale softcopy presentation state; UnreadableInstance for anything else."""
    with as_unreadable(path):
        size = check_regular_file(path)
        with path.open("rb") as stream, muted_warnings():
            parsed = parse_instance(stream, size)
            dataset = parsed.dataset
            stated = text_of(dataset, "SOPClassUID") or text_of(
                parsed.meta, "MediaStorageSOPClassUID"
            )
            if stated != GRAYSCALE_SOFTCOPY:
                raise Refusal("not a grayscale presentation state")
            references = _read_references(dataset, "ReferencedSeriesSequence")
            if not references:
                raise Refusal("presentation state names no image")
            return PresentationState(
                sop_instance_uid=text_of(dataset, "SOPInstanceUID"),
                study_instance_uid=text_of(dataset, "StudyInstanceUID"),
                patient_id=text_of(dataset, "PatientID"),
                label=text_of(dataset, "ContentLabel"),
                description=text_of(dataset, "ContentDescription"),
                creator=format_person_name(dataset, "ContentCreatorName"),
                created=read_date(dataset, "PresentationCreationDate"),
                references=references,
                path=path,
                parsed=parsed,
            )


def present(film: Film, presentation: ImagePresentation) -> Film:
    """The film with the state's modality LUT, VOI, presentation LUT and shutter in place of its
    own; `original` keeps what the model is to see. Its other frames come as the file has them:
    the state may say something else of each."""
    original = film.original or film
    pipeline = replace(
        original.display,
        modality_lut=presentation.modality_lut,
        rescale_slope=presentation.rescale_slope,
        rescale_intercept=presentation.rescale_intercept,
    )
    area = presentation.displayed_area
    aspect = area.pixel_aspect_ratio if area is not None else None
    has_voi = presentation.windows or presentation.voi_luts
    # Without a VOI the whole output range of the modality LUT is shown (N.2.1.2).
    windows = presentation.windows if has_voi else (identity_window(pipeline),)
    display = replace(
        pipeline,
        windows=windows,
        voi_luts=presentation.voi_luts,
        presentation_lut=presentation.presentation_lut,
        presentation_shape=presentation.presentation_shape,
        shutter=presentation.shutter,
        pixel_aspect_ratio=original.display.pixel_aspect_ratio if aspect is None else aspect,
        badges=(*original.display.badges, BADGE_PRESENTED),
    )
    return measure(
        replace(
            original,
            display=display,
            original=original,
            overlays=presentation.overlays,
            presentation=presentation,
        )
    )


def _read_presentation(parsed: ParsedInstance, film: Film) -> ImagePresentation:
    dataset, order = parsed.dataset, "<" if parsed.is_little_endian else ">"
    display = film.display if film.original is None else film.original.display
    modality_lut, slope, intercept, _ = read_modality(dataset, order, display.is_signed)
    overlays, _ = read_overlays(
        dataset, None, film.frame_index, is_little_endian=parsed.is_little_endian
    )
    shutter = read_shutter(dataset, overlays)
    bitmap = shutter.bitmap if shutter is not None else None
    active = _active_groups(dataset)
    own = (*film.overlays, *overlays) if film.original is None else overlays
    shown = tuple(o for o in own if o.group in active and o is not bitmap)
    area = next(
        (a for item, a in read_displayed_areas(dataset) if _is_about(item, film)),
        None,
    )
    annotations = (
        annotation
        for item in items_of(dataset, "GraphicAnnotationSequence")
        if _is_about(item, film)
        for annotation in read_annotations(item)
    )
    is_domain_signed = modality_lut is None and film.stored_range[0] * slope + intercept < 0
    windows, luts = _read_voi(dataset, order, film, is_domain_signed)
    lut, shape = _read_presentation_lut(dataset, order)
    rotation = first_int(dataset, "ImageRotation") or 0
    return ImagePresentation(
        label=text_of(dataset, "ContentLabel"),
        description=text_of(dataset, "ContentDescription"),
        modality_lut=modality_lut,
        rescale_slope=slope,
        rescale_intercept=intercept,
        windows=windows,
        voi_luts=luts,
        presentation_lut=lut,
        presentation_shape=shape,
        shutter=shutter,
        overlays=shown,
        annotations=tuple(itertools.islice(annotations, MAX_ANNOTATIONS)),
        displayed_area=area,
        rotation_degrees=rotation % 360 if rotation % 90 == 0 else 0,
        is_flipped=text_of(dataset, "ImageHorizontalFlip").upper() == "Y",
    )


def _read_voi(
    dataset: Dataset, order: str, film: Film, is_domain_signed: bool
) -> tuple[tuple[Window, ...], tuple[LookupTable, ...]]:
    """The item of the Softcopy VOI LUT Sequence that is about this frame (C.11.8)."""
    for item in items_of(dataset, "SoftcopyVOILUTSequence"):
        if _is_about(item, film):
            tables = (
                read_lookup_table(table, order, is_domain_signed)
                for table in items_of(item, "VOILUTSequence")
            )
            return read_windows(item), tuple(table for table in tables if table is not None)
    return (), ()


def _read_presentation_lut(
    dataset: Dataset, order: str
) -> tuple[LookupTable | None, PresentationShape]:
    """Presentation LUT Sequence or Shape, never both (C.11.6)."""
    item = first_item(dataset, "PresentationLUTSequence")
    lut = read_lookup_table(item, order, False) if item is not None else None
    is_inverse = text_of(dataset, "PresentationLUTShape").upper() == "INVERSE"
    return lut, "INVERSE" if is_inverse and lut is None else "IDENTITY"


def _active_groups(dataset: Dataset) -> set[int]:
    """Overlay groups a state activates, of the image or its own (C.11.7)."""
    groups = set()
    for group in range(0x6000, 0x6020, 2):
        if dataset.get((group, 0x1001)) is not None:  # Overlay Activation Layer
            groups.add(group)
    return groups


def _is_about(item: Dataset, film: Film) -> bool:
    """Items without references are about every image of the state."""
    references = _read_images(item)
    uid = film.header.sop_instance_uid
    return not references or any(r.includes(uid, film.frame_index) for r in references)


def _read_references(dataset: Dataset, keyword: str) -> tuple[ImageReference, ...]:
    return tuple(
        reference for series in items_of(dataset, keyword) for reference in _read_images(series)
    )


def _read_images(item: Dataset) -> tuple[ImageReference, ...]:
    """Referenced Image Sequence (10.8)."""
    found = []
    for image in items_of(item, "ReferencedImageSequence"):
        numbers = values_of(image, "ReferencedFrameNumber")
        frames = tuple(int(number) for number in numbers if str(number).strip().isdigit())
        uid = clean_text(text_of(image, "ReferencedSOPInstanceUID"))
        found.append(ImageReference(uid, frames))
    return tuple(found)
