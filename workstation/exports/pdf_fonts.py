"""Text in embedded fonts: Roboto where it has a glyph, else Droid Fallback, else DejaVu's signs.

What none of them can show is named by its number: nothing drops out of a report.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD, FALLBACK = "EchoReport", "EchoReport-Bold", "EchoReport-CJK"
SIGNS = "EchoReport-Signs"
_FOLDER = Path(__file__).parent / "fonts"
FONT_FILES = {
    REGULAR: str(_FOLDER / "Roboto-Regular.ttf"),
    BOLD: str(_FOLDER / "Roboto-Bold.ttf"),
    SIGNS: str(_FOLDER / "DejaVuSans.ttf"),
    FALLBACK: str(_FOLDER / "DroidSansFallbackFull.ttf"),
}
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_RIGHT_TO_LEFT = ("R", "AL")  # reportlab would set it from left to right: another text


@cache
def register_fonts() -> None:
    """Make the fonts known to reportlab; once a process."""
    for name, path in FONT_FILES.items():
        pdfmetrics.registerFont(TTFont(name, path))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR)


def mark_up(text: str) -> str:
    """Text as a reportlab paragraph: escaped, line breaks kept, and each run that Roboto can't
    show set in another font; a character of none is named, as [U+05D0]."""
    parts: list[str] = []
    for font, characters in text_runs(_LINE_ENDS.sub("\n", text)):
        escaped = escape(characters).replace("\n", "<br/>")
        parts.append(escaped if font == REGULAR else f'<font name="{font}">{escaped}</font>')
    return "".join(parts)


def text_runs(text: str) -> list[tuple[str, str]]:
    """(font, characters) for what is drawn straight on the page."""
    register_fonts()
    runs = groupby(map(_shown, text), key=lambda shown: shown[0])
    return [(font, "".join(characters for _, characters in run)) for font, run in runs]


@cache
def _shown(character: str) -> tuple[str, str]:
    """The font and what stands for the character in it."""
    if character in "\n ":
        return REGULAR, character
    if character == "\t":
        return REGULAR, " "
    if unicodedata.category(character) in ("Cc", "Cf") or "\ufe00" <= character <= "\ufe0f":
        return REGULAR, ""  # joiners, directions, variants: nothing to see
    for name in (REGULAR, FALLBACK, SIGNS):
        is_there = ord(character) in pdfmetrics.getFont(name).face.charToGlyph
        if is_there and unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT:
            return name, character
    return REGULAR, f"[U+{ord(character):04X}]"
