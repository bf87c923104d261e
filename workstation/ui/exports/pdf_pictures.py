"""Pages of a PDF as pictures, by PDFium: what is previewed and printed is what is exported."""

from __future__ import annotations

from threading import Lock

import pypdfium2
from PySide6.QtGui import QImage

_POINTS_PER_INCH = 72.0
_pdfium = Lock()  # PDFium is not made for threads


def render_pages(pdf: bytes, dots_per_inch: float) -> list[QImage]:
    """Every page, grey or coloured as it is, on white. Any thread."""
    with _pdfium:
        document = pypdfium2.PdfDocument(pdf)
        try:
            return [_render(document[index], dots_per_inch) for index in range(len(document))]
        finally:
            document.close()


def _render(page: pypdfium2.PdfPage, dots_per_inch: float) -> QImage:
    bitmap = page.render(
        scale=dots_per_inch / _POINTS_PER_INCH,
        rev_byteorder=True,
        force_bitmap_format=pypdfium2.raw.FPDFBitmap_BGRx,
    )
    try:
        image = QImage(
            bytes(bitmap.buffer),
            bitmap.width,
            bitmap.height,
            bitmap.stride,
            QImage.Format.Format_RGBX8888,
        )
        return image.copy()  # the bytes are this call's
    finally:
        bitmap.close()
        page.close()
