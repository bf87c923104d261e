"""What leaves is whole or not there, and what went wrong is told in the exports' words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from workstation.exports.exported_report import ExportFailed
from workstation.whole_file import FileBeside, file_beside


class PartialFile:
    """A file beside its place, complete on disk; `move` puts it there."""

    def __init__(self, beside: FileBeside) -> None:
        self._beside = beside

    def move(self) -> None:
        """Raises ExportFailed."""
        with _naming(self._beside.path):
            self._beside.move()


@contextmanager
def partial_file(path: Path, content: bytes) -> Iterator[PartialFile]:
    """Whatever goes wrong before the move leaves no file, and an older one as it was. Raises
    ExportFailed naming the file and the reason."""
    with ExitStack() as stack:
        with _naming(path):
            beside = stack.enter_context(file_beside(path))
            beside.stream.write(content)
            beside.finish()
        yield PartialFile(beside)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportFailed(path, reason_of(error)) from error


def require_folder(folder: Path) -> None:
    """Make the folder if it isn't there. Raises ExportFailed."""
    with _naming(folder):
        folder.mkdir(parents=True, exist_ok=True)


def reason_of(error: OSError) -> str:
    """In words, without a capital."""
    words = error.strerror or str(error)
    return words[:1].lower() + words[1:]
