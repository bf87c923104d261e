"""Where the regions of a draft stand: a row each, in the report's order, with room for what is
likely to come, so that nothing that is being read moves when a neighbour grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF

from inference.report_language import Language
from workstation.reporting.redrafting.region_redraft import IMPRESSION
from workstation.ui.draft.region_draft import RegionDraft
from workstation.ui.draft.region_names import name_region
from workstation.ui.draft.text_flow import PlacedWord, TextFlow, expect_block_width
from workstation.ui.theme import report_font, ui_font

MARGIN = 16.0
PITCH = 1.28
NAME_POINT_SIZE = 9.5
_PADDING = 4.0
_IMPRESSION_GAP = 12.0
_COLUMN_GAP = 28.0
_LEAST_CHARACTERS = 20  # of a line beside the names; with less room the names stand above
_LEAST_OF_TWO = 34  # of a line where there are two columns
_LOST_CHARACTERS: dict[Language, float] = {"en": 4.0, "zh": 1.0}  # where a line is broken
_SPREAD = 1.04  # of the widths of equally many letters
_SAMPLES: dict[Language, str] = {
    "en": "The cardiac silhouette is not enlarged.",
    "zh": "两肺门影不大。",
}

# Characters of each part in the normalised reports of 1,200 digital phantoms (seeds 20000 on):
# so many suffice for 50, 75, 90, 95 and 99% of them.
_CHARACTERS: dict[Language, dict[str, tuple[int, int, int, int, int]]] = {
    "en": {
        "thorax": (24, 24, 24, 24, 24),
        "mediastinum": (31, 31, 50, 50, 50),
        "lungs": (59, 78, 101, 109, 130),
        "pleura": (37, 45, 54, 62, 71),
        "heart": (39, 39, 42, 44, 44),
        "hila": (26, 26, 26, 26, 28),
        "diaphragm": (30, 30, 35, 40, 40),
        "bones": (22, 22, 22, 33, 33),
        "devices": (19, 39, 53, 66, 89),
        "impression": (59, 84, 108, 120, 143),
    },
    "zh": {
        "thorax": (7, 7, 7, 7, 7),
        "mediastinum": (7, 7, 12, 13, 13),
        "lungs": (16, 19, 25, 26, 33),
        "pleura": (12, 14, 15, 19, 21),
        "heart": (5, 5, 7, 7, 7),
        "hila": (7, 7, 7, 7, 8),
        "diaphragm": (7, 7, 7, 14, 14),
        "bones": (7, 7, 7, 12, 12),
        "devices": (5, 11, 17, 21, 25),
        "impression": (15, 21, 28, 31, 36),
    },
}


@dataclass
class RegionRow:
    """One part of the report [px]. name_rect also holds its rail, under the name or beside it."""

    region: str
    rect: QRectF
    name_rect: QRectF
    rail_rect: QRectF
    text_left: float
    text_top: float
    words: list[PlacedWord] = field(default_factory=list)
    bar: list[QRectF] = field(default_factory=list)


@dataclass(frozen=True)
class _Frame:
    """What all rows share [px]: gutter is 0 where names stand above their text."""

    gutter: float
    name_width: float
    name_height: float
    rail_height: float
    line_height: float

    @property
    def head_height(self) -> float:
        """Over the text."""
        return 0.0 if self.gutter else self.name_height + 2

    @property
    def least_height(self) -> float:
        return self.name_height + self.rail_height + 3 if self.gutter else 0.0


class RegionRows:
    """Lays a RegionDraft out in a viewport; call place after every change of either."""

    def __init__(self, draft: RegionDraft, language: Language) -> None:
        self._draft, self._language = draft, language
        self.rows: list[RegionRow] = []
        self._lines: dict[str, int] = {}  # that each row has had so far: none ever shrinks
        self._columns: list[Sequence[str]] = []
        self._size: tuple[float, float, str] = (0.0, 0.0, "")

    def place(self, width: float, height: float, block_length: int, *, is_filling: bool) -> float:
        """Rows, words and bars anew; returns the height of all [px]."""
        size = (width, height, report_font().toString())
        if size != self._size:
            self._size, self._lines = size, {}
        frame, columns = self._choose_frame(width)
        column_width = (width - 2 * MARGIN - (columns - 1) * _COLUMN_GAP) / columns
        if not self._lines:
            self._reserve(frame, columns, width, column_width, height)
        block_width = expect_block_width(self._draft.blocks, block_length)
        self.rows = []
        bottom = top = MARGIN - _PADDING
        for column, regions in enumerate(self._columns):
            left = MARGIN + column * (column_width + _COLUMN_GAP)
            y = top
            for region in regions:
                y = self._place_row(region, frame, left, y, column_width, block_width, is_filling)
            bottom = max(bottom, y)
        if IMPRESSION in self._draft.regions:
            whole = width - 2 * MARGIN
            bottom = self._place_row(
                IMPRESSION, frame, MARGIN, bottom + _IMPRESSION_GAP, whole, block_width, is_filling
            )
        return bottom + MARGIN - _PADDING

    def row_of(self, region: str) -> RegionRow:
        """Raises KeyError for a region that doesn't fill."""
        found = next((row for row in self.rows if row.region == region), None)
        if found is None:
            raise KeyError(region)
        return found

    # -- how much room -----------------------------------------------------------------------

    def _choose_frame(self, width: float) -> tuple[_Frame, int]:
        """Names beside the text, or above it; one column, or two where lines stay long enough."""
        names, text = QFontMetricsF(ui_font(NAME_POINT_SIZE)), QFontMetricsF(report_font())
        widest = max(names.horizontalAdvance(name_region(each)) for each in self._draft.regions)
        beside = widest + names.horizontalAdvance("  ✓    ")
        character = text.averageCharWidth()
        inside = width - 2 * MARGIN
        columns = 2 if (inside - _COLUMN_GAP) / 2 - beside >= _LEAST_OF_TWO * character else 1
        is_beside = inside - beside >= _LEAST_CHARACTERS * character
        return (
            _Frame(
                gutter=beside if is_beside else 0.0,
                name_width=beside,
                name_height=names.height(),
                rail_height=max(7.0, names.height() * 0.5),
                line_height=text.height() * PITCH,
            ),
            columns,
        )

    def _reserve(
        self, frame: _Frame, columns: int, width: float, column_width: float, height: float
    ) -> None:
        """What half of the reports need, and more as far as the viewport has room: first where
        texts vary most. The impression comes last, since nothing below it could move."""
        whole = width - 2 * MARGIN
        text_width = {
            region: (whole if region == IMPRESSION else column_width) - frame.gutter
            for region in self._draft.regions
        }
        self._lines = {each: self._expect_lines(each, room, 0) for each, room in text_width.items()}
        self._columns = self._split(columns)
        by_length = sorted(self._lines, key=lambda each: -self._characters(each, -1))
        by_length.sort(key=lambda each: each == IMPRESSION)
        for generosity in range(1, 5):
            for region in by_length:
                before = self._lines[region]
                self._lines[region] = self._expect_lines(region, text_width[region], generosity)
                if self._expect_height(frame) > height:
                    self._lines[region] = before
        self._columns = self._split(columns)

    def _characters(self, region: str, generosity: int) -> int:
        return _CHARACTERS[self._language].get(region, (30, 40, 50, 60, 80))[generosity]

    def _expect_lines(self, region: str, text_width: float, generosity: int) -> int:
        sample = _SAMPLES[self._language]
        character = QFontMetricsF(report_font()).horizontalAdvance(sample) / len(sample)
        length = self._characters(region, generosity) * character
        if length * _SPREAD <= text_width:
            return 1
        lost = _LOST_CHARACTERS[self._language] * character
        return math.ceil(length / max(1.0, text_width - lost))

    def _expect_height(self, frame: _Frame) -> float:
        heights = [
            sum(self._row_height(region, frame) for region in regions) for regions in self._columns
        ]
        impression = (
            self._row_height(IMPRESSION, frame) + _IMPRESSION_GAP
            if IMPRESSION in self._draft.regions
            else 0.0
        )
        return max(heights, default=0.0) + impression + 2 * (MARGIN - _PADDING)

    def _row_height(self, region: str, frame: _Frame) -> float:
        text = frame.head_height + self._lines[region] * frame.line_height
        return 2 * _PADDING + max(text, frame.least_height)

    def _split(self, columns: int) -> list[Sequence[str]]:
        """Reading order down the first column, then the second; both about as long."""
        regions = [region for region in self._draft.regions if region != IMPRESSION]
        if columns == 1:
            return [regions]
        lines = [self._lines[region] for region in regions]
        cut = min(range(1, len(regions) + 1), key=lambda at: max(sum(lines[:at]), sum(lines[at:])))
        return [regions[:cut], regions[cut:]]

    # -- one row -----------------------------------------------------------------------------

    def _place_row(
        self,
        region: str,
        frame: _Frame,
        left: float,
        top: float,
        width: float,
        block_width: float,
        is_filling: bool,
    ) -> float:
        """Returns where the next one begins."""
        text_left = left + frame.gutter
        text_top = top + _PADDING + frame.head_height
        flow = TextFlow(text_left, text_top, left + width, PITCH)
        flow.add_words(self._draft.parts[region].words())
        used = round((flow.bottom - text_top) / frame.line_height)
        lines = self._lines[region] = max(self._lines[region], used)
        bar: list[QRectF] = []
        if is_filling and self._draft.state_of(region) == "filling":
            bar = flow.add_bar_on_line(block_width, text_top + lines * frame.line_height)
        height = self._row_height(region, frame)
        name_rect = QRectF(left, top + _PADDING, frame.name_width, frame.name_height)
        if frame.gutter:
            rail = (left, name_rect.bottom() + 2, frame.gutter - 12)
        else:
            rail = (name_rect.right(), name_rect.center().y() - 3, width - frame.name_width)
        self.rows.append(
            RegionRow(
                region,
                QRectF(left, top, width, height),
                name_rect,
                QRectF(*rail, frame.rail_height),
                text_left,
                text_top,
                flow.placed,
                bar,
            )
        )
        return top + height
