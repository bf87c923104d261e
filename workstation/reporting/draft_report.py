"""The report being edited: sentences, their provenance, undo and redo. Qt-free."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from inference.report_language import (
    Language,
    Statement,
    Status,
    extract_statements,
    rewrite_statement,
)
from inference.report_language.rewriting import restate_statement, withdraw_statement
from workstation.reporting.check_override import CheckOverride
from workstation.reporting.report_state import (
    JOINERS,
    SECTIONS,
    Edit,
    EditKind,
    Provenance,
    ReportSigned,
    ReportState,
    Section,
    Sentence,
    SentenceOrigin,
    coalesce_edits,
    join_sentences,
    report_text,
    sentence_spans,
)
from workstation.reporting.sentence_alignment import (
    Piece,
    align_sentences,
    join_pieces,
    split_pieces,
)
from workstation.reporting.token_confidences import ConfidenceSpan, mean_confidence


class StatementGone(Exception):
    """The statement is no longer in the report: the text was changed since it was listed."""


@dataclass(frozen=True)
class _Step:
    """One undo step. is_typing: may be joined with the typing that follows."""

    before: ReportState
    after: ReportState
    typed_section: Section | None = None


class DraftReport:
    """One report under edit. Every change can be undone and is told to the observers.

    Observers are called with one Edit after the state has changed, on the caller's thread.
    Of a signed one, every method that would change it raises ReportSigned.

    reader: whose hand changed sentences carry, with the time. now: the clock, for tests.
    """

    def __init__(
        self,
        state: ReportState | None = None,
        *,
        signed: bool = False,
        reader: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._state = state if state is not None else ReportState()
        self._is_signed = signed
        self._reader = reader
        self._now = now or (lambda: datetime.now(UTC))
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._observers: list[Callable[[Edit], None]] = []
        self._flips: dict[int, tuple[str, str]] = {}  # id -> its text after the last flip, before
        known = (*self._state.findings, *self._state.impression)
        self._ids = itertools.count(1 + max((sentence.id for sentence in known), default=0))

    @property
    def state(self) -> ReportState:
        return self._state

    @property
    def language(self) -> Language:
        """What its sentences are written in, and read as."""
        return self._state.language

    def choose_language(self, language: Language) -> None:
        """Set the language of a report that has no text yet; one with a text keeps its own."""
        if self._state.is_blank and not self._is_signed:
            self._state = replace(self._state, language=language)

    @property
    def is_signed(self) -> bool:
        return self._is_signed

    def on_edit(self, observer: Callable[[Edit], None]) -> Callable[[], None]:
        """Call ``observer`` after every edit, until the function returned here is called."""
        self._observers.append(observer)

        def stop_observing() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return stop_observing

    def set_from_draft(
        self,
        findings: str,
        impression: str,
        findings_confidences: Sequence[ConfidenceSpan] = (),
        impression_confidences: Sequence[ConfidenceSpan] = (),
        language: Language = "en",
        origin: SentenceOrigin | None = None,
    ) -> None:
        """Replace the report by a finished AI draft; everything is "ai" afterwards.

        But for an impression the reader wrote by hand before: it stays, and the model's follows
        as far as it says something else. origin: which draft this is, for every sentence of it.
        """
        self._require_unsigned()
        own = tuple(each for each in self._state.impression if each.provenance == "human")
        said = {each.text for each in own}
        drafted = ReportState(
            self._draft_sentences(findings, findings_confidences, language, origin),
            self._draft_sentences(impression, impression_confidences, language, origin),
            language,
        )
        others = (each for each in drafted.impression if each.text not in said)
        drafted = drafted.with_section("impression", (*own, *others))
        self._commit(drafted, self._section_edits("draft", self._state, drafted))

    def edit_sentence(self, section: Section, sentence_id: int, text: str) -> None:
        """Replace one sentence's text. A blank text deletes it; several sentences are split."""
        if not text.strip():
            self.delete_sentence(section, sentence_id)
            return
        self._replace_sentence("edit", section, sentence_id, text)

    def add_sentence(self, section: Section, text: str, index: int | None = None) -> int:
        """Insert a human sentence before ``index`` (None: at the end); returns its id.

        A text of several sentences becomes several; the id is the first one's. Raises ValueError
        if the text is blank.
        """
        self._require_unsigned()
        pieces = self._split(text)
        if not pieces:
            raise ValueError("a sentence needs a text")
        added = [
            Sentence(next(self._ids), piece.text, "human", None, piece.separator)
            for piece in pieces
        ]
        sentences = list(self._state.sentences(section))
        position = len(sentences) if index is None else index
        sentences[position:position] = added
        edit = Edit("add", section, "", join_sentences(added))
        self._commit(self._state.with_section(section, sentences), [edit])
        return added[0].id

    def delete_sentence(self, section: Section, sentence_id: int) -> None:
        """Raises KeyError if there is no such sentence."""
        self._require_unsigned()
        index, sentence = self._find(section, sentence_id)
        sentences = self._state.sentences(section)
        kept = (*sentences[:index], *sentences[index + 1 :])
        edit = Edit("delete", section, sentence.text, "")
        self._commit(self._state.with_section(section, kept), [edit])

    def flip_statement(
        self, section: Section, sentence_id: int, statement: Statement, status: Status | None = None
    ) -> None:
        """Set a statement of ``statements(section)`` to ``status``; None: present <-> absent.

        Uncertain flips to absent. A sentence flipped back says again what it said before, side,
        zone and degree included. Only that sentence changes: an impression that now disagrees
        stays as it is. Raises CannotRewrite where another statement would change, StatementGone
        where the text has moved on.
        """
        sentence, local = self._find_statement(section, sentence_id, statement)
        wanted: Status = status or ("present" if statement.status == "absent" else "absent")
        if wanted != statement.status:
            flipped = self._before_flip(sentence, local, wanted) or rewrite_statement(
                sentence.text, local, wanted, self._state.language
            )
            self._flips[sentence_id] = (flipped, sentence.text)
            self._replace_sentence("flip", section, sentence_id, flipped)

    def restate_statement(
        self, section: Section, sentence_id: int, statement: Statement, wanted: Statement
    ) -> None:
        """Give a statement of ``statements(section)`` another status, side, zone or severity.

        Raises as ``flip_statement`` does.
        """
        sentence, local = self._find_statement(section, sentence_id, statement)
        if _differs_in_status_alone(statement, wanted):
            self.flip_statement(section, sentence_id, statement, wanted.status)
            return
        restated = restate_statement(sentence.text, local, wanted, self._state.language)
        if restated != sentence.text:
            self._replace_sentence("restate", section, sentence_id, restated)

    def _before_flip(self, sentence: Sentence, said: Statement, wanted: Status) -> str | None:
        """What the sentence said before it was flipped last, where that is what is wanted again."""
        after, before = self._flips.get(sentence.id, ("", ""))
        if after != sentence.text:
            return None
        statements = _statements_of(before, self._state.language)
        same = [
            each for each in statements if (each.concept, each.status) == (said.concept, wanted)
        ]
        return before if len(same) == 1 else None

    def withdraw_statement(self, section: Section, sentence_id: int, statement: Statement) -> None:
        """Say nothing of it any more: neither present nor absent. Raises as ``flip_statement``."""
        sentence, local = self._find_statement(section, sentence_id, statement)
        rest = withdraw_statement(sentence.text, local, self._state.language)
        if rest.strip():
            self._replace_sentence("restate", section, sentence_id, rest)
        else:
            self.delete_sentence(section, sentence_id)

    def _find_statement(
        self, section: Section, sentence_id: int, statement: Statement
    ) -> tuple[Sentence, Statement]:
        """The sentence and its statement, offsets into the sentence."""
        self._require_unsigned()
        index, sentence = self._find(section, sentence_id)
        start, _ = sentence_spans(self._state.sentences(section))[index]
        local = _shift(statement, -start)
        if local not in _statements_of(sentence.text, self._state.language):
            raise StatementGone(
                f"{statement.concept} is no longer stated in this sentence: {sentence.text}"
            )
        return sentence, local

    def set_section_text(self, section: Section, text: str, *, merge: bool = False) -> None:
        """Take over typed text: unchanged sentences keep id and provenance.

        merge: True joins this change to the undo step before it if that was typing in the same
        section too, so that undo goes back by bursts of typing and not by letters.
        """
        self._require_unsigned()
        old = self._state.sentences(section)
        sentences = align_sentences(old, self._split(text), lambda: next(self._ids))
        changed = self._state.with_section(section, sentences)
        edit = Edit("text", section, self._state.text(section), changed.text(section))
        if edit.before == edit.after:
            return
        last = self._done[-1] if self._done else None
        if merge and last and last.typed_section == section and not self._undone:
            self._done.pop()
            self._commit(changed, [edit], typed_section=section, undo_to=last.before)
        else:
            self._commit(changed, [edit], typed_section=section)

    def set_locked(self, section: Section, sentence_id: int, locked: bool) -> None:
        """Lock a sentence against redrafts, or free it. Raises KeyError if there is none such."""
        self._require_unsigned()
        index, sentence = self._find(section, sentence_id)
        if sentence.locked == locked:
            return
        sentences = list(self._state.sentences(section))
        sentences[index] = replace(sentence, locked=locked)
        kind: EditKind = "lock" if locked else "unlock"
        edit = Edit(kind, section, sentence.text, sentence.text)
        self._commit(self._state.with_section(section, sentences), [edit])

    def accept_sentence(self, section: Section, sentence_id: int, accepted: bool = True) -> None:
        """Mark the model's sentence as looked at, or take the mark away.

        Does nothing for a sentence the reader has edited or written. Raises KeyError if there is
        none such.
        """
        self._require_unsigned()
        index, sentence = self._find(section, sentence_id)
        if sentence.provenance != "ai" or sentence.accepted == accepted:
            return
        sentences = list(self._state.sentences(section))
        sentences[index] = replace(sentence, accepted=accepted)
        edit = Edit("accept", section, sentence.text, sentence.text if accepted else "")
        self._commit(self._state.with_section(section, sentences), [edit])

    def add_override(self, override: CheckOverride, section: Section = "findings") -> None:
        """Set a check aside, with the reason; one of the same key before it is replaced."""
        self._require_unsigned()
        others = [each for each in self._state.overrides if each.key != override.key]
        before = [each.reason for each in self._state.overrides if each.key == override.key]
        state = replace(self._state, overrides=(*others, override))
        edit = Edit("override", section, "".join(before), override.reason)
        self._commit(state, [edit])

    def change_state(
        self, kind: EditKind, change: Callable[[ReportState, Callable[[], int]], ReportState]
    ) -> bool:
        """One undo step by another module's rule, for instance what is accepted of a redraft.

        change: gets the state and a source of new sentence ids. False, and no step, where it
        changes nothing.
        """
        self._require_unsigned()
        changed = change(self._state, lambda: next(self._ids))
        if changed == self._state:
            return False
        self._commit(changed, self._section_edits(kind, self._state, changed))
        return True

    @property
    def can_undo(self) -> bool:
        return bool(self._done) and not self._is_signed

    @property
    def can_redo(self) -> bool:
        return bool(self._undone) and not self._is_signed

    def undo(self) -> None:
        """Go back one step, provenance included. Does nothing at the beginning."""
        self._require_unsigned()
        if self._done:
            step = self._done.pop()
            self._undone.append(step)
            self._go_to("undo", step.before)

    def redo(self) -> None:
        """Repeat the step undone last. Does nothing at the end."""
        self._require_unsigned()
        if self._undone:
            step = self._undone.pop()
            self._done.append(step)
            self._go_to("redo", step.after)

    def statements(self, section: Section) -> tuple[tuple[Sentence, Statement], ...]:
        """Every statement with its sentence, in text order; offsets are into the section's text."""
        sentences = self._state.sentences(section)
        return tuple(
            (sentence, _shift(statement, start))
            for sentence, (start, _) in zip(sentences, sentence_spans(sentences), strict=True)
            for statement in _statements_of(sentence.text, self._state.language)
        )

    def _split(self, text: str) -> tuple[Piece, ...]:
        return split_pieces(text, JOINERS[self._state.language])

    def _require_unsigned(self) -> None:
        if self._is_signed:
            raise ReportSigned

    def _find(self, section: Section, sentence_id: int) -> tuple[int, Sentence]:
        for index, sentence in enumerate(self._state.sentences(section)):
            if sentence.id == sentence_id:
                return index, sentence
        raise KeyError(f"no sentence {sentence_id} in the {section}")

    def _draft_sentences(
        self,
        text: str,
        confidences: Sequence[ConfidenceSpan],
        language: Language,
        origin: SentenceOrigin | None,
    ) -> tuple[Sentence, ...]:
        sentences = [
            Sentence(next(self._ids), piece.text, "ai", None, piece.separator)
            for piece in split_pieces(text, JOINERS[language])
        ]
        lead = len(text) - len(text.lstrip())  # a section's text starts at its first word
        drafted: list[Sentence] = []
        for sentence, (start, end) in zip(sentences, sentence_spans(sentences), strict=True):
            confidence = mean_confidence(confidences, lead + start, lead + end)
            known = replace(origin, confidence=confidence) if origin is not None else None
            drafted.append(replace(sentence, confidence=confidence, origin=known))
        return tuple(drafted)

    def _replace_sentence(
        self, kind: EditKind, section: Section, sentence_id: int, text: str
    ) -> None:
        self._require_unsigned()
        index, old = self._find(section, sentence_id)
        pieces = self._split(text)
        if join_pieces(pieces) == old.text:
            return
        by_program = kind in ("flip", "restate") and old.provenance != "human"
        renewed = list(
            align_sentences([old], pieces, lambda: next(self._ids), all_edited=by_program)
        )
        if all(sentence.id != old.id for sentence in renewed):
            # The reader asked for this sentence to be changed: however different, it is the same.
            provenance: Provenance = "human" if old.provenance == "human" else "edited"
            renewed[0] = replace(
                renewed[0],
                id=old.id,
                provenance=provenance,
                locked=old.locked,
                origin=old.rewritten_origin(),
            )
        renewed[0] = replace(renewed[0], separator=old.separator)
        sentences = list(self._state.sentences(section))
        sentences[index : index + 1] = renewed
        edit = Edit(kind, section, old.text, join_sentences(renewed))
        self._commit(self._state.with_section(section, sentences), [edit])

    @staticmethod
    def _section_edits(kind: EditKind, before: ReportState, after: ReportState) -> list[Edit]:
        return [
            Edit(kind, section, before.text(section), after.text(section))
            for section in SECTIONS
            if before.sentences(section) != after.sentences(section)
        ]

    def _go_to(self, kind: EditKind, state: ReportState) -> None:
        edits = self._section_edits(kind, self._state, state)
        if not edits:  # only what was set aside changes: that too is saved, and shown anew
            reasons = ("; ".join(o.reason for o in each.overrides) for each in (self._state, state))
            edits = [Edit(kind, "findings", *reasons)]
        self._state = state
        self._tell(edits)

    def _commit(
        self,
        state: ReportState,
        edits: Sequence[Edit],
        *,
        typed_section: Section | None = None,
        undo_to: ReportState | None = None,
    ) -> None:
        before = self._state if undo_to is None else undo_to
        state = self._with_hands(state)
        self._done.append(_Step(before, state, typed_section))
        self._undone.clear()
        self._state = state
        self._tell(edits)

    def _with_hands(self, state: ReportState) -> ReportState:
        """The state with the reader's name and the time on every sentence that is written,
        changed or accepted by it, and on no other."""
        before = {each.id: each for name in SECTIONS for each in self._state.sentences(name)}
        at = self._now().astimezone(UTC).isoformat(timespec="seconds")
        for section in SECTIONS:
            sentences = state.sentences(section)
            marked = [self._with_hand(each, before.get(each.id), at) for each in sentences]
            if any(one is not other for one, other in zip(marked, sentences, strict=True)):
                state = state.with_section(section, marked)
        return state

    def _with_hand(self, sentence: Sentence, old: Sentence | None, at: str) -> Sentence:
        if sentence.provenance == "ai" and not sentence.accepted:
            is_touched = bool(sentence.touched_at)
            return replace(sentence, touched_by="", touched_at="") if is_touched else sentence
        same = old is not None and old.text == sentence.text and old.accepted == sentence.accepted
        if old is not None and same:
            return replace(sentence, touched_by=old.touched_by, touched_at=old.touched_at)
        return replace(sentence, touched_by=self._reader, touched_at=at)

    def _tell(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            for observer in tuple(self._observers):
                observer(edit)


@lru_cache(maxsize=1024)
def _statements_of(sentence: str, language: Language) -> tuple[Statement, ...]:
    # Sentence by sentence: an edit then can't change what its neighbours say.
    return tuple(extract_statements(sentence, language))


def _differs_in_status_alone(one: Statement, other: Statement) -> bool:
    return one.status != other.status and replace(one, status=other.status) == other


def _shift(statement: Statement, by: int) -> Statement:
    return replace(
        statement,
        start=statement.start + by,
        end=statement.end + by,
        trigger_start=statement.trigger_start + by,
        trigger_end=statement.trigger_end + by,
    )


__all__ = [
    "SECTIONS",
    "CheckOverride",
    "DraftReport",
    "Edit",
    "EditKind",
    "Provenance",
    "ReportSigned",
    "ReportState",
    "Section",
    "Sentence",
    "StatementGone",
    "coalesce_edits",
    "report_text",
]
