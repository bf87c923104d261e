"""Which of the compared methods wins, and which of the others these studies can't tell from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from inference.evaluation.bootstrap import interval, resample_weights
from inference.evaluation.figures import statement_figures, wording_figures
from inference.evaluation.outcomes import OutcomeFile
from inference.evaluation.scored_study import score_study
from inference.report_language.statements import LANGUAGES

CLOSE = 0.01  # of F1
DECODINGS = ("one-step", "adaptive")
RULE = (
    "Rule: of the students whose F1 of finding and side (mean of one-step and adaptive) is within "
    f"{CLOSE} of the best, the one with the fewest sentences outside the grammar in one-step. "
    "Another is told apart from it where a paired 95 % interval of either (1,000 resamples of the "
    "studies) does not hold 0."
)


@dataclass(frozen=True, eq=False)
class MethodScore:
    """strength: F1 of finding and side; broken: sentences outside the grammar, a share.

    Means over languages (strength also over decodings); *_resampled [resamples]: the same on each
    resample of the studies, equal for all methods.
    """

    title: str
    strength: float
    broken: float
    strength_resampled: np.ndarray
    broken_resampled: np.ndarray


@cache
def score_method(folder: Path, name: str, title: str) -> MethodScore:
    """From NAME.DECODING.outcomes.jsonl of a comparison's folder."""
    strengths, broken = [], []
    for decoding in DECODINGS:
        _, outcomes = OutcomeFile(folder / f"{name}.{decoding}.outcomes.jsonl").read()
        for language in LANGUAGES:
            studies = [score_study(o) for o in outcomes if o.language == language]
            figures = {f.name: f for f in (*statement_figures(studies), *wording_figures(studies))}
            # each study once, then the resamples
            weights = np.vstack([np.ones(len(studies)), resample_weights(len(studies))])
            strengths.append(figures["micro_f1_with_side"].resample(weights))
            if decoding == "one-step":
                broken.append(figures["sentences_outside_grammar"].resample(weights))
    # nothing to find scores nothing; a student that says no sentence at all is as bad as can be
    strength = np.nan_to_num(np.array(strengths), nan=0.0).mean(0)
    share = np.nan_to_num(np.array(broken), nan=1.0).mean(0)
    return MethodScore(title, float(strength[0]), float(share[0]), strength[1:], share[1:])


def rank_methods(scores: Sequence[MethodScore]) -> list[MethodScore]:
    """The one that wins by the rule first."""
    least = max((score.strength for score in scores), default=0.0) - CLOSE
    return sorted(scores, key=lambda s: (s.strength < least, s.broken, -s.strength))


def is_told_apart(first: MethodScore, second: MethodScore) -> bool:
    differences = (
        first.strength_resampled - second.strength_resampled,
        first.broken_resampled - second.broken_resampled,
    )
    bounds = [interval(values) or (0.0, 0.0) for values in differences]
    return any(low > 0 or high < 0 for low, high in bounds)


def describe_choice(scores: Sequence[MethodScore], total: int, shipped: str) -> list[str]:
    """Lines for below the table: the rule, what wins and why, what ships (a title).

    Nothing before a student is scored.
    """
    if not scores:
        return []
    winner, *others = rank_methods(scores)
    alike = [_show(s) for s in others if not is_told_apart(winner, s)]
    behind = [_show(s) for s in others if is_told_apart(winner, s)]
    return [
        f"\n{RULE}\n",
        f"- **Wins: {_show(winner)}.** {len(scores)} of {total} methods are scored.",
        *([f"- Not told apart from it: {'; '.join(alike)}."] if alike else []),
        *([f"- Told apart, and behind by the rule: {'; '.join(behind)}."] if behind else []),
        f"- Ships: {shipped}, {_standing(shipped, winner, scores)}: the weights of [dcd] unless "
        "said, which the embedded model is trained with.",
    ]


def _standing(shipped: str, winner: MethodScore, scores: Sequence[MethodScore]) -> str:
    mine = next((score for score in scores if score.title == shipped), None)
    if mine is None:
        return "not scored yet"
    if mine is winner:
        return "which wins"
    apart = "told apart" if is_told_apart(winner, mine) else "not told apart"
    return f"{apart} from the winner"


def _show(score: MethodScore) -> str:
    return f"{score.title} (F1 {score.strength:.3f}, {score.broken:.3f} outside the grammar)"
