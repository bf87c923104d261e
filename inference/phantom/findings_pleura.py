"""Pleural effusion and pneumothorax: the lung leaves wall and diaphragm, fluid or air takes its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import PhantomCase
from inference.phantom.curves import sign_of
from inference.phantom.geometry import Array, Canvas, Dome, Stack, soft_step
from inference.phantom.lung_volume import AIR_SHARE, LungVolume, dome_top_mm, sides_of
from inference.report_language.statements import Statement

if TYPE_CHECKING:
    from inference.phantom.anatomy import LungFields

# Fluid by severity, in mm: how far above the dome's top the layer on the wall ends, how thick that
# layer is at the base, how far the lung is lifted off the dome, how much of the dome's fall is left.
_EFFUSION = {
    "small": ((14.0, 26.0), (16.0, 22.0), (3.0, 7.0), 0.30),
    "moderate": ((88.0, 112.0), (34.0, 44.0), (34.0, 46.0), 0.20),
    "large": ((196.0, 214.0), (84.0, 100.0), (120.0, 140.0), 0.10),
}
_BEHIND = 1.5  # fluid gathers behind the lung: the layer there is thicker than at the side
_RIM_MM = {"small": (17.0, 23.0), "large": (46.0, 58.0)}
# Share of the lung's volume that collapses into tissue.
_COLLAPSE = {"small": 0.05, "large": 0.16}
_PLEURA_MM = 1.2
_PLEURA_DENSITY = 0.42


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
    rng = case.rng(f"pleural_effusion {side}")
    climb, thick, lift, fall = (
        value if isinstance(value, float) else rng.uniform(*value) for value in _EFFUSION[severity]
    )
    dome = body.domes[side]
    top = dome_top_mm(case.patient, side)
    cage = body.cage
    foot = top + 0.6 * dome.drop_mm
    rise = np.clip((cage.y_mm - (top - climb)) / (foot - (top - climb)), 0.0, 1.0)
    layer = thick * rise**1.7
    lung = LungVolume.of(canvas, body, side)
    lifted = replace(dome, top_y_mm=dome.top_y_mm - lift, drop_mm=dome.drop_mm * fall)
    pressed = _moved_wall(cage, side, layer, back_mm=_BEHIND * layer)
    afloat = LungVolume.of(canvas, body, side, pressed).without(canvas.dome_interval(lifted))
    aerated = _share(afloat.length_mm, lung.length_mm)
    canvas.tissue_cm += AIR_SHARE * lungs.length_cm[side] * lungs.air[side] * (1.0 - aerated)
    lungs.air[side] = lungs.air[side] * aerated


def _add_pneumothorax(
    canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields, side: str, statement: Statement
) -> None:
    severity = statement.severity or "large"
    rng = case.rng("pneumothorax")
    rim = rng.uniform(*_RIM_MM[severity])
    collapsed, inner = (
        LungVolume.of(canvas, body, side, stack).without(canvas.dome_interval(raised))
        for stack, raised in _collapsed_lung(body, side, rim, max(_PLEURA_MM, 0.8 * canvas.pixel_mm))
    )
    within_mm, lung_mm = collapsed.length_mm, LungVolume.of(canvas, body, side).length_mm
    shell_mm = within_mm - np.minimum(inner.length_mm, within_mm)
    aerated = _share(within_mm, lung_mm)
    depth_cm = lungs.length_cm[side]
    canvas.tissue_cm -= (1.0 - AIR_SHARE) * depth_cm * (1.0 - aerated)
    canvas.tissue_cm += _COLLAPSE[severity] * depth_cm * aerated
    thinning = _PLEURA_MM / max(_PLEURA_MM, 0.8 * canvas.pixel_mm)
    canvas.tissue_cm += _PLEURA_DENSITY * thinning / 10.0 * shell_mm
    # Vessels go as far as the line, however thin the lung is there.
    lungs.air[side] = lungs.air[side] * np.clip(within_mm / 12.0, 0.0, 1.0)


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
