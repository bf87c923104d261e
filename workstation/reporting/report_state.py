"""What a report is at one moment: sentences with their provenance, and what changed them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from inference.report_language import LANGUAGES, Language
from workstation.audit.audit_chain import canonical_json
from workstation.reporting.check_override import CheckOverride

Provenance = Literal["ai", "edited", "human"]
Section = Literal["findings", "impression"]
EditKind = Literal[
    "edit", "add", "delete", "flip", "undo", "redo", "draft", "text",
    "lock", "unlock", "override", "redraft", "language", "accept",
    "restate",
]  # fmt: skip
SECTIONS: tuple[Section, ...] = ("findings", "impression")
PROVENANCES: tuple[Provenance, ...] = ("ai", "edited", "human")
JOINERS: dict[Language, str] = {"en": " ", "zh": ""}  # between two sentences
HEADINGS: dict[Language, dict[Section, str]] = {
    "en": {"findings": "Findings: ", "impression": "Impression: "},
    "zh": {"findings": "所见：", "impression": "结论："},
}


@dataclass(frozen=True)
class SentenceOrigin:
    """The draft a sentence came from; kept through every rewrite of it.

    drafted_at: UTC, ISO 8601. confidence: mean confidence of the model's tokens; never a
    probability of disease. text: the model's own words once the sentence says something else, ""
    while it stands as the model wrote it.
    """

    model_name: str
    model_sha256: str
    drafted_at: str
    confidence: float | None = None
    text: str = ""


@dataclass(frozen=True)
class Sentence:
    """One sentence of the report.

    id: unique in the report and stable while the sentence is edited.
    confidence: mean confidence of the model's tokens, only while provenance is "ai"; it is never
        a probability of disease.
    separator: white space between the sentence before and this one, so that paragraphs survive;
        as a rule JOINERS of the report's language.
    locked: a redraft leaves it byte for byte; the reader may still edit it.
    accepted: the reader looked at the model's sentence and left it as it is; only while
        provenance is "ai".
    origin: the draft it came from; None for what a person wrote, and in reports saved before
        origins were kept.
    touched_by, touched_at: who wrote, changed or accepted it last, and when (UTC, ISO 8601); ""
        for a model's sentence nobody touched.
    """

    id: int
    text: str
    provenance: Provenance
    confidence: float | None = None
    separator: str = " "
    locked: bool = False
    accepted: bool = False
    origin: SentenceOrigin | None = None
    touched_by: str = ""
    touched_at: str = ""

    def rewritten_origin(self) -> SentenceOrigin | None:
        """The origin of a sentence made from this one: it remembers the model's own words."""
        if self.origin is None or self.origin.text:
            return self.origin
        return replace(self.origin, text=self.text)


@dataclass(frozen=True)
class ReportState:
    """Both sections. Section text is the sentences with their separators."""

    findings: tuple[Sentence, ...] = ()
    impression: tuple[Sentence, ...] = ()
    language: Language = "en"
    overrides: tuple[CheckOverride, ...] = ()

    @property
    def findings_text(self) -> str:
        return join_sentences(self.findings)

    @property
    def impression_text(self) -> str:
        return join_sentences(self.impression)

    @property
    def is_blank(self) -> bool:
        return not self.findings and not self.impression

    def sentences(self, section: Section) -> tuple[Sentence, ...]:
        return self.findings if check_section(section) == "findings" else self.impression

    def text(self, section: Section) -> str:
        return join_sentences(self.sentences(section))

    def with_section(self, section: Section, sentences: Iterable[Sentence]) -> ReportState:
        if check_section(section) == "findings":
            return replace(self, findings=tuple(sentences))
        return replace(self, impression=tuple(sentences))


@dataclass(frozen=True)
class Edit:
    """One change, as the audit log keeps it.

    before, after: the sentence for "edit", "add", "delete", "flip", "lock" and "unlock"; the
    reason for "override"; the whole section for "text", "draft", "redraft", "language", "undo"
    and "redo" (one Edit for each section that changed).
    """

    kind: EditKind
    section: Section
    before: str
    after: str


class ReportSigned(Exception):
    """The report is signed: it can't be changed any more, only addended."""

    def __init__(self, study_instance_uid: str = "") -> None:
        of_study = f" of study {study_instance_uid}" if study_instance_uid else ""
        super().__init__(f"The report{of_study} is signed; it can only be given an addendum.")
        self.study_instance_uid = study_instance_uid


class ReportChangedElsewhere(Exception):
    """The saved report is no longer what this one was made from: another window, or another user,
    has saved since. Neither takes the other's place."""

    def __init__(self, study_instance_uid: str) -> None:
        super().__init__("The report was changed in another window meanwhile.")
        self.study_instance_uid = study_instance_uid


def check_section(section: str) -> Section:
    """The section itself; raises ValueError for a word that is none."""
    if section not in SECTIONS:
        raise ValueError(f"unknown report section {section!r}")
    return section


def join_sentences(sentences: Iterable[Sentence]) -> str:
    """The text of a section; the first sentence's separator is not part of it."""
    parts: list[str] = []
    for sentence in sentences:
        if parts:
            parts.append(sentence.separator)
        parts.append(sentence.text)
    return "".join(parts)


def sentence_spans(sentences: Iterable[Sentence]) -> tuple[tuple[int, int], ...]:
    """Where each sentence stands in ``join_sentences(sentences)``: start, end offsets."""
    spans: list[tuple[int, int]] = []
    position = 0
    for sentence in sentences:
        if spans:
            position += len(sentence.separator)
        spans.append((position, position + len(sentence.text)))
        position += len(sentence.text)
    return tuple(spans)


def report_text(state: ReportState) -> str:
    """The text that is signed, hashed and shown as one piece."""
    headings = HEADINGS[state.language]
    return "\n".join(headings[section] + state.text(section) for section in SECTIONS)


def coalesce_edits(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Join runs of typing in one section into one edit: the first before, the last after.

    Only neighbours of kind "text" are joined, so that what was done in which order stays.
    """
    joined: list[Edit] = []
    for edit in edits:
        last = joined[-1] if joined else None
        if last and edit.kind == last.kind == "text" and edit.section == last.section:
            joined[-1] = replace(last, after=edit.after)
        else:
            joined.append(edit)
    return tuple(joined)


def state_to_json(state: ReportState) -> str:
    """Canonical JSON of the state: the form that is stored and whose sha256 is signed.

    The language is written where it isn't English, locks, marks of acceptance, origins, hands
    and overrides where there are any: reports saved before these existed keep their bytes, and
    with them their hashes.
    """
    values = asdict(state)
    if state.language == "en":
        del values["language"]
    if not state.overrides:
        del values["overrides"]
    for section in SECTIONS:
        for sentence in values[section]:
            for mark in ("locked", "accepted", "origin", "touched_by", "touched_at"):
                if not sentence[mark]:
                    del sentence[mark]
    return canonical_json(values)


def state_from_json(text: str) -> ReportState:
    """The reverse of ``state_to_json``. Raises ValueError on anything else."""
    try:
        stored = json.loads(text)
        sections = {section: tuple(map(_sentence, stored[section])) for section in SECTIONS}
        language = stored.get("language", "en")
        overrides = tuple(CheckOverride(**each) for each in stored.get("overrides", ()))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a stored report: {error}") from error
    if language not in LANGUAGES:
        raise ValueError(f"not a stored report: written in {language!r}")
    return ReportState(**sections, language=language, overrides=overrides)


def _sentence(stored: dict[str, Any]) -> Sentence:
    origin = stored.get("origin")
    sentence = Sentence(**{**stored, "origin": SentenceOrigin(**origin) if origin else None})
    texts = (sentence.text, sentence.separator, sentence.touched_by, sentence.touched_at)
    is_valid = sentence.provenance in PROVENANCES and isinstance(sentence.id, int)
    is_valid &= isinstance(sentence.confidence, int | float | None)
    is_valid &= all(isinstance(text, str) for text in texts)
    is_valid &= all(isinstance(mark, bool) for mark in (sentence.locked, sentence.accepted))
    if not is_valid:
        raise ValueError(f"not a stored sentence: {stored!r}")
    return sentence
