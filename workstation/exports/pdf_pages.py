"""What every page of the PDF carries: whose it is, what it is for, its number, its watermark."""

from __future__ import annotations

from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from workstation.exports.exported_report import ExportedReport
from workstation.exports.pdf_fonts import REGULAR, text_runs
from workstation.exports.person_names import display_name
from workstation.exports.wording import (
    RESEARCH_USE,
    WATERMARK,
    status_words,
    word,
    word_date,
)

MARGIN = 20 * mm
TOP = 22 * mm
_MUTED = colors.HexColor("#5d6670")
_LINE = colors.HexColor("#c9d0d7")
_WATERMARK = colors.Color(0.72, 0.42, 0.0, alpha=0.13)


class PageFurniture:
    """Draws around the text; later pages name the patient again, so that none goes astray."""

    def __init__(self, report: ExportedReport) -> None:
        self._report = report

    def draw(self, canvas: Canvas, document: Any) -> None:
        """Before the page's text."""
        if document.page > 1:
            canvas.saveState()
            self._draw_patient(canvas)
            canvas.restoreState()

    def _draw_watermark(self, canvas: Canvas, text: str) -> None:
        canvas.saveState()
        canvas.translate(A4[0] / 2, A4[1] / 2)
        canvas.rotate(52)
        canvas.setFillColor(_WATERMARK)
        _draw_text(canvas, 0, -20, text, 62, "centre")
        canvas.restoreState()

    def _draw_patient(self, canvas: Canvas) -> None:
        study = self._report.study
        parts = (
            display_name(study.patient_name),
            study.patient_id,
            study.accession_number,
            word_date(study.study_date),
            status_words(self._report),
        )
        canvas.setFillColor(_MUTED)
        top = A4[1] - 14 * mm
        _draw_text(canvas, MARGIN, top, " · ".join(part for part in parts if part), 8)
        canvas.setStrokeColor(_LINE)
        canvas.line(MARGIN, top - 2.2 * mm, A4[0] - MARGIN, top - 2.2 * mm)

    def draw_foot(self, canvas: Canvas, page: int, pages: int) -> None:
        """After the last page is known; the watermark goes over images too."""
        watermark = WATERMARK.get(self._report.status)
        if watermark:
            self._draw_watermark(canvas, watermark)
        canvas.saveState()
        canvas.setStrokeColor(_LINE)
        canvas.line(MARGIN, MARGIN, A4[0] - MARGIN, MARGIN)
        canvas.setFillColor(_MUTED)
        language = self._report.language
        _draw_text(canvas, MARGIN, MARGIN - 4.5 * mm, RESEARCH_USE[language], 8)
        number = word("page", language).format(page, pages)
        _draw_text(canvas, A4[0] - MARGIN, MARGIN - 4.5 * mm, number, 8, "right")
        canvas.restoreState()


def numbered_canvas(furniture: PageFurniture) -> type[Canvas]:
    """A canvas that writes every page's foot at the end, when their number is known."""

    class NumberedCanvas(Canvas):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **{**named, "initialFontName": REGULAR})
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                furniture.draw_foot(self, number, len(self._pages))
                super().showPage()
            super().save()

    return NumberedCanvas


def _draw_text(
    canvas: Canvas, x: float, y: float, text: str, size: float, align: str = "left"
) -> None:
    runs = text_runs(text)
    width = sum(pdfmetrics.stringWidth(run, font, size) for font, run in runs)
    x -= {"left": 0.0, "centre": width / 2, "right": width}[align]
    for font, run in runs:
        canvas.setFont(font, size)
        canvas.drawString(x, y, run)
        x += pdfmetrics.stringWidth(run, font, size)
