"""The report page's pictures, as SVG text without script or network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import cycle

from inference.evaluation.calibration import expected_calibration_error
from inference.evaluation.summary import Estimate, Reliability, Result

# Okabe and Ito's palette: told apart with any colour vision, and in grey by its order.
COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999",
)  # fmt: skip
_INK, _GRID = "#444", "#ddd"


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" font-family="sans-serif" font-size="12">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="{width:g}"/>'
    )


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = _INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(words)}</text>"
    )


_LEGEND_ROW = 17.0


def _legend(names: Sequence[str], left: float, y: float, width: float) -> tuple[list[str], float]:
    """Coloured names in as many rows as they need, and the y of the last."""
    parts, x = [], left
    for name, colour in zip(names, cycle(COLOURS), strict=False):
        advance = 30.0 + 7 * len(name)
        if x > left and x + advance > left + width:
            x, y = left, y + _LEGEND_ROW
        parts.append(f'<rect x="{x:.1f}" y="{y - 10:.1f}" width="11" height="11" fill="{colour}"/>')
        parts.append(_text(x + 16, y, name))
        x += advance
    return parts, y


def draw_concept_bars(results: Sequence[Result]) -> str:
    """F1 of every concept, a bar a decoding, whiskers the 95 % interval."""
    rows = [{row.concept: row for row in result.concepts} for result in results]
    # The count of true ones is the same in every decoding but for studies not yet drafted.
    true = {name: max(r[name].true for r in rows if name in r) for r in rows for name in r}
    concepts = sorted(true, key=lambda name: (-true[name], name))
    left, width, bar = 210.0, 420.0, 9.0 if len(results) < 5 else 5.0
    parts, last = _legend([result.decoding for result in results], left, 14, width)
    top, pitch = last + 20, bar * len(results) + 9
    bottom = top + pitch * len(concepts)
    for tick in range(6):
        x = left + width * tick / 5
        parts.append(_line(x, top - 4, x, bottom, _GRID))
        parts.append(_text(x, bottom + 14, f"{tick / 5:.1f}", "middle"))
    for index, name in enumerate(concepts):
        y = top + pitch * index
        label = f"{name.replace('_', ' ')} ({true[name]})"
        parts.append(_text(left - 8, y + (pitch - 9) / 2 + 4, label, "end"))
        for number, known in enumerate(rows):
            if name in known:
                colour = COLOURS[number % len(COLOURS)]
                parts += _bar(known[name].f1, left, width, y + bar * number, bar, colour)
    return _svg(left + width + 30, bottom + 24, "F1 per concept", parts)


def _bar(
    estimate: Estimate, left: float, width: float, y: float, height: float, colour: str
) -> list[str]:
    parts = []
    if estimate.value is not None:
        parts.append(
            f'<rect x="{left:.1f}" y="{y:.1f}" width="{width * estimate.value:.1f}" '
            f'height="{height - 1:.1f}" fill="{colour}"/>'
        )
    if estimate.interval is not None:
        low, high = (left + width * bound for bound in estimate.interval)
        parts.append(_line(low, y + height / 2 - 0.5, high, y + height / 2 - 0.5, "#000"))
    return parts


def draw_reliability(curves: Sequence[Reliability], title: str) -> str:
    """Share right over confidence, a dot a bin, its area by the number of statements."""
    left, side = 52.0, 300.0
    legend, last = _legend([curve.label for curve in curves], left, 31, side)
    top = last + 9

    def place(confidence: float, right: float) -> tuple[float, float]:
        return left + side * confidence, top + side * (1 - right)

    parts = [_text(left, 14, title), *legend]
    for tick in range(6):
        (x, low), (_, y) = place(tick / 5, 0), place(0, tick / 5)
        parts += [_line(x, top, x, top + side, _GRID), _line(left, y, left + side, y, _GRID)]
        parts += [
            _text(x, low + 16, f"{tick / 5:.1f}", "middle"),
            _text(left - 6, y + 4, f"{tick / 5:.1f}", "end"),
        ]
    parts.append(_line(*place(0, 0), *place(1, 1), _INK))
    most = max((float(curve.table[:, 0].max()) for curve in curves), default=0.0)
    for curve, colour in zip(curves, cycle(COLOURS), strict=False):
        path = []
        for count, confidence, right in curve.table:
            if count:
                x, y = place(confidence / count, right / count)
                path.append(f"{x:.1f},{y:.1f}")
                radius = 2.0 + 10.0 * (count / most) ** 0.5
                parts.append(
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" '
                    'fill-opacity="0.45"/>'
                )
        parts.append(f'<polyline points="{" ".join(path)}" fill="none" stroke="{colour}"/>')
    for row, curve in enumerate(curves):
        error = float(expected_calibration_error(curve.table))
        note = f"ECE {curve.label}: {error:.3f}"
        parts.append(_text(left + side - 6, top + side - 12 - 15 * row, note, "end"))
    parts.append(_text(left + side / 2, top + side + 34, "confidence", "middle"))
    parts.append(_text(left + 6, top + 16, "share right"))
    return _svg(left + side + 20, top + side + 44, title, parts)


def draw_speed_and_f1(results: Sequence[Result]) -> str:
    """micro-F1 over tokens a pass, whiskers the 95 % intervals; a numbered dot a decoding."""
    known = [(r, r.estimates["tokens_per_pass"], r.estimates["micro_f1"]) for r in results]
    left, width, height = 52.0, 420.0, 260.0
    names = [f"{number} {result.decoding}" for number, result in enumerate(results, 1)]
    legend, last = _legend(names, left, 14, width)
    top = last + 26
    fastest = max((speed.value or 0.0 for _, speed, _ in known), default=0.0)
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 50, 100, 1000) if 5 * s > fastest)
    most = 5 * step

    def place(speed: float, f1: float) -> tuple[float, float]:
        return left + width * speed / most, top + height * (1 - f1)

    parts = legend
    for tick in range(6):
        (x, low), (_, y) = place(most * tick / 5, 0), place(0, tick / 5)
        parts += [_line(x, top, x, low, _GRID), _line(left, y, left + width, y, _GRID)]
        parts += [
            _text(x, low + 16, f"{step * tick:g}", "middle"),
            _text(left - 6, y + 4, f"{tick / 5:.1f}", "end"),
        ]
    for number, (_, speed, f1) in enumerate(known):
        colour = COLOURS[number % len(COLOURS)]
        if speed.value is None or f1.value is None:
            continue
        x, y = place(speed.value, f1.value)
        if speed.interval and f1.interval:
            (x1, y1), (x2, y2) = (
                place(speed.interval[end], f1.interval[end]) for end in (0, 1)
            )  # fmt: skip
            parts += [_line(x1, y, x2, y, colour, 1.5), _line(x, y1, x, y2, colour, 1.5)]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
        beside = x + 8 if number % 2 == 0 else x - 8  # two of one speed lie on one line
        parts.append(_text(beside, y - 7, str(number + 1), "start" if beside > x else "end"))
    parts.append(_text(left + width / 2, top + height + 34, "tokens a pass", "middle"))
    parts.append(_text(left - 44, top - 7, "micro-F1"))
    return _svg(left + width + 24, top + height + 44, "micro-F1 and tokens a pass", parts)
