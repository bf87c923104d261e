"""Overlay planes and display shutters against masks drawn by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from workstation.dicom.display_attributes import BADGE_SHUTTER
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.instance_reader import read_film
from workstation.dicom.overlays import BADGE_OVERLAY, OverlayPlane
from workstation.dicom.shutters import Circle, Polygon, Rectangle, Shutter
from workstation.dicom.window_choices import badges

WriteDicom = Callable[..., Path]
RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8) * 64
DIAGONAL = np.eye(3, dtype=bool)


def add_overlay(dataset: Dataset, group: int, mask: np.ndarray | None, **more: object) -> None:
    """more: e0051=... adds (group, 0051) as US."""
    if mask is not None:
        rows, columns = mask.shape[-2:]
        dataset.add_new((group, 0x0010), "US", rows)
        dataset.add_new((group, 0x0011), "US", columns)
        packed = np.packbits(mask.reshape(-1), bitorder="little").tobytes()
        dataset.add_new((group, 0x3000), "OW", packed + b"\0" * (len(packed) % 2))
    dataset.add_new((group, 0x0040), "CS", "G")
    dataset.add_new((group, 0x0100), "US", 1)
    dataset.add_new((group, 0x0102), "US", 0)
    for name, value in more.items():
        element = int(name[1:], 16)
        dataset.add_new((group, element), {0x50: "SS", 0x15: "IS"}.get(element, "US"), value)


@pytest.fixture
def write_overlay(write_dicom: WriteDicom) -> Callable[..., Path]:
    """write_overlay(pixels, add) -> a film whose data set add() changed."""

    def write(pixels: np.ndarray, add: Callable[[Dataset], None], **elements: object) -> Path:
        path = write_dicom(pixels, **elements)
        dataset = dcmread(path)
        add(dataset)
        dataset.save_as(path)
        return path

    return write


def test_plane_in_the_header_is_read_with_its_origin(write_overlay: Callable[..., Path]) -> None:
    def add(dataset: Dataset) -> None:
        add_overlay(dataset, 0x6000, DIAGONAL, e0050=[2, 3])
        add_overlay(dataset, 0x6002, DIAGONAL)
        dataset[0x6002, 0x0040].value = "R"
        dataset.add_new((0x6002, 0x1500), "LO", "Nodule")

    first, second = read_film(write_overlay(RAMP, add)).overlays
    assert (first.kind, first.origin, first.mask.tolist()) == (
        "graphics",
        (2, 3),
        DIAGONAL.tolist(),
    )
    assert (second.kind, second.origin, second.label) == ("roi", (1, 1), "Nodule")


def test_plane_in_the_unused_high_bits_is_read(write_overlay: Callable[..., Path]) -> None:
    drawn = np.zeros((8, 8), bool)
    drawn[2, 1:5] = True
    words = (RAMP & 0x0FFF) | (drawn.astype(np.uint16) << 13)

    def add(dataset: Dataset) -> None:
        add_overlay(dataset, 0x6000, None, e0102=13)
        add_overlay(dataset, 0x6002, None, e0102=5)  # inside the values: no overlay

    film = read_film(write_overlay(words, add, BitsStored=12, HighBit=11))
    (plane,) = film.overlays
    assert np.array_equal(plane.mask, drawn)
    assert np.array_equal(film.stored, RAMP & 0x0FFF)
    assert BADGE_OVERLAY in badges(film)


def test_frames_of_an_overlay_belong_to_frames_of_the_image(
    write_overlay: Callable[..., Path],
) -> None:
    masks = np.stack([DIAGONAL, ~DIAGONAL])
    film = read_film(
        write_overlay(
            np.stack([RAMP, RAMP, RAMP]).reshape(24, 8),
            lambda d: add_overlay(d, 0x6000, masks, e0015=2, e0051=2),
            Rows=8,
            NumberOfFrames=3,
        )
    )
    assert film.overlays == ()
    assert film.frame(1).overlays[0].mask.tolist() == DIAGONAL.tolist()
    assert film.frame(2).overlays[0].mask.tolist() == (~DIAGONAL).tolist()


def test_truncated_or_giant_overlay_is_badged_not_fatal(
    write_overlay: Callable[..., Path],
) -> None:
    def add(dataset: Dataset) -> None:
        add_overlay(dataset, 0x6000, DIAGONAL)
        dataset[0x6000, 0x0010].value = 65535
        dataset[0x6000, 0x0011].value = 65535
        add_overlay(dataset, 0x6002, DIAGONAL)
        dataset[0x6002, 0x0010].value = 90

    film = read_film(write_overlay(RAMP, add))
    assert film.overlays == ()
    assert BADGE_OVERLAY in badges(film)


def test_plane_lies_at_its_origin_and_is_cut_at_the_edge() -> None:
    plane = OverlayPlane(0x6000, "graphics", DIAGONAL, origin=(7, 2))
    placed = np.argwhere(plane.on_image(8, 8)).tolist()
    assert placed == [[6, 1], [7, 2]]
    outside = OverlayPlane(0x6000, "graphics", DIAGONAL, origin=(-1, 0))
    assert np.argwhere(outside.on_image(8, 8)).tolist() == [[0, 1]]
    assert not OverlayPlane(0x6000, "graphics", DIAGONAL, origin=(40, 40)).on_image(8, 8).any()


SHAPES = [
    (Rectangle(left=2, right=3, upper=1, lower=4), ["01100", "01100", "01100", "01100", "00000"]),
    (Circle((3, 3), 1), ["00000", "00100", "01110", "00100", "00000"]),
    (
        Polygon(((0.5, 0.5), (0.5, 3.5), (4.5, 3.5), (4.5, 0.5))),
        ["11100", "11100", "11100", "11100", "00000"],
    ),
    (Polygon(((0.9, 0.9), (0.9, 5.2), (5.2, 0.9))), ["11111", "11110", "11100", "11000", "10000"]),
]


@pytest.mark.parametrize(("shape", "rows"), SHAPES, ids=lambda case: type(case).__name__)
def test_shape_shows_what_was_drawn(shape: Rectangle | Circle | Polygon, rows: list[str]) -> None:
    expected = [[c == "1" for c in row] for row in rows]
    assert shape.visible(5, 5, 1.0).tolist() == expected


def test_circle_is_round_on_screen_where_pixels_are_not() -> None:
    visible = Circle((5, 5), 4).visible(9, 9, 2.0)  # pixels twice as high as wide
    assert visible[:, 4].sum() == 5
    assert visible[4].sum() == 9


def test_several_shapes_leave_their_intersection() -> None:
    shutter = Shutter((Rectangle(1, 3, 1, 5), Rectangle(3, 5, 1, 5)), None, 32768)
    assert (~shutter.hidden(5, 5)).sum(axis=0).tolist() == [0, 0, 5, 0, 0]
    assert shutter.grey == 128


@given(st.lists(st.tuples(st.floats(-9, 20), st.floats(-9, 20)), min_size=3, max_size=8))
def test_polygon_agrees_with_counting_crossings_pixel_by_pixel(
    vertices: list[tuple[float, float]],
) -> None:
    visible = Polygon(tuple(vertices)).visible(6, 7, 1.0)
    ends = vertices[1:] + vertices[:1]
    for row in range(1, 7):
        for column in range(1, 8):
            crossed = False
            near = False
            for (ra, ca), (rb, cb) in zip(vertices, ends, strict=True):
                if (ra > row) == (rb > row) and row not in (ra, rb):
                    continue
                if row in (ra, rb):
                    near = True
                    continue
                at = ca + (row - ra) * (cb - ca) / (rb - ra)
                near |= abs(at - column) < 1e-6
                crossed ^= at <= column
            assert near or visible[row - 1, column - 1] == crossed


def test_shutter_of_the_image_is_shown_and_badged(write_dicom: WriteDicom) -> None:
    film = read_film(
        write_dicom(
            RAMP, ShutterShape="CIRCULAR", CenterOfCircularShutter=[4, 4], RadiusOfCircularShutter=2
        )
    )
    assert film.hidden_mask is not None
    assert render_grey(film, inverted=True)[0].tolist() == [0] * 8
    assert BADGE_SHUTTER in badges(film)
    plain = read_film(write_dicom(RAMP, name="plain.dcm"))
    seen = ~film.hidden_mask
    assert np.array_equal(render_grey(film)[seen], render_grey(plain)[seen])


@pytest.mark.parametrize("edge", [{"ShutterShape": "RECTANGULAR"}, {"ShutterShape": "NONSENSE"}])
def test_shutter_without_sense_is_left_out(write_dicom: WriteDicom, edge: dict[str, str]) -> None:
    assert read_film(write_dicom(RAMP, **edge)).display.shutter is None
