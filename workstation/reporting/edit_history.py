"""Undo and redo of a report, by whole states."""

from __future__ import annotations

from dataclasses import dataclass

from workstation.reporting.report_state import ReportState, Section


@dataclass(frozen=True)
class _Step:
    """typed_section: where the step was typing, which may go on."""

    before: ReportState
    after: ReportState
    typed_section: Section | None = None


class EditHistory:
    """The steps done, and those undone since the last one that was done."""

    def __init__(self) -> None:
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def add_step(self, before: ReportState, after: ReportState) -> None:
        """A change that was made; what had been undone can't be repeated any more."""
        self._add(_Step(before, after))

    def add_typing(
        self, before: ReportState, after: ReportState, section: Section, *, goes_on: bool
    ) -> None:
        """Typing in one section. goes_on: one step with the typing just before, if that was in
        the same section too."""
        last = self._done[-1] if self._done else None
        if goes_on and last and last.typed_section == section and not self._undone:
            before = self._done.pop().before
        self._add(_Step(before, after, section))

    def undo(self) -> ReportState | None:
        """The state before the last step; None at the beginning."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1].before

    def redo(self) -> ReportState | None:
        """The state after the step undone last; None at the end."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1].after

    def _add(self, step: _Step) -> None:
        self._done.append(step)
        self._undone.clear()
