"""The healthy chest drawn on a canvas: thickness in water-equivalent centimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.phantom.body import Body
from inference.phantom.curves import SIDES
from inference.phantom.geometry import Array, Canvas, Interval

AIR_PER_CM = 0.76  # of inflated lung; the rest is vessels and tissue (0.24 g/cm3)


@dataclass(eq=False)
class LungFields:
    """Lung along each ray, by side: its length in cm and the share of it that holds air, 0..1.

    Both [size, size]. Findings lower air where fluid, solid lung or a pneumothorax takes the place;
    vessels are drawn with ``keep=air``.
    """

    length_cm: dict[str, Array]
    air: dict[str, Array]

    @property
    def all_air(self) -> Array:
        """Aerated share of both lungs together (a lateral ray meets both)."""
        return np.maximum(self.air["left"], self.air["right"])


def open_lungs(canvas: Canvas, body: Body) -> LungFields:
    """Take the air of both lungs out of the body: cage less domes, heart, vessels and spine."""
    removed = [
        canvas.stack_interval(solid)
        for solid in (body.mediastinum, body.spinal_column, body.aortic_stack, body.heart_outline)
    ]
    length, air = {}, {}
    for side in SIDES:
        inside = body.lung_interval(canvas, side)
        dome = canvas.dome_interval(body.domes[side])
        gone = [inside & part for part in (dome, *removed)]
        cm = (inside.length_mm - union_length_mm(gone)).clip(0.0).astype(np.float32) / 10.0
        canvas.tissue_cm -= AIR_PER_CM * cm
        length[side], air[side] = cm, np.clip(cm / 1.5, 0.0, 1.0)
    return LungFields(length, air)


def union_length_mm(intervals: Sequence[Interval]) -> Array:
    """Length of the union along each ray, by inclusion and exclusion (few overlap: no sorting)."""
    total = np.zeros(np.broadcast_shapes(*(i.near.shape for i in intervals)), dtype=np.float32)

    def add(start: int, common: Interval | None, sign: float) -> None:
        for index in range(start, len(intervals)):
            part = intervals[index] if common is None else common & intervals[index]
            length = part.length_mm
            if not length.any():
                continue
            np.add(total, sign * length, out=total)
            add(index + 1, part, -sign)

    add(0, None, 1.0)
    return total
