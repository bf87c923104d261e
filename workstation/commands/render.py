"""`echo-workstation render FILE --out PNG [--window CENTER,WIDTH]`."""

from __future__ import annotations

from pathlib import Path


def run_render(path: Path, out: Path, window: tuple[float, float] | None = None) -> int:
    """Write what the viewer would show as an 8-bit PNG. 0, or 1 with the reason on stderr."""
    raise NotImplementedError
