"""How one view follows another: the same scale and place, the same step away from its own window.

Films are compared by view geometry alone, without looking at their pixels. No Qt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workstation.dicom.film import Film
from workstation.dicom.view_position import LATERAL_VIEWS
from workstation.dicom.voi import Voi, Window, linear_equivalent
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.view_geometry import GREATEST_ZOOM, LEAST_ZOOM, ViewGeometry


def column_step_mm(film: Film, other: Film) -> tuple[float, float] | None:
    """What a column of each is in mm, where both mean the same by it (PS3.3 10.7.1.3)."""
    one, two = film.display, other.display
    if one.pixel_spacing_mm is None or two.pixel_spacing_mm is None:
        return None
    if one.spacing_kind != two.spacing_kind:
        return None
    return one.pixel_spacing_mm[1], two.pixel_spacing_mm[1]


def is_same_view(film: Film, other: Film) -> bool:
    """Both lateral, or both not: what lies side by side in them is comparable."""
    views = (film.header.view_position.upper(), other.header.view_position.upper())
    return (views[0] in LATERAL_VIEWS) == (views[1] in LATERAL_VIEWS)


def follow_geometry(source: FilmPicture, target: FilmPicture) -> ViewGeometry:
    """The target's geometry that shows it as large, and about the same place, as the source.

    As large: in mm where both films have them, else as a share of the fitted film. The place is
    counted from the middle of the film; across only where both are the same view, since a frontal
    and a lateral film share nothing but the height.
    """
    seen, own = source.geometry, target.geometry
    steps = column_step_mm(source.film, target.film)
    ratio = steps[1] / steps[0] if steps else own.fitted().zoom / seen.fitted().zoom
    zoom = min(max(seen.zoom * ratio, LEAST_ZOOM), GREATEST_ZOOM)
    (seen_width, seen_height), (width, height) = seen.displayed_size, own.displayed_size
    across = (seen.centre[0] - seen_width / 2) / ratio
    down = (seen.centre[1] - seen_height / 2) / ratio
    u = width / 2 + across if is_same_view(source.film, target.film) else own.centre[0]
    centre = min(max(u, 0.0), width), min(max(height / 2 + down, 0.0), height)
    return replace(own, zoom=zoom, centre=centre, is_fitted=False)


def fit_together(pictures: Sequence[FilmPicture]) -> list[ViewGeometry]:
    """Each film whole; those with comparable millimetres at one scale, the largest at which all
    of them fit, so that a heart does not look larger for being cropped closer."""
    fitted = [picture.geometry.fitted() for picture in pictures]
    if not pictures:
        return fitted
    steps = [column_step_mm(pictures[0].film, picture.film) for picture in pictures]
    scales = [g.zoom / s[1] for g, s in zip(fitted, steps, strict=True) if s is not None]
    if len(scales) < 2:
        return fitted
    scale = min(scales)
    return [
        replace(geometry, zoom=max(scale * step[1], LEAST_ZOOM)) if step is not None else geometry
        for geometry, step in zip(fitted, steps, strict=True)
    ]


def follow_window(source: FilmPicture, target: FilmPicture) -> Voi:
    """The target's window that is as far from its opening one as the source's is from its own.

    Stored values of two detectors are not comparable; how much harder or darker a film was made
    is. A choice of the header that the target has by the same name is taken as it is there.
    """
    now = source.window
    if now == source.opening_window:
        return target.opening_window
    named = {name: window for name, window in target.choices}
    if now.explanation and now.explanation in named:
        return replace(named[now.explanation], explanation=now.explanation)
    step, began = linear_equivalent(now), linear_equivalent(source.opening_window)
    own = linear_equivalent(target.opening_window)
    reversed_values = (
        source.film.display.is_monochrome1 != target.film.display.is_monochrome1
    )  # larger values are darker in one of them only
    sign = -1.0 if reversed_values else 1.0
    width = own.width * step.width / began.width
    center = own.center + sign * (step.center - began.center) / began.width * own.width
    return Window(center, max(width, 1.0) if step.function == "LINEAR" else width, step.function)
