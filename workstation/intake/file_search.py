"""Every file that an import of files, folders, discs and archives is about, found once."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workstation.dicom.unreadable import UnreadableInstance
from workstation.intake.dicomdir import is_dicomdir, read_dicomdir
from workstation.intake.zip_archive import ZipArchive, is_junk, is_zip


@dataclass(frozen=True, eq=False)
class FoundFile:
    """A file of its own, or a member of an archive."""

    path: Path
    archive: ZipArchive | None = None
    member: zipfile.ZipInfo | None = None


class FileSearch:
    """Walks folders in order, follows DICOMDIRs, opens archives; links to folders are not
    followed. refuse(path, reason) is told what can't be read."""

    def __init__(self, refuse: Callable[[Path, str], None]) -> None:
        self._refuse = refuse
        self._seen: set[Path] = set()

    def find(self, paths: Sequence[Path]) -> Iterator[FoundFile]:
        for path in paths:
            if os.path.isdir(path):
                yield from self._walk_folder(path)
            elif self._is_regular(path):
                yield from self._follow_disc(path) if is_dicomdir(path) else self._one_file(path)

    def _walk_folder(self, folder: Path) -> Iterator[FoundFile]:
        for parent, folders, files in os.walk(folder, onerror=self._on_walk_error):
            folders.sort()
            if (
                index := next((name for name in files if name.upper() == "DICOMDIR"), None)
            ) is not None:
                yield from self._read_index(Path(parent, index))
                files.remove(index)
            for name in sorted(files):
                if not is_junk(name):
                    yield from self._one_file(Path(parent, name))

    def _follow_disc(self, index: Path) -> Iterator[FoundFile]:
        """What a chosen DICOMDIR lists; its whole folder where it lists nothing that is there."""
        found = list(self._read_index(index))
        yield from found
        if not found:
            self._seen.add(Path(os.path.abspath(index)))
            yield from self._walk_folder(index.parent)

    def _read_index(self, index: Path) -> Iterator[FoundFile]:
        try:
            contents = read_dicomdir(index)
        except UnreadableInstance as refusal:
            self._refuse(index, f"DICOMDIR, its folder was searched instead: {refusal.reason}")
            return
        for name in contents.missing:
            self._refuse(index.parent / name, "listed in the DICOMDIR, but not there")
        for file in contents.files:
            yield from self._one_file(file)

    def _one_file(self, path: Path) -> Iterator[FoundFile]:
        absolute = Path(os.path.abspath(path))
        if absolute in self._seen:
            return
        self._seen.add(absolute)
        if not self._is_regular(absolute):
            return
        if not is_zip(absolute):
            yield FoundFile(absolute)
            return
        try:
            archive = ZipArchive(absolute)
        except UnreadableInstance as refusal:
            self._refuse(absolute, refusal.reason)
            return
        for member in archive.members:
            if not is_junk(member.filename) and not _is_index(member.filename):
                yield FoundFile(archive.display_path(member), archive, member)

    def _on_walk_error(self, error: OSError) -> None:
        self._refuse(Path(error.filename), f"the folder can't be read: {error.strerror}")

    def _is_regular(self, file: Path) -> bool:
        """False, and refused with a reason, for what can't be opened as a file: reading a pipe
        would wait for ever."""
        try:
            mode = file.stat().st_mode
        except OSError as error:
            self._refuse(file, error.strerror or str(error))
            return False
        if not stat.S_ISREG(mode):
            self._refuse(file, "not a regular file")
            return False
        return True


def _is_index(name: str) -> bool:
    """A DICOMDIR in an archive, where all that it lists is looked at anyway."""
    return name.replace("\\", "/").rsplit("/", 1)[-1].upper() == "DICOMDIR"
