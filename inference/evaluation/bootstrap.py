"""Intervals by resampling studies with replacement (Efron's percentile bootstrap), paired.

Every figure is a function of sums over studies, so that a resample is a weight per study and all
figures, of all decodings, are taken on the same resamples: differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

RESAMPLES = 1000
SEED = 20261121
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Figure:
    """One figure of a run, by study.

    per_study: [studies, columns]; combine: sums over studies [..., columns] to values [...],
    NaN where the figure is undefined.
    unit: "share" is shown in per cent, "score" and "count" as they are.
    """

    name: str
    label: str
    per_study: np.ndarray
    combine: Callable[[np.ndarray], np.ndarray]
    unit: Literal["share", "score", "count"] = "share"
    better: Literal["higher", "lower", ""] = ""

    @property
    def value(self) -> float:
        return float(self.combine(self.per_study.sum(axis=0)))

    def resample(self, weights: np.ndarray) -> np.ndarray:
        """The figure on each resample: weights [resamples, studies] to [resamples]."""
        return self.combine(weights @ self.per_study)


def resample_weights(studies: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """[resamples, studies]: how often each study was drawn. The same for the same arguments."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(studies, np.full(studies, 1 / studies), size=resamples).astype(float)


def exact_interval(figure: Figure) -> Interval | None:
    """Clopper and Pearson's 95 % interval of a share that no study shows, or every one.

    No resample differs there: the bootstrap would give a point, however few the studies. None for
    any other figure.
    """
    if figure.unit != "share" or not np.isin(figure.per_study, (0.0, 1.0)).all():
        return None
    shown, studies = figure.per_study.sum(axis=0)[:2]
    if studies == 0 or 0 < shown < studies:
        return None
    reach = 1.0 - 0.025 ** (1.0 / studies)
    return (0.0, float(reach)) if shown == 0 else (1.0 - float(reach), 1.0)


def interval(values: np.ndarray) -> Interval | None:
    """The middle 95 % of a figure's resamples; None if it is defined on none of them."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
