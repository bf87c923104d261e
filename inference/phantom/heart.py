"""Heart and great vessels: the borders of the mediastinum on either side, in front and behind."""

from __future__ import annotations

import numpy as np

from inference.phantom.curves import course, ease
from inference.phantom.geometry import Array, Dome, Ellipsoid, Stack
from inference.phantom.patient import Patient

_LEFT_SHARE = 0.655  # of the heart's width that lies left of the midline
_HEART_TOP_Y_MM = -48.0


def build_mediastinum(patient: Patient, column: Stack) -> Stack:
    """Great vessels, oesophagus and fat between the lungs, from the inlet to the diaphragm.

    Right border: brachiocephalic vein, superior vena cava. Left: subclavian artery, then the aortic
    arch (``build_aorta``), the pulmonary trunk.
    """
    y = np.linspace(-245, 245, 120)
    wide = patient.mediastinum_half_width_mm
    spine_x = column.at(y)[0]
    right = ease(
        y, (-160.0, -150.0, -138.0, -100.0, -60.0, -30.0, 20.0, 60.0),
        (48.0, 38.0, 31.0, 0.96 * wide + 3, wide + 5, wide + 6, 14.0, 10.0),
    )  # fmt: skip
    left = ease(
        y, (-160.0, -150.0, -138.0, -104.0, -62.0, -40.0, -22.0, 20.0, 60.0),
        (50.0, 40.0, 31.0, wide + 1, wide - 1, wide + 9, wide + 6, 14.0, 10.0),
    )  # fmt: skip
    back = column.at(y)[2] + 2.0
    front = back + ease(y, (-160.0, -110.0, -60.0, -20.0, 60.0), (52.0, 64.0, 80.0, 84.0, 24.0))
    return Stack(
        y, (left - right) / 2 + 0.3 * spine_x, (left + right) / 2, (front + back) / 2,
        (front - back) / 2, 2.1,
    )  # fmt: skip


def build_crura(patient: Patient, domes: dict[str, Dome], column: Stack, cage: Stack) -> Stack:
    """The diaphragm's middle below the heart, which the two domes leave open."""
    top = 0.5 * (domes["left"].top_y_mm + domes["right"].top_y_mm) + 4.0
    y = np.linspace(top, 245, 40)
    round_off = np.sqrt(np.clip(1 - (1 - np.clip((y - top) / 26.0, 0, 1)) ** 2, 0, 1))
    half_x = 0.46 * patient.half_width_mm * round_off
    back = column.at(y)[2] + 8.0 - 6.0 * round_off
    front = cage.at(y)[2] + cage.at(y)[3]
    return Stack(y, np.zeros_like(y), half_x, (front + back) / 2, (front - back) / 2, 2.4)


def build_aorta(patient: Patient, column: Stack) -> tuple[Array, Stack]:
    """(centre line [n, 3], solid): arch and descending part as slices; unfolding bows both out."""
    radius, bow = patient.aortic_knob_mm, patient.aorta_unfolding
    arch_y = -78.0 - 10.0 * bow  # centre of the knob
    x0, z0 = _descending(patient, column, np.array([arch_y]))
    line = course(
        (-6.0 - 10 * bow, -18.0, z0[0] + 62),
        (-10.0 - 12 * bow, -55.0, z0[0] + 60),
        (2.0, arch_y - radius * 0.5, z0[0] + 42),
        (x0[0] - 6, arch_y - radius * 0.4, z0[0] + 16),
        (x0[0], arch_y + 22, z0[0]),
        steps=20,
    )
    below = np.linspace(arch_y + 32, 150, 14)
    dx, dz = _descending(patient, column, below)
    line = np.concatenate([line, np.stack([dx, below, dz], axis=1)])
    y = np.linspace(arch_y - 1.25 * radius, 160, 90)
    x, z = _descending(patient, column, y)
    above = np.clip((arch_y - y) / (1.25 * radius), 0.0, 1.0)
    half_x = radius * np.sqrt(np.clip(1.0 - above**2, 0.0, 1.0))
    tapered = half_x * (1.0 - 0.22 * np.clip((y - arch_y) / 180.0, 0.0, 1.0))
    reach = 24.0 * np.exp(-(((y - arch_y) / (radius * 1.1)) ** 2))  # toward the ascending part
    round_top = half_x / radius
    return line, Stack(y, x, tapered, z + reach, (tapered + reach) * round_top, 2.0)


def _descending(patient: Patient, column: Stack, y: Array) -> tuple[Array, Array]:
    """Centre (x, z) of the arch's left end and the descending aorta, left of the spine."""
    spine_x, _, spine_z, _ = column.at(y)
    bow = patient.aorta_unfolding
    wide = patient.mediastinum_half_width_mm
    knob = wide + 10.0 - patient.aortic_knob_mm * 0.8 + 9.0 * bow
    x = ease(y, (-95.0, -66.0, 0.0, 70.0, 150.0), (knob, knob - 2, 22 + 16 * bow, 15 + 10 * bow, 6))
    z = spine_z + ease(y, (-95.0, -50.0, 60.0, 150.0), (14.0, 2.0, 4.0, 16.0)) - 6 * bow
    return x + 0.6 * spine_x, z


def build_heart(patient: Patient, domes: dict[str, Dome], column: Stack, cage: Stack) -> Stack:
    """The heart's outline; its greatest extents make the patient's cardiothoracic ratio."""
    width = patient.cardiothoracic_ratio * 2 * patient.half_width_mm
    left, right = _LEFT_SHARE * width, (1 - _LEFT_SHARE) * width
    floor = 0.6 * domes["left"].top_y_mm + 0.4 * domes["right"].top_y_mm + 16.0
    floor = max(floor, 40.0)
    top = _HEART_TOP_Y_MM - 10.0 * max(patient.cardiothoracic_ratio - 0.5, 0.0)
    tall = floor - top
    y = np.linspace(top, floor, 90)
    t = (y - top) / tall
    tilt = patient.heart_tilt
    widest = 0.80 - 0.10 * tilt
    left_border = left * ease(
        t, (0.0, 0.12, 0.30, 0.5 * (0.30 + widest), widest, 0.93, 1.0),
        (0.24, 0.48, 0.64 + 0.06 * tilt, 0.91, 1.0, 0.90, 0.62),
    )  # fmt: skip
    right_border = right * ease(
        t, (0.0, 0.15, 0.32, 0.62, 0.88, 1.0), (0.15, 0.55, 0.80, 1.0, 0.86, 0.6)
    )
    centre_x = (left_border - right_border) / 2 + 0.25 * column.at(y)[0]
    half_x = (left_border + right_border) / 2
    deep = 0.5 + patient.cardiothoracic_ratio
    spine_front = column.at(y)[2] + 14.0
    wall_front = cage.at(y)[2] + cage.at(y)[3]
    back = spine_front + ease(t, (0.0, 0.3, 0.6, 1.0), (26.0, 12.0, 15.0, 34.0)) / deep
    front = wall_front - ease(t, (0.0, 0.25, 0.55, 1.0), (34.0, 20.0, 7.0, 3.0)) / deep**2
    front = np.maximum(front, back + 30.0)
    round_off = np.sqrt(np.clip(1 - np.clip((t - 0.9) / 0.1, 0, 1) ** 2, 0.0, 1.0)) * 0.5 + 0.5
    return Stack(y, centre_x, half_x, (front + back) / 2, (front - back) / 2 * round_off, 2.0)


def build_chambers(outline: Stack) -> tuple[Ellipsoid, ...]:
    """Right atrium, right ventricle, left ventricle, left atrium inside the outline."""
    low, high = float(outline.y_mm[0]), float(outline.y_mm[-1])

    def place(down: float, across: float, forward: float, share: float) -> Ellipsoid:
        y = low + down * (high - low)
        centre_x, half_x, centre_z, half_z = (float(v[0]) for v in outline.at(np.array([y])))
        centre = (centre_x + across * half_x, y, centre_z + forward * half_z)
        return Ellipsoid(centre, (share * half_x, 0.34 * (high - low), share * half_z))

    return (
        place(0.58, -0.52, 0.05, 0.46),
        place(0.64, 0.05, 0.45, 0.50),
        place(0.62, 0.42, -0.10, 0.56),
        place(0.36, 0.0, -0.50, 0.46),
    )
