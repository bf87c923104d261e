"""Text on a picture, in the fonts of the pages: each character in one that has it."""

from __future__ import annotations

from PIL import ImageDraw, ImageFont

from workstation.exports.pdf_fonts import FONT_FILES, text_runs

_LINE_SPACING = 1.25
Colour = tuple[int, int, int]


def text_size(text: str, letters: float) -> tuple[float, float]:
    """Width and height of lines of text in pixels. letters: size of the font [px]."""
    lines = text.split("\n")
    widths = (sum(_font(font, letters).getlength(run) for font, run in text_runs(line))
              for line in lines)  # fmt: skip
    return max(widths), (len(lines) - 1) * letters * _LINE_SPACING + letters


def write_text(
    pen: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, letters: float,
    ink: Colour, edge: Colour, edge_width: int,
) -> None:  # fmt: skip
    """corner: upper left one of the text. The edge keeps it readable on black and on white."""
    x, y = corner
    for number, line in enumerate(text.split("\n")):
        baseline = y + letters * (0.85 + number * _LINE_SPACING)
        placed, across = [], x
        for name, run in text_runs(line):
            font = _font(name, letters)
            placed.append((across, run, font))
            across += font.getlength(run)
        for left, run, font in placed:
            pen.text(
                (left, baseline), run, ink, font, "ls", stroke_width=edge_width, stroke_fill=edge
            )


def _font(name: str, letters: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_FILES[name], max(1, round(letters)))
