"""Where devices lie: their courses through the body as points [n, 3] in mm, body axes.

Courses follow the anatomy of the ``Body`` they are given, so a frontal and a lateral film show
one device, and a tip can be measured in millimetres. Positions after Godoy et al., Chest devices
(AJR 2012;198:563-581): an endotracheal tube ends 3-6 cm above the carina, a central line in the
lower superior vena cava, a gastric tube below the left dome.
"""

from __future__ import annotations

import numpy as np

from inference.phantom.body import Body
from inference.phantom.curves import sign_of, smooth_course
from inference.phantom.geometry import Array

_ABOVE_FILM_Y_MM = -225.0  # what comes from the head or the arm comes from beyond the film
_BESIDE_FILM_X_MM = 228.0


def length_mm(course: Array) -> float:
    return float(np.linalg.norm(np.diff(course, axis=0), axis=1).sum())


def part_of(course: Array, start_mm: float, end_mm: float) -> Array:
    """The piece of a course [n, 3] between two distances from its first point."""
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(course, axis=0), axis=1))])
    inner = (walked > start_mm) & (walked < end_mm)
    at = np.concatenate([[start_mm], walked[inner], [end_mm]])
    return np.stack([np.interp(at, walked, course[:, axis]) for axis in range(3)], axis=1)


def sideways(course: Array, by_mm: float, forward_mm: float = 0.0) -> Array:
    """A line that runs along the wall of a tube: shifted across it (x, y) and forward (z)."""
    along = np.gradient(course[:, :2], axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    across = np.stack([along[:, 1], -along[:, 0]], axis=1)
    return np.column_stack([course[:, :2] + by_mm * across, course[:, 2] + forward_mm])


def _downward(points: Array) -> Array:
    return points[np.argsort(points[:, 1], kind="stable")]


def _cage_at(body: Body, y: float) -> tuple[float, float, float, float]:
    """(centre x, half x, centre z, half z) of the inner chest wall at height y."""
    values = body.cage.at(np.array([y], dtype=np.float32))
    return tuple(float(value[0]) for value in values)  # type: ignore[return-value]


def front_wall_z(body: Body, x: float, y: float) -> float:
    """z of the inside of the front chest wall at (x, y)."""
    centre_x, half_x, centre_z, half_z = _cage_at(body, y)
    across = min(abs(x - centre_x) / max(half_x, 1e-3), 0.98)
    return centre_z + half_z * (1.0 - across**body.cage.power) ** (1.0 / body.cage.power)


def heart_box(body: Body) -> tuple[Array, Array]:
    """(low, high) corners [3] of what encloses the heart's chambers."""
    low = np.min([np.subtract(part.centre, part.radii) for part in body.heart], axis=0)
    high = np.max([np.add(part.centre, part.radii) for part in body.heart], axis=0)
    return low, high


# -- airway and gullet ----------------------------------------------------------------------


def endotracheal_course(body: Body, rng: np.random.Generator) -> Array:
    """Down the trachea; the last point, the tip, lies 30-60 mm above the carina."""
    trachea = _downward(np.asarray(body.trachea, dtype=np.float64))
    upward = np.concatenate([np.asarray(body.carina, dtype=np.float64)[None], trachea[::-1]])
    above_mm = rng.uniform(33.0, 56.0)
    top = upward[-1]
    if top[1] > _ABOVE_FILM_Y_MM:  # the mouth lies beyond the film
        upward = np.concatenate([upward, [[top[0], _ABOVE_FILM_Y_MM, top[2] + 6.0]]])
    tube = part_of(upward, above_mm, length_mm(upward))[::-1]
    tip = tube[-1]
    lean = np.array([rng.uniform(-2.0, 2.0), 0.0, -1.5])  # the tip rests on the back wall
    return smooth_course(np.concatenate([tube[:-1], [tip + lean]]))


def gastric_course(body: Body, rng: np.random.Generator) -> Array:
    """The gullet behind trachea and heart, the hiatus, and the stomach under the left dome."""
    dome = body.domes["left"]
    hiatus_y = dome.top_y_mm + rng.uniform(8.0, 16.0)
    down = []
    for y in np.linspace(_ABOVE_FILM_Y_MM, hiatus_y - 30.0, 7):
        x, z = body.spine(float(y))
        low = (y - _ABOVE_FILM_Y_MM) / (hiatus_y - _ABOVE_FILM_Y_MM)
        wave = 3.0 * np.sin(y / 38.0)
        down.append([float(x) + 3.0 + 7.0 * low**2 + wave, y, float(z) + 27.0 + 10.0 * low**3])
    x, z = body.spine(hiatus_y)
    hiatus = [float(x) + 17.0, hiatus_y, float(z) + 42.0]
    reach = rng.uniform(60.0, 80.0)
    stomach = [
        [hiatus[0] + 10.0, hiatus_y + 24.0, hiatus[2] + 8.0],
        [hiatus[0] + 0.42 * reach, hiatus_y + 42.0, hiatus[2] + 20.0],
        [hiatus[0] + 0.75 * reach, hiatus_y + 44.0, hiatus[2] + 34.0],
        [hiatus[0] + reach, hiatus_y + rng.uniform(26.0, 36.0), hiatus[2] + 40.0],
    ]
    return smooth_course(np.array([*down, hiatus, *stomach]))


# -- veins ----------------------------------------------------------------------------------


def _clavicle_y(body: Body, side: str, distance_mm: float) -> float:
    """Height of the clavicle at a distance from the midline."""
    points = np.asarray(body.clavicles[side], dtype=np.float64)
    order = np.argsort(np.abs(points[:, 0]))
    return float(np.interp(distance_mm, np.abs(points[order, 0]), points[order, 1]))


def _venous_angle(body: Body, side: str) -> Array:
    """Where jugular and subclavian vein meet, behind the clavicle's medial end."""
    top = _downward(np.asarray(body.svc, dtype=np.float64))[0]
    x, above_mm = (34.0, 13.0) if side == "left" else (-33.0, 17.0)
    return np.array([x, top[1] - above_mm, top[2] + 4.0])


def _to_vena_cava(body: Body, side: str, share: float, offset_mm: float) -> list[Array]:
    """From the venous angle into the superior vena cava, to a share (0..1) of its length."""
    cava = _downward(np.asarray(body.svc, dtype=np.float64))
    angle = _venous_angle(body, side)
    # the left brachiocephalic vein joins at an angle, so its line rounds the corner lower down
    inside = part_of(
        cava, (0.04 if side == "right" else 0.2) * length_mm(cava), share * length_mm(cava)
    )
    kept = inside[np.linspace(0, len(inside) - 1, 4).astype(int)] + [offset_mm, 0.0, 0.0]
    if side == "right":
        return [angle, *kept]
    low = kept[0]  # it crosses in front of the great arteries
    crossing = [
        angle + part * (low - angle) + [0.0, -sag, 6.0] for part, sag in ((0.35, 3.0), (0.72, 6.0))
    ]
    return [angle, *crossing, *kept]


def jugular_line_course(body: Body, side: str, rng: np.random.Generator) -> Array:
    """A central line from the neck on its side; the tip lies in the lower vena cava."""
    sign = sign_of(side)
    angle = _venous_angle(body, side)
    neck = [
        [sign * rng.uniform(50.0, 58.0), _ABOVE_FILM_Y_MM, angle[2] + 2.0],
        [sign * rng.uniform(42.0, 47.0), 0.5 * (angle[1] - 205.0), angle[2] + 2.0],
    ]
    share, offset = rng.uniform(0.62, 0.95), rng.uniform(-2.0, 2.0)
    return smooth_course(np.array([*neck, *_to_vena_cava(body, side, share, offset)]))


def _subclavian(body: Body, side: str, from_mm: float) -> list[list[float]]:
    """Below the clavicle to the first rib; from_mm: distance from the midline to begin at."""
    sign, angle = sign_of(side), _venous_angle(body, side)
    places = ((118.0, 22.0, -4.0), (88.0, 10.0, 2.0), (60.0, -5.0, 4.0))  # from midline, below, z
    return [
        [sign * x, _clavicle_y(body, side, x) + below, angle[2] + forward]
        for x, below, forward in places
        if x < from_mm
    ]


def arm_line_course(body: Body, side: str, rng: np.random.Generator) -> Array:
    """A PICC: from the upper arm through the axilla along the subclavian vein."""
    sign = sign_of(side)
    shoulder_y = _clavicle_y(body, side, 150.0)
    z = _venous_angle(body, side)[2] - 12.0
    arm = [
        [sign * _BESIDE_FILM_X_MM, shoulder_y + rng.uniform(125.0, 150.0), z - 10.0],
        [sign * 186.0, shoulder_y + rng.uniform(78.0, 90.0), z - 6.0],
        [sign * 152.0, shoulder_y + 47.0, z],
    ]
    share, offset = rng.uniform(0.62, 0.95), rng.uniform(-2.0, 2.0)
    inside = _to_vena_cava(body, side, share, offset)
    return smooth_course(np.array([*arm, *_subclavian(body, side, 130.0), *inside]))


# -- pacemaker ------------------------------------------------------------------------------


def pacemaker_place(body: Body, side: str, rng: np.random.Generator) -> Array:
    """Centre [3] of the generator: before the ribs, below the clavicle of its side."""
    x = sign_of(side) * rng.uniform(88.0, 98.0)
    y = _clavicle_y(body, side, abs(x)) + rng.uniform(46.0, 54.0)
    return np.array([x, y, front_wall_z(body, x, y) + 17.0])


def pacemaker_leads(
    body: Body, side: str, generator: Array, rng: np.random.Generator
) -> list[Array]:
    """One lead to the right ventricle's apex, and on most patients one to the right atrium."""
    sign = sign_of(side)
    low, high = heart_box(body)
    span = high - low
    header = np.add(generator, (-sign * 10.0, -17.0, -2.0))
    direct = [header, np.add(generator, (-sign * 27.0, -24.0, -4.0))]
    # slack lies in a turn behind the can
    turn = np.deg2rad([-150.0, 160.0, 110.0, 60.0, 10.0, -40.0, -85.0])
    round_it = np.stack([sign * 30.0 * np.cos(turn), 2.0 + 27.0 * np.sin(turn), 0.0 * turn], axis=1)
    looped = [header, *(generator + round_it)]
    vein = _subclavian(body, side, 75.0)
    ventricle = [
        low + span * [0.17, 0.56, 0.52],
        low + span * [0.34, 0.84, 0.62],
        low + span * [0.55, 0.885, 0.74],
        low + span * [rng.uniform(0.72, 0.78), 0.84, 0.84],
    ]
    atrium = [
        low + span * [0.13, 0.44, 0.52],
        low + span * [0.17, 0.57, 0.60],
        low + span * [0.27, 0.50, 0.74],
        low + span * [0.28, rng.uniform(0.36, 0.41), 0.80],  # the J of the atrial appendage
    ]
    has_atrial_lead = rng.random() < 0.7
    leads = []
    courses = ((-1.5, looped, ventricle), (3.0, direct, atrium))
    for offset, pocket, inside in courses[: 2 if has_atrial_lead else 1]:
        shift = np.array([0.0, offset, 0.0])
        outside = [*pocket, *(np.asarray(point) + shift for point in vein)]
        cava = _to_vena_cava(body, side, 0.9, 0.6 * offset)
        leads.append(smooth_course(np.array([*outside, *cava, *inside])))
    return leads


# -- chest tube, sternum, clips ---------------------------------------------------------------


def chest_tube_course(body: Body, side: str, apex_y_mm: float, rng: np.random.Generator) -> Array:
    """In through the lateral wall, then up along it; the last point, the tip, lies apically."""
    sign = sign_of(side)
    entry_y, tip_y = rng.uniform(22.0, 44.0), apex_y_mm + rng.uniform(26.0, 40.0)
    behind = rng.uniform(10.0, 24.0)

    def inside(y: float, from_wall: float, z: float) -> list[float]:
        centre_x, half_x, centre_z, _ = _cage_at(body, y)
        return [centre_x + sign * max(half_x - from_wall, 24.0), y, centre_z + z]

    rise = tip_y - entry_y
    controls = [
        inside(entry_y + 62.0, -62.0, 14.0),
        inside(entry_y + 24.0, -30.0, 8.0),
        inside(entry_y, 4.0, 0.0),
        inside(entry_y + 0.22 * rise, 13.0, -0.4 * behind),
        inside(entry_y + 0.5 * rise, 20.0, -0.8 * behind),
        inside(entry_y + 0.8 * rise, 27.0, -behind),
        inside(tip_y, 30.0, -behind),
    ]
    return smooth_course(np.array(controls))


def sternal_wire_loops(body: Body, rng: np.random.Generator) -> list[Array]:
    """Six or seven closed loops [n, 3] round the sternum, from the manubrium down."""
    sternum = _downward(np.asarray(body.sternum, dtype=np.float64))
    count = int(rng.integers(6, 8))
    walked = length_mm(sternum)
    angle = np.linspace(0.0, 2 * np.pi, 15)
    loops = []
    for share in np.linspace(0.1, 0.9, count):
        x, y, z = part_of(sternum, 0.0, share * walked)[-1]
        wide, tall = rng.uniform(10.0, 12.5), rng.uniform(5.0, 6.5)
        y += rng.uniform(-2.0, 2.0)
        turned = rng.uniform(-0.25, 0.25)
        loop_y = tall * np.sin(angle) + wide * turned * np.cos(angle)
        loops.append(
            np.stack([x + wide * np.cos(angle), y + loop_y, z + 7.5 * np.sin(angle)], axis=1)
        )
    return loops


def surgical_clip_bars(body: Body, rng: np.random.Generator) -> list[Array]:
    """Five to eight short bars [2, 3] in a cluster beside a hilum or in an axilla."""
    side = ("left", "right")[int(rng.integers(2))]
    sign = sign_of(side)
    if rng.random() < 0.5:
        centre = np.add(body.hila[side], (sign * 20.0, 0.0, 4.0))
    else:
        y = _clavicle_y(body, side, 140.0) + 62.0
        centre_x, half_x, centre_z, _ = _cage_at(body, y)
        centre = np.array([centre_x + sign * (half_x + 16.0), y, centre_z + 8.0])
    bars = []
    for index in range(int(rng.integers(5, 9))):
        turn = 2.4 * index  # golden-angle spiral: near each other, never on top of each other
        spread = 6.0 + 5.5 * np.sqrt(index)
        at = np.add(
            centre, (spread * np.cos(turn), spread * np.sin(turn), rng.uniform(-12.0, 12.0))
        )
        half = 0.5 * rng.uniform(6.5, 9.0)
        lean = rng.uniform(0.0, np.pi)
        direction = half * np.array([np.cos(lean), np.sin(lean), rng.uniform(-0.4, 0.4)])
        bars.append(np.stack([at - direction, at + direction]))
    return bars
