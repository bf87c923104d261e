"""Films that ECHO keeps itself (unpacked, received, described): ``<data folder>/kept-films``.

A file is named by the sha256 of its bytes, never by a name from outside, so that nothing can be
written anywhere else and the same film is kept once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from workstation.dicom.kept_folders import KEPT_FILMS

_CHUNK = 1 << 20


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


class TooLarge(Exception):
    """More bytes came than were allowed."""


@dataclass(frozen=True)
class KeptFile:
    """is_new: False where the same bytes were kept already."""

    path: Path
    is_new: bool


class FilmStore:
    """Writes whole files or nothing; a file that is there is complete. Methods may raise OSError
    (no space, no access); any thread may call them."""

    def __init__(self, data_folder: Path) -> None:
        self._folder = data_folder / KEPT_FILMS

    @property
    def folder(self) -> Path:
        return self._folder

    def keep(self, content: _Readable, limit: int, suffix: str = ".dcm") -> KeptFile:
        """Stream content to its place. Raises TooLarge beyond limit bytes, whatever it raises."""
        digest = hashlib.sha256()
        with self._incoming() as (part, stream):
            size = 0
            while chunk := content.read(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise TooLarge
                digest.update(chunk)
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
            name = digest.hexdigest()
            final = self._folder / name[:2] / f"{name}{suffix}"
            if final.is_file():
                return KeptFile(final, False)
            final.parent.mkdir(mode=0o700, exist_ok=True)
            stream.close()  # Windows renames no open file
            os.replace(part, final)
            return KeptFile(final, True)

    def is_kept_here(self, path: Path) -> bool:
        return path.is_relative_to(self._folder)

    def discard(self, path: Path) -> None:
        """Delete a kept file that nobody refers to; other files are left alone."""
        if self.is_kept_here(path):
            with contextlib.suppress(OSError):
                path.unlink()

    @contextmanager
    def _incoming(self) -> Iterator[tuple[Path, BinaryIO]]:
        """A file under a name that is nobody's yet; gone afterwards unless it was renamed."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="incoming-", suffix=".part", dir=self._folder)
        part = Path(name)
        stream = os.fdopen(handle, "wb")
        try:
            yield part, stream
        finally:
            stream.close()
            with contextlib.suppress(OSError):
                part.unlink()
