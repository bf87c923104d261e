"""The report being edited: sentences, their provenance, undo and redo. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inference.report_language.statements import Statement, Status
from workstation.reporting.report_state import (
    SECTIONS,
    Edit,
    EditKind,
    Provenance,
    ReportSigned,
    ReportState,
    Section,
    Sentence,
    coalesce_edits,
    report_text,
)

ConfidenceSpan = tuple[int, int, float]  # start, end in the section's text, token confidence


class StatementGone(Exception):
    """The statement is no longer in the report: the text was changed since it was listed."""


class DraftReport:
    """One report under edit. Every change can be undone and is told to the observers.

    Observers are called with one Edit after the state has changed, on the caller's thread.
    Once frozen (signed), every method that would change the report raises ReportSigned.
    """

    def __init__(self, state: ReportState | None = None, *, signed: bool = False) -> None:
        raise NotImplementedError

    @property
    def state(self) -> ReportState:
        raise NotImplementedError

    @property
    def is_signed(self) -> bool:
        raise NotImplementedError

    def freeze(self) -> None:
        """Make the report read-only, as it is after signing."""

    def on_edit(self, observer: Callable[[Edit], None]) -> Callable[[], None]:
        """Call ``observer`` after every edit, until the function returned here is called."""
        raise NotImplementedError

    def set_from_draft(
        self,
        findings: str,
        impression: str,
        findings_confidences: Sequence[ConfidenceSpan] = (),
        impression_confidences: Sequence[ConfidenceSpan] = (),
    ) -> None:
        """Replace the report by a finished AI draft; everything is "ai" afterwards."""

    def edit_sentence(self, section: Section, sentence_id: int, text: str) -> None:
        """Replace one sentence's text. A blank text deletes it; several sentences are split."""

    def add_sentence(self, section: Section, text: str, index: int | None = None) -> int:
        """Insert a human sentence before ``index`` (None: at the end); returns its id."""
        raise NotImplementedError

    def delete_sentence(self, section: Section, sentence_id: int) -> None: ...

    def flip_statement(
        self, section: Section, sentence_id: int, statement: Statement, status: Status | None = None
    ) -> None:
        """Set a statement of ``statements(section)`` to ``status``; None: present <-> absent.

        Uncertain flips to absent. Only that sentence changes: an impression that now disagrees
        stays as it is. Raises CannotRewrite where another statement would change, StatementGone
        where the text has moved on.
        """

    def set_section_text(self, section: Section, text: str, *, merge: bool = False) -> None:
        """Take over typed text: unchanged sentences keep id and provenance.

        merge: True joins this change to the undo step before it if that was typing in the same
        section too, so that undo goes back by bursts of typing and not by letters.
        """

    @property
    def can_undo(self) -> bool:
        raise NotImplementedError

    @property
    def can_redo(self) -> bool:
        raise NotImplementedError

    def undo(self) -> None:
        """Go back one step, provenance included. Does nothing at the beginning."""

    def redo(self) -> None:
        """Repeat the step undone last. Does nothing at the end."""

    def statements(self, section: Section) -> tuple[tuple[Sentence, Statement], ...]:
        """Every statement with its sentence, in text order; offsets are into the section's text."""
        raise NotImplementedError


def locate_confidences(
    raw_text: str,
    section_text: str,
    token_texts: Sequence[str],
    confidences: Sequence[float],
    *,
    last: bool = False,
) -> tuple[ConfidenceSpan, ...]:
    """Token confidences as spans of one section, for ``set_from_draft``.

    token_texts joined are raw_text (BlockCommitted.token_texts over all blocks). last: True looks
    for the section from the end of the raw text (the impression). Empty where it isn't found.
    """
    raise NotImplementedError


__all__ = [
    "SECTIONS",
    "ConfidenceSpan",
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
    "locate_confidences",
    "report_text",
]
