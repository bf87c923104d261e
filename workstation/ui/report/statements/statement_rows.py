"""The rows of the statement list, made from the report. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inference.report_language import CONCEPT_BY_NAME, Statement
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import SECTIONS, Section, Sentence, sentence_spans

RowKind = Literal["heading", "sentence", "statement"]


@dataclass(frozen=True)
class StatementRow:
    """One row: a section heading, a sentence (with its statement if it has just one), or one
    of several statements of the sentence above it.

    start, end: what the row speaks of, as offsets into the section's text.
    region: empty where the row above has the same. sentence_start: where its sentence begins.
    """

    kind: RowKind
    section: Section
    sentence: Sentence | None = None
    statement: Statement | None = None
    start: int = 0
    end: int = 0
    region: str = ""
    sentence_start: int = 0

    @property
    def text(self) -> str:
        """What the sentence column shows."""
        if self.kind == "statement" and self.statement is not None:
            return CONCEPT_BY_NAME[self.statement.concept].label
        return self.sentence.text if self.sentence is not None else ""


def list_rows(report: DraftReport) -> tuple[StatementRow, ...]:
    """Every sentence of both sections in text order, statements below sentences with several."""
    rows: list[StatementRow] = []
    for section in SECTIONS:
        sentences = report.state.sentences(section)
        if not sentences:
            continue
        rows.append(StatementRow("heading", section))
        stated: dict[int, list[Statement]] = {}
        for sentence, statement in report.statements(section):
            stated.setdefault(sentence.id, []).append(statement)
        region_above = ""
        for sentence, (start, end) in zip(sentences, sentence_spans(sentences), strict=True):
            statements = stated.get(sentence.id, [])
            region = CONCEPT_BY_NAME[statements[0].concept].region if statements else ""
            shown_region = region if region != region_above else ""
            region_above = region
            only = statements[0] if len(statements) == 1 else None
            rows.append(
                StatementRow("sentence", section, sentence, only, start, end, shown_region, start)
            )
            if len(statements) > 1:
                rows += [
                    StatementRow(
                        "statement", section, sentence, each, each.start, each.end, "", start
                    )
                    for each in statements
                ]
    return tuple(rows)
