"""The healthy chest as water-equivalent thickness [cm] on a pixel grid in millimetres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from inference.phantom.case import Patient

FIELD_MM = 400.0  # side of the square detector
AIR_SHARE = 0.76  # of the lung's depth; the rest is vessels and tissue
Array = np.ndarray


def soft_step(distance_mm: Array, edge_mm: float = 2.0) -> Array:
    """0 below, 1 above zero, over about 4 edge_mm: edges stay resolved at training size."""
    return 1.0 / (1.0 + np.exp(-np.clip(distance_mm / edge_mm, -30.0, 30.0)))


@dataclass(eq=False)
class Canvas:
    """The film being built. x_mm, y_mm, tissue_cm: [size, size] float32.

    regions: what was drawn under ``marking``, by concept.
    """

    size: int
    x_mm: Array
    y_mm: Array
    tissue_cm: Array
    regions: dict[str, Array] = field(default_factory=dict)

    @contextmanager
    def marking(self, concept: str, is_present: bool = True) -> Iterator[None]:
        """Record as the concept's region [size, size], in cm, what is drawn inside the block."""
        if not is_present:
            yield
            return
        before = self.tissue_cm.copy()
        yield
        changed = np.abs(self.tissue_cm - before)
        self.regions[concept] = np.maximum(self.regions.get(concept, 0.0), changed)

    @classmethod
    def blank(cls, size: int, patient: Patient) -> Canvas:
        centre = (np.arange(size, dtype=np.float32) + 0.5) * (FIELD_MM / size) - FIELD_MM / 2
        x = (centre - patient.shift_x_mm) / patient.scale
        y = (centre - patient.shift_y_mm) / patient.scale
        x_mm, y_mm = np.meshgrid(x, y)
        return cls(size, x_mm, y_mm, np.zeros((size, size), dtype=np.float32))

    def window(
        self, x_low: float, x_high: float, y_low: float, y_high: float
    ) -> tuple[slice, slice]:
        """The rows and columns that cover a rectangle in millimetres (clipped to the film)."""
        columns = np.searchsorted(self.x_mm[0], (x_low, x_high))
        rows = np.searchsorted(self.y_mm[:, 0], (y_low, y_high))
        return slice(rows[0], rows[1]), slice(columns[0], columns[1])

    def add_line(
        self,
        points: Array,
        width_mm: float,
        amount_cm: float | Array,
        keep: Array | None = None,
    ) -> None:
        """Draw a polyline [n, 2] (x, y mm) of half-width width_mm; amounts may vary by segment."""
        amounts = np.broadcast_to(np.asarray(amount_cm, dtype=np.float32), (len(points) - 1,))
        margin = 3 * width_mm + 3
        low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
        area = self.window(low[0], high[0], low[1], high[1])
        x, y = self.x_mm[area], self.y_mm[area]
        if x.size == 0:
            return
        drawn = np.zeros_like(x)
        for start, end, amount in zip(points[:-1], points[1:], amounts, strict=True):
            low, high = np.minimum(start, end) - margin, np.maximum(start, end) + margin
            columns = np.searchsorted(x[0], (low[0], high[0]))
            rows = np.searchsorted(y[:, 0], (low[1], high[1]))
            part = (slice(rows[0], rows[1]), slice(columns[0], columns[1]))
            # plain floats: NumPy's would turn the whole film to float64
            along_x, along_y = float(end[0] - start[0]), float(end[1] - start[1])
            px, py = x[part] - float(start[0]), y[part] - float(start[1])
            length2 = max(along_x**2 + along_y**2, 1e-6)
            t = np.clip((px * along_x + py * along_y) / length2, 0, 1)
            square = (px - t * along_x) ** 2 + (py - t * along_y) ** 2
            np.maximum(
                drawn[part], np.exp(-square / width_mm**2) * abs(float(amount)), out=drawn[part]
            )
        if keep is not None:
            drawn = drawn * keep[area]
        self.tissue_cm[area] += drawn * np.sign(amounts[0])

    def add_blob(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        amount_cm: float,
        edge_mm: float = 2.5,
        keep: Array | None = None,
    ) -> None:
        """An ellipsoid's thickness: amount_cm at the middle, falling as sqrt(1 - r²)."""
        area = self.window(
            centre[0] - radii[0] - 12, centre[0] + radii[0] + 12,
            centre[1] - radii[1] - 12, centre[1] + radii[1] + 12,
        )  # fmt: skip
        r2 = ((self.x_mm[area] - centre[0]) / radii[0]) ** 2
        r2 += ((self.y_mm[area] - centre[1]) / radii[1]) ** 2
        profile = np.sqrt(np.clip(1.0 - r2, 0.02, 1.0))
        inside = soft_step((1.0 - np.sqrt(r2)) * min(radii), edge_mm)
        drawn = amount_cm * profile * inside
        self.tissue_cm[area] += drawn if keep is None else drawn * keep[area]


@dataclass(eq=False)
class Chest:
    """Shapes the findings need. lung_left/right: [size, size] 0..1 lung field of each side."""

    lung_left: Array
    lung_right: Array
    lung_depth_cm: Array
    hilum_left: tuple[float, float]
    hilum_right: tuple[float, float]

    def lung(self, side: str) -> Array:
        return self.lung_left if side == "left" else self.lung_right


def chest_wall_mm(patient: Patient, y_mm: Array) -> Array:
    """|x| of the inner chest wall at height y: narrow at the apex, widest near the base."""
    rise = np.clip((y_mm - patient.apex_y_mm) / 150.0, 0.0, 1.0)
    return patient.thorax_half_width_mm * (0.16 + 0.84 * np.sqrt(1.0 - (1.0 - rise) ** 2 + 1e-6))


def spine_x_mm(patient: Patient, y_mm: Array) -> Array:
    return patient.spine_bow_mm * np.sin((y_mm + 150.0) / 300.0 * np.pi)


def build_chest(canvas: Canvas, patient: Patient) -> Chest:
    """Body, lungs and mediastinum; returns the shapes that findings act on."""
    x, y = canvas.x_mm, canvas.y_mm
    torso = 62 + (patient.thorax_half_width_mm + 34 - 62) * soft_step(y + 168, 10)
    inside = np.clip(1.0 - (x / torso) ** 2, 0.0, 1.0)
    canvas.tissue_cm += patient.depth_cm * np.sqrt(inside) * 0.92
    wall = chest_wall_mm(patient, y)
    middle = patient.mediastinum_half_width_mm * soft_step(30 - y, 14)
    knob = 10 * np.exp(-(((y + 72) / 17) ** 2))
    lungs = []
    for sign, dome in ((1.0, patient.dome_left_y_mm), (-1.0, patient.dome_right_y_mm)):
        side = sign * x - patient.rotation_mm * sign
        medial = 14 + np.maximum(middle - 6, 0) + (knob if sign > 0 else 0.0)
        across = np.clip((side - 20) / (patient.thorax_half_width_mm - 20), 0, 1.15)
        floor = (
            dome
            + 62 * np.clip(across - 0.42, 0, None) ** 2 * 2.2
            + 14 * (0.42 - across).clip(0) ** 2
        )
        if _is_flat(patient, dome):
            floor = dome + 20 * across**2
        field = soft_step(wall - side, 2.0) * soft_step(side - medial, 2.5)
        field = field * soft_step(floor - y, 2.0) * soft_step(y - patient.apex_y_mm, 3.0)
        lungs.append(field.astype(np.float32))
    depth = (
        0.66 * patient.depth_cm * np.sqrt(np.clip(1.05 - (np.abs(x) / (wall + 8)) ** 2, 0.05, 1))
    )
    left, right = lungs
    canvas.tissue_cm -= AIR_SHARE * depth * (left + right)
    return Chest(left, right, depth.astype(np.float32), (40.0, -18.0), (-38.0, -10.0))


def _is_flat(patient: Patient, dome_y_mm: float) -> bool:
    return dome_y_mm > 107 and patient.dome_right_y_mm > 107


def add_heart(canvas: Canvas, chest: Chest, patient: Patient, aerated: Array) -> None:
    """An egg to the left of the midline; it displaces aerated lung only (silhouette sign)."""
    half = patient.heart_half_width_mm
    x = canvas.x_mm - patient.heart_centre_x_mm * (half / 58)
    y = canvas.y_mm - (min(patient.dome_left_y_mm, patient.dome_right_y_mm + 10) - 0.78 * half)
    turned_x, turned_y = 0.93 * x + 0.36 * y, -0.36 * x + 0.93 * y
    r = np.sqrt((turned_x / (half * 1.02)) ** 2 + (turned_y / (half * 0.86)) ** 2)
    inside = soft_step((1.0 - r) * half, 2.5)
    # the wider half-widths are the enlarged hearts (case.py)
    with canvas.marking("cardiomegaly", half > 0.5 * patient.thorax_half_width_mm):
        canvas.tissue_cm += inside * aerated * (0.42 * chest.lung_depth_cm)
        canvas.tissue_cm += inside * aerated * 1.2 * np.sqrt(np.clip(1 - r**2, 0, 1))


def add_skeleton(canvas: Canvas, patient: Patient, fractured_side: str | None, which: int) -> None:
    """Spine, ribs and clavicles. A displaced fracture steps one lateral rib down and gaps it."""
    x, y = canvas.x_mm, canvas.y_mm
    from_spine = x - spine_x_mm(patient, y)
    disc = soft_step(np.sin((y + 200) * 2 * np.pi / 25.0) - 0.86, 0.06)
    body = 1.0 - 0.45 * disc
    with canvas.marking("scoliosis", abs(patient.spine_bow_mm) > 20):
        canvas.tissue_cm += 1.9 * body * soft_step(19 - np.abs(from_spine), 1.8)
    for sign in (-1.0, 1.0):
        for index in range(10):
            top = patient.apex_y_mm + 8 + 21.5 * index
            u = np.linspace(0, 1, 14)
            reach = chest_wall_mm(patient, np.array(top + 30)) * 1.01
            px = sign * (16 + (reach - 16) * np.sin(u * np.pi / 2))
            py = top - 10 * np.sin(u * np.pi * 0.8) + (34 + 2.6 * index) * u**2.2
            points = np.stack([px + spine_x_mm(patient, py) * (1 - u), py], axis=1)
            is_broken = fractured_side == ("left" if sign > 0 else "right") and index == which
            if is_broken:
                _add_broken_rib(canvas, points, sign)
            else:
                canvas.add_line(points, 4.4, 1.15)
            front = np.stack(
                [sign * (reach - (reach - 42) * u), py[-1] + 2 + 42 * np.sin(u * np.pi / 2)], axis=1
            )
            if index < 7:
                canvas.add_line(front, 4.6, 0.5)
        v = np.linspace(0, 1, 8)
        clavicle = np.stack(
            [sign * (14 + 128 * v) + patient.rotation_mm,
             patient.apex_y_mm + 34 - 26 * v - 7 * np.sin(v * np.pi)], axis=1
        )  # fmt: skip
        canvas.add_line(clavicle, 5.5, 1.9)


def _add_broken_rib(canvas: Canvas, points: Array, sign: float) -> None:
    canvas.add_line(points[:8], 4.4, 1.2)
    fragment = points[9:] + np.array([sign * 1.0, 14.0])
    canvas.add_line(fragment, 4.4, 1.4)
    middle = points[9] + np.array([0.0, 6.0])
    with canvas.marking("fracture"):
        for end in (points[7], fragment[0]):  # sclerotic ends, soft-tissue swelling over them
            canvas.add_blob((float(end[0]), float(end[1])), (8.0, 8.0), 2.6)
        canvas.add_blob((float(middle[0]), float(middle[1])), (21, 18), 2.4, edge_mm=4)


def add_airway(canvas: Canvas, patient: Patient) -> None:
    """Trachea and main bronchi: air columns."""
    y = np.linspace(-200, -62, 8)
    trachea = np.stack([spine_x_mm(patient, y) * 0.3 + patient.rotation_mm, y], axis=1)
    canvas.add_line(trachea, 8.0, -3.0)
    carina = trachea[-1]
    for sign, drop in ((-1, 34), (1, 26)):
        canvas.add_line(np.stack([carina, carina + np.array([sign * 34, drop])]), 5.5, -1.4)


def add_vessels(
    canvas: Canvas,
    chest: Chest,
    patient: Patient,
    rng: np.random.Generator,
    aerated_left: Array,
    aerated_right: Array,
    gain: float,
) -> None:
    """Hila and their branching vessels, drawn only where lung is aerated."""
    for hilum, sign, scale, keep in (
        (chest.hilum_left, 1.0, patient.hilum_scale_left, aerated_left),
        (chest.hilum_right, -1.0, patient.hilum_scale_right, aerated_right),
    ):  # fmt: skip
        big = scale > 1.4
        radius = 15.0 * (1 + 0.62 * (scale - 1)) if big else 15.0 * scale
        shift = 6.0 if big else 0.0
        with canvas.marking("hilar_enlargement", big):
            canvas.add_blob(
                (hilum[0] + sign * shift, hilum[1]), (radius * 0.85, radius * 1.25),
                3.6 if big else 1.6, edge_mm=3.0 if big else 4.5,
            )  # fmt: skip
        for angle in np.linspace(-1.25, 1.45, 11) + rng.normal(0, 0.07, 11):
            length = rng.uniform(62, 105)
            t = np.linspace(0, 1, 7)
            bend = angle + rng.normal(0, 0.25) * t
            points = np.stack(
                [hilum[0] + sign * (2 + (9 + length * t) * np.cos(bend)),
                 hilum[1] + (9 + length * t) * 1.15 * np.sin(bend)], axis=1
            )  # fmt: skip
            canvas.add_line(
                points, 2.4 * (1 + 0.25 * (gain - 1)), gain * 0.95 * (1 - 0.8 * t[1:]), keep
            )


def add_soft_parts(canvas: Canvas, patient: Patient, rng: np.random.Generator) -> None:
    """Breast shadows and the gastric bubble under the left dome."""
    if patient.sex == "F":
        width, low = rng.uniform(46, 58), rng.uniform(48, 66)
        for sign in (-1.0, 1.0):
            canvas.add_blob((sign * 78, low), (width, width * 0.85), rng.uniform(0.7, 1.4), 5.0)
    bubble = (rng.uniform(52, 72), patient.dome_left_y_mm + rng.uniform(24, 32))
    canvas.add_blob(bubble, (rng.uniform(17, 27), rng.uniform(9, 14)), -2.4, edge_mm=2.5)
