"""What the rule engine needs to know of a language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from inference.report_language.clauses import Clause, split_clauses
from inference.report_language.clauses_zh import split_clauses_zh
from inference.report_language.lexicon import phrase_table
from inference.report_language.lexicon_zh import phrase_table_zh
from inference.report_language.mentions import Mention
from inference.report_language.modifiers import read_modifiers
from inference.report_language.modifiers_zh import read_modifiers_zh
from inference.report_language.paired_sides import Modifiers
from inference.report_language.tokens import Phrase, PhraseTable, Token
from inference.report_language.vocabulary import CONCEPTS

ClauseSplitter = Callable[[tuple[Token, ...], list[Phrase]], list[Clause]]
ModifierReader = Callable[[tuple[Token, ...], Clause, Mention, list[Mention]], list[Modifiers]]


@dataclass(frozen=True)
class Grammar:
    """One language: its phrases, its clauses, and where modifiers stand.

    terms: concept -> its terms, best name first.
    has_free_triggers: a trigger with nothing left to say behind it speaks of what precedes it.
    """

    phrases: PhraseTable
    split_clauses: ClauseSplitter
    read_modifiers: ModifierReader
    terms: dict[str, tuple[str, ...]]
    has_free_triggers: bool


@cache
def grammar_of(language: str) -> Grammar:
    """The grammar of a language, built once. Raises ValueError for one without rules."""
    if language == "en":
        terms = {concept.name: concept.terms for concept in CONCEPTS}
        return Grammar(phrase_table(), split_clauses, read_modifiers, terms, False)
    if language == "zh":
        terms = {concept.name: concept.terms_zh for concept in CONCEPTS}
        return Grammar(phrase_table_zh(), split_clauses_zh, read_modifiers_zh, terms, True)
    raise ValueError(f"no extraction rules for language {language!r}")
