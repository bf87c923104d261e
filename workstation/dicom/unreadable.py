"""The one exception by which a file refuses to be opened."""

from __future__ import annotations

from pathlib import Path


class UnreadableInstance(Exception):
    """A file that is not a film we can show. path: the file; reason: for the reader of the list."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
