"""Flipping a finding to its negative and back, without losing what was said of it."""

from __future__ import annotations

from inference.report_language import Language, Statement, Status, rewrite_statement
from workstation.reporting.report_state import Sentence
from workstation.reporting.sentences.sentence_statements import statements_of


class StatementFlips:
    """Words flipped sentences, and remembers what each said before its last flip.

    A negative has no side, zone or degree: only so does a sentence flipped back say them again.
    """

    def __init__(self) -> None:
        self._last: dict[int, tuple[str, str]] = {}  # sentence id -> its text after, before

    def flip(
        self, sentence: Sentence, statement: Statement, wanted: Status, language: Language
    ) -> str:
        """The sentence's new text. statement: offsets into the sentence. Raises CannotRewrite where
        another statement would change."""
        flipped = self._text_before(sentence, statement, wanted, language)
        if flipped is None:
            flipped = rewrite_statement(sentence.text, statement, wanted, language)
        self._last[sentence.id] = (flipped, sentence.text)
        return flipped

    def _text_before(
        self, sentence: Sentence, statement: Statement, wanted: Status, language: Language
    ) -> str | None:
        """What the sentence said before it was flipped last, where that is what is wanted again."""
        after, before = self._last.get(sentence.id, ("", ""))
        if after != sentence.text:
            return None
        same = [
            each
            for each in statements_of(before, language)
            if (each.concept, each.status) == (statement.concept, wanted)
        ]
        return before if len(same) == 1 else None
