"""Files that are whole or not there: written beside their place, moved into it when complete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_NAME_SHOWN = 40  # characters: in UTF-8, still short enough for every file system


class FileBeside:
    """A file under a name that is nobody's yet, in the folder of its place. Its permissions are
    what the process gives a new file; all methods may raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = path.with_name(f".{path.name[:_NAME_SHOWN]}.{secrets.token_hex(4)}.part")
        self.stream: BinaryIO = self.part.open("xb")

    def finish(self) -> None:
        """What was written is on the disk afterwards, and nothing more can be written."""
        if not self.stream.closed:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()  # Windows renames no open file

    def move(self) -> None:
        """Into its place; what was there is replaced."""
        self.finish()
        os.replace(self.part, self.path)


@contextmanager
def file_beside(path: Path) -> Iterator[FileBeside]:
    """What isn't moved inside is gone afterwards, and an older file as it was. Raises OSError."""
    beside = FileBeside(path)
    try:
        yield beside
    finally:
        with suppress(OSError):  # a full disk: what the buffer still holds is not wanted any more
            beside.stream.close()
        with suppress(OSError):
            beside.part.unlink(missing_ok=True)


def write_whole_file(path: Path, content: bytes) -> None:
    """All or nothing. Raises OSError."""
    with file_beside(path) as beside:
        beside.stream.write(content)
        beside.move()
