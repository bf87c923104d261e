"""The walls of the chest: cage, outer body, spine, ribs, shoulder girdle, diaphragm, trachea."""

from __future__ import annotations

import numpy as np

from inference.phantom.curves import course, ease, points_on_wall, sign_of
from inference.phantom.geometry import Array, Dome, Stack
from inference.phantom.patient import Patient

RIB_SPACING_MM = 25.5
_CAGE_POWER = 2.4
_VERTEBRA_MM = 28.0  # from the deepest gutter beside the spine to a vertebral body's centre
# Where each rib's bone ends in front: angle (0 lateral, pi/2 midline) and drop from its vertebra.
_RIB_END_RAD = (1.15, 1.12, 1.08, 1.02, 0.94, 0.84, 0.72, 0.58, 0.42, 0.24, -0.25, -0.65)
_RIB_DROP_MM = (44.0, 60.0, 74.0, 84.0, 92.0, 98.0, 102.0, 104.0, 102.0, 94.0, 62.0, 40.0)


def build_cage(patient: Patient) -> Stack:
    apex, width, depth = patient.apex_y_mm, patient.half_width_mm, patient.half_depth_mm
    y = np.concatenate(
        [apex + np.array([0.0, 1.5, 4.0, 8.0, 14.0]), np.linspace(apex + 22, 245, 34)]
    )
    below = y - apex  # 0 at the apex
    half_x = width * ease(
        below,
        (0.0, 4.0, 14.0, 30.0, 55.0, 95.0, 140.0, 190.0, 235.0, 370.0),
        (0.27, 0.36, 0.46, 0.58, 0.715, 0.85, 0.935, 0.985, 1.0, 0.95),
    )
    back = -depth * ease(
        below, (0.0, 20.0, 50.0, 90.0, 150.0, 245.0, 280.0, 370.0),
        (0.50, 0.66, 0.82, 0.94, 1.0, 0.985, 0.92, 0.80),
    )  # fmt: skip
    front = depth * ease(
        below, (0.0, 30.0, 60.0, 100.0, 150.0, 210.0, 270.0, 370.0),
        (-0.28, 0.0, 0.28, 0.52, 0.76, 0.93, 1.0, 0.98),
    )  # fmt: skip
    back = back - patient.kyphosis_mm * (1.0 - (y / 150.0) ** 2)
    rounded = np.sqrt(np.clip(1.0 - (1.0 - np.clip(below / 22.0, 0.0, 1.0)) ** 2, 0.0, 1.0))
    centre, half = (front + back) / 2, (front - back) / 2 * rounded
    bow = _bow_x(patient, y) * 0.35  # the cage follows a crooked spine only in part
    return Stack(y, bow, half_x * np.maximum(rounded, 0.02), centre, half, _CAGE_POWER)


def _bow_x(patient: Patient, y: Array) -> Array:
    return patient.spine_bow_mm * np.sin(np.clip((y + 150.0) / 300.0, -0.1, 1.1) * np.pi)


def build_spine(patient: Patient, cage: Stack) -> Stack:
    """The column of vertebral bodies; above and below the cage it goes on through the film."""
    y = np.linspace(-245, 245, 60)
    _, _, centre, half = cage.at(np.clip(y, patient.apex_y_mm + 24, 200))
    top = patient.apex_y_mm + 24
    lordosis = 0.16 * np.clip(top - y, 0, None)  # the neck leans forward, then rises
    z = centre - half + _VERTEBRA_MM + lordosis
    half_x = ease(y, (-200.0, -150.0, 0.0, 200.0), (10.5, 13.5, 15.5, 20.0))
    return Stack(y, _bow_x(patient, y), half_x, z, half_x * 0.92, 2.3)


def build_paraspinal(column: Stack) -> Stack:
    """Vertebrae with the soft tissue at their sides, thinning outward: no lung here."""
    widened = ease(column.y_mm, (-150.0, 60.0, 150.0), (1.7, 2.0, 2.6))
    return Stack(
        column.y_mm, column.centre_x_mm, column.half_x_mm * widened, column.centre_z_mm - 4.0,
        column.half_z_mm * 2.1, 1.25,
    )  # fmt: skip


def build_torso(patient: Patient, cage: Stack, *, arms_raised: bool = False) -> list[Stack]:
    """The trunk, then neck and shoulders, then arms; raised arms cross the film's upper edge."""
    trunk = _build_trunk(patient, cage)
    if arms_raised:
        return [trunk, *_build_raised_shoulders(patient)]
    return [
        trunk,
        _build_shoulders(patient),
        *(_build_arm(patient, side) for side in ("left", "right")),
    ]


def _build_arm(patient: Patient, side: str) -> Stack:
    y = np.linspace(-150, 245, 30)
    x = patient.half_width_mm + 62.0 + 0.9 * patient.fat_mm + 0.14 * (y + 120)
    half = (36.0 + 0.5 * patient.fat_mm - 0.03 * (y + 120)) * np.sqrt(np.clip((y + 150) / 70, 0, 1))
    return Stack(y, sign_of(side) * x, half, np.full_like(y, -20.0), half * 1.25, 2.0)


def _build_raised_shoulders(patient: Patient) -> list[Stack]:
    """Neck, and the arms lifted to the front and out of the film."""
    y = np.linspace(-245, -70, 30)
    fat = 0.25 * patient.fat_mm
    half_z = ease(y, (-205.0, -165.0, -120.0, -95.0), (58.0, 60.0, 50.0, 10.0)) + fat
    centre_z = ease(y, (-205.0, -150.0, -95.0), (4.0, -14.0, -34.0))
    neck = Stack(
        y,
        np.zeros_like(y),
        ease(y, (-205.0, -160.0, -95.0), (56.0, 78.0, 95.0)),
        centre_z,
        half_z,
        2.0,
    )
    rounded = np.sqrt(np.clip((-72.0 - y) / 40.0, 0.0, 1.0))
    arm_z = ease(y, (-245.0, -140.0, -70.0), (34.0, 0.0, -30.0))
    arm_half = (ease(y, (-245.0, -140.0, -70.0), (40.0, 48.0, 40.0)) + fat) * rounded
    reach = 0.92 * patient.half_width_mm
    arms = [
        Stack(y, np.full_like(y, sign * reach), 0.62 * arm_half, arm_z + 3 * sign, arm_half, 2.0)
        for sign in (-1.0, 1.0)
    ]
    return [neck, *arms]


def _build_trunk(patient: Patient, cage: Stack) -> Stack:
    y = np.linspace(-150, 245, 40)
    at = np.clip(y, patient.apex_y_mm + 60, None)
    centre_x, half_x, centre_z, half_z = cage.at(at)
    wall = 20.0 + 0.75 * patient.fat_mm  # ribs and muscle, then fat
    muscle = ease(y, (-150.0, -110.0, -40.0, 60.0), (0.0, 22.0, 15.0, 3.0))  # latissimus, pectorals
    round_off = ease(y, (-150.0, -120.0, -90.0), (0.35, 0.8, 1.0))
    belly = ease(y, (60.0, 200.0), (0.0, 0.35 * patient.fat_mm))
    return Stack(
        y,
        centre_x,
        (half_x + wall + muscle + belly) * round_off,
        centre_z - 6.0 + belly * 0.5,
        (half_z + wall + 4.0 + belly * 0.8) * round_off,
        2.5,
    )


def _build_shoulders(patient: Patient) -> Stack:
    y = np.linspace(-245, -60, 40)
    neck = 54.0 + 0.25 * patient.fat_mm
    reach = patient.half_width_mm + 62.0
    half_x = ease(
        y, (-205.0, -176.0, -158.0, -142.0, -126.0, -95.0, -60.0),
        (neck, neck + 14.0, neck + 62.0, reach, reach + 14.0, reach + 18.0, reach + 8.0),
    )  # fmt: skip
    half_z = ease(y, (-205.0, -170.0, -140.0, -100.0, -60.0), (58.0, 62.0, 74.0, 66.0, 0.5))
    centre_z = ease(y, (-205.0, -150.0, -60.0), (2.0, -22.0, -25.0))
    return Stack(
        y, np.zeros_like(y), half_x, centre_z, half_z + 0.3 * patient.fat_mm * (half_z > 40), 2.2
    )


def build_domes(patient: Patient) -> dict[str, Dome]:
    """Each dome falls about 50 mm to the lateral and 65 mm to the posterior sulcus."""
    domes = {}
    for side, top in (("left", patient.dome_left_y_mm), ("right", patient.dome_right_y_mm)):
        drop = (50.0 + 0.45 * float(np.clip(92.0 - top, 0.0, None))) * (
            1 - 0.6 * patient.flattening
        )
        domes[side] = Dome(
            top_y_mm=top,
            centre_x_mm=sign_of(side) * 0.44 * patient.half_width_mm,
            centre_z_mm=0.22 * patient.half_depth_mm,
            radius_x_mm=0.56 * patient.half_width_mm,
            radius_z_mm=1.08 * patient.half_depth_mm,
            drop_mm=drop,
        )
    return domes


def build_trachea(patient: Patient, column: Stack) -> Array:
    """From the neck to the carina (T5), a little to the right where the aortic arch passes."""
    y = np.linspace(-210, -60, 14)
    x, _, z, _ = column.at(y)
    arch = -4.0 * np.exp(-(((y + 78.0) / 26.0) ** 2))
    return np.stack([0.35 * x + arch, y, z + 36.0], axis=1)


def build_ribs(cage: Stack, column: Stack) -> dict[tuple[str, int], Array]:
    """(side, 1..12) to points [26, 3] from the vertebra round the wall to the cartilage."""
    ribs = {}
    apex = float(cage.y_mm[0])
    for number in range(1, 13):
        start = apex + 7.0 + RIB_SPACING_MM * (number - 1)
        end, drop = _RIB_END_RAD[number - 1], _RIB_DROP_MM[number - 1]
        u = np.linspace(0.0, 1.0, 26)
        angle = -np.pi / 2 + (end + np.pi / 2) * u
        fall = u + 0.35 * u * (u - 1) * (1 - u)  # level beside the spine, steep in front
        y = start - 5.0 * np.sin(np.pi * np.clip(u / 0.35, 0, 1)) + drop * fall**1.25
        spine_x, _, spine_z, _ = column.at(np.array([start]))
        for side in ("left", "right"):
            sign = sign_of(side)
            wall = points_on_wall(cage, sign, y, angle, 4.0)
            head = np.array([spine_x[0] + sign * 14.0, start + 2.0, spine_z[0] - 6.0])
            join = np.clip(u / 0.16, 0.0, 1.0)[:, None]
            join = join**2 * (3 - 2 * join)
            ribs[side, number] = head + (wall - head) * join
    return ribs


def build_clavicle(patient: Patient, cage: Stack, side: str) -> Array:
    """From the manubrium to the acromion, S-shaped."""
    sign = sign_of(side)
    head = np.array([-112.0 + 45.0])
    front = float((cage.at(head)[2] + cage.at(head)[3])[0]) - 14.0
    lift = 0.0 if patient.arms_up else -10.0
    reach = patient.half_width_mm + 26.0
    return course(
        (sign * 13, -106.0 + lift, front),
        (sign * 0.36 * reach, -117.0 + lift, front + 4),
        (sign * 0.72 * reach, -131.0 + lift, front - 40),
        (sign * reach, -136.0 + lift, front - 52),
    )


def build_scapula(patient: Patient, side: str) -> Array:
    """Superior angle, inferior angle, glenoid, acromion: [4, 3].

    Arms forward (upright film) turn it off the lungs; arms at the side leave it over them.
    """
    sign, width = sign_of(side), patient.half_width_mm
    back = -patient.half_depth_mm - 6.0
    if patient.arms_up:
        x = (0.86 * width, 1.02 * width, 1.20 * width, 1.26 * width)
    else:
        x = (0.60 * width, 0.74 * width, 1.14 * width, 1.20 * width)
    y = (-128.0, 8.0, -104.0, -138.0)
    z = (0.62 * back, 0.92 * back, 0.30 * back, 0.16 * back)
    return np.stack([sign * np.array(x), np.array(y), np.array(z)], axis=1)


def build_sternum(cage: Stack) -> Array:
    """Manubrium to xiphoid, in front of the inner wall."""
    y = np.linspace(-104, 52, 14)
    _, _, centre, half = cage.at(y)
    return np.stack([np.zeros_like(y), y, centre + half + 5.0], axis=1)
