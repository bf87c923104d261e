"""Findings and devices, each drawn as what it does to thickness along the ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.phantom.anatomy import (
    AIR_SHARE,
    Array,
    Canvas,
    Chest,
    chest_wall_mm,
    soft_step,
    spine_x_mm,
)
from inference.phantom.case import DEVICE_WEIGHTS, Patient, PhantomCase
from inference.report_language.statements import Statement

_PARENCHYMAL = ("consolidation", "mass", "nodule", "atelectasis", "pulmonary_edema")
_ZONE_Y = {"upper": -92.0, "mid": -22.0, "lower": 45.0}


@dataclass(eq=False)
class Aeration:
    """How much of each lung still holds air and vessels: [size, size] in 0..1."""

    left: Array
    right: Array

    def of(self, side: str) -> Array:
        return self.left if side == "left" else self.right


def sides_of(statement: Statement) -> tuple[str, ...]:
    return ("left", "right") if statement.side == "bilateral" else (str(statement.side),)


def sign_of(side: str) -> float:
    return 1.0 if side == "left" else -1.0


def add_pleura(
    canvas: Canvas, chest: Chest, case: PhantomCase, rng: np.random.Generator
) -> Aeration:
    """Effusion and pneumothorax; returns where lung remains aerated."""
    air = Aeration(chest.lung_left.copy(), chest.lung_right.copy())
    if (effusion := case.find("pleural_effusion")) is not None:
        for side in sides_of(effusion):
            with canvas.marking("pleural_effusion"):
                _add_effusion(canvas, chest, case.patient, side, str(effusion.severity), rng, air)
    if (pneumothorax := case.find("pneumothorax")) is not None:
        with canvas.marking("pneumothorax"):
            _add_pneumothorax(canvas, chest, case.patient, pneumothorax, rng, air)
    return air


def _add_effusion(
    canvas: Canvas, chest: Chest, patient: Patient, side: str, severity: str,
    rng: np.random.Generator, air: Aeration,
) -> None:  # fmt: skip
    base = patient.dome_left_y_mm if side == "left" else patient.dome_right_y_mm
    lateral, medial = {
        "small": (rng.uniform(20, 30), -22.0),
        "moderate": (rng.uniform(70, 86), rng.uniform(30, 40)),
        "large": (rng.uniform(150, 172), rng.uniform(115, 135)),
    }[severity]
    across = np.clip(sign_of(side) * canvas.x_mm / patient.thorax_half_width_mm, 0, 1.05)
    # the meniscus climbs along the chest wall
    level = base - medial - (lateral - medial) * across**3.2
    lung = chest.lung(side)
    fluid = soft_step(canvas.y_mm - level, 3.0) * lung
    canvas.tissue_cm += AIR_SHARE * chest.lung_depth_cm * fluid * 0.92
    kept = air.of(side)
    kept *= 1.0 - fluid


def _add_pneumothorax(
    canvas: Canvas, chest: Chest, patient: Patient, statement: Statement,
    rng: np.random.Generator, air: Aeration,
) -> None:  # fmt: skip
    side = str(statement.side)
    rim = rng.uniform(15, 21) if statement.severity == "small" else rng.uniform(46, 60)
    wall = chest_wall_mm(patient, canvas.y_mm - rim * 0.9)
    inward = rim * (0.55 + 0.45 * soft_step(-20 - canvas.y_mm, 30))
    gap = sign_of(side) * canvas.x_mm - (wall - inward)  # > 0: between visceral line and wall
    lung = chest.lung(side)
    outside = soft_step(gap, 1.6) * lung
    canvas.tissue_cm -= outside * (1 - AIR_SHARE) * chest.lung_depth_cm * 0.8
    collapsed = (lung - outside) * (0.05 if statement.severity == "small" else 0.14)
    canvas.tissue_cm += collapsed * chest.lung_depth_cm
    canvas.tissue_cm += 0.75 * np.exp(-((gap / 1.9) ** 2)) * lung  # the visceral pleural line
    kept = air.of(side)
    kept *= 1.0 - outside


def add_parenchyma(
    canvas: Canvas, chest: Chest, case: PhantomCase, air: Aeration, rng: np.random.Generator
) -> None:
    """Consolidation, atelectasis, nodule, mass and edema, inside aerated lung."""
    for statement in case.statements:
        with canvas.marking(statement.concept, statement.concept in _PARENCHYMAL):
            _add_in_lung(canvas, chest, case.patient, statement, air, rng)


def _add_in_lung(
    canvas: Canvas, chest: Chest, patient: Patient, statement: Statement, air: Aeration,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    match statement.concept:
        case "consolidation":
            x, y = _place(patient, statement, rng, 26)
            keep = air.of(str(statement.side))
            for _ in range(9):
                offset = rng.normal(0, 11, 2)
                radius = rng.uniform(12, 21)
                canvas.add_blob(
                    (x + offset[0], y + offset[1]), (radius, radius * 0.9), 2.0, 6, keep
                )
        case "mass":
            x, y = _place(patient, statement, rng, 26)
            radius = rng.uniform(20, 27)
            canvas.add_blob((x, y), (radius, radius * rng.uniform(0.88, 1.1)), 4.6, 1.8)
        case "nodule":
            x, y = _place(patient, statement, rng, 15)
            radius = rng.uniform(9, 12.5)
            canvas.add_blob((x, y), (radius, radius), 4.2, 1.4)
        case "atelectasis":
            _add_plate_atelectasis(canvas, patient, str(statement.side), air, rng)
        case "pulmonary_edema":
            _add_edema(canvas, chest, air, rng)
        case _:
            pass


def _place(
    patient: Patient, statement: Statement, rng: np.random.Generator, margin: float
) -> tuple[float, float]:
    """A point in the zone, clear of heart, mediastinum and wall."""
    side = str(statement.side)
    y = _ZONE_Y[str(statement.zone)] + rng.uniform(-15, 15)
    dome = patient.dome_left_y_mm if side == "left" else patient.dome_right_y_mm
    y = min(y, dome - margin - 6)
    wall = float(chest_wall_mm(patient, np.array(y))) - margin
    heart = patient.heart_half_width_mm * (1.0 if side == "left" else 0.6) + 4
    inner = (
        heart if statement.zone == "lower" else 50 if statement.zone == "mid" else 44
    ) + margin * 0.5
    inner = min(inner, wall - 6)
    return sign_of(side) * rng.uniform(inner, max(wall, inner + 1)), y


def _add_plate_atelectasis(
    canvas: Canvas, patient: Patient, side: str, air: Aeration, rng: np.random.Generator
) -> None:
    dome = patient.dome_left_y_mm if side == "left" else patient.dome_right_y_mm
    start = patient.heart_half_width_mm * (1.05 if side == "left" else 0.75)
    for step in range(3):
        y = dome - 15 - 13 * step + rng.uniform(-3, 3)
        inner = start - 6 * step + rng.uniform(-6, 6)
        t = np.linspace(0, 1, 6)
        length = rng.uniform(44, 62)
        points = np.stack(
            [
                sign_of(side) * (inner + length * t),
                y + rng.uniform(-8, 8) * t - 3 * np.sin(t * np.pi),
            ],
            axis=1,
        )
        canvas.add_line(points, 4.0, rng.uniform(2.4, 3.2), air.of(side))


def _add_edema(canvas: Canvas, chest: Chest, air: Aeration, rng: np.random.Generator) -> None:
    strength = rng.uniform(2.2, 3.4)
    for side, hilum in (("left", chest.hilum_left), ("right", chest.hilum_right)):
        centre_x = hilum[0] + sign_of(side) * 16
        r2 = ((canvas.x_mm - centre_x) / 46) ** 2 + ((canvas.y_mm - hilum[1] - 8) / 66) ** 2
        canvas.tissue_cm += strength * np.exp(-r2) * air.of(side)
        wall_y = (-10, 2, 14, 26, 38)
        for y in wall_y:  # septal (Kerley B-like) lines at the lateral base
            x = sign_of(side) * 108
            points = np.array([[x, y + 20.0], [x + sign_of(side) * 16, y + 19.0]])
            canvas.add_line(points, 1.6, 0.8, air.of(side))


def add_devices(canvas: Canvas, case: PhantomCase, rng: np.random.Generator) -> None:
    """Tubes, lines and metal along their courses."""
    for statement in case.statements:
        with canvas.marking(statement.concept, statement.concept in DEVICE_WEIGHTS):
            _add_device(canvas, case.patient, statement, rng)


def _add_device(
    canvas: Canvas, patient: Patient, statement: Statement, rng: np.random.Generator
) -> None:
    sign = sign_of(str(statement.side))
    match statement.concept:
        case "endotracheal_tube":
            y = np.linspace(-205, rng.uniform(-92, -80), 6)
            x = spine_x_mm(patient, y) * 0.3 + patient.rotation_mm
            for edge in (-3.6, 3.6):
                canvas.add_line(np.stack([x + edge, y], axis=1), 2.0, 4.5)
        case "gastric_tube":
            y = np.linspace(-205, patient.dome_left_y_mm + 22, 12)
            x = spine_x_mm(patient, y) * 0.5 + 9 + 2.5 * np.sin(y / 40)
            stem = np.stack([x, y], axis=1)
            tail = stem[-1] + np.array([[14.0, 12.0], [34.0, 18.0], [56.0, 15.0]])
            canvas.add_line(np.concatenate([stem, tail]), 2.2, 5.0)
        case "central_venous_catheter":
            _add_catheter(canvas, sign, rng)
        case "pacemaker":
            _add_pacemaker(canvas, patient, sign, rng)
        case "chest_tube":
            wall = float(chest_wall_mm(patient, np.array(30.0)))
            y0 = rng.uniform(25, 50)
            points = np.array(
                [[wall + 30, y0 + 22], [wall - 6, y0], [wall - 26, y0 - 50],
                 [wall - 42, y0 - 105], [wall - 62, y0 - 140]]
            ) * np.array([sign, 1.0])  # fmt: skip
            for edge in (-3.2, 3.2):
                canvas.add_line(points + np.array([edge, 0.0]), 2.2, 4.5)
        case "sternal_wires":
            for index in range(6):
                y0 = -88 + 27 * index + rng.uniform(-2, 2)
                angle = np.linspace(0, 2 * np.pi, 11)
                loop = np.stack([10 * np.cos(angle), y0 + 6.5 * np.sin(angle)], axis=1)
                canvas.add_line(loop, 1.9, 7.0)
        case _:
            pass


def _add_catheter(canvas: Canvas, sign: float, rng: np.random.Generator) -> None:
    """Internal jugular on either side; both end in the superior vena cava (patient's right)."""
    tip = rng.uniform(-12, 8)
    if sign < 0:
        points = [[-40, -205], [-34, -165], [-24, -120], [-23, -70], [-25, -30], [-24, tip]]
    else:
        points = [[44, -205], [38, -165], [28, -128], [4, -104], [-17, -82], [-23, -40], [-24, tip]]
    canvas.add_line(np.array(points, dtype=float), 2.2, 4.5)


def _add_pacemaker(canvas: Canvas, patient: Patient, sign: float, rng: np.random.Generator) -> None:
    x, y = sign * rng.uniform(84, 94), rng.uniform(-98, -86)
    area = canvas.window(x - 36, x + 36, y - 36, y + 36)
    dx, dy = np.abs(canvas.x_mm[area] - x), np.abs(canvas.y_mm[area] - y)
    square = (dx / 22) ** 4 + (dy / 19) ** 4
    canvas.tissue_cm[area] += 9.0 * soft_step((1 - square**0.25) * 20, 1.2)
    heart = patient.heart_centre_x_mm
    for shift, end in ((0.0, (heart + 22, patient.dome_left_y_mm - 16)), (5.0, (-20.0, 20.0))):
        points = np.array(
            [[x - sign * 8, y + 12], [x - sign * 34, y - 26 + shift], [sign * 30, y - 24 + shift],
             [-16 + shift * 0.5, -62], [-22, -20], [end[0], end[1]]]
        )  # fmt: skip
        canvas.add_line(points, 1.6, 2.8)
