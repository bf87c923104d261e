"""Changes the status of one statement in a text and nothing else."""

from __future__ import annotations

from inference.report_language.statements import Statement, Status


class CannotRewrite(Exception):
    """The text is left to the user; reason says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def rewrite_statement(text: str, statement: Statement, status: Status) -> str:
    """text with only the clause of statement (as extracted from text) saying the new status."""
    raise NotImplementedError
