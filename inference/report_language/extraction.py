"""Reads statements out of report prose: our own small ConText-style rule engine.

Sentence -> tokens -> phrases (longest first) -> clauses -> mentions -> status, then side, zone
and severity. Status in the order pseudo-negation, uncertainty, negation, post-negation,
positive (`report-language.md`); the trigger nearest to the mention decides. Every statement
names its rule as "kind:words", e.g. "negation:no evidence of".
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from inference.report_language.clauses import Clause, split_clauses
from inference.report_language.lexicon import phrase_table
from inference.report_language.mentions import Mention, find_mentions, read_modifiers
from inference.report_language.sentences import ENUMERATOR, split_sentences
from inference.report_language.statements import Statement, Status
from inference.report_language.tokens import Phrase, Token, tokenize
from inference.report_language.vocabulary import CONCEPT_BY_NAME

_BACKWARD = ("pseudo", "uncertainty", "negation", "hypothetical")
_BESIDE = 3  # tokens a word such as "resolved" may stand from the term
_PUNCTUATION = frozenset(",;:/?")
_STOPPERS = ("scope_end",)


def extract_statements(text: str, language: str = "en") -> tuple[Statement, ...]:
    """Every statement of text in reading order, offsets exact into text.

    start:end is the clause, trigger_start:trigger_end the words that name the concept; a
    clause may carry several statements. A concept that is not named, or whose normal state is
    not described, gives no statement. Raises ValueError for a language without rules.
    """
    if language != "en":
        raise ValueError(f"no extraction rules for language {language!r}")
    statements: list[Statement] = []
    for start, end in split_sentences(text):
        for said in _extract_sentence(text[start:end]):
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
def _extract_sentence(sentence: str) -> tuple[Statement, ...]:
    """Statements of one sentence, offsets into the sentence. Pure, so it may be cached."""
    tokens = tokenize(sentence)
    number = ENUMERATOR.match(sentence)
    if number is not None:
        tokens = tuple(token for token in tokens if token.start >= number.end())
    phrases = phrase_table().find_phrases(tokens)
    found: list[Statement] = []
    for clause in split_clauses(tokens, phrases):
        found.extend(_extract_clause(tokens, clause))
    return tuple(found)


def _extract_clause(tokens: tuple[Token, ...], clause: Clause) -> list[Statement]:
    mentions = find_mentions(tokens, clause)
    words = [t for t in tokens[clause.first : clause.last] if t.word not in _PUNCTUATION]
    if not mentions or not words:
        return []
    start, end = words[0].start, words[-1].end
    ranks: dict[tuple[str, Status, str | None], int] = {}
    found: dict[tuple[str, Status, str | None], Statement] = {}
    for mention in mentions:
        decided = _decide_status(tokens, clause, mention)
        if decided is None:
            continue
        status, rule = decided
        side, zone, severity = read_modifiers(tokens, clause, mention, mentions)
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
        if key not in found or _rank_term(tokens, mention) < ranks[key]:
            found[key], ranks[key] = statement, _rank_term(tokens, mention)
    return sorted(found.values(), key=lambda s: s.trigger_start)


def _rank_term(tokens: tuple[Token, ...], mention: Mention) -> int:
    """How far down its concept's terms a mention's words stand: the first term names it best."""
    if not mention.is_term:
        return 200
    words = " ".join(token.word for token in tokens[mention.first : mention.last])
    terms = CONCEPT_BY_NAME[mention.concept].terms
    return terms.index(words) if words in terms else 100


def _decide_status(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention
) -> tuple[Status, str] | None:
    """Status and rule of one mention; None where the clause states nothing about it."""
    before = _nearest_trigger_before(tokens, clause, mention)
    after = _nearest_trigger_after(tokens, clause, mention, denied=before is not None)
    kind = before.kind if before is not None else ""
    words = _words(tokens, before) if before is not None else ""
    if kind == "hypothetical":
        return None
    if kind == "pseudo":
        return _affirm(mention, f"pseudo-negation:{words}")
    if kind == "uncertainty" and before is not None:
        return _doubt(mention, f"uncertainty:{words}")
    if after is not None and after.kind == "post_uncertainty":
        return _doubt(mention, f"uncertainty:{_words(tokens, after)}")
    if kind == "negation":
        return _deny(mention, f"negation:{words}")
    if after is not None and after.kind == "post_negation":
        return _deny(mention, f"post-negation:{_words(tokens, after)}")
    return _affirm(mention, "positive" if mention.status != "absent" else "")


def _affirm(mention: Mention, rule: str) -> tuple[Status, str] | None:
    if mention.only_denied:
        return None
    if mention.status == "absent":
        return "absent", f"normality:{mention.words}"
    if mention.status == "uncertain":
        return "uncertain", f"uncertainty:{mention.words}"
    return "present", rule


def _deny(mention: Mention, rule: str) -> tuple[Status, str] | None:
    """A denied finding is absent; a denied normal state ("is not normal") says too little."""
    return ("absent", rule) if mention.status == "present" else None


def _doubt(mention: Mention, rule: str) -> tuple[Status, str] | None:
    return ("uncertain", rule) if not mention.only_denied else None


def _words(tokens: tuple[Token, ...], phrase: Phrase) -> str:
    return " ".join(token.word for token in tokens[phrase.first : phrase.last])


def _nearest_trigger_before(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention
) -> Phrase | None:
    """The last trigger before the mention's anchor whose reach is not ended in between."""
    suggestion: Phrase | None = None
    phrases = [p for p in clause.phrases if p.last <= mention.anchor]
    for index in range(len(phrases) - 1, -1, -1):
        phrase = phrases[index]
        if phrase.kind in _STOPPERS or (
            phrase.kind in ("affirmation", "post_negation", "post_uncertainty")
            and phrase.last <= mention.first
            and _is_followed_by_comma(tokens, phrase, mention)
        ):
            break
        if phrase.kind == "suggestion" and suggestion is None:
            suggestion = phrase
        if phrase.kind == "negation" and index > 0:
            # "possibly no effusion": doubt comes before denial.
            doubt = phrases[index - 1]
            if doubt.kind == "uncertainty" and doubt.last == phrase.first:
                return doubt
        if phrase.kind in _BACKWARD:
            return phrase
        if phrase.kind == "either_side" and mention.anchor - phrase.last < _BESIDE:
            return phrase._replace(kind="negation")
    return suggestion._replace(kind="uncertainty") if suggestion is not None else None


def _is_followed_by_comma(tokens: tuple[Token, ...], phrase: Phrase, mention: Mention) -> bool:
    return any(token.word == "," for token in tokens[phrase.last : mention.first])


def _nearest_trigger_after(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, *, denied: bool
) -> Phrase | None:
    """The first trigger after the mention; one already under a "no" is reached only without comma.

    "No effusion, pneumothorax cannot be excluded" doubts the pneumothorax only.
    """
    for phrase in clause.phrases:
        if phrase.first < mention.last:
            continue
        if phrase.kind in _STOPPERS or phrase.kind in ("affirmation", "uncertainty", "suggestion"):
            return None
        if phrase.kind in ("negation", "pseudo"):
            return None
        if phrase.kind == "either_side" and phrase.first - mention.last < _BESIDE:
            return phrase._replace(kind="post_negation")
        if phrase.kind in ("post_negation", "post_uncertainty"):
            between = {token.word for token in tokens[mention.last : phrase.first]}
            return None if denied and "," in between else phrase
    return None
