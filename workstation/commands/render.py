"""`echo-workstation render FILE --out PNG [--window CENTER,WIDTH]`."""

from __future__ import annotations

import math
import sys
from pathlib import Path

from PIL import Image

from workstation.dicom.display_pipeline import (
    Window,
    badges,
    default_window,
    linear_equivalent,
    render_grey,
)
from workstation.dicom.instance_reader import Film, UnreadableInstance, read_film


def run_render(path: Path, out: Path, window: tuple[float, float] | None = None) -> int:
    """Write what the viewer would show as an 8-bit PNG. 0, or 1 with the reason on stderr."""
    if window is not None and not (math.isfinite(sum(window)) and window[1] >= 1):
        print(f"window {window[0]},{window[1]}: the width must be at least 1", file=sys.stderr)
        return 1
    chosen = Window(*window) if window is not None else None
    try:
        film = read_film(path)
        picture = stretch_to_square_pixels(Image.fromarray(render_grey(film, chosen)), film)
        picture.save(out, format="PNG")
    except UnreadableInstance as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{out}: {error.strerror or error}", file=sys.stderr)
        return 1
    shown = linear_equivalent(chosen or default_window(film))
    notes = "".join(f"; {badge}" for badge in badges(film))
    print(f"{out}: {picture.height} x {picture.width}, C {shown.center:g} W {shown.width:g}{notes}")
    return 0


def stretch_to_square_pixels(picture: Image.Image, film: Film) -> Image.Image:
    """Repeat what the viewer does with non-square pixels (PS3.3 C.7.6.3.1.7)."""
    ratio = film.display.pixel_aspect_ratio
    if abs(ratio - 1) < 0.01:
        return picture
    if ratio > 1:
        size = (picture.width, round(picture.height * ratio))
    else:
        size = (round(picture.width / ratio), picture.height)
    return picture.resize(size, Image.Resampling.BILINEAR)
