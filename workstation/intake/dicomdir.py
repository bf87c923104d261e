"""The index of a disc: which files a DICOMDIR lists (PS3.3 F, PS3.10 8.6)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from workstation.dicom.dataset_reading import check_regular_file, parse_instance
from workstation.dicom.element_values import first_int, items_of, text_of, values_of
from workstation.dicom.unreadable import as_unreadable, muted_warnings

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
_NOT_FILMS = ("PATIENT", "STUDY", "SERIES", "PRIVATE")
_HEAD_BYTES = 2048


@dataclass(frozen=True)
class DicomdirContents:
    """files: those listed and there, in the order of the records. missing: File IDs listed that
    are not on the disc. is_followed: False where the links between the records are broken and
    every record was taken instead."""

    files: tuple[Path, ...]
    missing: tuple[str, ...]
    is_followed: bool = True


def is_dicomdir(path: Path) -> bool:
    """Whether this is one, by its name or by its file meta (PS3.10 7.1)."""
    if path.name.upper() == "DICOMDIR":
        return True
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return False
    return head[128:132] == b"DICM" and MEDIA_STORAGE_DIRECTORY.encode() + b"\0" in head


def read_dicomdir(path: Path) -> DicomdirContents:
    """Follow the records from the root down. Raises UnreadableInstance."""
    with as_unreadable(path), muted_warnings():
        size = check_regular_file(path)
        with path.open("rb") as stream:
            dataset = parse_instance(stream, size).dataset
            records = list(items_of(dataset, "DirectoryRecordSequence"))
            first = first_int(dataset, "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity")
        reached = _follow(records, first or 0)
        lost = _find_lost(records, reached)
        files: list[Path] = []
        missing: list[str] = []
        for record in [*reached, *lost]:
            components = _file_id(record)
            if not components or text_of(record, "DirectoryRecordType") in _NOT_FILMS:
                continue
            found = _resolve(path.parent, components)
            if found is None:
                missing.append("/".join(components))
            else:
                files.append(found)
    return DicomdirContents(tuple(dict.fromkeys(files)), tuple(missing), not lost)


def _follow(records: list[Dataset], first: int) -> list[Dataset]:
    """The records in use that the offsets reach, depth first, each once (F.3.2.2)."""
    by_offset = {int(getattr(record, "seq_item_tell", 0) or 0): record for record in records}
    reached: list[Dataset] = []
    seen: set[int] = set()
    waiting = [first]
    while waiting:
        offset = waiting.pop()
        record = by_offset.get(offset)
        if record is None or offset in seen:
            continue
        seen.add(offset)
        waiting.append(first_int(record, "OffsetOfTheNextDirectoryRecord") or 0)
        # Record In-use Flag 0000H: an inactive record and what is below it do not count.
        if first_int(record, "RecordInUseFlag") != 0:
            reached.append(record)
            waiting.append(first_int(record, "OffsetOfReferencedLowerLevelDirectoryEntity") or 0)
    return reached


def _find_lost(records: list[Dataset], reached: list[Dataset]) -> list[Dataset]:
    """Records that nothing leads to. Where some are marked inactive, what hangs below those is
    meant to be unreachable, and nothing counts as lost."""
    if any(first_int(record, "RecordInUseFlag") == 0 for record in records):
        return []
    kept = {id(record) for record in reached}
    return [record for record in records if id(record) not in kept]


def _file_id(record: Dataset) -> list[str]:
    """Components of Referenced File ID; none where one of them would leave the disc."""
    components = [str(value).strip() for value in values_of(record, "ReferencedFileID")]
    is_safe = all(
        part not in ("", ".", "..") and not set(part) & set("/\\\0:") for part in components
    )
    return components if is_safe else []


def _resolve(folder: Path, components: list[str]) -> Path | None:
    """The file, its name's case and a ".dcm" or ";1" at its end ignored, as discs are copied."""
    found = folder.joinpath(*components)
    if os.path.isfile(found):
        return found
    for part in components:
        wanted = part.casefold()
        try:
            names = {each.name.casefold(): each for each in folder.iterdir()}
        except OSError:
            return None
        match = names.get(wanted) or names.get(f"{wanted}.dcm") or names.get(f"{wanted};1")
        if match is None:
            return None
        folder = match
    return folder if os.path.isfile(folder) else None
