"""Words and masked blocks flowed into lines, as both arrangements of a draft show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from workstation.ui.draft.draft_transcript import DraftBlock, DraftWord
from workstation.ui.theme import report_font, ui_font

LINE_PITCH = 1.45
"""Of a line of the report, in heights of its font."""

_CHARACTERS_PER_TOKEN = 5.0  # until committed blocks show their own measure
_LEAST_BAR = 24.0
_STUMP = 14.0


@dataclass(frozen=True)
class PlacedWord:
    """A word and where it stands, in content coordinates [px]."""

    word: DraftWord
    rect: QRectF


class TextFlow:
    """One column of lines between left and right, from top on [px]; what is added never moves."""

    def __init__(self, left: float, top: float, right: float, pitch: float = LINE_PITCH) -> None:
        self.metrics = QFontMetricsF(report_font())
        self.line_height = self.metrics.height() * pitch
        self.placed: list[PlacedWord] = []
        self._left, self._right = left, right
        self._x, self._y = left, top

    @property
    def bottom(self) -> float:
        """Under the last line."""
        return self._y + self.line_height

    def add_words(self, words: Sequence[DraftWord]) -> None:
        space = self.metrics.horizontalAdvance(" ")
        for word in words:
            if word.is_heading:
                self._add_heading(word)
                continue
            width = self.metrics.horizontalAdvance(word.text)
            if word.has_space_before and self._x > self._left:
                self._x += space
            if self._x + width > self._right and self._x > self._left:
                self._break_line()
            self._place(word, self._x, width)
            self._x += width

    def _add_heading(self, word: DraftWord) -> None:
        """On a line of its own, apart from what is above."""
        self._y += self.line_height * 1.4 if self.placed else 0.0
        width = QFontMetricsF(heading_font()).horizontalAdvance(heading_text(word))
        self._place(word, self._left, width)
        self._break_line()

    def _place(self, word: DraftWord, x: float, width: float) -> None:
        self.placed.append(PlacedWord(word, QRectF(x, self._y, width, self.metrics.height())))

    def _break_line(self) -> None:
        self._x, self._y = self._left, self._y + self.line_height

    def add_gap(self) -> None:
        self._x += self.metrics.horizontalAdvance("  ")

    def add_bar(self, width: float) -> list[QRectF]:
        """A masked block, broken over lines as text would be: its pieces."""
        self._part_from_text()
        pieces = []
        remaining = width
        while remaining > 0:
            if self._right - self._x < _LEAST_BAR:
                self._break_line()
            piece = min(remaining, self._right - self._x)
            if remaining - piece < _STUMP:  # no stump on the next line
                remaining = piece
            pieces.append(self._add_piece(piece))
            remaining -= piece
        return pieces

    def add_bar_on_line(self, width: float, lowest: float) -> list[QRectF]:
        """As much of it as goes on one line; nothing where that would reach below lowest [px]."""
        self._part_from_text()
        if self._right - self._x < 2 * _LEAST_BAR:
            self._break_line()
        if self.bottom > lowest + 0.5:
            return []
        return [self._add_piece(min(width, self._right - self._x))]

    def _part_from_text(self) -> None:
        if self._x > self._left:
            self.add_gap()

    def _add_piece(self, width: float) -> QRectF:
        thickness = self.metrics.xHeight() + 4
        top = self._y + self.metrics.ascent() - self.metrics.xHeight() / 2 - thickness / 2
        piece = QRectF(self._x, top, width, thickness)
        self._x += width
        return piece


def expect_block_width(blocks: Sequence[DraftBlock], block_length: int) -> float:
    """As wide as the mean of the blocks so far; before that, by the block length [px]."""
    spoken = [block for block in blocks if block.text]
    if spoken:
        characters = sum(len(block.text) for block in spoken) / len(spoken)
    else:
        characters = _CHARACTERS_PER_TOKEN * max(1, block_length)
    return max(18.0, QFontMetricsF(report_font()).averageCharWidth() * characters)


def heading_font() -> QFont:
    return ui_font(10.5, bold=True)


def heading_text(word: DraftWord) -> str:
    return word.text.rstrip(":：")
