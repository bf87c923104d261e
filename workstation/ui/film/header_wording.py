"""How header values are worded on screen: dates in ISO order, age at the study, counts.

Header text is shown, never interpreted: a value that does not follow its VR (PS3.5 6.2) is
shown as it stands in the file.
"""

from __future__ import annotations

from datetime import date


def parse_dicom_date(value: str) -> date | None:
    """The date of a DA value "YYYYMMDD" (also the retired "YYYY.MM.DD"), else None."""
    digits = value.strip().replace(".", "").replace("-", "")
    if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def iso_date(value: str) -> str:
    """The DA value 20260412 as 2026-04-12; anything that is no date is returned unchanged."""
    parsed = parse_dicom_date(value)
    return parsed.isoformat() if parsed else value.strip()


def age_at(birth_date: str, on_date: str) -> str:
    """As "67 y", below two years "14 m"; empty where a date is missing or makes no sense."""
    born, then = parse_dicom_date(birth_date), parse_dicom_date(on_date)
    if born is None or then is None or then < born:
        return ""
    months = (then.year - born.year) * 12 + then.month - born.month - (then.day < born.day)
    return f"{months} m" if months < 24 else f"{months // 12} y"


def join_present(*parts: str, separator: str = " · ") -> str:
    """The parts that say something, joined."""
    return separator.join(part.strip() for part in parts if part.strip())
