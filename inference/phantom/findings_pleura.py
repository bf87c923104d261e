"""Effusion and pneumothorax: the lung leaves wall and diaphragm to fluid or air."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import PhantomCase
from inference.phantom.curves import sign_of
from inference.phantom.geometry import Array, Canvas, Dome, Stack, soft_step
from inference.phantom.lung_volume import (
    AIR_PER_CM,
    LungFields,
    LungVolume,
    crop_to_lung,
    dome_top_mm,
    sides_of,
)
from inference.report_language.statements import Statement


@dataclass(frozen=True)
class _Fluid:
    """Ranges in mm. level: of the fluid in mid-lung, above the dome's top; climb: how far the
    meniscus goes on up the wall; layer: its thickness on the wall at the level."""

    level: tuple[float, float]
    climb: tuple[float, float]
    layer: tuple[float, float]


_FLUID = {
    "small": _Fluid((-26.0, -18.0), (32.0, 40.0), (28.0, 34.0)),
    "moderate": _Fluid((36.0, 50.0), (66.0, 80.0), (40.0, 48.0)),
    "large": _Fluid((130.0, 148.0), (74.0, 86.0), (42.0, 50.0)),
}
_BEHIND, _BEFORE = 1.4, 0.5  # the layer behind and before the lung, relative to the lateral one
_RIM_MM = {"small": (17.0, 23.0), "large": (46.0, 58.0)}
# Share of the lung's volume that collapses into tissue.
_COLLAPSE = {"small": 0.05, "large": 0.16}
_PLEURA_MM = 1.2
_PLEURA_DENSITY = 0.85


def add_pleura(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Effusion and pneumothorax; changes tissue_cm and what lungs.air says is still aerated."""
    if (effusion := case.find("pleural_effusion")) is not None:
        with canvas.marking("pleural_effusion"):
            for side in sides_of(effusion):
                _add_effusion(canvas, body, case, lungs, side, effusion.severity or "moderate")
    if (pneumothorax := case.find("pneumothorax")) is not None:
        with canvas.marking("pneumothorax"):
            for side in sides_of(pneumothorax):
                _add_pneumothorax(canvas, body, case, lungs, side, pneumothorax)


def _add_effusion(
    canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields, side: str, severity: str
) -> None:
    """Fluid is what the lung leaves free when it floats off the dome and off the wall.

    The layer on the wall thins upward: seen along the lateral and the posterior wall it is the
    meniscus.
    """
    rng, fluid = case.rng(f"pleural_effusion {side}"), _FLUID[severity]
    top = dome_top_mm(case.patient, side)
    level = top - rng.uniform(*fluid.level)
    climb, thick = rng.uniform(*fluid.climb), rng.uniform(*fluid.layer)
    part, area = crop_to_lung(canvas, body, side)
    rise = np.clip((body.cage.y_mm - (level - climb)) / climb, 0.0, 1.4)
    layer = thick * rise**2.4
    pressed = _moved_wall(body.cage, side, layer, _BEHIND * layer, _BEFORE * layer)
    surface = replace(body.domes[side], top_y_mm=level, drop_mm=2.0)
    afloat = LungVolume.of(part, body, side, pressed).without(part.dome_interval(surface))
    length_cm = lungs.length_cm[side][area]
    aerated = np.minimum(afloat.length_mm / 10.0, length_cm)
    filled = (length_cm - aerated) * _off_midline(part, body, side)
    part.tissue_cm += AIR_PER_CM * filled
    lungs.air[side][area] *= 1.0 - _share(filled, length_cm)


def _off_midline(canvas: Canvas, body: Body, side: str) -> Array | float:
    """0 at the midline, 1 from 30 mm on: lung tethered to the mediastinum stays where it is."""
    if canvas.pose.is_lateral:
        return 1.0
    x, _, z, _ = body.mediastinum.at(canvas.v_mm)
    midline, _ = canvas.pose.turn(x, z)
    return soft_step(sign_of(side) * (canvas.u_mm - midline) - 18.0, 4.0)


def _add_pneumothorax(
    canvas: Canvas,
    body: Body,
    case: PhantomCase,
    lungs: LungFields,
    side: str,
    statement: Statement,
) -> None:
    severity = statement.severity or "large"
    rng = case.rng("pneumothorax")
    rim = rng.uniform(*_RIM_MM[severity])
    part, area = crop_to_lung(canvas, body, side)
    drawn_mm = max(_PLEURA_MM, 0.8 * canvas.pixel_mm)
    within_mm, inner_mm = (
        LungVolume.of(part, body, side, wall).without(part.dome_interval(raised)).length_mm
        for wall, raised in _collapsed_lung(body, side, rim, drawn_mm)
    )
    shell_mm = np.maximum(within_mm - inner_mm, 0.0)
    depth_cm = lungs.length_cm[side][area]
    aerated = _share(within_mm / 10.0, depth_cm)
    part.tissue_cm -= (1.0 - AIR_PER_CM) * depth_cm * (1.0 - aerated)
    part.tissue_cm += _COLLAPSE[severity] * depth_cm * aerated
    part.tissue_cm += _PLEURA_DENSITY * (_PLEURA_MM / drawn_mm) / 10.0 * shell_mm
    # Vessels go as far as the line, however thin the lung is there.
    lungs.air[side][area] *= np.clip(within_mm / 12.0, 0.0, 1.0)


def _collapsed_lung(
    body: Body, side: str, rim_mm: float, pleura_mm: float
) -> list[tuple[Stack, Dome]]:
    """What bounds the lung within its visceral pleura, and within that less pleura_mm."""
    cage, dome = body.cage, body.domes[side]
    y = cage.y_mm
    retreat = rim_mm * (0.5 + 0.5 * soft_step(-20.0 - y, 30.0))
    fallen = rim_mm * 0.8 * np.clip(1.0 - (y - y[0]) / 150.0, 0.0, 1.0)  # the apex comes down
    bounds = []
    for less in (0.0, pleura_mm):
        wall = _moved_wall(cage, side, retreat + less, 0.3 * retreat + less, 0.5 * retreat + less)
        wall = replace(wall, y_mm=y + fallen + less * (y < y[0] + 1.0))
        bounds.append((wall, replace(dome, top_y_mm=dome.top_y_mm - 0.25 * rim_mm - less)))
    return bounds


def _moved_wall(
    cage: Stack, side: str, lateral_mm: Array, back_mm: Array, front_mm: Array | float = 0.0
) -> Stack:
    """The cage with one lateral wall, the back and the front moved inward, per height [k]."""
    return replace(
        cage,
        centre_x_mm=cage.centre_x_mm - sign_of(side) * lateral_mm / 2,
        half_x_mm=np.maximum(cage.half_x_mm - lateral_mm / 2, 0.0),
        centre_z_mm=cage.centre_z_mm + (back_mm - front_mm) / 2,
        half_z_mm=np.maximum(cage.half_z_mm - (back_mm + front_mm) / 2, 0.0),
    )


def _share(part_mm: Array, whole_mm: Array) -> Array:
    return np.clip(part_mm / np.maximum(whole_mm, 1e-3), 0.0, 1.0).astype(np.float32)
