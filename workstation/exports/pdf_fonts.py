"""Text in embedded fonts, whatever its script: Roboto where it has a glyph, else Droid Fallback."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD, FALLBACK = "EchoReport", "EchoReport-Bold", "EchoReport-CJK"
_FOLDER = Path(__file__).parent / "fonts"
FONT_FILES = {
    REGULAR: str(_FOLDER / "Roboto-Regular.ttf"),
    BOLD: str(_FOLDER / "Roboto-Bold.ttf"),
    FALLBACK: str(_FOLDER / "DroidSansFallbackFull.ttf"),
}
_NO_GLYPH = "□"


@cache
def register_fonts() -> None:
    """Make the fonts known to reportlab; once a process."""
    for name, path in FONT_FILES.items():
        pdfmetrics.registerFont(TTFont(name, path))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR)


def mark_up(text: str) -> str:
    """Text as a reportlab paragraph: escaped, line breaks kept, and each run that Roboto can't
    show set in the other font; a character of neither becomes a box."""
    register_fonts()
    parts: list[str] = []
    for font, run in groupby(text, _font_of):
        characters = "".join(run)
        if font == "":
            characters, font = _NO_GLYPH * len(characters), FALLBACK
        escaped = escape(characters).replace("\n", "<br/>")
        parts.append(escaped if font == REGULAR else f'<font name="{font}">{escaped}</font>')
    return "".join(parts)


def text_runs(text: str) -> list[tuple[str, str]]:
    """(font, characters) for what is drawn straight on the page."""
    register_fonts()
    return [
        (font or FALLBACK, "".join(run) if font else _NO_GLYPH * len(list(run)))
        for font, run in groupby(text, _font_of)
    ]


@cache
def _font_of(character: str) -> str:
    """ "" for a character that neither font has."""
    if character in "\n ":
        return REGULAR
    for name in (REGULAR, FALLBACK):
        if ord(character) in pdfmetrics.getFont(name).face.charToGlyph:
            return name
    return ""
