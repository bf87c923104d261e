"""Where a new sentence goes in a report, so that report order stays."""

from __future__ import annotations

from dataclasses import dataclass

from inference.report_language import CONCEPTS
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import Section, Sentence
from workstation.reporting.sentences.sentence_statements import statements_of

_RANK = {concept.name: rank for rank, concept in enumerate(CONCEPTS)}


@dataclass(frozen=True)
class Placement:
    """Where a new finding goes.

    replaces: the sentence that so far denied just this, or None: then insert before index.
    disagrees: a sentence left as it is that says something else about the same concept.
    """

    index: int
    replaces: Sentence | None = None
    disagrees: Sentence | None = None


def place_sentence(report: DraftReport, section: Section, text: str) -> Placement:
    """The place of a new sentence in report order; a free sentence goes to the end."""
    sentences = report.state.sentences(section)
    said = statements_of(text, report.language)
    if not said:
        return Placement(len(sentences))
    new = said[0]
    pairs = report.statements(section)
    same = [(sentence, old) for sentence, old in pairs if old.concept == new.concept]
    for sentence, old in same:
        is_alone = sum(1 for other, _ in pairs if other.id == sentence.id) == 1
        if is_alone and len(said) == 1 and "absent" in (old.status, new.status):
            return Placement(0, replaces=sentence)
    disagreeing = next((sentence for sentence, old in same if old.status != new.status), None)
    later = {sentence.id for sentence, old in pairs if _RANK[old.concept] > _RANK[new.concept]}
    index = next((i for i, each in enumerate(sentences) if each.id in later), len(sentences))
    return Placement(index, disagrees=disagreeing)
