"""Films that are no frontal chest: hand, knee, abdomen, an unexposed plate, a wrong polarity.

They are there to be refused. Each varies in side, place, size and turn by ``case.rng``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference.phantom.case import PhantomCase
from inference.phantom.geometry import FIELD_MM, Array, Canvas, Ellipsoid, Pose, soft_step
from inference.phantom.limb_films import draw_hand, draw_knee, lay_down

_FULL_SCALE = 4095  # 12 bits stored, MONOCHROME2: thick is white
_MU_PER_CM = {"hand": 0.30, "knee": 0.25, "abdomen": 0.21}  # water at 50, 60 and 75 kV


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


def field_mm(case: PhantomCase) -> float:
    """Side of the field at the body's mid-plane: limbs are taken closer than a chest."""
    match case.kind:
        case "hand" | "knee":
            return FIELD_MM / lay_down(case)[0].scale
        case "abdomen":
            return FIELD_MM / _abdomen_scale(case.rng("abdomen"))
        case _:
            return FIELD_MM


# -- abdomen --------------------------------------------------------------------------------


def _draw_abdomen(case: PhantomCase, size: int) -> Array:
    """Supine abdomen: lumbar spine, last ribs, pelvis, bowel gas; no lungs."""
    rng = case.rng("abdomen")
    canvas = Canvas.blank(size, Pose(scale=_abdomen_scale(rng)))
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


def _abdomen_scale(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.92, 1.08))


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


_DRAW = {"hand": draw_hand, "knee": draw_knee, "abdomen": _draw_abdomen}
