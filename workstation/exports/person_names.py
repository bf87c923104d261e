"""Person names of DICOM (PS3.5 6.2.1) in the forms the other formats want."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NameParts:
    """One group of a person name."""

    family: str
    given: str = ""
    middle: str = ""
    prefix: str = ""
    suffix: str = ""

    @property
    def text(self) -> str:
        """As it is read: "Jane Doe", and 王小东 without a space."""
        if not self.family.isascii() and _is_ideographic(self.family):
            return f"{self.family}{self.given}{self.middle}"
        parts = (self.prefix, self.given, self.middle, self.family, self.suffix)
        return " ".join(part for part in parts if part)


def name_groups(name: str) -> tuple[NameParts | None, NameParts | None]:
    """The alphabetic and the ideographic group, None for one that is not there."""
    groups = [*name.split("="), ""][:2]
    alphabetic, ideographic = (_parts(group) for group in groups)
    return alphabetic, ideographic


def display_name(name: str) -> str:
    """For people: "Wang XiaoDong (王小东)"; family first where a name has two forms, as in its
    own country. "" without a name."""
    alphabetic, ideographic = name_groups(name)
    if alphabetic and ideographic:
        latin = " ".join(part for part in (alphabetic.family, alphabetic.given) if part)
        return f"{latin} ({ideographic.text})"
    one = alphabetic or ideographic
    if one is None:
        return ""
    if one.given and not _is_ideographic(one.family):
        given = " ".join(part for part in (one.given, one.middle) if part)
        return ", ".join(part for part in (one.family, given, one.prefix, one.suffix) if part)
    return one.text


def signer_name(typed: str) -> str:
    """A name somebody typed as a person name. Which part is the family's nobody said: it goes into
    the first component as a whole, and a caret ends it (as highdicom and dciodvfy want)."""
    bare = typed.translate({ord(each): " " for each in "^=\\"})
    return f"{' '.join(bare.split())[:63]}^"


def _parts(group: str) -> NameParts | None:
    parts = [part.strip() for part in group.split("^")][:5]
    return NameParts(*parts) if any(parts) else None


def _is_ideographic(text: str) -> bool:
    return any(character >= "⺀" for character in text)
