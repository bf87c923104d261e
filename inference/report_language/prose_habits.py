"""How one radiologist writes one report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inference.report_language.prose_dice import Dice
from inference.report_language.vocabulary import REGIONS, Region

Layout = Literal["sections", "paragraph", "impression_only"]

_LAYOUTS: tuple[tuple[Layout, float], ...] = (
    ("sections", 0.65),
    ("paragraph", 0.2),
    ("impression_only", 0.15),
)
# The order of regions in the findings: ECHO's, heart first, devices first, lungs first.
_ORDERS: tuple[tuple[Region, ...], ...] = (
    REGIONS,
    ("thorax", "heart", "mediastinum", "hila", "lungs", "pleura", "diaphragm", "bones", "devices"),
    ("devices", "thorax", "lungs", "pleura", "heart", "mediastinum", "hila", "diaphragm", "bones"),
    ("thorax", "lungs", "pleura", "heart", "mediastinum", "hila", "diaphragm", "bones", "devices"),
)


@dataclass(frozen=True)
class Habits:
    """abbreviates, compares, says_normals: shares of the places where the writer does so."""

    layout: Layout
    telegraphic: bool
    abbreviates: float
    compares: float
    says_normals: float
    order: tuple[Region, ...]


def draw_habits(dice: Dice) -> Habits:
    return Habits(
        layout=dice.pick_weighted(_LAYOUTS),
        telegraphic=dice.chance(0.35),
        abbreviates=dice.pick((0.0, 0.0, 0.3, 0.8)),
        compares=dice.pick((0.0, 0.0, 0.25)),
        says_normals=dice.pick((0.0, 0.2, 0.5, 0.9)),
        order=dice.pick(_ORDERS),
    )
