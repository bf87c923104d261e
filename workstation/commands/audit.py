"""``echo-workstation audit verify``."""

from __future__ import annotations

from pathlib import Path


def run_audit_verify(data_dir: Path) -> int:
    """Exit code: 0 all is well, 1 broken (the first broken row is named), 2 can't be opened."""
    raise NotImplementedError
