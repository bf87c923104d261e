"""Key images show what the viewer shows."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.workstation.reported_studies import ReportedStudy
from workstation.commands.render import colours_of, show_whole
from workstation.dicom.annotations import Annotation, GraphicObject, TextObject
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.presentation_state import ImagePresentation, present
from workstation.dicom.voi import Window
from workstation.exports.export_formats import ExportOptions
from workstation.exports.key_image_annotations import draw_annotations
from workstation.exports.key_images import (
    LONGEST_SIDE_PX,
    colours_of_film,
    left_edge_letter,
    orient_as_shown,
    orientation_seen,
    render_key_image,
    render_key_view,
)
from workstation.reading.display_state import DisplayState
from workstation.reading.key_views import KeyView
from workstation.ui.viewer.view_geometry import Orientation, side_letters


def _presented(
    film: Film,
    rotation_degrees: int,
    is_flipped: bool,
    annotations: tuple[Annotation, ...] = (),
) -> Film:
    display = film.display
    return present(
        film,
        ImagePresentation(
            label="TURNED",
            description="",
            modality_lut=display.modality_lut,
            rescale_slope=display.rescale_slope,
            rescale_intercept=display.rescale_intercept,
            windows=display.windows,
            voi_luts=display.voi_luts,
            presentation_lut=None,
            presentation_shape="INVERSE",
            shutter=None,
            overlays=(),
            annotations=annotations,
            displayed_area=None,
            rotation_degrees=rotation_degrees,
            is_flipped=is_flipped,
        ),
    )


@pytest.mark.parametrize("is_flipped", [False, True])
@pytest.mark.parametrize("rotation_degrees", [0, 90, 180, 270])
def test_turned_and_flipped_as_the_viewer_does(
    study: ReportedStudy, rotation_degrees: int, is_flipped: bool
) -> None:
    film = read_film(study.film)
    cut = replace(film, stored=np.ascontiguousarray(film.stored[:, :100]))
    shown = _presented(cut, rotation_degrees, is_flipped)
    np.testing.assert_array_equal(
        orient_as_shown(colours_of_film(shown), orientation_seen(shown)),
        colours_of(show_whole(shown)),
    )


def test_a_small_film_is_enlarged_and_what_is_drawn_is_on_it(study: ReportedStudy) -> None:
    (image,) = study.read().images
    drawn = study.sources.measurements.load(image.sop_instance_uid)
    plain, figured = render_key_image(image), render_key_image(image, drawn)
    assert max(plain.width, plain.height) == LONGEST_SIDE_PX[0]
    with Image.open(BytesIO(plain.jpeg)) as opened:
        before = np.asarray(opened.convert("RGB")).astype(int)
    with Image.open(BytesIO(figured.jpeg)) as opened:
        after = np.asarray(opened.convert("RGB")).astype(int)
    changed = np.abs(after - before).max(axis=2) > 60
    row = round(60 / 128 * plain.height)  # of the length, from column 20 to 90
    middle = changed[row - 3 : row + 4, round(55 / 128 * plain.width)]
    assert middle.any()
    assert 0.001 < changed.mean() < 0.1
    assert plain.caption.startswith("DX PA")


LEFT_STATES = (
    DisplayState(window=Window(900.0, 700.0)),
    DisplayState(choice="Full range", is_inverted=True),
    DisplayState(turns=1),
    DisplayState(mirrored=True, turns=3, is_inverted=True),
)


@pytest.mark.parametrize("left", LEFT_STATES)
def test_as_its_reader_left_it(study: ReportedStudy, left: DisplayState) -> None:
    film = read_film(study.film)
    cut = replace(film, stored=np.ascontiguousarray(film.stored[:, :100]))
    image = orient_as_shown(colours_of_film(cut, left), orientation_seen(cut, left))
    np.testing.assert_array_equal(image, colours_of(show_whole(cut, left)))
    assert (image.shape != cut.stored.shape) == bool(left.turns % 2)


def test_exported_key_image_is_as_its_reader_left_it(study: ReportedStudy) -> None:
    (image,) = study.read().images
    plain = render_key_image(image)
    left = DisplayState(is_inverted=True, mirrored=True, window=Window(900.0, 700.0))
    shown = render_key_image(image, left=left)
    assert shown.caption == f"{plain.caption} · W 700 L 900 · inverted · mirrored"
    assert shown.jpeg != plain.jpeg


def test_a_state_left_under_another_presentation_is_not_applied(study: ReportedStudy) -> None:
    (image,) = study.read().images
    other = DisplayState(is_inverted=True, presentation="TURNED")
    assert render_key_image(image, left=other) == render_key_image(image)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_side_letter_follows_as_on_screen(turns: int, mirrored: bool) -> None:
    on_screen = side_letters(("L", "F"), Orientation(turns, mirrored)).left
    assert left_edge_letter(("L", "F"), (turns, mirrored)) == on_screen
    assert left_edge_letter((), (turns, mirrored)) == ""


ANNOTATIONS: tuple[Annotation, ...] = (
    GraphicObject("POLYLINE", ((10, 20), (60, 20), (60, 50)), "pixel"),
    GraphicObject("CIRCLE", ((80, 90), (95, 90)), "pixel", is_filled=True),
    GraphicObject("ELLIPSE", ((20, 80), (50, 80), (35, 70), (35, 90)), "pixel"),
    GraphicObject("INTERPOLATED", ((0.6, 0.1), (0.7, 0.3), (0.9, 0.2)), "display"),
)


@pytest.mark.parametrize(("rotation_degrees", "is_flipped"), [(0, False), (90, False), (90, True)])
def test_annotations_lie_where_the_viewer_draws_them(
    qapp: object, study: ReportedStudy, rotation_degrees: int, is_flipped: bool
) -> None:
    """Each drawn by its own means, in the same place of the same size."""
    film = read_film(study.film)
    shown = _presented(film, rotation_degrees, is_flipped, ANNOTATIONS)
    bare = _presented(film, rotation_degrees, is_flipped)
    seen = orientation_seen(shown)
    rows, columns = film.stored.shape
    assert rows == columns
    picture = Image.fromarray(orient_as_shown(colours_of_film(shown), seen)).convert("RGB")

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x, y = point[0] / columns, point[1] / rows
        x = 1 - x if seen[1] else x
        for _ in range(seen[0]):
            x, y = 1 - y, x
        return x * columns, y * rows

    draw_annotations(picture, shown, place)
    plain = colours_of(show_whole(bare)).astype(int)[:, :, None]
    in_viewer = np.abs(colours_of(show_whole(shown)).astype(int) - plain).max(axis=2) > 30
    on_key_image = np.abs(np.asarray(picture).astype(int) - plain).max(axis=2) > 30
    near_viewer = np.asarray(Image.fromarray(in_viewer).filter(ImageFilter.MaxFilter(5)))
    near_key = np.asarray(Image.fromarray(on_key_image).filter(ImageFilter.MaxFilter(5)))
    assert in_viewer.sum() > 200
    assert on_key_image.sum() > 200
    assert near_viewer[on_key_image].mean() > 0.98
    assert near_key[in_viewer].mean() > 0.98


def test_text_of_a_presentation_state_is_on_the_key_image(study: ReportedStudy) -> None:
    film = read_film(study.film)
    text = TextObject(("NODULE?",), None, "pixel", (40.0, 60.0), "pixel", is_anchor_visible=True)
    shown = _presented(film, 0, False, (text,))
    picture = Image.fromarray(colours_of_film(shown)).convert("RGB").resize((800, 800))
    before = np.asarray(picture).astype(int)
    draw_annotations(picture, shown, lambda point: (point[0] * 800 / 128, point[1] * 800 / 128))
    changed = np.abs(np.asarray(picture).astype(int) - before).max(axis=2) > 60
    assert changed[360:390, 255:340].any()  # right of its anchor, at (250, 375)
    assert not changed[:300].any()


# -- what a reader kept of a film ------------------------------------------------------------


def _pixels(jpeg: bytes) -> np.ndarray:
    with Image.open(BytesIO(jpeg)) as opened:
        return np.asarray(opened.convert("RGB")).astype(int)


SEEN = [(turns, mirrored) for turns in range(4) for mirrored in (False, True)]


@pytest.mark.parametrize(("turns", "mirrored"), SEEN)
def test_a_kept_part_is_that_part_of_the_film(
    study: ReportedStudy, turns: int, mirrored: bool
) -> None:
    """The same pixels as the viewer shows of these stored ones, whichever way the film is."""
    (image,) = study.read().images
    state = DisplayState(turns=turns, mirrored=mirrored, is_inverted=True)
    part = render_key_view(image, KeyView(state, box=(16.0, 32.0, 80.0, 112.0)))
    across, down = (80, 64) if turns % 2 else (64, 80)
    assert part.width / part.height == pytest.approx(across / down, rel=0.01)
    film = read_film(image.path)
    grey = colours_of_film(film, state)[32:112, 16:80]
    expected = Image.fromarray(orient_as_shown(grey, (turns, mirrored)))
    expected = expected.resize((part.width, part.height), Image.Resampling.LANCZOS)
    shown = _pixels(part.jpeg)[:, part.width // 8 :]  # right of the side letter
    wanted = np.asarray(expected).astype(int)[:, part.width // 8 :, None]
    assert np.abs(shown - wanted).mean() < 4
    assert "part of the film" in part.caption
    assert "inverted" in part.caption


def test_figures_lie_where_they_are_on_the_kept_part(study: ReportedStudy) -> None:
    """A length along row 60, from column 20 to 90, of which the part shows the right half."""
    (image,) = study.read().images
    drawn = study.sources.measurements.load(image.sop_instance_uid)
    view = KeyView(DisplayState(), box=(60.0, 40.0, 124.0, 104.0))
    bare = render_key_view(image, replace(view, with_figures=False), drawn)
    plain, figured = _pixels(bare.jpeg), _pixels(render_key_view(image, view, drawn).jpeg)
    changed = np.abs(figured - plain).max(axis=2) > 60
    row, scale = round(20 / 64 * bare.height), bare.width / 64
    assert changed[row - 4 : row + 5, round(15 * scale)].any()
    assert not changed[row - 4 : row + 5, round(60 * scale)].any()


def test_moved_words_are_led_to_their_figure(study: ReportedStudy) -> None:
    (image,) = study.read().images
    (drawn,) = [
        each
        for each in study.sources.measurements.load(image.sop_instance_uid)
        if each.kind == "length"
    ]
    moved = replace(drawn, label=(55.0, 110.0))
    beside, away = render_key_image(image, [drawn]), render_key_image(image, [moved])
    changed = np.abs(_pixels(away.jpeg) - _pixels(beside.jpeg)).max(axis=2) > 60
    scale = away.height / 128
    column = round(55 * scale)
    assert changed[round(80 * scale), column - 4 : column + 5].any()  # the leader
    assert changed[round(106 * scale) : round(114 * scale), column - 20 : column + 20].any()
    assert beside.kept == ""  # its documents keep the UIDs they had
    assert away.kept != ""


def test_exports_show_what_was_kept_and_whole_films_if_asked(study: ReportedStudy) -> None:
    (image,) = study.read().images
    store = study.sources.measurements
    plain = study.exporter.make(study.read(), "pdf")
    views = (
        KeyView(DisplayState(is_inverted=True), box=(10.0, 10.0, 60.0, 60.0)),
        KeyView(DisplayState()),
    )
    assert store.save_key_views(image.sop_instance_uid, views)
    report = study.read()
    kept = study.exporter._key_images(report, ExportOptions())
    assert [each.caption.split(" · ")[0] for each in kept] == ["1", "2"]
    both = study.exporter._key_images(report, ExportOptions(with_whole_films=True))
    assert both[:2] == kept
    assert len(both) == 3
    assert both[2].width / both[2].height == pytest.approx(1, rel=0.01)
    documents = [
        study.exporter.make(report, "dicom-pdf", ExportOptions(with_whole_films=whole))
        for whole in (False, True)
    ]
    uids = {plain.document_uid, *(each.document_uid for each in documents)}
    assert len(uids) == 3
    again = study.exporter.make(report, "dicom-pdf", ExportOptions())
    assert again.content == documents[0].content
