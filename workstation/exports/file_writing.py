"""Files that are whole or not there: written beside their place, moved into it when complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workstation.exports.exported_report import ExportFailed


class PartialFile:
    """``<name>.partial`` beside the place of a file, complete on disk; `move` puts it there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(path.name + ".partial")

    def move(self) -> None:
        """Raises ExportFailed."""
        try:
            os.replace(self.partial, self.path)
        except OSError as error:
            raise ExportFailed(self.path, reason_of(error)) from error


@contextmanager
def partial_file(path: Path, content: bytes) -> Iterator[PartialFile]:
    """Whatever goes wrong before the move leaves no file, and an older one as it was. Raises
    ExportFailed naming the file and the reason."""
    file = PartialFile(path)
    try:
        try:
            _write_through(file.partial, content)
        except OSError as error:
            raise ExportFailed(path, reason_of(error)) from error
        yield file
    finally:
        with suppress(OSError):
            file.partial.unlink(missing_ok=True)


def require_folder(folder: Path) -> None:
    """Make the folder if it isn't there. Raises ExportFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportFailed(folder, reason_of(error)) from error


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def reason_of(error: OSError) -> str:
    """In words, without a capital."""
    words = error.strerror or str(error)
    return words[:1].lower() + words[1:]
