"""Many tubes at once: the chords of whole trees and rib cages, splatted as discs.

A tube is the sum of thin slices along its centre line. Seen from any side, a slice of length ds
and radius r leaves a mass of pi r² ds; spread as a disc of radius r and height ds, the sum along
the line is the tube's chord 2 sqrt(r² - d²), foreshortening included. So no ray has to be traced.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.phantom.geometry import Array, Canvas

Stroke = tuple[Array, Array]  # points [n, 3] mm, radii [n] mm
_CHUNK = 1_500_000  # pixel touches at a time
_MIN_RADIUS_PX = 0.62  # thinner tubes keep their mass but not their width


def draw_strokes(
    canvas: Canvas,
    strokes: Sequence[Stroke],
    density: float,
    *,
    tall: float = 1.0,
    wall_mm: float | None = None,
    core_density: float = 0.0,
) -> Array:
    """Water-equivalent cm [size, size] of tubes; tall: height over width of a slice.

    With wall_mm the tubes have density in a wall of that thickness and core_density inside it.
    """
    points, radii, lengths = _slice(strokes, canvas.pixel_mm)
    ramp = np.maximum(lengths / canvas.pixel_mm, 1.0).astype(np.float32)  # no ripple along the tube
    film, _ = canvas.pose.project(points)
    pixel = canvas.pixel_mm
    column = ((film[:, 0] - float(canvas.u_mm[0, 0])) / pixel).astype(np.float32)
    row = ((film[:, 1] - float(canvas.v_mm[0, 0])) / pixel).astype(np.float32)
    outer, outer_cm = _disc(radii / pixel, lengths * density / 10.0, ramp)
    discs = [(outer, outer_cm)]
    if wall_mm is not None:
        inside = np.maximum(radii - wall_mm, 0.05) / pixel
        discs.append(_disc(inside, lengths * (core_density - density) / 10.0, ramp))
    reach = np.ceil((outer + 0.5 * ramp) * tall).astype(int)
    margin = 2 * int(reach.max()) + 1
    rows, columns = canvas.v_mm.shape[0], canvas.u_mm.shape[1]
    near = (column > -reach) & (column < columns + reach - 1)
    near &= (row > -reach) & (row < rows + reach - 1)
    wide = columns + 2 * margin
    total = np.zeros((rows + 2 * margin) * wide)
    for k in np.unique(reach[near]):
        chosen = np.flatnonzero(near & (reach == k))
        for part in np.array_split(chosen, len(chosen) * (2 * k + 1) ** 2 // _CHUNK + 1):
            at = (row[part], column[part])
            cut = [(r[part], cm[part]) for r, cm in discs]
            touched, weight = _spread(at, cut, ramp[part], int(k), tall)
            base = (np.rint(at[0]).astype(np.int64) + margin) * wide
            base += np.rint(at[1]).astype(np.int64) + margin
            index = base[:, None] + touched @ np.array([wide, 1])
            low = int(index.min())
            added = np.bincount(index.ravel() - low, weight.ravel())
            total[low : low + len(added)] += added
    film_cm = total.reshape(rows + 2 * margin, wide)[margin:-margin, margin:-margin]
    return film_cm.astype(np.float32)


def columns_of(canvas: Canvas, columns: slice) -> Canvas:
    """A canvas of some columns of another, drawing into it."""
    return Canvas(
        canvas.size, canvas.pose, canvas.u_mm[:, columns], canvas.v_mm, canvas.tissue_cm[:, columns]
    )


def _disc(radius_px: Array, mass: Array, ramp: Array) -> tuple[Array, Array]:
    """(radius in pixels, height) of a disc that keeps its mass when drawn with a soft edge."""
    drawn = np.maximum(radius_px, _MIN_RADIUS_PX)
    height = mass * radius_px**2 / (drawn**2 + ramp**2 / 12)
    return drawn.astype(np.float32), height.astype(np.float32)


def _spread(
    at: tuple[Array, Array], discs: list[tuple[Array, Array]], ramp: Array, k: int, tall: float
) -> tuple[Array, Array]:
    """Pixel offsets [pixels, 2] about each slice, and what each of them gets [slices, pixels]."""
    rows = np.arange(-k, k + 1, dtype=np.float32)
    narrow = min(int(np.ceil(k / tall + 0.5)), k)
    columns = np.arange(-narrow, narrow + 1, dtype=np.float32)
    down = ((np.rint(at[0]) - at[0])[:, None] + rows) / np.float32(tall)
    across = (np.rint(at[1]) - at[1])[:, None] + columns
    distance = np.sqrt((down**2)[:, :, None] + (across**2)[:, None, :])
    distance /= ramp[:, None, None]
    weight = np.zeros_like(distance)
    for radius, height in discs:
        soft = (radius / ramp + np.float32(0.5))[:, None, None] - distance
        np.clip(soft, 0.0, 1.0, out=soft)
        soft *= height[:, None, None]
        weight += soft
    offsets = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    return offsets.astype(np.int64), weight.reshape(len(weight), -1)


def _slice(strokes: Sequence[Stroke], pixel_mm: float) -> tuple[Array, Array, Array]:
    """Slices of all tubes: centres [m, 3], radii [m] and lengths [m] in mm."""
    start = np.concatenate([points[:-1] for points, _ in strokes])
    end = np.concatenate([points[1:] for points, _ in strokes])
    radius0 = np.concatenate([radii[:-1] for _, radii in strokes])
    radius1 = np.concatenate([radii[1:] for _, radii in strokes])
    length = np.linalg.norm(end - start, axis=1)
    step = np.maximum(0.9 * pixel_mm, 0.16 * np.minimum(radius0, radius1))
    count = np.maximum(np.ceil(length / step), 1).astype(int)
    owner = np.repeat(np.arange(len(count)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    t = (np.arange(len(owner)) - first + 0.5) / count[owner]
    centres = start[owner] + (end - start)[owner] * t[:, None]
    radii = radius0[owner] + (radius1 - radius0)[owner] * t
    return centres, radii, (length / count)[owner]
