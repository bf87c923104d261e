"""The report being edited: every change goes through here. Qt-free."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from inference.report_language import Language, Statement, Status
from inference.report_language.rewriting import restate_statement, withdraw_statement
from workstation.reporting.check_override import CheckOverride
from workstation.reporting.drafted_sentences import draft_sentences, keep_own_impression
from workstation.reporting.edit_history import EditHistory
from workstation.reporting.reader_marks import mark_touched
from workstation.reporting.report_state import (
    JOINERS,
    SECTIONS,
    Edit,
    EditKind,
    ReportSigned,
    ReportState,
    Section,
    Sentence,
    SentenceOrigin,
    join_sentences,
)
from workstation.reporting.sentences.sentence_alignment import (
    Piece,
    align_sentences,
    join_pieces,
    rewrite_sentence,
    split_pieces,
)
from workstation.reporting.sentences.sentence_breaks import keep_apart
from workstation.reporting.sentences.sentence_statements import find_in_sentence, list_statements
from workstation.reporting.sentences.statement_flips import StatementFlips
from workstation.reporting.token_confidences import ConfidenceSpan


class StatementGone(Exception):
    """The statement is no longer in the report: the text was changed since it was listed."""


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
        self._history = EditHistory()
        self._flips = StatementFlips()
        self._observers: list[Callable[[Edit], None]] = []
        known = (*self._state.findings, *self._state.impression)
        ids = itertools.count(1 + max((sentence.id for sentence in known), default=0))
        self._new_id = ids.__next__

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
        drafted = ReportState(
            draft_sentences(findings, findings_confidences, language, origin, self._new_id),
            draft_sentences(impression, impression_confidences, language, origin, self._new_id),
            language,
        )
        drafted = keep_apart(keep_own_impression(drafted, self._state))
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
            Sentence(self._new_id(), piece.text, "human", None, piece.separator) for piece in pieces
        ]
        sentences = list(self._state.sentences(section))
        position = len(sentences) if index is None else index
        sentences[position:position] = added
        edit = Edit("add", section, "", join_sentences(added))
        self._commit(keep_apart(self._state.with_section(section, sentences)), [edit])
        return added[0].id

    def delete_sentence(self, section: Section, sentence_id: int) -> None:
        """Raises KeyError if there is no such sentence."""
        self._require_unsigned()
        index, sentence = self._find(section, sentence_id)
        sentences = self._state.sentences(section)
        kept = (*sentences[:index], *sentences[index + 1 :])
        edit = Edit("delete", section, sentence.text, "")
        self._commit(keep_apart(self._state.with_section(section, kept)), [edit])

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
            flipped = self._flips.flip(sentence, local, wanted, self._state.language)
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
        _, sentence = self._find(section, sentence_id)
        local = find_in_sentence(self._state, section, sentence, statement)
        if local is None:
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
        sentences = align_sentences(old, self._split(text), self._new_id)
        changed = self._state.with_section(section, sentences)
        edit = Edit("text", section, self._state.text(section), changed.text(section))
        if edit.before == edit.after:
            return
        before, after = self._state, self._mark_touched(changed)
        self._history.add_typing(before, after, section, goes_on=merge)
        self._change_to(after, [edit])

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
        changed = change(self._state, self._new_id)
        if changed == self._state:
            return False
        changed = keep_apart(changed)
        self._commit(changed, self._section_edits(kind, self._state, changed))
        return True

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo and not self._is_signed

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo and not self._is_signed

    def undo(self) -> None:
        """Go back one step, provenance included. Does nothing at the beginning."""
        self._require_unsigned()
        self._go_to("undo", self._history.undo())

    def redo(self) -> None:
        """Repeat the step undone last. Does nothing at the end."""
        self._require_unsigned()
        self._go_to("redo", self._history.redo())

    def statements(self, section: Section) -> tuple[tuple[Sentence, Statement], ...]:
        """Every statement with its sentence, in text order; offsets are into the section's text."""
        return list_statements(self._state, section)

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

    def _replace_sentence(
        self, kind: EditKind, section: Section, sentence_id: int, text: str
    ) -> None:
        self._require_unsigned()
        index, old = self._find(section, sentence_id)
        pieces = self._split(text)
        if join_pieces(pieces) == old.text:
            return
        by_program = kind in ("flip", "restate")
        renewed = rewrite_sentence(old, pieces, self._new_id, by_program=by_program)
        sentences = list(self._state.sentences(section))
        sentences[index : index + 1] = renewed
        edit = Edit(kind, section, old.text, join_sentences(renewed))
        self._commit(keep_apart(self._state.with_section(section, sentences)), [edit])

    @staticmethod
    def _section_edits(kind: EditKind, before: ReportState, after: ReportState) -> list[Edit]:
        return [
            Edit(kind, section, before.text(section), after.text(section))
            for section in SECTIONS
            if before.sentences(section) != after.sentences(section)
        ]

    def _go_to(self, kind: EditKind, state: ReportState | None) -> None:
        if state is None:
            return
        edits = self._section_edits(kind, self._state, state)
        if not edits:  # only what was set aside changes: that too is saved, and shown anew
            reasons = ("; ".join(o.reason for o in each.overrides) for each in (self._state, state))
            edits = [Edit(kind, "findings", *reasons)]
        self._change_to(state, edits)

    def _commit(self, state: ReportState, edits: Sequence[Edit]) -> None:
        """One undo step."""
        state = self._mark_touched(state)
        self._history.add_step(self._state, state)
        self._change_to(state, edits)

    def _mark_touched(self, state: ReportState) -> ReportState:
        return mark_touched(self._state, state, self._reader, self._now())

    def _change_to(self, state: ReportState, edits: Sequence[Edit]) -> None:
        self._state = state
        for edit in edits:
            for observer in tuple(self._observers):
                observer(edit)


def _differs_in_status_alone(one: Statement, other: Statement) -> bool:
    return one.status != other.status and replace(one, status=other.status) == other
