"""The healthy chest drawn on a canvas: thickness in water-equivalent centimetres."""

from __future__ import annotations

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import PhantomCase
from inference.phantom.curves import SIDES, course, sign_of
from inference.phantom.geometry import Canvas, Ellipsoid, soft_step
from inference.phantom.intervals import Interval, covered_length_mm
from inference.phantom.lung_volume import AIR_PER_CM, LungFields
from inference.phantom.strokes import Stroke, columns_of, draw_strokes

_BREAST = 0.093  # cm of water a mm: fat and gland
# From the hilum, in mm: (outward, down, forward).
_LOWER_ARTERY = np.array(
    [[-8.0, -3.0, 4.0], [3.0, 2.0, 0.0], [6.0, 22.0, -6.0], [8.0, 48.0, -14.0]]
)
_UPPER_ARTERY = np.array([[-4.0, 4.0, 4.0], [4.0, -8.0, 2.0], [7.0, -26.0, 0.0]])


def open_lungs(canvas: Canvas, body: Body) -> LungFields:
    """Take the air of both lungs out of the body: cage less domes, heart, vessels and spine."""
    cage = canvas.stack_interval(body.cage)
    middle = _middle_columns(canvas, body)
    part = columns_of(canvas, middle)
    removed = [part.stack_interval(solid) for solid in body.between_lungs]
    length, air = {}, {}
    for side in SIDES:
        inside = body.take_side(canvas, cage, side)
        below = inside & canvas.dome_interval(body.domes[side])
        open_mm = inside.length_mm - below.length_mm
        inside, below = _cut(inside, middle), _cut(below, middle)
        gone = [below, *(inside & solid for solid in removed)]
        open_mm[:, middle] = inside.length_mm - covered_length_mm(gone, few_overlap=True)
        cm = (open_mm / 10.0).clip(0.0).astype(np.float32)
        canvas.tissue_cm -= AIR_PER_CM * cm
        length[side], air[side] = cm, np.clip(cm / 1.5, 0.0, 1.0)
    return LungFields(length, air)


def _middle_columns(canvas: Canvas, body: Body) -> slice:
    """The columns that the solids between the lungs can reach."""
    if canvas.pose.is_lateral:
        return slice(0, canvas.u_mm.shape[1])
    reach = max(float((abs(s.centre_x_mm) + s.half_x_mm).max()) for s in body.between_lungs)
    return canvas.window(-1.1 * reach - 16, 1.1 * reach + 16, 0, 0)[1]


def _cut(interval: Interval, columns: slice) -> Interval:
    return Interval(interval.near[:, columns], interval.far[:, columns])


def draw_torso(canvas: Canvas, body: Body) -> None:
    """Trunk, neck and shoulders, arms, breasts, as soft tissue (about water)."""
    parts = body.arms_raised if canvas.pose.is_lateral else body.torso
    covered_mm = covered_length_mm([canvas.stack_interval(p) for p in parts], few_overlap=True)
    canvas.tissue_cm += covered_mm / 10.0


def draw_breasts(canvas: Canvas, body: Body, case: PhantomCase) -> None:
    """What of each breast stands before the chest wall."""
    patient = body.patient
    if patient.breast_mm <= 0:
        return
    rng = case.rng("breasts")
    low, width = rng.uniform(50, 66), rng.uniform(50, 58)
    share = rng.uniform(0.56, 0.62)
    height = 8.0 + 0.8 * patient.breast_mm
    for side in SIDES:
        x = sign_of(side) * share * patient.half_width_mm
        surface = float(body.wall_z(low)[1]) + 6.0
        across, _ = canvas.pose.turn(x, surface)
        front = sum(body.torso[0].at(canvas.v_mm)[2:]) - 2.0  # of the trunk, in profile
        tall = np.where(canvas.v_mm > low, 0.75 * width, 1.9 * width)  # heavy below, fading above
        down = ((canvas.v_mm - low) / tall) ** 2
        if canvas.pose.is_lateral:
            raised = (-canvas.u_mm - surface) / height
            chord = (
                2
                * width
                * np.sqrt(np.clip(1 - down - np.clip(raised, 0, 1), 0, 1))
                * soft_step(-canvas.u_mm - front)
            )
        else:
            chord = height * np.clip(1 - down - ((canvas.u_mm - float(across)) / width) ** 2, 0, 1)
        canvas.tissue_cm += _BREAST * chord.astype(np.float32)


def draw_airway(canvas: Canvas, body: Body) -> None:
    """Trachea and main bronchi as air in the mediastinum."""
    calibre = 9.4 if body.patient.half_width_mm > 134 else 8.2
    tubes: list[Stroke] = [(body.trachea, np.full(len(body.trachea), calibre))]
    for line, share in ((body.right_bronchus, 0.78), (body.left_bronchus, 0.68)):
        tubes.append((line, calibre * share * np.linspace(1.0, 0.72, len(line))))
    canvas.tissue_cm -= draw_strokes(canvas, tubes, 1.03)


def draw_hila(canvas: Canvas, body: Body) -> None:
    """The central arteries of each lung: right interlobar, left over its bronchus."""
    patient = body.patient
    for side, scale in (("left", patient.hilum_scale_left), ("right", patient.hilum_scale_right)):
        at, sign = body.hila[side], sign_of(side)
        grown = 1.0 + 0.55 * (scale - 1.0) if scale > 1.4 else scale
        outward = np.array([sign, 1.0, 1.0])
        lower = course(*(at + outward * _LOWER_ARTERY))
        upper = course(*(at + outward * _UPPER_ARTERY))
        calibre = np.linspace(9.0, 5.0, len(lower)) * grown
        strokes = [(lower, calibre), (upper, np.linspace(6.0, 3.4, len(upper)) * grown)]
        canvas.tissue_cm += draw_strokes(canvas, strokes, 0.8)


def draw_vessels(canvas: Canvas, body: Body, lungs: LungFields) -> None:
    """The vessel trees, as far as the lung about them holds air."""
    for side in SIDES:
        strokes = [(points, radii) for points, radii, of in body.vessels if of == side]
        if strokes:
            canvas.tissue_cm += draw_strokes(canvas, strokes, 0.95) * lungs.air[side]


def draw_gastric_bubble(canvas: Canvas, body: Body, case: PhantomCase) -> None:
    """Air under the left dome, with a level when the patient stands."""
    rng, dome = case.rng("stomach"), body.domes["left"]
    width, tall = rng.uniform(24, 36), rng.uniform(15, 24)
    x = dome.centre_x_mm - rng.uniform(0, 14)
    top = float(dome.height_at(x, dome.centre_z_mm)) + 7.0
    solid = Ellipsoid((x, top + tall, dome.centre_z_mm - 10.0), (width, tall, rng.uniform(22, 34)))
    air = canvas.ellipsoid_interval(solid).length_mm
    if body.patient.view != "AP":
        air = air * soft_step(top + 1.3 * tall - canvas.v_mm, 0.8)
    canvas.tissue_cm -= 0.095 * air
