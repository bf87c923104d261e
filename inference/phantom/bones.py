"""The skeleton on the film: densities are what bone has more than the soft tissue it stands in."""

from __future__ import annotations

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import PhantomCase
from inference.phantom.curves import SIDES, course, ease, sign_of
from inference.phantom.geometry import Array, Canvas, Ellipsoid, soft_step
from inference.phantom.rib_fracture import break_rib, fractured_rib
from inference.phantom.strokes import Stroke, columns_of, draw_strokes
from inference.phantom.thorax import RIB_SPACING_MM

# Over water at 70 keV (ICRU 44 cortical bone 1.92 g/cm3; NIST tables give 2.6 times water).
_CORTEX = 1.55
_MARROW = 0.22
_CARTILAGE = 0.10
_RIB_WALL_MM = 0.85
_RIB_TALL = 1.55  # height over thickness of a rib's section


def add_skeleton(canvas: Canvas, body: Body, case: PhantomCase) -> None:
    add_spine(canvas, body)
    _add_ribs(canvas, body, case)
    _add_shoulder_girdle(canvas, body)
    _add_sternum(canvas, body)


def add_spine(canvas: Canvas, body: Body) -> None:
    """Vertebral bodies with discs and end plates, pedicles, transverse and spinous processes."""
    column = body.spinal_column
    x, half_x, z, _ = column.at(canvas.v_mm)
    across = np.asarray(canvas.pose.turn(x, z)[0])
    reach = float(half_x.max()) * 1.2
    area = canvas.window(float(across.min()) - reach, float(across.max()) + reach, 0, 0)[1]
    if area.start >= area.stop:
        return
    chord = columns_of(canvas, area).stack_interval(column).length_mm / 10.0
    lean = np.gradient(across[:, 0], canvas.v_mm[:, 0])[:, None]
    along = canvas.v_mm + lean * (canvas.u_mm[:, area] - across)  # along the column's axis
    phase = (along - _first_vertebra(body)) / RIB_SPACING_MM
    from_disc = np.abs(phase - np.floor(phase) - 0.5) * RIB_SPACING_MM  # 0 in mid-vertebra
    edge = RIB_SPACING_MM / 2 - 3.0
    blur = max(0.5, 0.35 * canvas.pixel_mm)
    bone = soft_step(edge - from_disc, blur)
    plate = np.exp(-(((from_disc - edge + 0.8) / max(1.0, 0.5 * canvas.pixel_mm)) ** 2))
    rim = 1.0 - chord * 10.0 / (2.0 * np.maximum(half_x, 1.0))  # cortex: brighter at the sides
    canvas.tissue_cm[:, area] += chord * bone * (0.30 + 0.20 * np.clip(rim, 0, 1))
    canvas.tissue_cm[:, area] += chord * plate * 0.26
    _add_processes(canvas, body)


def _first_vertebra(body: Body) -> float:
    return float(body.cage.y_mm[0]) + 7.0 - RIB_SPACING_MM / 2


def _add_processes(canvas: Canvas, body: Body) -> None:
    rings: list[Stroke] = []
    bars: list[Stroke] = []
    spines: list[Stroke] = []
    turn = np.linspace(0, 2 * np.pi, 9)
    for level in range(-2, 15):
        y = _first_vertebra(body) + RIB_SPACING_MM * (level + 0.42)
        half = float(body.spinal_column.at(np.array([y]))[1][0])
        x, z = (float(v) for v in body.spine(y))
        for sign in (-1.0, 1.0):
            ring = np.stack(
                [x + sign * 0.68 * half + 3.0 * np.cos(turn), y + 5.2 * np.sin(turn),
                 np.full(9, z - half)], axis=1,
            )  # fmt: skip
            rings.append((ring, np.full(9, 1.0)))
            tip = half + (16.0 if level < 12 else 20.0)
            points = np.array([[x + sign * half * 0.7, y - 1, z - half * 1.25],
                               [x + sign * tip, y - 4, z - half * 1.7]])  # fmt: skip
            bars.append((points, np.array([4.0, 3.2])))
            lamina = np.array([[x + sign * half * 0.75, y + 2, z - half * 1.2],
                               [x, y + 8, z - half * 1.9]])  # fmt: skip
            bars.append((lamina, np.array([4.2, 3.4])))
        process = np.array([[x, y + 7, z - half * 1.8], [x, y + 17, z - half * 2.5],
                            [x, y + 21, z - half * 2.75]])  # fmt: skip
        spines.append((process, np.array([2.6, 2.8, 3.4])))
    canvas.tissue_cm += draw_strokes(canvas, rings, 1.5)
    canvas.tissue_cm += draw_strokes(canvas, bars, 0.40)
    canvas.tissue_cm += draw_strokes(canvas, spines, 0.55, tall=1.3)


def _add_ribs(canvas: Canvas, body: Body, case: PhantomCase) -> None:
    broken = fractured_rib(case)
    bones: list[Stroke] = []
    cartilage: list[Stroke] = []
    for (side, number), points in body.ribs.items():
        pieces = [points]
        if (side, number) == broken:
            pieces = break_rib(points, case.rng("fracture"))
        thick = 2.9 + 0.12 * min(number, 7)
        for piece in pieces:
            radius = np.full(len(piece), thick)
            bones.append((piece, radius))
        if number <= 10:
            cartilage.append(_cartilage(body, side, number, points[-1], thick))
    canvas.tissue_cm += draw_strokes(
        canvas, bones, _CORTEX, tall=_RIB_TALL, wall_mm=_RIB_WALL_MM, core_density=_MARROW
    )
    canvas.tissue_cm += draw_strokes(canvas, cartilage, _CARTILAGE, tall=1.4)


def _cartilage(body: Body, side: str, number: int, end: Array, thick: float) -> Stroke:
    """From a rib's end up to the sternum, in front."""
    sign = sign_of(side)
    joint_y = float(ease(np.array([float(number)]), (1, 2, 4, 7, 10), (-100, -70, -20, 40, 52))[0])
    front = float(body.wall_z(joint_y)[1])
    middle = (float(end[0] * 0.5), float(0.4 * end[1] + 0.6 * joint_y), front - 1.0)
    line = course(
        (float(end[0]), float(end[1]), float(end[2])),
        middle,
        (sign * 14.0, joint_y, front + 3),
        steps=8,
    )
    return line, np.full(8, thick)


def _add_shoulder_girdle(canvas: Canvas, body: Body) -> None:
    solid: list[Stroke] = []
    for side in SIDES:
        collar = body.clavicles[side]
        t = np.linspace(0, 1, len(collar))
        radius = 5.2 + 2.6 * (1 - t) ** 3 + 0.8 * t**3
        solid.append((collar, radius))
        solid.extend(_scapula_bars(body.scapulae[side], body.clavicles[side]))
        if not canvas.pose.is_lateral:
            line, calibre = _humerus(body, side)
            solid.append((line, calibre))
            x, y, z = (float(v) for v in line[0])
            canvas.add_ellipsoid(Ellipsoid((x, y, z), (22.0, 23.0, 22.0)), 0.30, edge_mm=0.6)
    canvas.tissue_cm += draw_strokes(
        canvas, solid, _CORTEX, wall_mm=1.3, core_density=_MARROW + 0.05
    )
    plates = [stroke for side in SIDES for stroke in _scapula_plate(body.scapulae[side])]
    canvas.tissue_cm += draw_strokes(canvas, plates, 0.09)


def _scapula_bars(corners: Array, collar: Array) -> list[Stroke]:
    superior, inferior, glenoid, acromion = corners
    lateral_middle = 0.5 * (inferior + glenoid) + np.array([-0.04 * glenoid[0], 0.0, 0.0])
    medial_middle = 0.5 * (superior + inferior) * np.array([0.97, 1.0, 1.0])
    ridge_start = 0.75 * superior + 0.25 * inferior
    ridge_middle = 0.5 * (superior + acromion) + np.array([0.0, 8.0, -6.0])
    upper_middle = 0.5 * (superior + glenoid) + np.array([0.0, -4.0, 0.0])
    lateral = course(glenoid, lateral_middle, inferior, steps=12)
    medial = course(superior, medial_middle, inferior, steps=12)
    ridge = course(ridge_start, ridge_middle, acromion, collar[-1], steps=12)
    upper = course(superior, upper_middle, glenoid, steps=8)
    return [
        (lateral, np.linspace(4.2, 2.6, 12)),
        (medial, np.full(12, 1.5)),
        (ridge, np.linspace(2.0, 5.0, 12)),
        (upper, np.linspace(1.4, 4.0, 8)),
    ]


def _scapula_plate(corners: Array) -> list[Stroke]:
    """The thin blade as broad strokes from the medial border to the lateral one."""
    t = np.linspace(0.06, 0.9, 9)[:, None]
    medial = corners[0] * (1 - t) + corners[1] * t
    lateral = corners[2] * (1 - t) + corners[1] * t
    return [(np.stack([a, b]), np.full(2, 8.0)) for a, b in zip(medial, lateral, strict=True)]


def _humerus(body: Body, side: str) -> Stroke:
    glenoid, sign = body.scapulae[side][2], sign_of(side)
    head = glenoid + np.array([sign * 22.0, -4.0, 8.0])
    fall = np.array([[0.0, 0.0, 0.0], [7.0, 26.0, 0.0], [16.0, 62.0, 0.0], [34.0, 190.0, 4.0]])
    line = course(*(head + np.array([sign, 1.0, 1.0]) * fall), steps=16)
    return line, ease(np.linspace(0, 1, 16), (0.0, 0.1, 0.22, 1.0), (13.0, 14.0, 12.0, 10.5))


def _add_sternum(canvas: Canvas, body: Body) -> None:
    line = body.sternum
    wide = ease(line[:, 1], (-104.0, -84.0, -66.0, 20.0, 52.0), (21.0, 18.0, 11.0, 15.0, 6.0))
    bars: list[Stroke] = []
    for share in (-0.75, -0.25, 0.25, 0.75):
        strip = line + np.stack([share * wide, np.zeros_like(wide), np.zeros_like(wide)], axis=1)
        bars.append((strip, np.full(len(line), 4.0)))
    canvas.tissue_cm += draw_strokes(canvas, bars, 0.45)
