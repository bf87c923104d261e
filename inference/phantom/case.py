"""One phantom patient: who, which findings, which devices; all drawn from one seed.

Version 0 is a frontal film in analytic 2-D thickness maps. Ranges leave a gap between normal
and abnormal (a cardiothoracic ratio of 0.50 is drawn for nobody), so that each film has one
true description.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from inference.report_language.statements import Severity, Side, Statement, Zone
from inference.report_language.template import compose_report

_LATERAL: tuple[Side, Side] = ("left", "right")
_ZONES: tuple[Zone, ...] = get_args(Zone)

# Share of abnormal films that show each finding; the rest of the film's findings are drawn alike.
FINDING_WEIGHTS = {
    "pleural_effusion": 1.5,
    "pneumothorax": 1.2,
    "cardiomegaly": 1.2,
    "consolidation": 1.2,
    "atelectasis": 1.0,
    "pulmonary_edema": 0.9,
    "nodule": 1.2,
    "mass": 0.9,
    "emphysema": 0.8,
    "mediastinal_widening": 0.8,
    "hilar_enlargement": 1.0,
    "diaphragm_elevation": 0.9,
    "fracture": 1.0,
    "scoliosis": 0.7,
}
DEVICE_WEIGHTS = {
    "endotracheal_tube": 1.0,
    "gastric_tube": 1.0,
    "central_venous_catheter": 1.2,
    "pacemaker": 1.0,
    "chest_tube": 0.8,
    "sternal_wires": 0.9,
}
_EXCLUSIVE = ({"emphysema", "diaphragm_elevation"}, {"emphysema", "cardiomegaly"})


@dataclass(frozen=True)
class Patient:
    """Anatomy in millimetres on a 400 mm detector; origin at its centre, +x is patient's left."""

    sex: str
    age: int
    thorax_half_width_mm: float
    apex_y_mm: float
    dome_right_y_mm: float
    dome_left_y_mm: float
    depth_cm: float
    heart_half_width_mm: float
    heart_centre_x_mm: float
    mediastinum_half_width_mm: float
    spine_bow_mm: float
    hilum_scale_left: float
    hilum_scale_right: float
    rotation_mm: float
    shift_x_mm: float
    shift_y_mm: float
    scale: float
    exposure: float


@dataclass(frozen=True)
class PhantomCase:
    """A patient and everything present on the film; what is not listed is absent."""

    seed: int
    patient: Patient
    statements: tuple[Statement, ...]

    @property
    def report(self) -> str:
        return compose_report(self.statements)

    def find(self, concept: str) -> Statement | None:
        return next((s for s in self.statements if s.concept == concept), None)


def sample_case(seed: int, *, normal: bool | None = None) -> PhantomCase:
    """Draw one case. normal=True forbids findings and devices, False forces a finding."""
    rng = np.random.default_rng((seed, 20260412))
    is_normal = bool(rng.random() < 0.16) if normal is None else normal
    statements: tuple[Statement, ...] = ()
    if not is_normal:
        statements = _draw_statements(rng)
    return PhantomCase(seed, _draw_patient(rng, statements), statements)


def _choose(rng: np.random.Generator, weights: dict[str, float], count: int) -> list[str]:
    names = list(weights)
    share = np.array(list(weights.values()))
    chosen = rng.choice(len(names), size=count, replace=False, p=share / share.sum())
    return [names[index] for index in chosen]


def _draw_statements(rng: np.random.Generator) -> tuple[Statement, ...]:
    chosen = _choose(rng, FINDING_WEIGHTS, int(rng.choice([1, 2, 3, 4], p=[0.3, 0.35, 0.25, 0.1])))
    for pair in _EXCLUSIVE:
        if pair <= set(chosen):
            chosen.remove(sorted(pair & set(chosen))[int(rng.integers(2))])
    devices = _choose(rng, DEVICE_WEIGHTS, int(rng.choice([0, 1, 2], p=[0.5, 0.32, 0.18])))
    taken: set[Side] = set()  # lungs hidden by much fluid or air: nothing else is drawn there
    said: list[Statement] = []
    for concept in sorted(
        chosen, key=lambda name: name not in ("pleural_effusion", "pneumothorax")
    ):
        statement = _draw_finding(rng, concept, taken)
        if statement is not None:
            said.append(statement)
    for concept in devices:
        side: Side | None = None
        if concept in ("central_venous_catheter", "pacemaker", "chest_tube"):
            side = _LATERAL[int(rng.integers(2))]
        said.append(Statement(concept, "present", side))
    return tuple(said)


def _draw_finding(rng: np.random.Generator, concept: str, taken: set[Side]) -> Statement | None:
    side: Side | None = _LATERAL[int(rng.integers(2))]
    zone: Zone | None = None
    severity: Severity | None = None
    match concept:
        case "pleural_effusion":
            if rng.random() < 0.3:
                side = "bilateral"
            sizes: tuple[Severity, ...] = ("small", "moderate", "large")
            severity = sizes[int(rng.integers(2 if side == "bilateral" else 3))]
            taken.update(_LATERAL if side == "bilateral" else (side,))  # type: ignore[arg-type]
        case "pneumothorax":
            free = [s for s in _LATERAL if s not in taken]
            if not free:
                return None
            side = free[int(rng.integers(len(free)))]
            severity = ("small", "large")[int(rng.integers(2))]
            taken.add(side)
        case "consolidation" | "nodule" | "mass" | "atelectasis":
            free = [s for s in _LATERAL if s not in taken]
            if not free:
                return None
            side = free[int(rng.integers(len(free)))]
            zone = "lower" if concept == "atelectasis" else _ZONES[int(rng.integers(3))]
            if concept != "atelectasis":
                taken.add(side)
        case "cardiomegaly":
            side, severity = None, ("mild", "marked")[int(rng.integers(2))]
        case "diaphragm_elevation":
            free = [s for s in _LATERAL if s not in taken]  # fluid or much air would hide the dome
            if not free:
                return None
            side = free[int(rng.integers(len(free)))]
        case "hilar_enlargement":
            side = ("left", "right", "bilateral")[int(rng.integers(3))]
        case "pulmonary_edema" | "emphysema" | "mediastinal_widening" | "scoliosis":
            side = None
        case _:
            pass
    return Statement(concept, "present", side, zone, severity)


def _draw_patient(rng: np.random.Generator, statements: tuple[Statement, ...]) -> Patient:
    present = {s.concept: s for s in statements}
    u = rng.uniform
    emphysema = "emphysema" in present
    half_width = u(128, 146)
    dome_right = u(82, 100) + (26 if emphysema else 0)
    dome_left = dome_right + u(6, 16)
    if (raised := present.get("diaphragm_elevation")) is not None:
        if raised.side == "right":
            dome_right -= u(38, 55)
        else:
            dome_left -= u(46, 62)
    ratio = u(0.36, 0.40) if emphysema else u(0.40, 0.465)
    if (heart := present.get("cardiomegaly")) is not None:
        ratio = u(0.53, 0.57) if heart.severity == "mild" else u(0.63, 0.70)
    enlarged = present.get("hilar_enlargement")
    big_left, big_right = u(1.75, 2.3), u(1.75, 2.3)
    bow = u(36, 50) * rng.choice([-1, 1]) if "scoliosis" in present else u(-6, 6)
    return Patient(
        sex="FM"[int(rng.integers(2))],
        age=int(rng.integers(25, 90)),
        thorax_half_width_mm=half_width,
        apex_y_mm=u(-158, -146) - (6 if emphysema else 0),
        dome_right_y_mm=dome_right,
        dome_left_y_mm=dome_left,
        depth_cm=u(17, 25) + (2.0 if emphysema else 0.0),
        heart_half_width_mm=ratio * half_width,
        heart_centre_x_mm=u(14, 24),
        mediastinum_half_width_mm=u(42, 54) if "mediastinal_widening" in present else u(20, 28),
        spine_bow_mm=float(bow),
        hilum_scale_left=big_left
        if enlarged and enlarged.side in ("left", "bilateral")
        else u(0.85, 1.1),
        hilum_scale_right=big_right
        if enlarged and enlarged.side in ("right", "bilateral")
        else u(0.85, 1.1),
        rotation_mm=u(-5, 5),
        shift_x_mm=u(-10, 10),
        shift_y_mm=u(-8, 10),
        scale=u(0.94, 1.05),
        exposure=u(0.75, 1.3),
    )
