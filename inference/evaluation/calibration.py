"""Calibration of statement confidence: measured by ECE, mended by a map fitted on its own split.

ECE (Naeini et al., AAAI 2015; Guo et al., ICML 2017): 15 bins of equal width, the mean over
statements of |share right - mean confidence| of their bin.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from inference.evaluation.statement_confidence import Aggregate, StatementConfidence

BINS = 15
_NEVER_SURER = 1e-4  # keeps one wrong statement of a sure map from an infinite log loss
_FEWEST = 20  # statements to fit a map on
_FORMAT = 1


class UnusableCalibration(Exception):
    """A calibration that can't be read, or belongs to other weights; the message says why."""


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


@dataclass(frozen=True)
class ConfidenceMap:
    """From a statement's token confidences to the share of such statements that is right.

    temperature: sigmoid(logit(p) / temperature), or None where points are used:
    (confidence, share) pairs, both rising, linear between them and level outside.
    log_losses: of each candidate "aggregate/method", cross-validated in two halves.
    """

    aggregate: Aggregate
    temperature: float | None
    points: tuple[tuple[float, float], ...]
    statements: int
    log_losses: Mapping[str, float]

    def apply(self, confidences: np.ndarray) -> np.ndarray:
        """Calibrated confidences, same shape, of confidences so aggregated."""
        if self.temperature is not None:
            return _scale(confidences, self.temperature)
        return _interpolate(confidences, self.points)


def fit_confidence_map(statements: Sequence[StatementConfidence]) -> ConfidenceMap | None:
    """The best of mean or minimum, by temperature or isotonic; None for too few statements.

    Best is the lowest log loss where each half is judged by a map fitted on the other.
    """
    if len(statements) < _FEWEST:
        return None
    rights = np.array([s.is_right for s in statements], dtype=float)
    losses: dict[tuple[Aggregate, Method], float] = {}
    values = {
        aggregate: np.array([s.value(aggregate) for s in statements])
        for aggregate in get_args(Aggregate)
    }
    is_first = np.arange(len(statements)) < len(statements) // 2
    for aggregate in values:
        for method in get_args(Method):
            loss = 0.0
            for fitted in (is_first, ~is_first):
                curve = _fit(values[aggregate][fitted], rights[fitted], method)
                judged = _apply(values[aggregate][~fitted], *curve)
                loss += float(_log_losses(judged, rights[~fitted]).sum())
            losses[aggregate, method] = loss / len(statements)
    aggregate, method = min(losses, key=lambda key: losses[key])
    temperature, points = _fit(values[aggregate], rights, method)
    named = {f"{a}/{m}": round(loss, 5) for (a, m), loss in losses.items()}
    return ConfidenceMap(aggregate, temperature, points, len(statements), named)


Method = Literal["temperature", "isotonic"]
_Points = tuple[tuple[float, float], ...]


def _fit(values: np.ndarray, rights: np.ndarray, method: Method) -> tuple[float | None, _Points]:
    if method == "temperature":
        return fit_temperature(values, rights), ()
    return None, fit_isotonic(values, rights)


def _apply(values: np.ndarray, temperature: float | None, points: _Points) -> np.ndarray:
    return _interpolate(values, points) if temperature is None else _scale(values, temperature)


def fit_temperature(values: np.ndarray, rights: np.ndarray) -> float:
    """The temperature in 0.05..20 of least log loss (golden section over its logarithm)."""
    low, high = math.log(0.05), math.log(20.0)
    golden = (math.sqrt(5) - 1) / 2

    def loss(log_temperature: float) -> float:
        return float(_log_losses(_scale(values, math.exp(log_temperature)), rights).mean())

    for _ in range(60):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def fit_isotonic(values: np.ndarray, rights: np.ndarray) -> _Points:
    """Least squares among rising functions, by pooling adjacent violators (Ayer et al. 1955).

    One point a pool, at the mean confidence of its statements.
    """
    pools: list[list[float]] = []  # statements, sum of confidences, sum right
    for value in np.unique(values):  # equal confidences can't be told apart
        same = values == value
        pools.append([float(same.sum()), float(values[same].sum()), float(rights[same].sum())])
        while len(pools) > 1 and pools[-2][2] * pools[-1][0] >= pools[-1][2] * pools[-2][0]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return tuple((confidence / n, right / n) for n, confidence, right in pools)


def _scale(values: np.ndarray, temperature: float) -> np.ndarray:
    clipped = np.clip(values, _NEVER_SURER, 1 - _NEVER_SURER)
    logits = np.log(clipped) - np.log1p(-clipped)
    return 1.0 / (1.0 + np.exp(-np.clip(logits / temperature, -500, 500)))


def _interpolate(values: np.ndarray, points: _Points) -> np.ndarray:
    return np.interp(values, [x for x, _ in points], [y for _, y in points])


def _log_losses(probabilities: np.ndarray, rights: np.ndarray) -> np.ndarray:
    clipped = np.clip(probabilities, _NEVER_SURER, 1 - _NEVER_SURER)
    return -(rights * np.log(clipped) + (1 - rights) * np.log1p(-clipped))


@dataclass(frozen=True)
class Calibration:
    """The maps of one model: "decoding/language/status" to map, and the studies they saw."""

    model_sha256: str
    studies: tuple[str, ...]
    maps: Mapping[str, ConfidenceMap]

    def calibrate(
        self, decoding: str, language: str, statements: Sequence[StatementConfidence]
    ) -> list[float]:
        """Calibrated confidences; a statement without a map keeps its mean confidence."""
        calibrated = []
        for statement in statements:
            found = self.maps.get(f"{decoding}/{language}/{statement.status}")
            if found is None:
                calibrated.append(statement.mean)
            else:
                value = np.array(statement.value(found.aggregate))
                calibrated.append(float(found.apply(value)))
        return calibrated

    def check(self, model_sha256: str, studies: Collection[str]) -> None:
        """UnusableCalibration for other weights, or where a study would judge its own map."""
        if model_sha256 != self.model_sha256:
            raise UnusableCalibration(
                f"fitted for the model {self.model_sha256[:12]}, not {model_sha256[:12]}"
            )
        if seen := set(self.studies) & set(studies):
            raise UnusableCalibration(f"fitted on studies of this run, {min(seen)} among them")


def write_calibration(path: Path, calibration: Calibration) -> None:
    """As JSON; raises OSError."""
    values = {"calibration_format": _FORMAT, **asdict(calibration)}
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> Calibration:
    """Raises UnusableCalibration, naming the file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["calibration_format"] != _FORMAT:
            raise UnusableCalibration(f"{path}: written by another version")
        maps = {
            name: ConfidenceMap(**{**entry, "points": tuple(map(tuple, entry["points"]))})
            for name, entry in values["maps"].items()
        }
        return Calibration(values["model_sha256"], tuple(values["studies"]), maps)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnusableCalibration(f"{path}: not a calibration ({error!r})") from error
