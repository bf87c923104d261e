"""Many tubes at once: the chords of whole trees and rib cages, splatted as discs.

A tube is the sum of thin slices along its centre line. Seen from any side, a slice of length ds and
radius r leaves a mass of pi r² ds; spread as a disc of radius r and height ds, the sum along the line
is the tube's chord 2 sqrt(r² - d²), foreshortening included. So no ray has to be traced.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.phantom.geometry import Array, Canvas

Stroke = tuple[Array, Array]  # points [n, 3] mm, radii [n] mm
_CHUNK = 3_000_000  # pixel touches at a time
_MIN_RADIUS_PX = 0.62  # thinner tubes keep their mass but not their width


def draw_strokes(
    canvas: Canvas, strokes: Sequence[Stroke], density: float, tall: float = 1.0
) -> Array:
    """Water-equivalent cm [size, size] of solid tubes; tall: height over width of a slice."""
    points, radii, lengths = _slice(strokes, canvas.pixel_mm)
    film, _ = canvas.pose.project(points)
    pixel = canvas.pixel_mm
    column = (film[:, 0] - float(canvas.u_mm[0, 0])) / pixel
    row = (film[:, 1] - float(canvas.v_mm[0, 0])) / pixel
    radius = radii / pixel
    drawn_radius = np.maximum(radius, _MIN_RADIUS_PX)
    height = lengths * radius**2 / (drawn_radius**2 + 1 / 12) * (density / 10.0)
    size = canvas.size
    total = np.zeros(size * size)
    reach = np.ceil(drawn_radius * tall + 0.5).astype(int)
    near = (column > -reach) & (column < size + reach) & (row > -reach) & (row < size + reach)
    for k in np.unique(reach[near]):
        chosen = np.flatnonzero(near & (reach == k))
        dv, du = (axis.ravel() for axis in np.mgrid[-k : k + 1, -k : k + 1])
        for part in np.array_split(chosen, len(chosen) * len(du) // _CHUNK + 1):
            column0, row0 = np.rint(column[part]), np.rint(row[part])
            off_u = (column0 - column[part]).astype(np.float32)[:, None] + du.astype(np.float32)
            off_v = (row0 - row[part]).astype(np.float32)[:, None] + dv.astype(np.float32)
            distance = np.sqrt(off_u**2 + (off_v / np.float32(tall)) ** 2)
            edge = drawn_radius[part].astype(np.float32)[:, None] + np.float32(0.5)
            weight = np.clip(edge - distance, 0.0, 1.0) * height[part, None].astype(np.float32)
            columns = column0.astype(np.int64)[:, None] + du
            rows = row0.astype(np.int64)[:, None] + dv
            inside = (columns >= 0) & (columns < size) & (rows >= 0) & (rows < size) & (weight > 0)
            total += np.bincount((rows * size + columns)[inside], weight[inside], size * size)
    return total.reshape(size, size).astype(np.float32)


def _slice(strokes: Sequence[Stroke], pixel_mm: float) -> tuple[Array, Array, Array]:
    """Slices of all tubes: centres [m, 3], radii [m] and lengths [m] in mm."""
    start = np.concatenate([points[:-1] for points, _ in strokes])
    end = np.concatenate([points[1:] for points, _ in strokes])
    radius0 = np.concatenate([radii[:-1] for _, radii in strokes])
    radius1 = np.concatenate([radii[1:] for _, radii in strokes])
    length = np.linalg.norm(end - start, axis=1)
    step = np.maximum(0.6 * pixel_mm, 0.16 * np.minimum(radius0, radius1))
    count = np.maximum(np.ceil(length / step), 1).astype(int)
    owner = np.repeat(np.arange(len(count)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    t = ((np.arange(len(owner)) - first + 0.5) / count[owner])[:, None]
    centres = start[owner] * (1 - t) + end[owner] * t
    radii = radius0[owner] * (1 - t[:, 0]) + radius1[owner] * t[:, 0]
    return centres, radii, length[owner] / count[owner]
