"""Programs nobody here wrote, that read what the exports write."""

from __future__ import annotations

import shutil

import pytest


def find_tool(name: str, package: str) -> str:
    """A program nobody here wrote; skips the test where it is not installed."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return program
