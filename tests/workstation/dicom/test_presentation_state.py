"""Presentation states written by pydicom, applied to films written by pydicom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from workstation.dicom.annotations import GraphicObject, TextObject
from workstation.dicom.display_attributes import BADGE_PRESENTED
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.displayed_area import DisplayedArea
from workstation.dicom.instance_reader import read_film
from workstation.dicom.model_image import model_image
from workstation.dicom.presentation_state import (
    GRAYSCALE_SOFTCOPY,
    PresentationState,
    present,
    read_presentation_state,
)
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.voi import Window
from workstation.dicom.window_choices import badges, default_window

WriteDicom = Callable[..., Path]
RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def item(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def image_reference(uid: str = "1.2.3.4", frames: list[int] | None = None) -> Dataset:
    reference = item(ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID=uid)
    if frames:
        reference.ReferencedFrameNumber = frames
    return reference


def lut_item(descriptor: list[int], entries: list[int]) -> Dataset:
    lut = Dataset()
    lut.add_new("LUTDescriptor", "US", descriptor)
    lut.add_new("LUTData", "US", entries)
    return lut


@pytest.fixture
def write_state(write_dicom: WriteDicom) -> Callable[..., PresentationState]:
    def write(uid: str = "1.2.3.4", frames: list[int] | None = None, **elements: Any):
        series = item(ReferencedImageSequence=Sequence([image_reference(uid, frames)]))
        content = item(
            SOPClassUID=GRAYSCALE_SOFTCOPY,
            SOPInstanceUID="1.2.9",
            Modality="PR",
            ContentLabel="HARD",
            ContentCreatorName="DOE^R",
            PresentationCreationDate="20260101",
            ReferencedSeriesSequence=Sequence([series]),
            PresentationLUTShape="IDENTITY",
        )
        for keyword, value in elements.items():
            setattr(content, keyword, value)
        return read_presentation_state(write_dicom(dataset=content, name="state.dcm"))

    return write


WriteState = Callable[..., PresentationState]


def shown(film_path: Path, state: PresentationState) -> np.ndarray:
    film = read_film(film_path)
    presentation = state.for_film(film)
    assert presentation is not None
    return render_grey(present(film, presentation))


def test_state_says_what_it_is_and_whom_it_concerns(
    write_state: WriteState, write_dicom: WriteDicom
) -> None:
    state = write_state()
    assert (state.label, state.creator, state.created) == ("HARD", "DOE, R", "20260101")
    film = read_film(write_dicom(RAMP))
    assert state.applies_to(film)
    other = read_film(write_dicom(RAMP, SOPInstanceUID="1.2.3.5", name="other.dcm"))
    assert not state.applies_to(other)
    assert state.for_film(other) is None
    assert not write_state(frames=[2]).applies_to(film)


def test_state_without_voi_shows_the_whole_range_of_the_bits(
    write_state: WriteState, write_dicom: WriteDicom
) -> None:
    path = write_dicom(RAMP, WindowCenter=10, WindowWidth=4)
    assert np.array_equal(shown(path, write_state()), RAMP)  # PS3.4 N.2.1.2


def test_polarity_is_the_states_own(write_state: WriteState, write_dicom: WriteDicom) -> None:
    path = write_dicom(RAMP, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(shown(path, write_state()), RAMP)  # N.2.1.4, note 1
    inverse = write_state(PresentationLUTShape="INVERSE")
    assert np.array_equal(shown(path, inverse), 255 - RAMP)


def test_window_of_the_item_about_this_image_is_taken(
    write_state: WriteState, write_dicom: WriteDicom
) -> None:
    other = item(
        ReferencedImageSequence=Sequence([image_reference("9.9")]), WindowCenter=1, WindowWidth=1
    )
    mine = item(
        ReferencedImageSequence=Sequence([image_reference()]),
        WindowCenter=100,
        WindowWidth=50,
        VOILUTFunction="LINEAR_EXACT",
    )
    state = write_state(SoftcopyVOILUTSequence=Sequence([other, mine]))
    film = read_film(write_dicom(RAMP, WindowCenter=10, WindowWidth=4))
    presentation = state.for_film(film)
    assert presentation is not None
    presented = present(film, presentation)
    assert default_window(presented) == Window(100, 50, "LINEAR_EXACT")
    assert np.array_equal(render_grey(presented), render_grey(film, default_window(presented)))
    assert BADGE_PRESENTED in badges(presented)
    assert badges(film) == tuple(b for b in badges(presented) if b != BADGE_PRESENTED)


def test_modality_and_presentation_luts_by_hand(
    write_state: WriteState, write_dicom: WriteDicom
) -> None:
    path = write_dicom(np.array([[0, 1, 2, 3]], np.uint8))
    modality = lut_item([4, 0, 8], [0, 85, 170, 255])
    modality.ModalityLUTType = "US"
    state = write_state(ModalityLUTSequence=Sequence([modality]))
    assert shown(path, state).tolist() == [[0, 85, 170, 255]]
    # The window's output 0, 1/3, 2/3, 1 falls on entries 0, 1, 2, 3 of 4 (C.11.6.1.1).
    state = write_state(
        ModalityLUTSequence=Sequence([modality]),
        PresentationLUTSequence=Sequence([lut_item([4, 0, 10], [1023, 0, 682, 341])]),
    )
    assert shown(path, state).tolist() == [[255, 0, 170, 85]]


def test_model_sees_the_image_not_the_state(
    write_state: WriteState, write_dicom: WriteDicom
) -> None:
    film = read_film(write_dicom(RAMP, PhotometricInterpretation="MONOCHROME1"))
    state = write_state(RescaleSlope=-2, RescaleIntercept=9)
    presentation = state.for_film(film)
    assert presentation is not None
    presented = model_image(present(film, presentation))
    assert presented.is_monochrome1
    assert np.array_equal(presented.pixels, RAMP.astype(np.float32))


def test_shutter_and_bitmap_shutter_cover_with_their_grey(
    write_state: WriteState, write_dicom: WriteDicom
) -> None:
    path = write_dicom(RAMP)
    state = write_state(
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=2,
        ShutterRightVerticalEdge=15,
        ShutterUpperHorizontalEdge=3,
        ShutterLowerHorizontalEdge=16,
        ShutterPresentationValue=65535,
    )
    grey = shown(path, state)
    assert (grey[:2] == 255).all()
    assert (grey[:, 0] == 255).all()
    assert (grey[:, 15] == 255).all()
    assert np.array_equal(grey[2:, 1:15], RAMP[2:, 1:15])

    bitmap = np.zeros((16, 16), bool)
    bitmap[5, 6] = True
    overlay = Dataset()
    overlay.add_new((0x6000, 0x0010), "US", 16)
    overlay.add_new((0x6000, 0x0011), "US", 16)
    overlay.add_new((0x6000, 0x0040), "CS", "G")
    overlay.add_new((0x6000, 0x0050), "SS", [1, 1])
    overlay.add_new((0x6000, 0x0100), "US", 1)
    overlay.add_new((0x6000, 0x0102), "US", 0)
    overlay.add_new((0x6000, 0x3000), "OB", np.packbits(bitmap, bitorder="little").tobytes())
    elements = {element.tag: element for element in overlay}
    content = write_state().parsed.dataset
    content.update(elements)
    content.ShutterShape = "BITMAP"
    content.ShutterOverlayGroup = 0x6000
    content.ShutterPresentationValue = 0
    state = read_presentation_state(write_dicom(dataset=content, name="bitmap.dcm"))
    grey = shown(path, state)
    assert grey[5, 6] == 0
    assert np.array_equal(grey[~bitmap], RAMP[~bitmap])


def test_rotation_flip_and_displayed_area(write_state: WriteState, write_dicom: WriteDicom) -> None:
    area = item(
        DisplayedAreaTopLeftHandCorner=[3, 2],
        DisplayedAreaBottomRightHandCorner=[10, 12],
        PresentationSizeMode="MAGNIFY",
        PresentationPixelAspectRatio=[1, 1],
        PresentationPixelMagnificationRatio=2.0,
    )
    state = write_state(
        DisplayedAreaSelectionSequence=Sequence([area]),
        ImageRotation=270,
        ImageHorizontalFlip="Y",
    )
    presentation = state.for_film(read_film(write_dicom(RAMP)))
    assert presentation is not None
    assert (presentation.rotation_degrees, presentation.is_flipped) == (270, True)
    assert presentation.displayed_area == DisplayedArea(
        (3, 2), (10, 12), "MAGNIFY", 2.0, pixel_aspect_ratio=1.0
    )
    assert presentation.displayed_area.box == (2.0, 1.0, 10.0, 12.0)


def test_annotations_keep_their_units(write_state: WriteState, write_dicom: WriteDicom) -> None:
    circle = item(
        GraphicAnnotationUnits="PIXEL",
        GraphicDimensions=2,
        NumberOfGraphicPoints=2,
        GraphicData=[4.0, 5.0, 6.0, 5.0],
        GraphicType="CIRCLE",
        GraphicFilled="N",
    )
    senseless = item(GraphicAnnotationUnits="PIXEL", GraphicData=[1.0], GraphicType="POLYLINE")
    text = item(
        AnchorPointAnnotationUnits="PIXEL",
        BoundingBoxAnnotationUnits="DISPLAY",
        UnformattedTextValue="Nodule?\r\n8 mm",
        BoundingBoxTopLeftHandCorner=[0.125, 0.25],
        BoundingBoxBottomRightHandCorner=[0.375, 0.5],
        AnchorPoint=[4.0, 5.0],
        AnchorPointVisibility="Y",
    )
    annotation = item(
        GraphicLayer="MARKS",
        GraphicObjectSequence=Sequence([circle, senseless]),
        TextObjectSequence=Sequence([text]),
    )
    elsewhere = item(
        ReferencedImageSequence=Sequence([image_reference("9.9")]),
        GraphicLayer="MARKS",
        GraphicObjectSequence=Sequence([circle]),
    )
    state = write_state(GraphicAnnotationSequence=Sequence([annotation, elsewhere]))
    presentation = state.for_film(read_film(write_dicom(RAMP)))
    assert presentation is not None
    assert presentation.annotations == (
        GraphicObject("CIRCLE", ((4.0, 5.0), (6.0, 5.0)), "pixel", False, "MARKS"),
        TextObject(
            lines=("Nodule?", "8 mm"),
            box=((0.125, 0.25), (0.375, 0.5)),
            box_units="display",
            anchor=(4.0, 5.0),
            anchor_units="pixel",
            is_anchor_visible=True,
            layer="MARKS",
        ),
    )


def test_other_files_are_no_presentation_states(write_dicom: WriteDicom, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInstance, match="not a grayscale presentation state"):
        read_presentation_state(write_dicom(RAMP))
    (tmp_path / "text").write_bytes(b"hello")
    with pytest.raises(UnreadableInstance, match="not a DICOM"):
        read_presentation_state(tmp_path / "text")
