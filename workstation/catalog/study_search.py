"""What a search of the study list looks in, and how its words are read."""

from __future__ import annotations

import re
import unicodedata

from workstation.catalog.storable_text import storable_text

_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{2})(?:[-/.](\d{2}))?")


def fold_text(text: str) -> str:
    """Case, width and composition made equal: ÅSTRÖM finds Åström, ＹＡＭＡＤＡ finds Yamada."""
    folded = unicodedata.normalize("NFKC", storable_text(text)).casefold()
    return unicodedata.normalize("NFKC", folded).replace("^", " ")


def make_search_text(
    patient_name: str, patient_id: str, accession_number: str, study_date: str
) -> str:
    """What a search looks in: each of these folded, the date with and without dashes."""
    date = study_date
    dashed = f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else ""
    fields = (patient_name, patient_id, accession_number, date, dashed)
    return "\n".join(fold_text(text) for text in fields)


def search_words(search: str) -> list[str]:
    """The folded words of a search, each to be found in a `search_text`."""
    return [_dash_date(word) for word in fold_text(search).split()]


def _dash_date(word: str) -> str:
    """2026/04/12 and 2026.04.12 as the dashed date that is stored; anything else as it is."""
    match = _ISO_DATE.fullmatch(word)
    return "-".join(part for part in match.groups() if part) if match else word
