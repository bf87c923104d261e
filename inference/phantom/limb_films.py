"""Films of a hand or a knee: bones with cortex and marrow in soft tissue.

Lengths of bones in mm, adults (Alexander & Viktor, J Hand Surg Am 2010;35:432-438).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inference.phantom.case import PhantomCase
from inference.phantom.geometry import Array, Canvas, Ellipsoid, Pose

_CORTEX, _MARROW = 2.4, 0.75  # relative to water, over the soft tissue they displace


@dataclass(frozen=True)
class _Placing:
    """How a limb lies on the plate: turned, mirrored, shifted (mm)."""

    turn_rad: float
    mirror: float
    shift: tuple[float, float]

    def points(self, flat: Array) -> Array:
        """Limb points [n, 2] as body points [n, 3]."""
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        x, y = self.mirror * flat[:, 0], flat[:, 1]
        return np.column_stack(
            [x * cos - y * sin + self.shift[0], x * sin + y * cos + self.shift[1], 0.0 * x]
        )


def _draw_placing(rng: np.random.Generator, turn_rad: float, shift_mm: float) -> _Placing:
    shift = (rng.uniform(-shift_mm, shift_mm), rng.uniform(-shift_mm, shift_mm))
    return _Placing(rng.uniform(-turn_rad, turn_rad), float(rng.choice([-1.0, 1.0])), shift)


def lay_down(case: PhantomCase) -> tuple[Pose, _Placing, bool, np.random.Generator]:
    """(pose, placing, both sides on the film, where the details are drawn from next)."""
    rng = case.rng(case.kind)
    match case.kind:
        case "hand":
            pose = Pose(scale=rng.uniform(1.25, 1.6), shift_v_mm=52.0)
            return pose, _draw_placing(rng, 0.35, 12.0), False, rng
        case "knee":
            both = bool(rng.random() < 0.3)
            pose = Pose(scale=rng.uniform(0.85, 1.0) if both else rng.uniform(1.0, 1.35))
            return pose, _draw_placing(rng, 0.08, 14.0), both, rng
        case _:
            raise ValueError(f"{case.kind} is not a film of a limb")


def image_laterality(case: PhantomCase) -> str:
    """R, L, both or unpaired, as Image Laterality says it (PS3.3 C.8.11.2): "R", "L", "B", "U"."""
    if case.kind not in ("hand", "knee"):
        return "U"
    _, placing, both, _ = lay_down(case)
    if both:
        return "B"
    # unmirrored, the hand (PA) has its thumb at the viewer's left, the knee (AP) its fibula right
    is_right = (placing.mirror > 0) == (case.kind == "hand")
    return "R" if is_right else "L"


def _add_long_bone(
    canvas: Canvas, placing: _Placing, start: Array, end: Array, shaft_mm: float,
    flare: tuple[float, float] = (1.5, 1.5),
) -> None:  # fmt: skip
    """A waisted tube of cortex round marrow; flare: how much wider each end is than the shaft."""
    along = (end - start) / np.linalg.norm(end - start)
    # a tube ends in a half ball: draw it in, so that a gap is left for the joint
    start, end = start + 0.8 * flare[0] * shaft_mm * along, end - 0.8 * flare[1] * shaft_mm * along
    t = np.linspace(0.0, 1.0, 11)
    wide = 1.0 + (flare[0] - 1.0) * np.exp(-t / 0.11) + (flare[1] - 1.0) * np.exp((t - 1.0) / 0.11)
    points = placing.points(start + t[:, None] * (end - start))
    canvas.add_tube(points, shaft_mm * wide, _CORTEX)
    wall = shaft_mm * np.clip(0.42 - 0.55 * (wide - 1.0), 0.14, None)  # thin where it is wide
    canvas.add_tube(points, shaft_mm * wide - wall, _MARROW - _CORTEX)


def _thickest(parts: list[Array]) -> Array:
    """Soft parts run into each other: each ray takes the thickest."""
    return np.max(np.stack(parts), axis=0)


def _soft_tube(size: int, pose: Pose, points: Array, radius_mm: Array | float) -> Array:
    canvas = Canvas.blank(size, pose)
    canvas.add_tube(points, radius_mm, 1.0)
    return canvas.tissue_cm


# -- hand -----------------------------------------------------------------------------------

# per ray: base of the metacarpal (x, y), direction from straight up in degrees, bone lengths
_RAYS = (
    ((-24.0, 22.0), -46.0, (46.0, 32.0, 23.0)),
    ((-17.0, 4.0), -11.0, (68.0, 40.0, 23.0, 17.0)),
    ((-3.0, 2.0), -1.0, (65.0, 44.0, 28.0, 18.0)),
    ((9.0, 5.0), 8.0, (58.0, 41.0, 27.0, 18.0)),
    ((20.0, 10.0), 18.0, (54.0, 32.0, 19.0, 16.0)),
)
_CARPUS = (  # centre x, y, radii
    (-20.0, 31.0, 7.5, 9.0), (-9.0, 37.0, 8.0, 8.0), (4.0, 37.0, 8.0, 7.5), (14.0, 31.0, 7.0, 7.5),
    (-17.0, 16.0, 7.0, 7.0), (-8.0, 18.0, 5.5, 7.0), (1.0, 19.0, 6.5, 10.0), (12.0, 19.0, 7.5, 9.0),
)  # fmt: skip


def draw_hand(case: PhantomCase, size: int) -> Array:
    """Thickness [size, size] in cm of a hand lying palm down, fingers up."""
    pose, placing, _, rng = lay_down(case)
    canvas = Canvas.blank(size, pose)
    spread, grown = rng.uniform(0.7, 1.35), rng.uniform(0.9, 1.1)
    soft: list[Array] = []
    for base, degrees, lengths in _RAYS:
        at = np.array(base)
        angle = np.deg2rad(degrees * spread + rng.uniform(-3.0, 3.0))
        chain = [at]
        for number, length in enumerate(lengths):
            step = np.array([np.sin(angle), -np.cos(angle)])
            end = at + grown * length * step
            shaft = 4.1 - 0.55 * number if len(lengths) == 4 else 4.2 - 0.6 * number
            _add_long_bone(canvas, placing, at + 0.8 * step, end - 0.8 * step, shaft, (1.6, 1.45))
            at = end
            chain.append(at)
            angle += np.deg2rad(rng.uniform(-2.0, 2.0))
        chain.append(at + 4.0 * step)
        width = np.linspace(15.0, 8.0, len(chain))
        soft.append(_soft_tube(size, pose, placing.points(np.array(chain)), width))
    for x, y, across, along in _CARPUS:
        centre = placing.points(np.array([[x, y]]))[0]
        solid = Ellipsoid((centre[0], centre[1], 0.0), (across, along, 6.0))
        canvas.add_ellipsoid(solid, 1.2, edge_mm=0.5)
    radius, ulna = np.array([[-9.0, 45.0], [-5.0, 265.0]]), np.array([[16.0, 44.0], [13.0, 264.0]])
    _add_long_bone(canvas, placing, radius[0], radius[1], 6.5, (1.9, 1.0))
    _add_long_bone(canvas, placing, ulna[0], ulna[1], 5.5, (1.4, 1.0))
    wrist = placing.points(np.array([[2.0, -20.0], [2.0, 20.0], [2.0, 60.0], [4.0, 280.0]]))
    soft.append(_soft_tube(size, pose, wrist, np.array([28.0, 29.0, 26.0, 36.0])) * 0.5)
    return canvas.tissue_cm + _thickest(soft)


# -- knee -----------------------------------------------------------------------------------


def draw_knee(case: PhantomCase, size: int) -> Array:
    """Thickness [size, size] in cm of one knee from the front, or of both on one film."""
    pose, placing, both, rng = lay_down(case)
    if not both:
        return _draw_one_knee(size, pose, placing)
    apart = rng.uniform(88.0, 104.0)
    right = replace(placing, mirror=-1.0, shift=(placing.shift[0] - apart, placing.shift[1]))
    left = replace(placing, mirror=1.0, shift=(placing.shift[0] + apart, placing.shift[1]))
    return _draw_one_knee(size, pose, right) + _draw_one_knee(size, pose, left)


def _draw_one_knee(size: int, pose: Pose, placing: _Placing) -> Array:
    canvas = Canvas.blank(size, pose)

    def add(centre: tuple[float, float], radii: tuple[float, float, float], density: float) -> None:
        at = placing.points(np.array([centre]))[0]
        canvas.add_ellipsoid(Ellipsoid((at[0], at[1], 0.0), radii), density, edge_mm=0.8)

    femur = np.array([[-4.0, -260.0], [0.0, -10.0]])
    _add_long_bone(canvas, placing, femur[0], femur[1], 15.0, (1.0, 1.75))
    tibia = np.array([[1.0, 10.0], [-3.0, 260.0]])
    _add_long_bone(canvas, placing, tibia[0], tibia[1], 13.0, (2.1, 1.0))
    for x in (-21.0, 21.0):
        add((x, -21.0), (20.0, 20.0, 24.0), 0.8)  # condyles
        add((x, 13.0), (19.0, 9.0, 20.0), 1.0)  # plateau
    for x in (-5.0, 5.0):
        add((x, 3.0), (2.5, 5.0, 6.0), 1.6)  # spines between the condyles
    add((-2.0, -42.0), (21.0, 22.0, 9.0), 1.0)  # patella
    fibula = np.array([[37.0, 22.0], [30.0, 260.0]])
    _add_long_bone(canvas, placing, fibula[0], fibula[1], 5.5, (1.7, 1.0))
    y = np.linspace(-260.0, 260.0, 27)
    width = np.interp(y, (-260.0, -80.0, -20.0, 25.0, 110.0, 260.0), (84, 68, 58, 55, 61, 50))
    leg = placing.points(np.column_stack([np.interp(y, (-260.0, 90.0), (-6.0, 4.0)), y]))
    soft = _soft_tube(size, pose, leg, width)
    return canvas.tissue_cm + soft
