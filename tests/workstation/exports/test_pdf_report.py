"""The PDF, read back by pdftotext, and inside DICOM checked by dciodvfy."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from reportlab.pdfbase import pdfmetrics

from inference.report_language import Language
from tests.workstation.foreign_programs import find_tool
from tests.workstation.reported_studies import (
    ADDENDA,
    FINDINGS,
    MODEL_SHA256,
    SIGNERS,
    MakeStudy,
    ReportedStudy,
)
from workstation.exports.export_formats import ExportOptions
from workstation.exports.exported_report import ReportStatus
from workstation.exports.pdf_fonts import text_runs
from workstation.exports.pdf_report import write_pdf
from workstation.exports.wording import RESEARCH_USE


def _pages(pdf: bytes, tmp_path: Path) -> list[str]:
    """The text of each page as pdftotext reads it, without the breaks of lines."""
    program = find_tool("pdftotext", "poppler-utils")
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf)
    read = subprocess.run([program, "-raw", path, "-"], capture_output=True, check=True)
    return read.stdout.decode("utf-8").split("\f")[:-1]


def _unspaced(text: str) -> str:
    return "".join(text.split()).replace("AI+", "").replace("AI", "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_its_text_reads_back_in_both_languages(
    make_study: MakeStudy, tmp_path: Path, language: Language
) -> None:
    study = make_study(language)
    report = study.bring_to("corrected")
    document = study.exporter.make(report, "pdf", ExportOptions(with_measurements=True))
    pages = _pages(document.content, tmp_path)
    text = _unspaced("".join(pages))
    assert "WangXiaoDong(王小东)" in text
    for sentence, _ in FINDINGS[language]:
        assert _unspaced(sentence) in text
    assert _unspaced(ADDENDA[language]) in text
    assert _unspaced(SIGNERS[language]) in text
    assert "0.44" in text
    for value in (MODEL_SHA256, report.audit_head):
        assert value in text
    for page in pages:
        assert _unspaced(RESEARCH_USE[language]) in _unspaced(page)
        assert "P-17|a" in page


@pytest.mark.parametrize(
    ("status", "watermark"),
    [("draft", "DRAFT—notsigned"), ("preliminary", "PRELIMINARY"), ("final", "")],
)
def test_what_is_not_final_says_so_across_every_page(
    study: ReportedStudy, tmp_path: Path, status: ReportStatus, watermark: str
) -> None:
    report = study.bring_to(status)
    pages = [_unspaced(page) for page in _pages(write_pdf(report), tmp_path)]
    for page in pages:
        if watermark:
            assert watermark in page
        else:
            assert "DRAFT" not in page
            assert "PRELIMINARY" not in page
    assert ("Notsigned." in "".join(pages)) == (status == "draft")
    assert (_unspaced(SIGNERS["en"]) in "".join(pages)) == (status != "draft")


def test_every_font_is_embedded(study: ReportedStudy, tmp_path: Path) -> None:
    program = find_tool("pdffonts", "poppler-utils")
    path = tmp_path / "report.pdf"
    path.write_bytes(write_pdf(study.bring_to("final")))
    listed = subprocess.run([program, path], capture_output=True, text=True, check=True).stdout
    fonts = listed.splitlines()[2:]
    assert any("DroidSansFallback" in font for font in fonts)
    for font in fonts:
        assert font.split()[-5:-2] == ["yes", "yes", "yes"], font  # embedded, subset, to Unicode


def test_the_same_report_is_the_same_file(study: ReportedStudy) -> None:
    study.bring_to("final")
    first, again = (study.exporter.make(study.read(), "pdf").sha256 for _ in range(2))
    assert first == again
    plain = study.exporter.make(study.read(), "pdf", ExportOptions(with_images=False))
    assert plain.sha256 != first
    assert plain.document_uid != study.exporter.make(study.read(), "pdf").document_uid


def test_signs_of_a_report_are_shown_and_what_no_font_has_is_named(
    make_study: MakeStudy, tmp_path: Path
) -> None:
    """An effusion with an arrow must not read like one without."""
    study = make_study("en", PatientName="Ω^Жанна ☃ \u05d0 \U0001faac")
    study.sign_off.sign(study.uid, "Dr. Roe")
    added = "Effusion ↑, 5 → 8 mm.\u2028Ne\u200dxt line ✓.\r\nLast \u0644 𠮷."
    study.sign_off.add_addendum(study.uid, "Dr. Roe", added)
    pages = _pages(write_pdf(study.read()), tmp_path)
    assert "Ω, Жанна ☃ [U+05D0] [U+1FAAC]" in pages[0].replace("\n", " ")
    lines = "".join(pages).splitlines()
    start = lines.index("Effusion ↑, 5 → 8 mm.")
    assert lines[start + 1 : start + 3] == ["Next line ✓.", "Last [U+0644] [U+20BB7]."]


@pytest.mark.parametrize("character", "→↑↓≥±µ²½×•–—…\u3001積Ωα☃✓□")
def test_a_character_is_shown_by_a_font_that_has_a_glyph_of_it(character: str) -> None:
    ((name, shown),) = text_runs(character)
    face = pdfmetrics.getFont(name).face
    glyph = face.charToGlyph[ord(shown)]
    assert shown == character
    assert face.glyphPos[glyph + 1] > face.glyphPos[glyph]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_inside_dicom_strangers_accept_it_and_it_is_the_same_pdf(
    make_study: MakeStudy, tmp_path: Path, language: Language
) -> None:
    checker = find_tool("dciodvfy", "dicom3tools")
    study = make_study(language)
    report = study.bring_to("addended")
    pdf = study.exporter.make(report, "pdf")
    wrapped = study.exporter.make(report, "dicom-pdf")
    path = tmp_path / wrapped.name
    path.write_bytes(wrapped.content)
    checked = subprocess.run([checker, path], capture_output=True, text=True, check=False)
    assert checked.stderr.startswith("EncapsulatedPDF")
    assert "Error" not in checked.stderr
    dataset = pydicom.dcmread(BytesIO(wrapped.content))
    assert dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength] == pdf.content
    assert str(dataset.PatientName) == "Wang^XiaoDong=王^小东"
    assert dataset.SOPInstanceUID == wrapped.document_uid == pdf.document_uid
    assert dataset.VerificationFlag == "VERIFIED"
    assert RESEARCH_USE[language] in dataset.DocumentTitle
    film = pydicom.dcmread(study.film, stop_before_pixels=True)
    assert dataset.StudyInstanceUID == film.StudyInstanceUID
    assert dataset.SourceInstanceSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID


def test_an_unsigned_one_inside_dicom_is_unverified(study: ReportedStudy) -> None:
    document = study.exporter.make(study.bring_to("preliminary"), "dicom-pdf")
    assert pydicom.dcmread(BytesIO(document.content)).VerificationFlag == "UNVERIFIED"
