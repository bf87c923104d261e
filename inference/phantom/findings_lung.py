"""Focal findings of the lung: solids, haze or strands placed in the zone they are stated for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import PhantomCase
from inference.phantom.curves import sign_of
from inference.phantom.findings_diffuse import (
    add_congestion,
    add_edema,
    add_emphysema,
    add_interstitial_pattern,
)
from inference.phantom.geometry import Array, Canvas, Ellipsoid
from inference.phantom.lung_volume import (
    LungFields,
    add_cloud,
    ball,
    chord_mm,
    crop,
    dome_top_mm,
    fill_lung,
    lateral_border_mm,
    medial_border_mm,
    place_in_zone,
)
from inference.report_language.statements import Statement

_NODULE_RADIUS_MM = (9.5, 14.0)
_MASS_RADIUS_MM = (22.0, 30.0)
_GRANULOMA_RADIUS_MM = (3.0, 4.0)
# Relative to water. A soft lesion attenuates like water; half as much again keeps it above the ribs
# at 224 px. Calcium at 70 keV takes about six times as much as water (NIST tables, apatite).
_NODULE_DENSITY = 1.5
_MASS_DENSITY = 1.15
_CALCIUM_DENSITY = 6.0
_GLASS_CM = 2.6  # of tissue in ground glass at most: about half a consolidation's
_Painter = Callable[[Canvas, Body, PhantomCase, Statement, LungFields], None]


def add_parenchyma(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Everything stated of the lungs, in what of them is still aerated."""
    for statement in case.statements:
        if (paint := _PAINTERS.get(statement.concept)) is not None:
            with canvas.marking(statement.concept):
                paint(canvas, body, case, statement, lungs)


def _side(statement: Statement) -> str:
    return statement.side or "right"


def _add_nodule(
    canvas: Canvas, body: Body, case: PhantomCase, statement: Statement, lungs: LungFields
) -> None:
    rng = case.rng("nodule")
    radius = rng.uniform(*_NODULE_RADIUS_MM)
    zone = statement.zone or "mid"
    x, y, z = place_in_zone(body, case.patient, _side(statement), zone, radius, rng)
    radii = tuple(float(r) for r in radius * rng.uniform(0.92, 1.08, 3))
    solid = Ellipsoid((float(x), float(y), float(z)), radii)  # type: ignore[arg-type]
    canvas.add_ellipsoid(solid, _NODULE_DENSITY, edge_mm=0.7)


def _add_granuloma(
    canvas: Canvas, body: Body, case: PhantomCase, statement: Statement, lungs: LungFields
) -> None:
    """A calcified remnant: smaller than a nodule and brighter than bone."""
    rng = case.rng("granuloma")
    radius = rng.uniform(*_GRANULOMA_RADIUS_MM)
    zone = statement.zone or "upper"
    x, y, z = place_in_zone(body, case.patient, _side(statement), zone, radius, rng)
    solid = Ellipsoid((float(x), float(y), float(z)), (radius, radius * 0.9, radius))
    canvas.add_ellipsoid(solid, _CALCIUM_DENSITY, edge_mm=0.3)


def _add_mass(
    canvas: Canvas, body: Body, case: PhantomCase, statement: Statement, lungs: LungFields
) -> None:
    """A lobulated solid: a core with smaller balls sunk into its surface."""
    rng = case.rng("mass")
    radius = rng.uniform(*_MASS_RADIUS_MM)
    side = _side(statement)
    centre = place_in_zone(body, case.patient, side, statement.zone or "mid", radius, rng)
    solids = [ball(centre, 0.74 * radius)]
    for direction in _directions(rng, 8):
        lobe = radius * rng.uniform(0.34, 0.5)
        solids.append(ball(centre + direction * (radius - lobe), lobe))
    part, area = crop(canvas, centre, radius)
    drawn = (_MASS_DENSITY / 10.0) * chord_mm(part, solids)
    part.tissue_cm += drawn * lungs.air[side][area]


def _add_consolidation(
    canvas: Canvas, body: Body, case: PhantomCase, statement: Statement, lungs: LungFields
) -> None:
    """Alveoli filled around open bronchi; in the lower zone it touches the heart or the dome."""
    rng = case.rng("consolidation")
    side, zone = _side(statement), statement.zone or "lower"
    centre = place_in_zone(body, case.patient, side, zone, 27.0, rng)
    if zone == "lower":
        centre = _touching(body, case, side, centre, rng)
    solids = []
    for index in range(13):
        offset = np.clip(rng.normal(0.0, (17.0, 12.0, 16.0)), (-28, -20, -26), (28, 20, 26))
        radii = rng.uniform((14.0, 12.0, 20.0), (22.0, 18.0, 32.0)) * (1.25 if index < 8 else 0.85)
        solids.append(Ellipsoid(tuple(centre + offset), tuple(radii)))
    keep = lungs.air[side]
    fill_lung(canvas, body, side, solids, 0.95, keep, softness=1.2, depth_mm=66.0)
    _add_air_bronchogram(canvas, body.hila[side], centre, keep, rng)


def _touching(
    body: Body, case: PhantomCase, side: str, centre: Array, rng: np.random.Generator
) -> Array:
    """Moved against the heart's border (middle lobe, lingula) or onto the dome (lower lobe)."""
    x, y, z = centre
    if rng.random() < 0.5:
        y = dome_top_mm(case.patient, side) - rng.uniform(26, 34)
        x = sign_of(side) * (medial_border_mm(body, side, y) + rng.uniform(10, 16))
        z = body.heart_outline.at(np.array([y]))[2][0] + rng.uniform(0, 14)
    else:
        y = dome_top_mm(case.patient, side) - rng.uniform(8, 13)
        x = x + 0.3 * (body.domes[side].centre_x_mm - x)
        z = body.domes[side].centre_z_mm + rng.uniform(-16, 4)
    return np.array([x, y, z], dtype=np.float64)


def _add_air_bronchogram(
    canvas: Canvas, hilum: Array, centre: Array, keep: Array, rng: np.random.Generator
) -> None:
    """Air left in the bronchi: a lucent stem from the hilum's direction with four branches."""
    toward = centre - hilum
    toward = toward / max(float(np.linalg.norm(toward)), 1.0)
    across = np.array([-toward[1], toward[0], 0.0])
    start = centre - 26.0 * toward
    t = np.linspace(0.0, 1.0, 5)[:, None]
    stem = start + 46.0 * t * toward + 3.0 * np.sin(3.0 * t) * across
    canvas.add_tube(stem, np.linspace(3.0, 2.0, 5), -1.4, keep)
    for at, turn in ((1, 0.8), (2, -0.9), (3, 0.7), (3, -0.6)):
        heading = toward + turn * across + np.array([0.0, 0.0, rng.uniform(-0.4, 0.4)])
        branch = stem[at] + rng.uniform(18, 24) * t * heading
        canvas.add_tube(branch, np.linspace(2.2, 1.5, 5), -1.4, keep)


def _add_opacity(
    canvas: Canvas, body: Body, case: PhantomCase, statement: Statement, lungs: LungFields
) -> None:
    """Ground glass: a wide, faint haze without an edge; vessels stay visible through it."""
    rng = case.rng("opacity")
    side = _side(statement)
    centre = place_in_zone(body, case.patient, side, statement.zone or "mid", 30.0, rng)
    count = 16
    spread = np.clip(rng.normal(0, (15.0, 13.0, 16.0), (count, 3)), -27, 27)
    sigma = rng.uniform(9.0, 14.0, count)
    peak = rng.uniform(0.5, 0.8, count)
    add_cloud(canvas, centre + spread, sigma, peak, lungs.air[side], _GLASS_CM)


def _add_atelectasis(
    canvas: Canvas, body: Body, case: PhantomCase, statement: Statement, lungs: LungFields
) -> None:
    """Plates of collapsed lung above the dome, seen edge-on on both views."""
    rng = case.rng("atelectasis")
    side = _side(statement)
    sign, top = sign_of(side), dome_top_mm(case.patient, side)
    keep = lungs.air[side]
    for step in range(3):
        y = top - 13.0 - 15.0 * step + rng.uniform(-2, 2)
        inner = medial_border_mm(body, side, y) + rng.uniform(4, 12)
        outer = lateral_border_mm(body, side, y) - 6.0
        half_x = min(rng.uniform(24, 32), (outer - inner) / 2)
        x = sign * (inner + half_x + rng.uniform(0, 1) * max(outer - inner - 2 * half_x, 0.0))
        z = body.domes[side].centre_z_mm + rng.uniform(-12, 12)
        slope, half_z = rng.uniform(-0.22, 0.22), rng.uniform(18, 26)
        bow, radius = rng.uniform(-4, 4), rng.uniform(2.1, 2.9)
        _draw_plate(canvas, np.array([x, y, z]), half_x, half_z, slope, bow, radius, keep)


def _draw_plate(
    canvas: Canvas, centre: Array, half_x: float, half_z: float, slope: float, bow: float,
    radius: float, keep: Array,
) -> None:  # fmt: skip
    """A bowed sheet: along x on the frontal film and along z on the lateral, its depth across."""
    t = np.linspace(-1.0, 1.0, 7)
    lateral = canvas.pose.is_lateral
    half, through = (half_z, half_x) if lateral else (half_x, half_z)
    points = np.repeat(centre[None], 7, axis=0)
    points[:, 2 if lateral else 0] += half * t
    points[:, 1] += slope * half * t + bow * t**2
    # most of the sheet's depth counts: it is never quite parallel to the ray
    canvas.add_tube(points, radius * (1.1 - 0.5 * t**2), 0.7 * through / radius * 0.76, keep)


def _add_fibrosis(
    canvas: Canvas, body: Body, case: PhantomCase, statement: Statement, lungs: LungFields
) -> None:
    """Apical scar: dense strands drawn up from the hilum and fanning to the pleura, some haze."""
    rng = case.rng("fibrosis")
    side = _side(statement)
    apex = case.patient.apex_y_mm
    centre = place_in_zone(body, case.patient, side, "upper", 22.0, rng)
    centre[1] = apex + rng.uniform(44, 52)
    keep = lungs.air[side]
    patches = [
        Ellipsoid(tuple(centre + rng.normal(0, (9, 9, 9))), tuple(rng.uniform(8, 15, 3)))
        for _ in range(6)
    ]
    fill_lung(canvas, body, side, patches, 1.0, keep, softness=0.3)
    t = np.linspace(0.0, 1.0, 5)[:, None]
    for angle in np.linspace(-2.9, -0.2, 11) + rng.normal(0, 0.3, 11):
        heading = np.array([np.cos(angle), np.sin(angle), rng.uniform(-0.5, 0.5)])
        bow = rng.uniform(-7, 7) * np.sin(np.pi * t) * np.array([0.6, 0.4, 0.0])
        start = centre + rng.normal(0, (11.0, 8.0, 8.0)) - 10.0 * heading
        strand = start + rng.uniform(26, 40) * t * heading + bow
        canvas.add_tube(strand, np.linspace(1.8, 1.1, 5), 3.4, keep)
    for shift in (-6.0, 5.0):  # the hilum's vessels, straightened and drawn upward
        start = body.hila[side] + np.array([sign_of(side) * (4.0 + shift), -10.0, 0.0])
        strand = start + t * (centre + np.array([shift, 4.0, 0.0]) - start)
        canvas.add_tube(strand, 1.7, 4.0, keep)


def _add_pleural_thickening(
    canvas: Canvas, body: Body, case: PhantomCase, statement: Statement, lungs: LungFields
) -> None:
    """An apical cap: irregular, 8 to 18 mm thick, along the dome of the pleura."""
    rng = case.rng("pleural_thickening")
    side = _side(statement)
    sign, apex = sign_of(side), case.patient.apex_y_mm
    outline = []
    for y in apex + np.array([3.0, 8.0, 15.0, 25.0, 37.0]):
        outline.append((lateral_border_mm(body, side, y), y))
    inner = medial_border_mm(body, side, apex + 14.0)
    outline += [(x, apex + 3.0) for x in np.linspace(outline[0][0] - 8.0, inner + 8.0, 3)]
    solids = []
    for x, y in outline:
        thick = rng.uniform(13.0, 20.0) * (0.75 if y > apex + 30 else 1.0)
        _, _, centre_z, half_z = (float(a[0]) for a in body.cage.at(np.array([y])))
        solids.append(Ellipsoid((sign * x, y, centre_z), (thick, thick, 0.85 * half_z + 8.0)))
    fill_lung(canvas, body, side, solids, 1.0, lungs.air[side], softness=0.0)


def _directions(rng: np.random.Generator, count: int) -> Array:
    """Unit vectors [count, 3], evenly spread but for a common random turn and some unevenness."""
    index = np.arange(count) + 0.5
    height = 1.0 - 2.0 * index / count
    angle = np.pi * (1.0 + 5**0.5) * index + rng.uniform(0, 2 * np.pi)
    round_ = np.sqrt(1.0 - height**2)
    vectors = np.stack([round_ * np.cos(angle), height, round_ * np.sin(angle)], axis=1)
    vectors = vectors + rng.normal(0, 0.15, vectors.shape)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


_PAINTERS: dict[str, _Painter] = {
    "nodule": _add_nodule,
    "granuloma": _add_granuloma,
    "mass": _add_mass,
    "consolidation": _add_consolidation,
    "opacity": _add_opacity,
    "atelectasis": _add_atelectasis,
    "fibrosis": _add_fibrosis,
    "pleural_thickening": _add_pleural_thickening,
    "pulmonary_edema": lambda canvas, body, case, _, lungs: add_edema(canvas, body, case, lungs),
    "vascular_congestion": lambda canvas, body, case, _, lungs: add_congestion(
        canvas, body, case, lungs
    ),
    "interstitial_pattern": lambda canvas, body, case, _, lungs: add_interstitial_pattern(
        canvas, body, case, lungs
    ),
    "emphysema": lambda canvas, body, case, _, lungs: add_emphysema(canvas, body, case, lungs),
}
