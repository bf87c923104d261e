from __future__ import annotations

import re
from dataclasses import fields

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from workstation.ui.theme import (
    COLOURS,
    REPORT_POINT_SIZE,
    apply_theme,
    colour,
    report_font,
    style_sheet,
)


def _relative_luminance(value: str) -> float:
    """WCAG 2.2 relative luminance of "#rrggbb"."""
    channels = [int(value[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_relative_luminance(one), _relative_luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def themed_app(qapp: QApplication):
    palette, sheet, font = qapp.palette(), qapp.styleSheet(), qapp.font()
    yield qapp
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)
    qapp.setFont(font)


def test_every_colour_is_a_plain_hex_value() -> None:
    for field in fields(COLOURS):
        assert re.fullmatch(r"#[0-9a-f]{6}", getattr(COLOURS, field.name)), field.name


@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("text", "panel", 7.0),
        ("text", "ground", 7.0),
        ("text", "accent_dim", 4.5),
        ("muted_text", "panel", 4.5),
        ("muted_text", "ground", 4.5),
        ("on_accent", "accent", 4.5),
        ("amber", "panel", 4.5),
        ("error", "panel", 4.5),
        ("accent", "panel", 4.5),
    ],
)
def test_text_is_readable_on_its_ground(front: str, back: str, least: float) -> None:
    assert _contrast(getattr(COLOURS, front), getattr(COLOURS, back)) >= least


def test_report_text_is_at_least_twelve_points() -> None:
    assert REPORT_POINT_SIZE >= 12
    assert report_font().pointSizeF() >= 12


def test_applying_the_theme_sets_palette_and_style_sheet(themed_app: QApplication) -> None:
    apply_theme(themed_app, "dark")
    window = themed_app.palette().color(QPalette.ColorRole.Window)
    assert window.name() == COLOURS.ground
    assert themed_app.styleSheet() == style_sheet()
    assert 'role="primary"' in themed_app.styleSheet()


def test_an_unknown_theme_is_refused(themed_app: QApplication) -> None:
    with pytest.raises(ValueError, match="mauve"):
        apply_theme(themed_app, "mauve")


def test_colour_carries_its_opacity() -> None:
    assert colour(COLOURS.accent, 40).alpha() == 40
    assert colour(COLOURS.accent).name() == COLOURS.accent
