"""A benchmark's rows as Markdown, JSON and a picture. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from inference.benchmarks.decoding_strategies import BASELINE
from inference.benchmarks.decoding_summary import StrategySpeed

_WIDTH, _NAMES, _ROW, _BAR = 790, 220, 24, 14
_PREFILL, _DECODE, _RATE = "#9bb4cc", "#1f5fa8", "#2b7a5a"


@dataclass(frozen=True)
class Setting:
    """Where and on what it was measured, for whoever reads the figures later.

    copy_bandwidth: bytes/s of the GPU; None on a CPU.
    """

    model: str
    machine: str
    command: str
    rounds: int
    films: int
    max_new_tokens: int
    is_cpu_time: bool = False
    copy_bandwidth: float | None = None


def format_markdown(setting: Setting, rows: Sequence[StrategySpeed]) -> str:
    """The setting, then a table with one row a strategy, the fastest first."""
    names = ["strategy", "prefill ms", "passes", "ms/pass", "tokens", "tokens/s", "p5", "vs AR"]
    names += ["end to end ms", "p95", "vs AR", "overhead", "peak MiB", "stops"]
    on_gpu = setting.copy_bandwidth is not None
    clock = "the process's CPU time" if setting.is_cpu_time else "the clock"
    names += ["GB/s", "of copy"] if on_gpu else []
    lines = [
        f"{setting.model}; {setting.machine}",
        "",
        f"`{setting.command}`",
        "",
        f"{setting.rounds} rounds of {setting.films} films, strategies taking turns, at most "
        f"{setting.max_new_tokens} tokens, timed by {clock}. Medians; passes and tokens are "
        "means; tokens/s count valid tokens in decoding alone; end to end begins with the stored "
        "pixels; ratios are medians of pairs with "
        f"{BASELINE} on the same film in the same round.",
        "",
        _row(names),
        _row(["---"] * len(names)),
    ]
    lines += [_row(_cells(row, on_gpu)) for row in rows]
    if setting.copy_bandwidth is not None:
        lines += ["", f"Copying within the GPU's memory: {setting.copy_bandwidth / 1e9:.0f} GB/s."]
    return "\n".join(lines) + "\n"


def to_json(setting: Setting, rows: Sequence[StrategySpeed]) -> dict[str, Any]:
    return {"setting": asdict(setting), "strategies": [asdict(row) for row in rows]}


def draw_speeds(setting: Setting, rows: Sequence[StrategySpeed]) -> str:
    """An SVG of two panels: tokens/s, and where the time of a whole draft goes."""
    panel = 56 + _ROW * len(rows)
    rates = [(row.name, [(row.tokens_per_second, _RATE)]) for row in rows]
    times = [
        (row.name, [(row.prefill_ms, _PREFILL), (row.end_to_end_ms - row.prefill_ms, _DECODE)])
        for row in rows
    ]
    parts = [
        _draw_panel(0, "Valid tokens per second of decoding (median)", rates),
        _draw_panel(panel, "End to end, ms: prefill from stored pixels, then decoding", times),
        f'<text x="8" y="{2 * panel + 12}" fill="#555">{escape(setting.model)}; '
        f"{escape(setting.machine)}</text>",
    ]
    height = 2 * panel + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>\n{"".join(parts)}</svg>\n'
    )


def _draw_panel(
    top: float, title: str, bars: Sequence[tuple[str, Sequence[tuple[float, str]]]]
) -> str:
    """bars: of each strategy its name and the (length, colour) of what is set end to end."""
    longest = max(sum(length for length, _ in parts) for _, parts in bars)
    scale = (_WIDTH - _NAMES - 70) / longest
    drawn = [f'<text x="8" y="{top + 24}" font-weight="bold">{escape(title)}</text>']
    for number, (name, parts) in enumerate(bars):
        y, x = top + 40 + number * _ROW, float(_NAMES)
        drawn.append(f'<text x="{_NAMES - 8}" y="{y + 11}" text-anchor="end">{escape(name)}</text>')
        for length, colour in parts:
            width = scale * length
            drawn.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>'
            )
            x += width
        total = sum(length for length, _ in parts)
        drawn.append(f'<text x="{x + 6:.1f}" y="{y + 11}">{total:,.0f}</text>')
    return "\n".join(drawn) + "\n"


def _cells(row: StrategySpeed, on_gpu: bool) -> list[str]:
    cells = [
        row.name,
        f"{row.prefill_ms:.1f}",
        f"{row.passes:.1f}",
        f"{row.ms_per_pass:.2f}",
        f"{row.tokens:.1f}",
        f"{row.tokens_per_second:.0f}",
        f"{row.tokens_per_second_p5:.0f}",
        _times(row.decode_ratio),
        f"{row.end_to_end_ms:.1f}",
        f"{row.end_to_end_ms_p95:.1f}",
        _times(row.end_to_end_ratio),
        f"{row.overhead:.0%}",
        f"{row.peak_bytes / 2**20:.0f}" if row.peak_bytes is not None else "–",
        f"{row.stopped}/{row.drafts}",
    ]
    if on_gpu and row.bandwidth is not None and row.copy_share is not None:
        cells += [f"{row.bandwidth / 1e9:.0f}", f"{row.copy_share:.0%}"]
    return cells


def _times(ratio: float | None) -> str:
    return f"{ratio:.2f}×" if ratio is not None else "–"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
