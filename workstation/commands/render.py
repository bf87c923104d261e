"""`echo-workstation render FILE --out PNG [--window CENTER,WIDTH] [--as-left DATA_FOLDER]`."""

from __future__ import annotations

import math
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from workstation.catalog.database import CatalogUnavailable, open_database
from workstation.commands.exit_codes import one_line
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.presentation_search import open_as_presented
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.voi import Window, linear_equivalent
from workstation.dicom.window_choices import badges
from workstation.reading.display_state import DisplayState
from workstation.reading.measurement_store import MeasurementStore
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.whole_file import write_whole_file

_PNG = b"\x89PNG\r\n\x1a\n"


def run_render(
    path: Path,
    out: Path,
    window: tuple[float, float] | None = None,
    as_left_in: Path | None = None,
) -> int:
    """Write what the viewer shows at 1:1 as an 8-bit PNG, grey unless overlays are drawn. 0, or 1
    with the reason on stderr. as_left_in: the data folder whose reader's window, inversion, flips
    and turns are shown, as the viewer does when it opens the film again."""
    if window is not None and not (math.isfinite(sum(window)) and window[1] >= 1):
        print(f"window {window[0]},{window[1]}: the width must be at least 1", file=sys.stderr)
        return 1
    try:
        film = open_as_presented(read_film(path))
        left = None if as_left_in is None else _read_left(as_left_in, film)
        shown = show_whole(film, left)
        if window is not None:
            shown.window = Window(*window)
        picture = Image.fromarray(colours_of(shown))
        _write_png(picture, out, path)
    except (UnreadableInstance, CatalogUnavailable) as error:
        print(one_line(error), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{out}: {error.strerror or error}", file=sys.stderr)
        return 1
    voi = linear_equivalent(shown.window)
    size = f"{picture.height} x {picture.width}"
    notes = "".join(f"; {badge}" for badge in badges(shown.film))
    print(f"{out}: {size}, C {voi.center:g} W {voi.width:g}{notes}")
    return 0


def _write_png(picture: Image.Image, out: Path, film: Path) -> None:
    """Whole or not at all, and never in the place of a film. Raises OSError."""
    if out.is_file():
        if out.samefile(film):
            raise OSError("is the film itself: not replaced; choose another name")
        with out.open("rb") as there:
            if there.read(len(_PNG)) not in (_PNG, b""):
                raise OSError("is there and is no PNG: not replaced; choose another name")
    content = BytesIO()
    picture.save(content, format="PNG")
    write_whole_file(out, content.getvalue())


def _read_left(data_folder: Path, film: Film) -> DisplayState | None:
    engine = open_database(data_folder, read_only=True)
    try:
        return MeasurementStore(engine).load_display(film.header.sop_instance_uid)
    finally:
        engine.dispose()


def show_whole(film: Film, left: DisplayState | None = None) -> FilmPicture:
    """The whole film as the viewer has it when opened (left: again, after a reader left it so),
    without its figures and words: one pixel a stored one, and more down or across where those are
    not square (PS3.3 C.7.6.3.1.7)."""
    rows, columns = film.stored.shape
    aspect = film.display.pixel_aspect_ratio
    picture = FilmPicture(film, columns, rows)
    if left is not None:
        picture.show_as_left(left)
    orientation = picture.geometry.orientation
    zoom = 1.0 if abs(aspect - 1) < 0.01 else max(1.0, 1 / aspect)
    width, height = columns * zoom, rows * aspect * zoom
    if orientation.is_sideways:
        width, height = height, width
    view = picture.geometry.fitted().resized(round(width), round(height))
    picture.geometry = view.fitted_to((0, 0, columns, rows), zoom)
    return picture


def colours_of(picture: FilmPicture) -> np.ndarray:
    """[height, width] uint8 grey, or [height, width, 3] where overlays or annotations are drawn."""
    asked = picture.film.presentation
    if asked is not None and asked.annotations:
        from workstation.ui.viewer.annotated_picture import paint_annotated  # starts Qt

        return paint_annotated(picture)
    rgb = picture.rgb()
    if picture.film.overlay_mask is None:
        return (rgb & 0xFF).astype(np.uint8)
    return np.stack([rgb >> shift & 0xFF for shift in (16, 8, 0)], axis=-1).astype(np.uint8)
