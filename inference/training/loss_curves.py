"""Loss curves of a run as a picture, written from the stages' logs."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import NamedTuple

_WIDTH, _HEIGHT, _MARGIN, _GAP = 640, 200, 56, 40


class _Curve(NamedTuple):
    name: str
    steps: list[int]
    losses: list[float]


def write_loss_curves(folder: Path) -> Path | None:
    """folder/loss.svg, a panel for each NAME.log.jsonl of the folder; None where there is none."""
    curves = [curve for path in sorted(folder.glob("*.log.jsonl")) if (curve := _read(path)).steps]
    if not curves:
        return None
    panels = [_draw_panel(curve, n * (_HEIGHT + _GAP)) for n, curve in enumerate(curves)]
    height = len(curves) * (_HEIGHT + _GAP)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{"".join(panels)}</svg>\n'
    )
    path = folder / "loss.svg"
    path.write_text(svg, encoding="utf-8")
    return path


def _read(path: Path) -> _Curve:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    name = path.name.removesuffix(".log.jsonl")
    return _Curve(name, [line["step"] for line in lines], [line["loss"] for line in lines])


def _draw_panel(curve: _Curve, top: float) -> str:
    low, high = min(curve.losses), max(curve.losses)
    span, last = (high - low) or 1.0, curve.steps[-1]
    left, right = _MARGIN, _WIDTH - 16
    upper, lower = top + 24, top + _HEIGHT

    def place(step: float, loss: float) -> tuple[float, float]:
        x = left + (right - left) * step / last
        return x, lower - (lower - upper) * (loss - low) / span

    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, curve.steps, curve.losses))
    parts = [
        f'<text x="{left}" y="{top + 16}" font-weight="bold">{escape(curve.name)}: '
        f"loss {curve.losses[-1]:.4f} after {last} steps</text>",
        f'<path d="M{left} {upper}V{lower}H{right}" fill="none" stroke="#888"/>',
        f'<polyline points="{points}" fill="none" stroke="#1f5fa8" stroke-width="1.5"/>',
    ]
    for loss in (low, (low + high) / 2, high):
        _, y = place(0, loss)
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{loss:.3g}</text>')
    for step in (0, last // 2, last):
        x, _ = place(step, low)
        parts.append(f'<text x="{x:.1f}" y="{lower + 14}" text-anchor="middle">{step}</text>')
    return "\n".join(parts) + "\n"
