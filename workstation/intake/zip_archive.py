"""Archives of films, from anybody: opened within limits, members streamed, names never trusted."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from workstation.dicom.dataset_reading import MAX_FILE_BYTES
from workstation.dicom.unreadable import UnreadableInstance
from workstation.intake.film_store import FilmStore, KeptFile, TooLarge

MAX_MEMBERS = 50_000
MAX_TOTAL_BYTES = 64 * 2**30
MAX_RATIO = 250
"""Unpacked over packed bytes of the whole archive. Films reach 2 to 10; deflate ends at 1032."""

RATIO_MATTERS_BYTES = 64 * 2**20
"""Smaller archives may be of anything: blank test films pack a thousandfold."""

FREE_SPACE_LEFT_BYTES = 2**30
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_OTHER_KINDS = {
    "[content_types].xml": "an Office document, not an archive of films",
    "meta-inf/manifest.mf": "a program (JAR, APK), not an archive of films",
    "mimetype": "a document, not an archive of films",
}


def is_zip(path: Path) -> bool:
    """By its first bytes."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) in _MAGIC
    except OSError:
        return False


class ZipArchive:
    """An open archive whose directory has been checked. Used by one thread."""

    def __init__(self, path: Path) -> None:
        """Raises UnreadableInstance with the reason."""
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UnreadableInstance(path, f"damaged or unsupported archive: {error}") from None
        try:
            self.members = self._check(self._archive.infolist())
        except UnreadableInstance:
            self.close()
            raise

    def close(self) -> None:
        self._archive.close()

    def _check(self, entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
        """The files in it; refuses bombs by what the directory says."""
        members = [entry for entry in entries if not entry.is_dir()]
        for entry in members:
            reason = _OTHER_KINDS.get(entry.filename.lower())
            if reason:
                raise UnreadableInstance(self.path, reason)
        total = sum(entry.file_size for entry in members)
        packed = max(1, self.path.stat().st_size)
        if len(members) > MAX_MEMBERS:
            reason = f"holds {len(members)} files, more than the {MAX_MEMBERS} an archive may"
        elif total > MAX_TOTAL_BYTES:
            reason = f"would unpack to {total / 2**30:.0f} GB: refused as a bomb"
        elif total > RATIO_MATTERS_BYTES and total / packed > MAX_RATIO:
            reason = f"would unpack to {total // packed} times its size: refused as a bomb"
        else:
            return members
        raise UnreadableInstance(self.path, reason)

    def display_path(self, member: zipfile.ZipInfo) -> Path:
        """How a member is named to the reader: archive, then the name in it."""
        return self.path / member.filename

    def keep_member(self, member: zipfile.ZipInfo, store: FilmStore) -> KeptFile:
        """Stream a member into the store; never fills the disk. Raises UnreadableInstance."""
        shown = self.display_path(member)
        reason = _reason_against(member)
        if not reason and _free_bytes(store) < member.file_size + FREE_SPACE_LEFT_BYTES:
            reason = "not unpacked: less than 1 GB would be left on the disk of the data folder"
        if reason:
            raise UnreadableInstance(shown, reason)
        try:
            with self._archive.open(member) as content:
                return store.keep(content, member.file_size, _suffix_of(member.filename))
        except TooLarge:
            raise UnreadableInstance(shown, "is larger than the archive says") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise UnreadableInstance(shown, f"damaged in the archive: {error}") from None
        except (OSError, RuntimeError) as error:
            raise UnreadableInstance(shown, f"can't be unpacked: {error}") from None


def _suffix_of(name: str) -> str:
    """What a picture is named by; anything else is taken for DICOM."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in (".png", ".jpg", ".jpeg") else ".dcm"


def is_junk(name: str) -> bool:
    """What systems leave in folders and archives, and nobody means to import."""
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini")


def _reason_against(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & 0x1:
        return "is encrypted: unpack the archive with its password first"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link, not a file"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in an unusual way: unpack the archive first"
    if member.file_size > MAX_FILE_BYTES:
        return f"file is larger than {MAX_FILE_BYTES // 2**20} MB"
    if member.file_size == 0:
        return "file is empty"
    if member.filename.lower().endswith(".zip"):
        return "an archive inside an archive: unpack it first"
    return ""


def _free_bytes(store: FilmStore) -> int:
    folder = store.folder
    return shutil.disk_usage(folder if folder.is_dir() else folder.parent).free
