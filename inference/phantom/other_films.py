"""Films that are no frontal chest: hand, knee, abdomen, an unexposed plate, a wrong polarity.

They are there to be refused. Shapes are simpler than the chest's, but not shorthand: bones have
cortex and marrow, and each film varies in side, place, size and turn by ``case.rng``. Lengths of
bones in mm, adults (Alexander & Viktor, J Hand Surg Am 2010;35:432-438).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inference.phantom.case import PhantomCase
from inference.phantom.geometry import Array, Canvas, Ellipsoid, Pose, soft_step

_FULL_SCALE = 4095  # 12 bits stored, MONOCHROME2: thick is white
_MU_PER_CM = {"hand": 0.30, "knee": 0.25, "abdomen": 0.21}  # water at 50, 60 and 75 kV
_CORTEX, _MARROW = 2.4, 0.75  # relative to water, over the soft tissue they displace


def render_other(case: PhantomCase, size: int) -> Array:
    """The film of a case whose kind is no chest: [size, size] uint16, 12 bits stored.

    Raises ValueError for the kinds that ``projection`` draws itself (chest and lateral).
    """
    match case.kind:
        case "hand" | "knee" | "abdomen":
            return _expose(case, _DRAW[case.kind](case, size), _MU_PER_CM[case.kind])
        case "blank":
            return _render_blank(case, size)
        case "inverted":
            from inference.phantom.projection import render_film  # which calls this module

            return (_FULL_SCALE - render_film(replace(case, kind="chest"), size)).astype(np.uint16)
        case _:
            raise ValueError(f"{case.kind} is not one of the other films")


def _expose(case: PhantomCase, tissue_cm: Array, mu_per_cm: float) -> Array:
    """No grid and little scatter: attenuation, quantum noise, and a linear film."""
    size = tissue_cm.shape[0]
    rng = np.random.default_rng((case.seed, size))
    quanta = 60_000 * (224 / size) ** 2
    counts = quanta * (0.97 * np.exp(-mu_per_cm * tissue_cm.clip(0.0)) + 0.03)
    counts = counts + rng.standard_normal(counts.shape, dtype=np.float32) * np.sqrt(counts)
    signal = -np.log(np.clip(counts / quanta, 1e-4, None))
    low, high = np.percentile(signal[::4, ::4], [0.5, 99.7])
    stored = 0.04 + 0.88 * np.clip((signal - low) / (high - low), -0.02, 1.1)
    return np.clip(stored * _FULL_SCALE, 0, _FULL_SCALE).astype(np.uint16)


# -- parts ----------------------------------------------------------------------------------


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


def _draw_hand(case: PhantomCase, size: int) -> Array:
    rng = case.rng("hand")
    pose = Pose(scale=rng.uniform(1.25, 1.6), shift_v_mm=52.0)
    canvas, placing = Canvas.blank(size, pose), _draw_placing(rng, 0.35, 12.0)
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


def _draw_knee(case: PhantomCase, size: int) -> Array:
    """One knee from the front, or both on one film; the fibula lies laterally."""
    rng = case.rng("knee")
    both = rng.random() < 0.3
    pose = Pose(scale=rng.uniform(0.85, 1.0) if both else rng.uniform(1.0, 1.35))
    placing = _draw_placing(rng, 0.08, 14.0)
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


# -- abdomen --------------------------------------------------------------------------------


def _draw_abdomen(case: PhantomCase, size: int) -> Array:
    """Supine abdomen: lumbar spine, last ribs, pelvis, bowel gas; no lungs."""
    rng = case.rng("abdomen")
    canvas = Canvas.blank(size, Pose(scale=rng.uniform(0.92, 1.08)))
    half, depth_cm = rng.uniform(150.0, 190.0), rng.uniform(17.0, 22.0)
    waist = half * (1.0 - 0.06 * np.cos(canvas.v_mm / 90.0))
    inside = np.clip(1.0 - (canvas.u_mm / waist) ** 4, 0.0, 1.0)
    canvas.tissue_cm += (depth_cm * np.sqrt(inside)).astype(np.float32)
    lean = rng.uniform(-6.0, 6.0)
    _add_lumbar_spine(canvas, lean)
    _add_pelvis(canvas, lean, rng.uniform(0.92, 1.08))
    for sign in (-1.0, 1.0):
        for number, reach in ((10, 120.0), (11, 100.0), (12, 66.0)):
            y = -172.0 + 28.0 * (number - 10)
            t = np.linspace(0.0, 1.0, 8)
            rib = np.column_stack(
                [sign * (20.0 + reach * np.sin(1.3 * t)), y + 52.0 * t**1.6, 0.0 * t]
            )
            canvas.add_tube(rib, 4.5, 1.6)
        edge = np.array(
            [[sign * 22.0, -90.0, 0.0], [sign * 44.0, 0.0, 0.0], [sign * 70.0, 80.0, 0]]
        )
        canvas.add_tube(edge, 15.0, 0.5)  # psoas
        kidney = Ellipsoid((sign * 66.0, -82.0 - 8.0 * sign, 0.0), (27.0, 54.0, 24.0))
        canvas.add_ellipsoid(kidney, 0.25, edge_mm=3.0)
    _add_bowel_gas(canvas, rng)
    return canvas.tissue_cm


def _add_lumbar_spine(canvas: Canvas, lean: float) -> None:
    for number in range(7):
        y = -186.0 + 37.0 * number
        x, half = lean * np.sin(number / 2.0), 19.0 + 1.3 * number
        area = canvas.window(x - 60, x + 60, y - 24, y + 24)
        u, v = np.abs(canvas.u_mm[:, area[1]] - x), np.abs(canvas.v_mm[area[0]] - y)
        waisted = half - 2.5 * (1.0 - np.minimum(v / 14.0, 1.0) ** 2)
        block = soft_step(14.0 - v, 0.9) * soft_step(waisted - u, 0.9)
        canvas.tissue_cm[area] += 3.4 * block
        for sign in (-1.0, 1.0):
            pedicle = Ellipsoid((x + sign * 0.68 * half, y - 5.0, 0.0), (4.5, 6.0, 8.0))
            canvas.add_ellipsoid(pedicle, 1.4)
            process = np.array(
                [[x + sign * half, y - 3.0, 0.0], [x + sign * (half + 22.0), y - 6, 0]]
            )
            canvas.add_tube(process, 4.0, 1.6)
        canvas.add_ellipsoid(Ellipsoid((x, y + 9.0, 0.0), (4.0, 11.0, 8.0)), 1.4)


def _add_pelvis(canvas: Canvas, lean: float, grown: float) -> None:
    for y, half in ((80.0, 46.0), (96.0, 42.0), (112.0, 34.0), (128.0, 25.0), (144.0, 15.0)):
        canvas.add_ellipsoid(Ellipsoid((lean, y * grown, 0.0), (half, 12.0, 13.0)), 0.9)
    for sign in (-1.0, 1.0):
        t = np.linspace(0.0, 1.0, 12)
        crest = np.column_stack(
            [sign * (44.0 + 82.0 * np.sin(1.5 * t)), 70.0 - 34.0 * np.sin(2.3 * t) + 46.0 * t**3,
             0.0 * t]
        )  # fmt: skip
        canvas.add_tube(crest * [grown, grown, 1.0], 5.5, 2.4)
        wing = Ellipsoid((sign * 88.0 * grown, 92.0 * grown, 0.0), (40.0, 48.0, 7.0))
        canvas.add_ellipsoid(wing, 1.3)
        brim = [[44.0, 116.0, 0.0], [58.0, 142.0, 0.0], [60.0, 164.0, 0.0], [30.0, 186.0, 0.0]]
        canvas.add_tube(np.array(brim) * [sign * grown, grown, 1.0], 7.0, 2.2)
        head = Ellipsoid((sign * 96.0 * grown, 172.0 * grown, 0.0), (24.0, 24.0, 22.0))
        canvas.add_ellipsoid(head, 1.0)
        canvas.add_tube(
            np.array([[100.0, 176.0, 0.0], [134.0, 208.0, 0.0]]) * [sign * grown, grown, 1.0],
            15.0,
            1.1,
        )


def _add_bowel_gas(canvas: Canvas, rng: np.random.Generator) -> None:
    """Stomach, the colon's frame with its haustra, and some loops of small bowel."""
    stomach = Ellipsoid((rng.uniform(52, 76), rng.uniform(-158, -140), 0.0), (34.0, 20.0, 24.0))
    canvas.add_ellipsoid(stomach, -0.9, edge_mm=1.5)
    frame = [(-118, 66), (-122, 20), (-120, -30), (-104, -70), (-50, -72), (0, -60), (52, -76),
             (104, -98), (122, -50), (124, 0), (118, 50), (90, 96), (40, 120)]  # fmt: skip
    gassy = rng.random(len(frame)) < rng.uniform(0.45, 0.85)
    for (x0, y0), has_gas in zip(frame, gassy, strict=True):
        for _ in range(3 if has_gas else 0):
            at = (x0 + rng.uniform(-12, 12), y0 + rng.uniform(-14, 14), 0.0)
            pocket = Ellipsoid(at, (rng.uniform(11, 18), rng.uniform(10, 16), rng.uniform(12, 18)))
            canvas.add_ellipsoid(pocket, -0.8, edge_mm=1.2)
    for _ in range(int(rng.integers(3, 10))):
        at = (rng.uniform(-80, 80), rng.uniform(-40, 90), 0.0)
        pocket = Ellipsoid(at, (rng.uniform(8, 18), rng.uniform(6, 11), rng.uniform(8, 13)))
        canvas.add_ellipsoid(pocket, -0.8, edge_mm=1.2)


# -- no patient -----------------------------------------------------------------------------


def _render_blank(case: PhantomCase, size: int) -> Array:
    """Nothing on the plate: unexposed, evenly exposed, or the collimator's empty rectangle."""
    rng = case.rng("blank")
    mode = int(rng.integers(4))
    level, tilt = rng.uniform(0.05, 0.9), rng.uniform(-0.08, 0.08, 2)
    edges = np.array([rng.uniform(-180, -90), rng.uniform(90, 180),
                      rng.uniform(-180, -90), rng.uniform(90, 180)])  # fmt: skip
    canvas = Canvas.blank(size, Pose())
    u, v = canvas.u_mm, canvas.v_mm
    plate = level + tilt[0] * u / 200.0 + tilt[1] * v / 200.0  # heel effect
    if mode == 0:  # the plate never saw the tube: read-out noise at one end of the range
        plate = np.full_like(plate, 0.03 if level < 0.5 else 0.95)
    if mode >= 2:
        opened = np.minimum(
            np.minimum(u - edges[0], edges[1] - u), np.minimum(v - edges[2], edges[3] - v)
        )
        shut = 0.97 if level < 0.5 else 0.02
        plate = shut + (plate - shut) * soft_step(opened, 1.2)
    noise = np.random.default_rng((case.seed, size)).standard_normal(plate.shape, dtype=np.float32)
    grain = rng.uniform(0.004, 0.03) * size / 224 * 0.5
    return np.clip((plate + grain * noise) * _FULL_SCALE, 0, _FULL_SCALE).astype(np.uint16)


_DRAW = {"hand": _draw_hand, "knee": _draw_knee, "abdomen": _draw_abdomen}
