"""CIDEr-D (Vedantam, Zitnick, Parikh, CVPR 2015, arXiv 1411.5726, section 5), one reference each.

For n = 1..4, with g the vector over n-grams w of count(w) · idf(w), c the draft, s its reference:

    idf(w)   = ln(N / max(1, number of references that hold w))
    d_n      = exp(-(|c| - |s|)² / 2σ²) · Σ_w min(g_c(w), g_s(w)) · g_s(w) / (‖g_c‖ · ‖g_s‖)
    CIDEr-D  = 10 · mean of d_1..d_4,  σ = 6, lengths in tokens

Counts are raw, not divided by the length, as in the authors' published scorer. The IDF corpus is
the N references of the run itself, so that figures of runs on other studies do not compare; what
every reference says has weight 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

_ORDERS = (1, 2, 3, 4)
_SIGMA = 6.0
_Gram = tuple[str, ...]


class CiderD:
    """Scores drafts by the document frequencies of the given references (lists of tokens)."""

    def __init__(self, references: Sequence[Sequence[str]]) -> None:
        self._documents = len(references)
        self._frequency = Counter(
            gram for tokens in references for n in _ORDERS for gram in set(_grams(tokens, n))
        )

    @property
    def is_defined(self) -> bool:
        """A single reference gives every word the weight 0."""
        return self._documents > 1

    def score(self, draft: Sequence[str], reference: Sequence[str]) -> float:
        """0 (nothing in common, or nothing said) to 10."""
        penalty = math.exp(-((len(draft) - len(reference)) ** 2) / (2 * _SIGMA**2))
        likeness = [
            _likeness(self._weigh(draft, n), self._weigh(reference, n)) for n in _ORDERS
        ]  # fmt: skip
        return 10.0 * penalty * sum(likeness) / len(_ORDERS)

    def _weigh(self, tokens: Sequence[str], n: int) -> dict[_Gram, float]:
        return {
            gram: count * math.log(self._documents / max(1, self._frequency[gram]))
            for gram, count in Counter(_grams(tokens, n)).items()
        }


def _grams(tokens: Sequence[str], n: int) -> list[_Gram]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def _likeness(draft: dict[_Gram, float], reference: dict[_Gram, float]) -> float:
    norm = math.hypot(*draft.values()) * math.hypot(*reference.values())
    if norm == 0.0:
        return 0.0
    shared = sum(
        min(weight, reference[gram]) * reference[gram]
        for gram, weight in draft.items()
        if gram in reference
    )
    return shared / norm
