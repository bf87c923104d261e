"""Measurements in words, on the film and for the report, that say what the millimetres mean."""

from __future__ import annotations

from typing import Literal

import numpy as np

from workstation.dicom.display_attributes import DisplayAttributes
from workstation.reading.figures import (
    Ruler,
    angle_degrees,
    cardiothoracic_ratio,
    region_area,
    region_statistics,
    ruler_of,
)
from workstation.reading.measurements import Measurement, Point

WordingLanguage = Literal["en", "zh"]

_WORDS: dict[WordingLanguage, dict[str, str]] = {
    "en": {
        "calibrated": "calibrated", "at detector": "at detector", "length": "Length",
        "angle": "Angle", "cardiothoracic": "Cardiothoracic ratio", "CTR": "CTR",
        "heart": "heart", "thorax": "thorax", "rectangle": "Rectangle", "ellipse": "Ellipse",
        "mean": "mean", "deviation": "SD", "stored": "stored values", "area": "area",
        "pixels": "pixels", "stop": ".", "colon": ": ", "open": " (", "close": ")",
        "comma": ", ",
    },
    "zh": {
        "calibrated": "已校准", "at detector": "探测器平面", "length": "长度",
        "angle": "角度", "cardiothoracic": "心胸比", "CTR": "心胸比",
        "heart": "心影", "thorax": "胸廓", "rectangle": "矩形", "ellipse": "椭圆",
        "mean": "均值", "deviation": "标准差", "stored": "存储值", "area": "面积",
        "pixels": "像素", "stop": "。", "colon": "：", "open": "（", "close": "）",
        "comma": "，",
    },
}  # fmt: skip


def word_length(value: float, ruler: Ruler, language: WordingLanguage = "en") -> str:
    """ "123.4 mm at detector", "123 px": never millimetres without what they mean."""
    if ruler.spacing_kind == "none":
        return f"{value:.0f} px"
    return f"{value:.1f} mm {_WORDS[language][ruler.spacing_kind]}"


def word_figures(
    measurement: Measurement,
    stored: np.ndarray,
    display: DisplayAttributes,
    language: WordingLanguage = "en",
) -> tuple[str, ...]:
    """The lines written beside a measurement on the film; a text is its own line."""
    ruler, words, points = ruler_of(display), _WORDS[language], measurement.points
    if not measurement.is_complete:
        if measurement.kind == "cardiothoracic" and len(points) >= 2:
            return (f"{words['heart']} {word_length(ruler.between(*points[:2]), ruler, language)}",)
        return ()
    if measurement.kind == "length":
        return (word_length(ruler.between(*points), ruler, language),)
    if measurement.kind == "angle":
        return (f"{angle_degrees(points, ruler):.1f}°",)
    if measurement.kind == "cardiothoracic":
        ratio = cardiothoracic_ratio(points, ruler)
        value = "–" if ratio is None else f"{ratio:.2f}"
        return (f"{words['CTR']} {value}", *_word_widths(points, ruler, language))
    if measurement.kind in ("rectangle", "ellipse"):
        return _word_region(measurement, stored, display, language)
    return tuple(measurement.text.splitlines())


def word_for_report(
    measurement: Measurement,
    stored: np.ndarray,
    display: DisplayAttributes,
    language: WordingLanguage = "en",
) -> str:
    """One sentence for the report; "" for arrows, texts and what is not complete."""
    words = _WORDS[language]
    if not measurement.is_complete or measurement.kind in ("arrow", "text"):
        return ""
    if measurement.kind == "cardiothoracic":
        ruler = ruler_of(display)
        ratio = cardiothoracic_ratio(measurement.points, ruler)
        if ratio is None:
            return ""
        widths = words["comma"].join(_word_widths(measurement.points, ruler, language))
        value = f"{ratio:.2f}{words['open']}{widths}{words['close']}"
    else:
        lines = word_figures(measurement, stored, display, language)
        value = words["comma"].join(line.replace("  ", words["comma"]) for line in lines)
    return f"{words[measurement.kind]}{words['colon']}{value}{words['stop']}"


def _word_widths(
    points: tuple[Point, ...], ruler: Ruler, language: WordingLanguage
) -> tuple[str, ...]:
    words = _WORDS[language]
    return tuple(
        f"{words[name]} {word_length(ruler.between(*ends), ruler, language)}"
        for name, ends in (("heart", points[:2]), ("thorax", points[2:]))
    )


def _word_region(
    measurement: Measurement,
    stored: np.ndarray,
    display: DisplayAttributes,
    language: WordingLanguage,
) -> tuple[str, ...]:
    words, ruler = _WORDS[language], ruler_of(display)
    found = region_statistics(measurement, stored, display)
    area = region_area(measurement, ruler)
    if ruler.spacing_kind == "none":
        size = f"{words['area']} {area:.0f} px²"
    else:
        size = f"{words['area']} {area / 100:.2f} cm² {words[ruler.spacing_kind]}"
    if found.count == 0:
        return (f"0 {words['pixels']}", size)
    return (
        f"{words['mean']} {found.mean:.1f}  {words['deviation']} {found.deviation:.1f}",
        f"{found.least}–{found.greatest}  {words['stored']}  n {found.count}",
        size,
    )
