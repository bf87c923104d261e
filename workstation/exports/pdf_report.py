"""The report as a PDF of A4 pages, every font embedded: what is printed, sent and archived."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from workstation.exports.exported_report import ExportedReport
from workstation.exports.key_images import KeyImage
from workstation.exports.pdf_fonts import BOLD, REGULAR, mark_up, register_fonts
from workstation.exports.pdf_pages import MARGIN, TOP, PageFurniture, numbered_canvas
from workstation.exports.wording import (
    PROVENANCE_MARKS,
    RESEARCH_USE,
    meaning_words,
    provenance_lines,
    section_heading,
    sentence_lines,
    status_words,
    study_lines,
    word,
    word_date,
    word_signature,
    word_time,
)
from workstation.reading.key_views import digest_of
from workstation.reporting.report_state import SECTIONS, Section
from workstation.reporting.versions.stored_report import Addendum

_WIDTH = A4[0] - 2 * MARGIN
_INK = colors.HexColor("#1b1f24")
_MUTED = colors.HexColor("#5d6670")
_ACCENT = colors.HexColor("#1f5582")
_LINE = colors.HexColor("#c9d0d7")
_GROUND = colors.HexColor("#f3f5f7")
_DOUBT = colors.HexColor("#9a5b00")


def pdf_form(key_images: Sequence[KeyImage]) -> str:
    """What tells a PDF's UID from that of the same report without its images, or with others."""
    kept = [image.kept for image in key_images]
    if any(kept):
        return f"pdf+images:{digest_of(kept)}"
    return "pdf+images" if key_images else "pdf"


def write_pdf(report: ExportedReport, key_images: Sequence[KeyImage] = ()) -> bytes:
    """The same report and images always give the same bytes."""
    register_fonts()
    stream = BytesIO()
    furniture = PageFurniture(report)
    document = BaseDocTemplate(
        stream,
        pagesize=A4,
        title=f"{word('title', report.language)} {word_date(report.study.study_date)}".strip(),
        author=report.signature.signer if report.signature else "ECHO Workstation",
        subject=f"{status_words(report)}. {RESEARCH_USE[report.language]}",
        creator="ECHO Workstation",
        lang="zh-CN" if report.language == "zh" else "en",
        invariant=1,
    )
    frame = Frame(MARGIN, MARGIN + 8 * mm, _WIDTH, A4[1] - TOP - MARGIN - 8 * mm, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=furniture.draw))
    styles = _Styles(report.language == "zh")
    story = [
        *_masthead(report, styles),
        *_body(report, styles),
        *_measurements(report, styles),
        _signature(report, styles),
        *_key_images(report, key_images, styles),
        *_provenance(report, pdf_form(key_images), styles),
    ]
    document.build(story, canvasmaker=numbered_canvas(furniture))
    return stream.getvalue()


class _Styles:
    """Chinese breaks between any two characters; English at spaces."""

    def __init__(self, is_chinese: bool) -> None:
        wrap: dict[str, Any] = {"wordWrap": "CJK"} if is_chinese else {}

        def style(size: float, leading: float, **more: Any) -> ParagraphStyle:
            made: dict[str, Any] = {"fontName": REGULAR, "textColor": _INK, **wrap, **more}
            return ParagraphStyle("", fontSize=size, leading=leading, **made)

        bold = REGULAR if is_chinese else BOLD  # the Chinese font has no bold to go with it
        self.title = style(19, 24, fontName=bold)
        self.institution = style(9, 12, textColor=_MUTED)
        self.status = style(10, 13, fontName=bold, alignment=2, textColor=_ACCENT)
        self.doubt = style(10, 13, fontName=bold, alignment=2, textColor=_DOUBT)
        self.label = style(8, 11, textColor=_MUTED)
        self.value = style(9.5, 12)
        self.name = style(11, 13, fontName=bold)
        self.heading = style(11.5, 15, fontName=bold, textColor=_ACCENT, spaceBefore=13)
        self.text = style(10.5, 15.5, spaceBefore=3)
        self.small = style(8, 11, textColor=_MUTED)
        self.fine = style(7, 9.5, textColor=_MUTED)


def _masthead(report: ExportedReport, styles: _Styles) -> list[Flowable]:
    """Title and status side by side, then who the report is about."""
    title = [Paragraph(mark_up(word("title", report.language)), styles.title)]
    if report.study.institution:
        title.insert(0, Paragraph(mark_up(report.study.institution), styles.institution))
    status = styles.status if report.is_signed else styles.doubt
    told = [Paragraph(mark_up(status_words(report)), status)]
    head = Table([[title, told]], colWidths=[_WIDTH * 0.62, _WIDTH * 0.38])
    head.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "BOTTOM"), *_padding(0), ("BOTTOMPADDING",
                    (0, 0), (-1, -1), 7)])
    )  # fmt: skip
    return [head, _study_table(report, styles), Spacer(1, 2 * mm)]


def _study_table(report: ExportedReport, styles: _Styles) -> Table:
    """Labels and values in two columns of pairs, read downwards."""
    lines = study_lines(report)
    half = (len(lines) + 1) // 2
    rows = []
    for index in range(half):
        cells: list[Any] = []
        for number, line in enumerate((lines[index : index + 1], lines[half + index :][:1])):
            if not line:
                cells += ["", ""]
                continue
            label, value = line[0]
            is_name = index == number == 0
            cells.append(Paragraph(mark_up(label), styles.label))
            cells.append(Paragraph(mark_up(value), styles.name if is_name else styles.value))
        rows.append(cells)
    narrow, wide = 25 * mm, _WIDTH / 2 - 25 * mm
    table = Table(rows, colWidths=[narrow, wide, narrow, wide])
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), _GROUND),
                ("LINEABOVE", (0, 0), (-1, 0), 1.2, _ACCENT),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                *_padding(2.5),
                ("LEFTPADDING", (0, 0), (-1, -1), 8),
            ]
        )
    )
    return table


def _body(report: ExportedReport, styles: _Styles) -> list[Flowable]:
    story: list[Flowable] = []
    for section in SECTIONS:
        if report.state.sentences(section):
            heading = Paragraph(mark_up(section_heading(section, report.language)), styles.heading)
            paragraphs = _paragraphs(report, section)
            story.append(KeepTogether([heading, Paragraph(paragraphs[0], styles.text)]))
            story += [Paragraph(text, styles.text) for text in paragraphs[1:]]
    story += [_addendum(each, report, styles) for each in report.addenda]
    return story


def _paragraphs(report: ExportedReport, section: Section) -> list[str]:
    """The section's paragraphs marked up, each sentence followed by a small mark of its origin."""
    paragraphs = [""]
    for index, sentence in enumerate(report.state.sentences(section)):
        if index and "\n" in sentence.separator:
            paragraphs.append("")
        elif index:
            paragraphs[-1] += mark_up(sentence.separator)
        mark = PROVENANCE_MARKS[sentence.provenance]
        paragraphs[-1] += (
            f'{mark_up(sentence.text)}<super size="6.5" rise="3"><font color="#7b858f">'
            f"\N{NO-BREAK SPACE}{mark}</font></super>"
        )
    return paragraphs


def _addendum(addendum: Addendum, report: ExportedReport, styles: _Styles) -> Flowable:
    who = word("added", report.language).format(addendum.author, word_time(addendum.added_at))
    return KeepTogether(
        [
            Paragraph(mark_up(word("addendum", report.language)), styles.heading),
            Paragraph(mark_up(who), styles.small),
            Paragraph(mark_up(addendum.text), styles.text),
        ]
    )


def _measurements(report: ExportedReport, styles: _Styles) -> list[Flowable]:
    """Numbered anew for each film, as they are on its picture."""
    if not report.measurements:
        return []
    story: list[Flowable] = [
        Paragraph(mark_up(word("measurements", report.language)), styles.heading)
    ]
    for image in report.images:
        figures = [
            each for each in report.measurements if each.sop_instance_uid == image.sop_instance_uid
        ]
        for number, figure in enumerate(figures, start=1):
            text = f"{image.technique} · {number}   {figure.text}"
            story.append(Paragraph(mark_up(text), styles.text))
    return story


def _signature(report: ExportedReport, styles: _Styles) -> Flowable:
    lines = [Paragraph(mark_up(word_signature(report)), styles.name)]
    if report.signature is not None and report.status != "draft":
        meaning = meaning_words(report.signature.meaning, report.language)
        lines.append(Paragraph(mark_up(meaning), styles.value))
        if report.signature.reason:
            reason = f"{word('reason', report.language)}: {report.signature.reason}"
            lines.append(Paragraph(mark_up(reason), styles.value))
    box = Table([[lines]], colWidths=[_WIDTH])
    ink = _ACCENT if report.is_signed else _DOUBT
    box.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), _GROUND),
                ("LINEBEFORE", (0, 0), (0, -1), 2.5, ink),
                *_padding(6),
                ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ]
        )
    )
    return KeepTogether([Spacer(1, 7 * mm), box])


def _key_images(
    report: ExportedReport, key_images: Sequence[KeyImage], styles: _Styles
) -> list[Flowable]:
    """Two beside each other; one alone in the middle of the page's width."""
    if not key_images:
        return []
    heading = Paragraph(mark_up(word("images", report.language)), styles.heading)
    columns = 1 if len(key_images) == 1 else 2
    room = (_WIDTH * 0.62 if columns == 1 else (_WIDTH - 6 * mm) / 2, 100 * mm)
    cells = [_picture(image, room, styles) for image in key_images]
    rows = [cells[index : index + columns] for index in range(0, len(cells), columns)]
    rows[-1] += [""] * (columns - len(rows[-1]))  # type: ignore[list-item]
    tables = []
    for row in rows:
        table = Table([row], colWidths=[_WIDTH / columns] * columns)
        centred = [("ALIGN", (0, 0), (-1, -1), "CENTER"), ("VALIGN", (0, 0), (-1, -1), "TOP")]
        table.setStyle(TableStyle([*centred, *_padding(3)]))
        tables.append(table)
    return [KeepTogether([heading, tables[0]]), *tables[1:]]


def _picture(image: KeyImage, room: tuple[float, float], styles: _Styles) -> list[Flowable]:
    scale = min(room[0] / image.width, room[1] / image.height)
    picture = Image(BytesIO(image.jpeg), image.width * scale, image.height * scale)
    caption = ParagraphStyle("", styles.small, alignment=1)
    return [picture, Paragraph(mark_up(image.caption), caption)]


def _provenance(report: ExportedReport, form: str, styles: _Styles) -> list[Flowable]:
    """The fine print: how every sentence came to be, and the hashes to check it by."""
    lines = [
        *provenance_lines(report),
        (word("document", report.language), _document(report, form)),
    ]
    story: list[Flowable] = [_fine_print("provenance", lines, report, styles, 34 * mm)]
    sentences = sentence_lines(report)
    return (
        [*story, _fine_print("each_sentence", sentences, report, styles, 16 * mm)]
        if sentences
        else story
    )


def _fine_print(
    title: str,
    lines: Sequence[tuple[str, str]],
    report: ExportedReport,
    styles: _Styles,
    label_width: float,
) -> Flowable:
    rows = [
        [Paragraph(mark_up(label), styles.fine), Paragraph(mark_up(value), styles.fine)]
        for label, value in lines
    ]
    table = Table(rows, colWidths=[label_width, _WIDTH - label_width])
    table.setStyle(
        TableStyle(
            [
                ("LINEABOVE", (0, 0), (-1, 0), 0.5, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                *_padding(1.2),
            ]
        )
    )
    heading = Paragraph(mark_up(word(title, report.language)), styles.small)
    return KeepTogether([Spacer(1, 6 * mm), heading, Spacer(1, 1 * mm), table])


def _document(report: ExportedReport, form: str) -> str:
    parts = [report.document_uid(form), word("issue", report.language).format(report.issue_number)]
    if report.predecessor is not None:
        parts.append(f"{word('replaces', report.language)} {report.predecessor.document_uid(form)}")
    return " · ".join(parts)


def _padding(points: float) -> list[tuple[Any, ...]]:
    """Above and below; and our font, since reportlab names its own for every cell."""
    sides = ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")
    values = (0, 4, points, points)
    whole = ((0, 0), (-1, -1))
    padded = [(side, *whole, value) for side, value in zip(sides, values, strict=True)]
    return [*padded, ("FONTNAME", *whole, REGULAR)]
