"""Fits a calibration on the results of a run of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from inference.evaluation.calibration import Calibration, fit_confidence_map
from inference.evaluation.summary import Result
from inference.report_language import Status


def fit_calibration(model_sha256: str, results: Sequence[Result]) -> Calibration:
    """A map for each decoding, language and status that has statements enough."""
    maps = {}
    for result in results:
        confidences = [c for study in result.studies for c in study.confidences]
        for status in get_args(Status):
            fitted = fit_confidence_map([c for c in confidences if c.status == status])
            if fitted is not None:
                maps[f"{result.name}/{status}"] = fitted
    studies = {study.outcome.study: None for result in results for study in result.studies}
    return Calibration(model_sha256, tuple(studies), maps)
