"""What a redraft leaves as it is, and how its answer grows around that. Qt-free, torch-free.

The model conditions natively on what stands before the words it writes, so that is its prefix.
A kept sentence further on is put back where the answer comes to its place, and what follows is
drafted on from there. The model reads the canonical wording of what a reader wrote, since a small
model loses its thread behind prose it was never trained on; the sentence itself is the report's
own to the byte, and never the model's rendering of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from inference.report_language import (
    NOT_A_FRONTAL_CHEST,
    Language,
    is_canonical,
    split_sentences,
    word_statement,
)
from workstation.reporting.report_state import (
    HEADINGS,
    JOINERS,
    SECTIONS,
    ReportState,
    Section,
    Sentence,
)
from workstation.reporting.sentences.sentence_alignment import find_likest
from workstation.reporting.sentences.sentence_statements import concepts_of, statements_of

RedraftScope = Literal["all", "from-here", "sentence", "region", "impression"]
"""The last two belong to region_redraft: there a region is the smallest unit."""

ReadResult = Literal["goes-on", "restart", "done"]
_HEADING = re.compile(r"(findings?|impressions?|所见|结论)\s*[:：]", re.IGNORECASE)


class NothingToRedraft(ValueError):
    """Every sentence that could be drafted again is locked, or is gone."""


@dataclass(frozen=True)
class RedraftPlan:
    """What is asked of the model.

    kept: ids of the sentences that stay. head: how many of the report's sentences, findings
    first, stand before the first place to be drafted. varied: draw another wording instead of
    the likeliest one.
    """

    state: ReportState
    scope: RedraftScope
    kept: frozenset[int]
    head: int
    section: Section
    varied: bool = False

    @property
    def places(self) -> tuple[tuple[Section, Sentence], ...]:
        """Every sentence of the report with its section, in reading order."""
        return tuple((name, each) for name in SECTIONS for each in self.state.sentences(name))


@dataclass(frozen=True)
class RedraftedSentence:
    """One sentence of the redraft. kept_id: of the report's sentence that stayed, None for a new
    one; confidence: the mean of a new one's tokens."""

    section: Section
    text: str
    kept_id: int | None = None
    confidence: float | None = None


def plan_redraft(
    state: ReportState,
    scope: RedraftScope = "all",
    section: Section = "findings",
    sentence_id: int | None = None,
    *,
    varied: bool = False,
) -> RedraftPlan:
    """Which sentences stay: the locked ones; before "from-here", and around "sentence", all.

    sentence_id: where a redraft "from-here" begins, or the one "sentence". Raises
    NothingToRedraft.
    """
    places = [(name, each) for name in SECTIONS for each in state.sentences(name)]
    ids = [each.id for _, each in places]
    if scope != "all" and sentence_id not in ids:
        raise NothingToRedraft("that sentence is no longer in the report")
    if scope == "sentence":
        kept = {each.id for _, each in places if each.id != sentence_id or each.locked}
        head = ids.index(sentence_id) if sentence_id is not None else 0
    else:
        begin = 0 if scope == "all" or sentence_id is None else ids.index(sentence_id)
        kept = {each.id for at, (_, each) in enumerate(places) if at < begin or each.locked}
        head = next((at for at, number in enumerate(ids) if number not in kept), len(ids))
    if len(kept) == len(places):
        raise NothingToRedraft("every sentence to be drafted again is locked")
    start: Section = places[head][0] if scope != "all" or head else "findings"
    return RedraftPlan(state, scope, frozenset(kept), head, start, varied)


def reword_for_model(text: str, language: Language) -> str:
    """A reader's sentence in the template's words; "" where the grammar reads nothing in it.

    So no letters of a special token reach the model either.
    """
    if is_canonical(text, language):
        return text
    worded = (
        word_statement(s.concept, s.status, s.side, s.zone, s.severity, language)
        for s in statements_of(text, language)
    )
    return JOINERS[language].join(dict.fromkeys(worded))


@dataclass
class GrowingAnswer:
    """The redraft so far: sentences placed, and kept ones whose place is still to come.

    Feed it the model's text with ``read``; after "restart" the model goes on from ``prefix``.
    """

    plan: RedraftPlan
    sentences: list[RedraftedSentence] = field(default_factory=list)

    def __post_init__(self) -> None:
        places = self.plan.places
        self._section: Section = self.plan.section
        self._pending = [
            (at, section, each)
            for at, (section, each) in enumerate(places)
            if at >= self.plan.head and each.id in self.plan.kept
        ]
        for section, each in places[: self.plan.head]:
            self.sentences.append(RedraftedSentence(section, each.text, each.id))
        self._read_to = 0
        self._is_refusal = False

    @property
    def language(self) -> Language:
        return self.plan.state.language

    @property
    def prefix(self) -> str:
        """What the model takes as written: "" for a report that begins anew."""
        if not self.sentences and self._section == "findings":
            return ""
        own = {each.id for _, each in self.plan.places if each.provenance == "ai"}
        read = [
            replace(
                each,
                text=each.text
                if each.kept_id in own
                else reword_for_model(each.text, self.language),
            )
            for each in self.sentences
        ]
        sections = SECTIONS if self._section == "impression" else SECTIONS[:1]
        return self._frame(sections, [each for each in read if each.text]).rstrip()

    @property
    def text(self) -> str:
        """All that stands so far, kept sentences to their byte."""
        last: Section = self.sentences[-1].section if self.sentences else self._section
        is_second = "impression" in (last, self._section)
        return self._frame(SECTIONS if is_second else SECTIONS[:1], self.sentences)

    @property
    def following_text(self) -> str:
        """The kept sentences still to come."""
        return JOINERS[self.language].join(each.text for _, _, each in self._pending)

    def section_text(self, section: Section) -> str:
        texts = [each.text for each in self.sentences if each.section == section]
        return JOINERS[self.language].join(texts)

    def read(
        self, tail: str, confidence_of: Callable[[int, int], float | None], *, is_ended: bool
    ) -> ReadResult:
        """Take what is whole of the text behind the prefix; call with ever more of it.

        confidence_of: mean confidence of the tokens at offsets of tail. Once the model has refused
        the film nothing more is taken of it.
        """
        if self._is_refusal:
            return "done" if is_ended else "goes-on"
        spans = split_sentences(tail)
        for start, end in spans if is_ended else spans[:-1]:
            if start < self._read_to or self._is_refusal:
                continue
            self._read_to = end
            text = tail[start:end]
            if _HEADING.fullmatch(text):
                result = self._begin_section(text)
            else:
                result = self._take(text, confidence_of(start, end))
            if result != "goes-on":
                return self._end() if result == "done" else self._restart()
        return self._end_stream() if is_ended else "goes-on"

    def _begin_section(self, heading: str) -> ReadResult:
        if heading.lower().startswith("finding") or heading.startswith("所见"):
            return "goes-on"
        if self.plan.scope == "sentence":
            return "done"  # the model has nothing to say here
        if self._section == "findings" and self._place(len(self.plan.places), "findings"):
            return "restart"
        self._section = "impression"
        return "goes-on"

    def _take(self, text: str, confidence: float | None) -> ReadResult:
        if not self.sentences and text == NOT_A_FRONTAL_CHEST[self.language]:
            self._is_refusal = True
            return "goes-on"
        places = self.plan.places
        own = [at for at, (section, _) in enumerate(places) if section == self._section]
        found = find_likest(text, [places[at][1].text for at in own], self.language)
        place = own[found] if found is not None else -1
        if self.plan.scope == "sentence":
            if place <= self.plan.head and not self._says_again(text):
                self.sentences.append(RedraftedSentence(self._section, text, None, confidence))
            return "done"
        due = [each for at, section, each in self._pending if at <= place]
        if len(due) == 1 and due[0].text == text:
            self._place(place, self._section)  # said by the model itself
            return "goes-on"
        if self._place(place, self._section):
            return "restart"
        if not self._says_again(text):
            self.sentences.append(RedraftedSentence(self._section, text, None, confidence))
        return "goes-on"

    def _says_again(self, text: str) -> bool:
        """Whether it repeats a sentence that stays, or speaks only of what a locked one states."""
        kept = [each for each in self.sentences if each.kept_id and each.section == self._section]
        if any(each.text == text for each in kept):
            return True
        locked = {each.id for _, each in self.plan.places if each.locked}
        concepts = concepts_of(text, self.language)
        return bool(concepts) and any(
            concepts <= concepts_of(each.text, self.language)
            for each in kept
            if each.kept_id in locked
        )

    def _place(self, up_to: int, section: Section) -> bool:
        """Put back the kept sentences of a section up to a place; whether there were any."""
        due = [each for each in self._pending if each[0] <= up_to and each[1] == section]
        self._pending = [each for each in self._pending if each not in due]
        for _, name, sentence in due:
            self.sentences.append(RedraftedSentence(name, sentence.text, sentence.id))
        return bool(due)

    def _restart(self) -> ReadResult:
        self._read_to = 0
        return "restart"

    def _end_stream(self) -> ReadResult:
        is_open = self._section == "findings" and self.plan.scope != "sentence"
        if is_open and self._place(len(self.plan.places), "findings"):
            return self._restart()  # the impression is still to be written
        return self._end()

    def _end(self) -> ReadResult:
        for section in SECTIONS:
            self._place(len(self.plan.places), section)
        self.sentences.sort(key=lambda each: SECTIONS.index(each.section))
        return "done"

    def _frame(self, sections: Sequence[Section], sentences: Sequence[RedraftedSentence]) -> str:
        headings, joiner = HEADINGS[self.language], JOINERS[self.language]
        return " ".join(
            headings[section] + joiner.join(s.text for s in sentences if s.section == section)
            for section in sections
        )
