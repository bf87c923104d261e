"""One body's landmarks in millimetres: everything the views and the findings place things by.

Body axes as in ``geometry``: x to the patient's left, y to the feet, z to the front. Heights to
keep in mind: lung apex -155, carina -60, hila -35, domes about 90, costophrenic sulci about 140.
Proportions after Gray's Anatomy (thorax, T1 at the apex to T12 below the domes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from inference.phantom.curves import SIDES, course, depth_in, points_on_wall, sign_of
from inference.phantom.geometry import Array, Canvas, Dome, Ellipsoid, Interval, Stack
from inference.phantom.heart import (
    build_aorta,
    build_chambers,
    build_crura,
    build_heart,
    build_mediastinum,
)
from inference.phantom.patient import Patient
from inference.phantom.thorax import (
    build_cage,
    build_clavicle,
    build_domes,
    build_paraspinal,
    build_ribs,
    build_scapula,
    build_spine,
    build_sternum,
    build_torso,
    build_trachea,
)
from inference.phantom.vessels import grow_vessels


@dataclass(frozen=True, eq=False)
class Body:
    """The landmarks; all points [n, 3] (x, y, z) mm.

    cage: inner chest wall, encloses lungs and mediastinum. torso: outer soft tissue, the trunk
    first; arms_raised: the same for a lateral film. mediastinum and heart_outline: solids without
    the lungs; heart: its chambers (right atrium, right ventricle, left ventricle, left atrium).
    ribs: by (side, number 1..12), from the spine to the cartilage. vessels: (points [n, 3],
    radii [n], side), from the hilum outward.
    """

    patient: Patient
    cage: Stack
    torso: list[Stack]
    arms_raised: list[Stack]
    mediastinum: Stack
    spinal_column: Stack
    paraspinal: Stack
    aortic_stack: Stack
    heart_outline: Stack
    crura: Stack
    heart: tuple[Ellipsoid, ...]
    domes: dict[str, Dome]
    trachea: Array
    left_bronchus: Array
    right_bronchus: Array
    carina: Array  # [3]
    aorta: Array
    aorta_radius_mm: float
    svc: Array
    ribs: dict[tuple[str, int], Array]
    clavicles: dict[str, Array]
    scapulae: dict[str, Array]  # superior angle, inferior angle, glenoid, acromion
    sternum: Array
    hila: dict[str, Array]  # [3] each
    vessels: list[tuple[Array, Array, str]]

    @property
    def between_lungs(self) -> tuple[Stack, ...]:
        """The solids within the cage that hold no lung, beside the domes."""
        return (
            self.mediastinum, self.paraspinal, self.aortic_stack, self.heart_outline, self.crura
        )  # fmt: skip

    def wall_z(self, y: Array | float) -> tuple[Array, Array]:
        """(back z, front z) of the inner chest at heights y."""
        _, _, centre, half = self.cage.at(np.asarray(y, dtype=np.float64))
        return centre - half, centre + half

    def spine(self, y: Array | float) -> tuple[Array, Array]:
        """(x, z) of the vertebral bodies' centres at heights y."""
        centre_x, _, centre_z, _ = self.spinal_column.at(np.asarray(y, dtype=np.float64))
        return centre_x, centre_z

    def wall_point(self, side: str, y: float, angle_rad: float, outward_mm: float = 0.0) -> Array:
        """A point [3] on the inner chest wall; angle -pi/2: back, 0: lateral, pi/2: front."""
        return points_on_wall(
            self.cage, sign_of(side), np.array([y]), np.array([angle_rad]), outward_mm
        )[0]

    def contains_lung(self, points: Array, side: str, margin_mm: float = 0.0) -> Array:
        """Which of points [n, 3] lie in the lung of a side, margin_mm or more from its borders."""
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        inside = depth_in(self.cage, points) > margin_mm
        for solid in self.between_lungs:
            inside &= depth_in(solid, points) < -margin_mm
        inside &= y < np.asarray(self.domes[side].height_at(x, z)) - margin_mm
        return inside & (x * sign_of(side) > 0)

    def lung_interval(self, canvas: Canvas, side: str, shrink: Stack | None = None) -> Interval:
        """Each ray's part inside the cage (or shrink) on one side, domes and heart included."""
        stack = self.cage if shrink is None else shrink
        return self.take_side(canvas, canvas.stack_interval(stack), side)

    def take_side(self, canvas: Canvas, interval: Interval, side: str) -> Interval:
        """The part of interval on one side of the mediastinum's middle."""
        x, _, z, _ = self.mediastinum.at(canvas.v_mm)
        midline, _ = canvas.pose.turn(x, z)
        if canvas.pose.is_lateral:
            return canvas.side_of(interval, side, 0.0)
        return canvas.side_of(interval, side, midline)


def build_body(patient: Patient, rng: np.random.Generator) -> Body:
    """The body of a patient; rng (``case.rng("body")``) draws what the numbers leave open."""
    cage = build_cage(patient)
    column = build_spine(patient, cage)
    domes = build_domes(patient)
    mediastinum = build_mediastinum(patient, column)
    aorta, aortic_stack = build_aorta(patient, column)
    trachea = build_trachea(patient, column)
    carina = trachea[-1]
    hila = {
        "left": np.array([44.0, carina[1] + 15.0, carina[2] - 2.0]),
        "right": np.array([-42.0, carina[1] + 25.0, carina[2] + 2.0]),
    }
    outline = build_heart(patient, domes, column, cage)
    body = Body(
        patient=patient,
        cage=cage,
        torso=build_torso(patient, cage),
        arms_raised=build_torso(patient, cage, arms_raised=True),
        mediastinum=mediastinum,
        spinal_column=column,
        paraspinal=build_paraspinal(column),
        aortic_stack=aortic_stack,
        heart_outline=outline,
        crura=build_crura(patient, domes, column, cage),
        heart=build_chambers(outline),
        domes=domes,
        trachea=trachea,
        left_bronchus=course(
            carina, (18.0, carina[1] + 11, carina[2]), hila["left"] + np.array([4.0, 8.0, 0.0])
        ),
        right_bronchus=course(
            carina, (-13.0, carina[1] + 13, carina[2]), hila["right"] + np.array([6.0, 10.0, 0.0])
        ),
        carina=carina,
        aorta=aorta,
        aorta_radius_mm=patient.aortic_knob_mm,
        svc=course((-23, -112, 8), (-25, -70, 6), (-27, -25, 2), (-28, 0, 0)),
        ribs=build_ribs(cage, column),
        clavicles={side: build_clavicle(patient, cage, side) for side in SIDES},
        scapulae={side: build_scapula(patient, side) for side in SIDES},
        sternum=build_sternum(cage),
        hila=hila,
        vessels=[],
    )
    for side in SIDES:
        is_in_lung = partial(body.contains_lung, side=side, margin_mm=2.0)
        body.vessels.extend(grow_vessels(patient, hila[side], side, is_in_lung, rng))
    return body
