"""What lies on a chest film and is no finding: nipple shadows, skin folds, electrodes and wires.

Nothing here is drawn under ``Canvas.marking``: a mimic has no region. (The fourth mimic, a rotated
patient, is in the patient's numbers already.)
"""

from __future__ import annotations

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import PhantomCase
from inference.phantom.curves import SIDES, sign_of, smooth_course
from inference.phantom.device_courses import front_wall_z
from inference.phantom.geometry import Canvas, Ellipsoid, soft_step

_STEEL = 42.0


def add_mimics(canvas: Canvas, body: Body, case: PhantomCase) -> None:
    for mimic in case.mimics:
        rng = case.rng(mimic)
        match mimic:
            case "nipple_shadow":
                _add_nipples(canvas, body, case, rng)
            case "skin_fold":
                _add_skin_fold(canvas, body, rng)
            case "ecg_leads":
                _add_electrodes(canvas, body, rng)
            case "rotation":
                pass
            case _:
                raise ValueError(f"no way to draw {mimic}")


def _add_nipples(canvas: Canvas, body: Body, case: PhantomCase, rng: np.random.Generator) -> None:
    """Both, at one height: small faint discs with a thin sharp rim (air beside the skin)."""
    patient = case.patient
    away, y = rng.uniform(80.0, 92.0), rng.uniform(46.0, 58.0) + 0.25 * patient.breast_mm
    radius = rng.uniform(4.5, 5.5)
    for side in SIDES:
        x = sign_of(side) * (away + rng.uniform(-2.0, 2.0))
        z = front_wall_z(body, x, y) + 10.0 + patient.fat_mm + patient.breast_mm
        canvas.add_ellipsoid(Ellipsoid((x, y, z), (radius, radius, 5.0)), 1.6, edge_mm=0.5)
        angle = np.linspace(0.0, 2 * np.pi, 13)
        rim = np.stack(
            [x + radius * np.cos(angle), y + radius * np.sin(angle), np.full(13, z)], axis=1
        )
        canvas.add_tube(rim, 0.7, 2.2)


def _add_skin_fold(canvas: Canvas, body: Body, rng: np.random.Generator) -> None:
    """A fold of the back's skin: whiter toward one long edge, then a step, and no line.

    It runs on beyond the chest wall, and vessels go on beyond it: no pneumothorax does that.
    In the lateral film the fold is seen along its face and leaves no edge.
    """
    sign = sign_of(SIDES[int(rng.integers(2))])
    x_top, x_low = rng.uniform(52.0, 70.0), rng.uniform(128.0, 150.0)
    top = np.array([sign * x_top, rng.uniform(-172.0, -160.0)])
    low = np.array([sign * x_low, rng.uniform(96.0, 130.0)])
    bulge, width, step_cm = rng.uniform(6.0, 14.0), rng.uniform(26.0, 38.0), rng.uniform(1.6, 2.2)
    if canvas.pose.is_lateral:
        return
    z = float(body.wall_z(0.0)[0]) - 15.0
    ends, _ = canvas.pose.project(np.array([[*top, z], [*low, z]]))
    share = (canvas.v_mm - ends[0, 1]) / (ends[1, 1] - ends[0, 1])  # [size, 1] along the fold
    edge = ends[0, 0] + share * (ends[1, 0] - ends[0, 0])
    edge = edge + sign * bulge * np.sin(np.pi * np.clip(share, 0.0, 1.0))
    inward = sign * (edge - canvas.u_mm)  # mm from the edge toward the midline
    ramp = np.clip(1.0 - inward / width, 0.0, 1.0)
    fading = soft_step(np.minimum(share, 1.0 - share) * 250.0, 8.0)
    canvas.tissue_cm += (step_cm * ramp * soft_step(inward, 0.7) * fading).astype(np.float32)


def _add_electrodes(canvas: Canvas, body: Body, rng: np.random.Generator) -> None:
    """Three to five monitor electrodes on the front skin, their wires gathered off the film."""
    places = [(-104.0, -112.0), (106.0, -108.0), (118.0, 62.0), (-112.0, 66.0), (34.0, -20.0)]
    count = int(rng.integers(3, 6))
    bundle_x = float(rng.choice([-1.0, 1.0])) * rng.uniform(60.0, 110.0)
    for x, y in places[:count]:
        x, y = x + rng.uniform(-12.0, 12.0), y + rng.uniform(-12.0, 12.0)
        z = front_wall_z(body, x, y) + 24.0
        canvas.add_ellipsoid(Ellipsoid((x, y, z), (15.0, 15.0, 2.0)), 0.8, edge_mm=0.6)
        canvas.add_ellipsoid(Ellipsoid((x, y, z), (4.8, 4.8, 1.6)), 22.0, edge_mm=0.5)
        canvas.add_ellipsoid(Ellipsoid((x, y, z + 2.0), (2.0, 2.0, 1.6)), _STEEL, edge_mm=0.4)
        outward = np.array([np.sign(x) * 10.0, 14.0, 4.0])
        start = np.array([x, y, z])
        wire = [
            start,
            start + outward,
            [0.5 * (x + bundle_x) + np.sign(x) * 22.0, 0.5 * (y + 228.0), z + 10.0],
            [bundle_x + rng.uniform(-6.0, 6.0), 228.0, z + 6.0],
        ]
        canvas.add_tube(smooth_course(np.array(wire, dtype=np.float64), 12.0), 0.7, 16.0)
