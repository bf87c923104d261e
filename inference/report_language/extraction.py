"""Reads statements out of report prose, English or Chinese: a small ConText-style rule engine.

Sentence -> tokens -> phrases (longest first) -> clauses -> mentions -> status (``status``), then
side, zone and severity. Every statement names its rule as "kind:words", e.g. "negation:no
evidence of", "negation:未见明显". What differs between the languages stands in ``grammar``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from inference.report_language.clauses import Clause
from inference.report_language.grammar import Grammar, grammar_of
from inference.report_language.mentions import Mention, find_mentions
from inference.report_language.sentences import ENUMERATOR, split_sentences
from inference.report_language.statements import Language, Statement, Status
from inference.report_language.status import decide_status
from inference.report_language.tokens import Token, join_words, tokenize

_PUNCTUATION = frozenset(",;:/?()，、；：（）？")


def extract_statements(text: str, language: Language = "en") -> tuple[Statement, ...]:
    """Every statement of text in reading order, offsets exact into text.

    start:end is the clause, trigger_start:trigger_end the words that name the concept; a
    clause may carry several statements. A concept that is not named, or whose normal state is
    not described, gives no statement. Raises ValueError for a language without rules.
    """
    grammar_of(language)
    statements: list[Statement] = []
    for start, end in split_sentences(text):
        for said in _extract_sentence(text[start:end], language):
            statements.append(
                replace(
                    said,
                    start=said.start + start,
                    end=said.end + start,
                    trigger_start=said.trigger_start + start,
                    trigger_end=said.trigger_end + start,
                )
            )
    return tuple(statements)


def forget_sentences() -> None:
    """Empty the cache of sentences already read, so that a measurement starts cold."""
    _extract_sentence.cache_clear()


@lru_cache(maxsize=4096)
def _extract_sentence(sentence: str, language: Language) -> tuple[Statement, ...]:
    """Statements of one sentence, offsets into the sentence. Pure, so it may be cached."""
    grammar = grammar_of(language)
    tokens = tokenize(sentence)
    number = ENUMERATOR.match(sentence)
    if number is not None:
        tokens = tuple(token for token in tokens if token.start >= number.end())
    phrases = grammar.phrases.find_phrases(tokens)
    found: list[Statement] = []
    for clause in grammar.split_clauses(tokens, phrases):
        found.extend(_extract_clause(grammar, tokens, clause))
    return tuple(found)


def _extract_clause(grammar: Grammar, tokens: tuple[Token, ...], clause: Clause) -> list[Statement]:
    mentions = find_mentions(tokens, clause)
    words = [t for t in tokens[clause.first : clause.last] if t.word not in _PUNCTUATION]
    if not mentions or not words:
        return []
    start, end = words[0].start, words[-1].end
    ranks: dict[tuple[str, Status, str | None], int] = {}
    found: dict[tuple[str, Status, str | None], Statement] = {}
    for mention in mentions:
        decided = decide_status(tokens, clause, mention, free=grammar.has_free_triggers)
        if decided is None:
            continue
        status, rule = decided
        rank = _rank_term(grammar, tokens, mention)
        for side, zone, severity in grammar.read_modifiers(tokens, clause, mention, mentions):
            if status == "absent" and side == "bilateral":
                side = None  # denied on both sides is denied everywhere
            statement = Statement(
                mention.concept,
                status,
                side,
                zone,
                severity,
                start=start,
                end=end,
                trigger_start=tokens[mention.first].start,
                trigger_end=tokens[mention.last - 1].end,
                rule=rule,
            )
            # "Blunted angle consistent with effusion" is one statement; its best name stays.
            key = (statement.concept, statement.status, statement.side)
            if key not in found or rank < ranks[key]:
                found[key], ranks[key] = statement, rank
    return sorted(found.values(), key=lambda s: s.trigger_start)


def _rank_term(grammar: Grammar, tokens: tuple[Token, ...], mention: Mention) -> int:
    """How far down its concept's terms a mention's words stand: the first term names it best."""
    if not mention.is_term:
        return 200
    words = join_words(tokens[mention.first : mention.last])
    terms = grammar.terms[mention.concept]
    return terms.index(words) if words in terms else 100
