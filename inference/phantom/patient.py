"""The body as numbers: what a patient is built like, and what findings do to its measures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from inference.phantom.geometry import View
from inference.report_language.statements import Statement


@dataclass(frozen=True)
class Build:
    """What stays with a person: lengths in mm."""

    sex: str  # "F" or "M"
    age: int
    half_width_mm: float  # of the inner chest at its widest
    half_depth_mm: float  # front to back, likewise
    fat_mm: float  # over the ribs
    breast_mm: float  # 0 for none
    dome_right_y_mm: float
    dome_drop_mm: float  # how much the left dome stands lower
    heart_ratio: float  # cardiothoracic ratio when not enlarged
    heart_tilt: float  # 0 upright .. 1 lying
    mediastinum_half_width_mm: float
    aortic_knob_mm: float
    kyphosis_mm: float


@dataclass(frozen=True)
class Patient:
    """One study's anatomy and exposure; findings have changed the build's measures already.

    Lengths in mm, body axes of ``geometry``. dome_*_y_mm: top of each hemidiaphragm.
    flattening: 0 for domes as they are, 1 for flat ones. aorta_unfolding: 0..1. vessel_gain and
    upper_vessel_gain scale the vessels' calibre (all; upper zones beside that).
    """

    half_width_mm: float
    half_depth_mm: float
    apex_y_mm: float
    dome_right_y_mm: float
    dome_left_y_mm: float
    flattening: float
    cardiothoracic_ratio: float
    heart_tilt: float
    mediastinum_half_width_mm: float
    aortic_knob_mm: float
    aorta_unfolding: float
    hilum_scale_left: float
    hilum_scale_right: float
    vessel_gain: float
    upper_vessel_gain: float
    spine_bow_mm: float
    kyphosis_mm: float
    fat_mm: float
    breast_mm: float
    view: View
    rotation_rad: float
    shift_u_mm: float
    shift_v_mm: float
    scale: float
    exposure: float  # of the detector, 1 = nominal
    arms_up: bool = True


def draw_build(rng: np.random.Generator) -> Build:
    u = rng.uniform
    sex = "FM"[int(rng.integers(2))]
    age = int(rng.integers(22, 92))
    return Build(
        sex=sex,
        age=age,
        half_width_mm=u(124, 138) if sex == "F" else u(132, 148),
        half_depth_mm=u(78, 104),
        fat_mm=float(np.clip(rng.gamma(3.0, 5.0), 5, 38)),
        breast_mm=u(14, 48) if sex == "F" else 0.0,
        dome_right_y_mm=u(80, 98),
        dome_drop_mm=u(6, 15),
        heart_ratio=u(0.40, 0.465),
        heart_tilt=u(0.2, 0.8),
        mediastinum_half_width_mm=u(21, 27),
        aortic_knob_mm=u(13, 17) if age > 45 else u(10, 14),
        kyphosis_mm=u(4, 14) + max(age - 60, 0) * 0.35,
    )


def draw_patient(
    rng: np.random.Generator, build: Build, statements: Iterable[Statement], view: View, *,
    is_rotated: bool = False,
) -> Patient:  # fmt: skip
    present = {s.concept: s for s in statements}
    u = rng.uniform
    emphysema = "emphysema" in present
    effort = u(-6, 6) - (10 if view == "AP" else 0)  # depth of inspiration
    dome_right = build.dome_right_y_mm + effort + (26 if emphysema else 0)
    dome_left = dome_right + build.dome_drop_mm
    raised = present.get("diaphragm_elevation")
    lift_right, lift_left = u(40, 56), u(48, 62)
    if raised is not None and raised.side in ("right", "bilateral", None):
        dome_right -= lift_right
    if raised is not None and raised.side in ("left", "bilateral", None):
        dome_left -= lift_left
    ratio = build.heart_ratio - (0.05 if emphysema else 0.0)
    heart = present.get("cardiomegaly")
    mild, marked = u(0.54, 0.58), u(0.64, 0.70)
    if heart is not None:
        ratio = marked if heart.severity == "marked" else mild
    hilum = present.get("hilar_enlargement")
    large_left, large_right = u(1.8, 2.4), u(1.8, 2.4)
    edema, congestion = "pulmonary_edema" in present, "vascular_congestion" in present
    bow = u(34, 48) * float(rng.choice([-1, 1])) if "scoliosis" in present else u(-5, 5)
    turn = u(7, 12) * float(rng.choice([-1, 1])) if is_rotated else u(-3, 3)
    return Patient(
        half_width_mm=build.half_width_mm,
        half_depth_mm=build.half_depth_mm * (1.16 if emphysema else 1.0),
        apex_y_mm=u(-158, -148) - (6 if emphysema else 0),
        dome_right_y_mm=dome_right,
        dome_left_y_mm=dome_left,
        flattening=u(0.6, 0.8) if emphysema else u(0.0, 0.12),
        cardiothoracic_ratio=ratio,
        heart_tilt=build.heart_tilt,
        mediastinum_half_width_mm=u(42, 54)
        if "mediastinal_widening" in present
        else build.mediastinum_half_width_mm,
        aortic_knob_mm=build.aortic_knob_mm + (9 if "aortic_atherosclerosis" in present else 0),
        aorta_unfolding=u(0.75, 1.0) if "aortic_atherosclerosis" in present else u(0.0, 0.15),
        hilum_scale_left=large_left
        if hilum is not None and hilum.side in ("left", "bilateral")
        else u(0.85, 1.1),
        hilum_scale_right=large_right
        if hilum is not None and hilum.side in ("right", "bilateral")
        else u(0.85, 1.1),
        vessel_gain=1.4 if edema else 1.3 if congestion else 0.65 if emphysema else u(0.92, 1.08),
        upper_vessel_gain=u(1.9, 2.3) if congestion else 1.4 if edema else u(0.8, 0.95),
        spine_bow_mm=bow,
        kyphosis_mm=build.kyphosis_mm,
        fat_mm=build.fat_mm,
        breast_mm=build.breast_mm,
        view=view,
        rotation_rad=float(np.deg2rad(turn)),
        shift_u_mm=u(-10, 10),
        shift_v_mm=u(-8, 10),
        scale=u(0.95, 1.05),
        exposure=u(0.75, 1.3),
        arms_up=view != "AP",
    )
