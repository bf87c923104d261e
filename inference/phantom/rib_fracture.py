"""A displaced rib fracture: which rib, where it breaks, and the pieces that the film shows."""

from __future__ import annotations

import numpy as np

from inference.phantom.case import PhantomCase
from inference.phantom.geometry import Array, Canvas, Ellipsoid

# The ribs whose lateral arc lies over lung, clear of clavicle, scapula and dome.
_LIKELY_RIBS = (5, 6, 7, 8)
_SWELLING_DENSITY = 1.0


def fractured_rib(case: PhantomCase) -> tuple[str, int] | None:
    """(side, number) of the broken rib; None without a fracture."""
    statement = case.find("fracture")
    if statement is None:
        return None
    number = _LIKELY_RIBS[int(case.rng("fractured rib").integers(len(_LIKELY_RIBS)))]
    return statement.side or "left", number


def break_rib(points: Array, rng: np.random.Generator) -> list[Array]:
    """The pieces [n, 3] of a rib given from its posterior to its anterior end.

    Broken at the lateral arc: a gap, and the front piece stepped down by a shaft's height and
    angulated, hinged at its far end. rng must be a fresh ``case.rng("fracture")``, so that
    ``add_fracture_swelling`` finds the same place.
    """
    at, gap_mm, step_mm = _plan(rng)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    middle = at * along[-1]
    ends = (middle - gap_mm / 2, middle + gap_mm / 2)
    back = np.concatenate([points[along < ends[0]], _point_at(points, along, ends[0])])
    front = np.concatenate([_point_at(points, along, ends[1]), points[along > ends[1]]])
    reach = np.concatenate([[ends[1]], along[along > ends[1]]])
    hinged = 1.0 - (reach - ends[1]) / (along[-1] - ends[1])
    inward = -np.sign(front[0, 0]) * 0.25 * step_mm
    return [back, front + hinged[:, None] * np.array([inward, step_mm, 0.0])]


def add_fracture_swelling(canvas: Canvas, points: Array, rng: np.random.Generator) -> None:
    """The haematoma and the dense, overlapping ends at the break of the whole rib ``points``."""
    back, front = break_rib(points, rng)
    for end in (back[-1], front[0]):
        x, y, z = (float(value) for value in end)
        canvas.add_ellipsoid(Ellipsoid((x, y, z), (6.0, 6.0, 6.0)), 1.4, edge_mm=1.5)
    x, y, z = (float(value) for value in (back[-1] + front[0]) / 2)
    inner = x - np.sign(x) * 6.0
    swelling = Ellipsoid((float(inner), y, z), (11.0, 20.0, 16.0))
    canvas.add_ellipsoid(swelling, _SWELLING_DENSITY, edge_mm=3.0)


def _plan(rng: np.random.Generator) -> tuple[float, float, float]:
    """(share of the rib's length at the break, gap mm, step mm)."""
    return rng.uniform(0.46, 0.56), rng.uniform(4.0, 6.0), rng.uniform(10.0, 14.0)


def _point_at(points: Array, along: Array, distance: float) -> Array:
    return np.array([[np.interp(distance, along, points[:, axis]) for axis in range(3)]])
