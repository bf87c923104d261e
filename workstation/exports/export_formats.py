"""Which forms a report can leave in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ExportFormat = Literal["sr", "pdf", "dicom-pdf", "fhir", "hl7", "text"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
DICOM_FORMATS: tuple[ExportFormat, ...] = ("sr", "dicom-pdf")
"""What a PACS takes."""

FILE_ENDINGS: dict[ExportFormat, str] = {
    "sr": ".sr.dcm",
    "pdf": ".pdf",
    "dicom-pdf": ".pdf.dcm",
    "fhir": ".fhir.json",
    "hl7": ".hl7",
    "text": ".txt",
}


@dataclass(frozen=True)
class ExportOptions:
    """with_images: key images in the PDF: what readers kept of the films, else whole films.
    with_measurements: what is drawn on the films. with_whole_films: these after what was kept."""

    with_images: bool = True
    with_measurements: bool = False
    with_whole_films: bool = False


PLAIN = ExportOptions()
