"""The wording of one draft: sentences outside the grammar, repetition, likeness to the reference.

ROUGE-L is rouge-score's, BLEU sacreBLEU's (both of the extra "evaluation"); for Chinese every
character is a token. Whole reports are compared, findings and impression, without the headings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from inference.evaluation.outcomes import StudyOutcome
from inference.report_language import is_canonical, split_sentences
from inference.report_language.statements import Language

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU

NEEDS_LIBRARIES = "unavailable: pip install echo-workstation[evaluation]"
_WORDS = {
    "en": re.compile(r"[a-z0-9]+"),
    # One Han character (with its extension A and the compatibility block), or a Latin word.
    "zh": re.compile(r"[㐀-鿿豈-﫿]|[a-z0-9]+"),
}
_LOOP_TOKENS, _LOOP_TIMES = 4, 3


def tokenise(text: str, language: Language) -> list[str]:
    """Lower-case words, or Chinese characters, without punctuation."""
    return _WORDS[language].findall(text.lower())


def join_sections(findings: str, impression: str, language: Language) -> str:
    """A report's text without its headings."""
    return ("" if language == "zh" else " ").join(part for part in (findings, impression) if part)


def has_loop(tokens: Sequence[str]) -> bool:
    """Whether at least 4 tokens in a row come 3 times in succession."""
    for size in range(_LOOP_TOKENS, len(tokens) // _LOOP_TIMES + 1):
        matches = 0  # tokens in a row that equal the one `size` before them
        for position in range(size, len(tokens)):
            matches = matches + 1 if tokens[position] == tokens[position - size] else 0
            if matches == size * (_LOOP_TIMES - 1):
                return True
    return False


def count_four_grams(tokens: Sequence[str]) -> tuple[int, int]:
    """(four-grams, those of them that came before)."""
    grams = Counter(tuple(tokens[n : n + 4]) for n in range(len(tokens) - 3))
    return grams.total(), grams.total() - len(grams)


@dataclass(frozen=True)
class BleuCounts:
    """What corpus BLEU is made of: n-gram matches and totals for n = 1..4, and the lengths."""

    matches: tuple[int, ...]
    totals: tuple[int, ...]
    length: int
    reference_length: int


class WordingScores:
    """One outcome's wording. A refusal is no report: it has no sentences."""

    def __init__(self, outcome: StudyOutcome) -> None:
        self._language = outcome.language
        self.text = join_sections(*outcome.sections, outcome.language)
        self.reference = join_sections(
            outcome.reference_findings, outcome.reference_impression, outcome.language
        )
        self.tokens = tokenise(self.text, outcome.language)
        self.reference_tokens = tokenise(self.reference, outcome.language)
        sections = () if outcome.refusal else outcome.sections
        self.sentences = [
            section[start:end] for section in sections for start, end in split_sentences(section)
        ]
        counts = [count_four_grams(tokenise(section, outcome.language)) for section in sections]
        self.four_grams = sum(count for count, _ in counts)
        self.repeated_four_grams = sum(repeated for _, repeated in counts)

    @cached_property
    def broken(self) -> list[str]:
        """Sentences the template can't produce."""
        return [s for s in self.sentences if not is_canonical(s, self._language)]

    @cached_property
    def has_loop(self) -> bool:
        return has_loop(self.tokens)

    @cached_property
    def rouge_l(self) -> float:
        """F-measure, 0..1. Raises ImportError without rouge-score."""
        score = _rouge_scorer(self._language).score(self.reference, self.text)
        return float(score["rougeL"].fmeasure)

    @cached_property
    def bleu_counts(self) -> BleuCounts:
        """Raises ImportError without sacreBLEU."""
        score = bleu_metric(self._language).sentence_score(self.text, [self.reference])
        return BleuCounts(tuple(score.counts), tuple(score.totals), score.sys_len, score.ref_len)


class _Tokenizer:
    """tokenise, in the shape rouge-score asks for."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def tokenize(self, text: str) -> list[str]:
        return tokenise(text, self._language)


@cache
def _rouge_scorer(language: Language) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=_Tokenizer(language))


@cache
def bleu_metric(language: Language) -> BLEU:
    """sacreBLEU with its own tokenizer for the language: 13a, or zh."""
    from sacrebleu.metrics import BLEU

    # effective_order concerns single sentences' scores, which we don't use: only their counts.
    return BLEU(tokenize="zh" if language == "zh" else "13a", effective_order=True)


def corpus_bleu(counts: Sequence[float]) -> float:
    """BLEU, 0..100, of summed counts: four matches, four totals, length, reference length.

    Smoothed "exp", as sacreBLEU's default is.
    """
    from sacrebleu.metrics import BLEU

    whole = [round(count) for count in counts]
    score = BLEU.compute_bleu(whole[:4], whole[4:8], whole[8], whole[9], smooth_method="exp")
    return float(score.score)
