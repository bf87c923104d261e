"""Calibration of statement confidence: measured by ECE, mended by a curve fitted on its own split.

ECE (Naeini et al., AAAI 2015; Guo et al., ICML 2017): 15 bins of equal width, the mean over
statements of |share right - mean confidence| of their bin.

The curve is what the engine reads beside the weights (manifest.read_calibration) and the app shows
(api.calibrate_confidence): one for the model, over the mean token confidence of a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.api import Calibration, calibrate_confidence

BINS = 15
_FEWEST = 20  # statements to fit a curve on


class UnusableCalibration(Exception):
    """A calibration that can't be fitted, read or used here; the message says why."""


def bin_confidences(confidences: Sequence[float], rights: Sequence[bool]) -> np.ndarray:
    """[15, 3]: number of statements, sum of their confidences, number of right ones."""
    table = np.zeros((BINS, 3))
    for confidence, right in zip(confidences, rights, strict=True):
        table[min(int(confidence * BINS), BINS - 1)] += (1.0, confidence, float(right))
    return table


def expected_calibration_error(tables: np.ndarray) -> np.ndarray:
    """ECE of tables [..., 15, 3] of bin_confidences, or sums of such; NaN without statements."""
    counts = tables[..., 0].sum(-1)
    gaps = np.abs(tables[..., 1] - tables[..., 2]).sum(-1)
    return np.divide(gaps, counts, out=np.full(np.shape(counts), np.nan), where=counts > 0)


def fit_isotonic(values: np.ndarray, rights: np.ndarray) -> Calibration:
    """Least squares among rising functions, by pooling adjacent violators (Ayer et al. 1955).

    One (confidence, share right) a pool, at the mean confidence of its statements.
    """
    pools: list[list[float]] = []  # statements, sum of confidences, sum right
    for value in np.unique(values):  # equal confidences can't be told apart
        same = values == value
        pools.append([float(same.sum()), float(values[same].sum()), float(rights[same].sum())])
        while len(pools) > 1 and pools[-2][2] * pools[-1][0] >= pools[-1][2] * pools[-2][0]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return tuple((confidence / n, right / n) for n, confidence, right in pools)


@dataclass(frozen=True)
class FittedCalibration:
    """The curve, of which weights it is, and the studies it was fitted on.

    decodings: "decoding/language" of the drafts whose statements were pooled.
    """

    curve: Calibration
    model_sha256: str
    studies: tuple[str, ...]
    decodings: tuple[str, ...]
    statements: int

    def apply(self, confidence: float) -> float:
        """The calibrated confidence of a statement."""
        return calibrate_confidence(self.curve, confidence)

    def check(self, model_sha256: str, studies: Collection[str]) -> None:
        """UnusableCalibration for other weights, or where a study would judge its own curve."""
        if model_sha256 != self.model_sha256:
            raise UnusableCalibration(
                f"fitted for the model {self.model_sha256[:12]}, not {model_sha256[:12]}"
            )
        if seen := set(self.studies) & set(studies):
            raise UnusableCalibration(f"fitted on studies of this run, {min(seen)} among them")


def fit_calibration(
    model_sha256: str,
    studies: Sequence[str],
    decodings: Sequence[str],
    confidences: Sequence[float],
    rights: Sequence[bool],
) -> FittedCalibration:
    """The isotonic curve of these statements. UnusableCalibration where they are too few."""
    if len(confidences) < _FEWEST:
        raise UnusableCalibration(f"{len(confidences)} statements are too few to calibrate on")
    curve = fit_isotonic(np.array(confidences), np.array(rights, dtype=float))
    return FittedCalibration(
        curve, model_sha256, tuple(studies), tuple(decodings), len(confidences)
    )  # fmt: skip


def write_calibration(path: Path, fitted: FittedCalibration) -> None:
    """As the engine reads it, with where it comes from; raises OSError."""
    values = {
        "method": "isotonic",
        "x": [x for x, _ in fitted.curve],
        "y": [y for _, y in fitted.curve],
        "statements": fitted.statements,
        "decodings": fitted.decodings,
        "model_sha256": fitted.model_sha256,
        "studies": fitted.studies,
    }
    path.write_text(json.dumps(values) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> FittedCalibration:
    """What write_calibration wrote. Raises UnusableCalibration, naming the file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["method"] != "isotonic":
            raise UnusableCalibration(f"{path}: the method {values['method']!r} is unknown")
        return FittedCalibration(
            tuple((float(x), float(y)) for x, y in zip(values["x"], values["y"], strict=True)),
            str(values["model_sha256"]),
            tuple(values["studies"]),
            tuple(values["decodings"]),
            int(values["statements"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UnusableCalibration(f"{path}: not a calibration ({error!r})") from error
