"""The lines of the checklist, made from the report: every region in anatomical order. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.report_language import CONCEPTS, REGIONS, Concept, Statement, Status
from inference.report_language.template import DENIED, SILENCED_BY
from workstation.reporting.checks.report_check import REQUIRED
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import SECTIONS, Section, Sentence

_RANK: dict[Status, int] = {"present": 0, "uncertain": 1, "absent": 2}


@dataclass(frozen=True)
class ChecklistLine:
    """A region's heading (concept None) or one concept with its leading statement.

    statement: the affirmation if there is one, else the doubt, else the denial; None: not stated.
    is_pertinent: a report of the template would deny it, or the site requires it.
    """

    region: str
    concept: Concept | None = None
    statement: Statement | None = None
    section: Section = "findings"
    sentence: Sentence | None = None
    is_pertinent: bool = False

    @property
    def state(self) -> str:
        return self.statement.status if self.statement is not None else "not stated"


def list_lines(
    report: DraftReport, *, every_concept: bool, required: Sequence[str] = REQUIRED
) -> tuple[ChecklistLine, ...]:
    """The checklist of a report, regions in report order. required: what the site wants said.

    every_concept: False leaves out what is neither stated nor pertinent.
    """
    said: dict[str, tuple[Section, Sentence, Statement]] = {}
    for section in SECTIONS:
        for sentence, statement in report.statements(section):
            known = said.get(statement.concept)
            if known is None or _RANK[statement.status] < _RANK[known[2].status]:
                said[statement.concept] = (section, sentence, statement)
    affirmed = {name for name, (_, _, said_of) in said.items() if said_of.status != "absent"}
    pertinent = {
        name for name in (*DENIED, *required) if not affirmed & SILENCED_BY.get(name, frozenset())
    }
    lines: list[ChecklistLine] = []
    for region in REGIONS:
        of_region = [
            _make_line(concept, said, pertinent)
            for concept in CONCEPTS
            if concept.region == region
            and (every_concept or concept.name in said or concept.name in pertinent)
        ]
        if of_region:
            lines += [ChecklistLine(region), *of_region]
    return tuple(lines)


def _make_line(
    concept: Concept,
    said: dict[str, tuple[Section, Sentence, Statement]],
    pertinent: set[str],
) -> ChecklistLine:
    is_pertinent = concept.name in pertinent
    if concept.name not in said:
        return ChecklistLine(concept.region, concept, is_pertinent=is_pertinent)
    section, sentence, statement = said[concept.name]
    return ChecklistLine(concept.region, concept, statement, section, sentence, is_pertinent)
