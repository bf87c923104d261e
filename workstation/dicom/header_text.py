"""Identity of a DICOM instance as displayable text (PS3.5 6.1, 6.2; PS3.3 C.7)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from pydicom.dataset import Dataset

from workstation.dicom.element_values import clean_text, text_of, values_of

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def derive_uid(digest: bytes) -> str:
    """A UID from a sha256 digest, in the UUID arc 2.25 (PS3.5 B.2): same bytes, same UID."""
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def derive_uid_for(level: str, content_sha256: str) -> str:
    """Deterministic UID of one level ("study", "series", "instance") of a file without any."""
    return derive_uid(hashlib.sha256(f"{level}:{content_sha256}".encode()).digest())


def read_uid(dataset: Dataset, keyword: str, level: str, content_sha256: Callable[[], str]) -> str:
    """The UID as stated; a malformed one is mapped by its text, a missing one by the file."""
    stated = text_of(dataset, keyword)
    if not stated:
        return derive_uid_for(level, content_sha256())
    if len(stated) <= 64 and _UID.fullmatch(stated):
        return stated
    return derive_uid(hashlib.sha256(f"malformed:{stated}".encode()).digest())


def format_person_name(dataset: Dataset, keyword: str) -> str:
    """ "DOE^JANE" as "DOE, JANE"; an ideographic form follows in brackets (PS3.5 6.2.1)."""
    names = values_of(dataset, keyword)
    if not names:
        return ""
    name: Any = names[0]
    groups = [
        _format_name_group(str(getattr(name, group, "")))
        for group in ("alphabetic", "ideographic", "phonetic")
    ]
    alphabetic, ideographic, phonetic = groups
    if alphabetic and ideographic:
        return clean_text(f"{alphabetic} ({ideographic})")
    return clean_text(alphabetic or ideographic or phonetic)


def _format_name_group(group: str) -> str:
    """family^given^middle^prefix^suffix -> "family, given middle, prefix, suffix"."""
    parts = [part.strip() for part in group.split("^")] + [""] * 5
    family, given, middle, prefix, suffix = parts[:5]
    return ", ".join(part for part in (family, f"{given} {middle}".strip(), prefix, suffix) if part)


def read_date(dataset: Dataset, keyword: str) -> str:
    """YYYYMMDD, also from the ACR-NEMA form YYYY.MM.DD; "" if it is no day of the calendar
    (00000000 for unknown): no export could hold it."""
    stated = text_of(dataset, keyword).replace(".", "").replace("-", "")
    if not re.fullmatch(r"[0-9]{8}", stated):
        return ""
    try:
        date(int(stated[:4]), int(stated[4:6]), int(stated[6:]))
    except ValueError:
        return ""
    return stated


def read_orientation(dataset: Dataset) -> tuple[str, ...]:
    """Patient Orientation, (row direction, column direction), () if not stated (C.7.6.1.1.1)."""
    letters = tuple(clean_text(str(value)) for value in values_of(dataset, "PatientOrientation"))
    return letters if len(letters) == 2 and all(letters) else ()
