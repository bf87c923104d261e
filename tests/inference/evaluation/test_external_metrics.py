"""Metrics that need weights: unavailable with a reason, or the plug-in's own scores."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from inference.evaluation import external_metrics
from inference.evaluation.external_metrics import (
    EXTERNAL_METRICS,
    MetricUnavailable,
    find_external_metrics,
)
from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.summary import summarise


def _length_ratio(weights: Path, drafts: Sequence[str], references: Sequence[str]) -> list[float]:
    assert (weights / "model.bin").exists()
    return [len(d) / len(r) for d, r in zip(drafts, references, strict=True)]


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RaTEScore's weights, and a package that offers the entry point; returns the folder."""
    (tmp_path / "RaTEScore").mkdir()
    (tmp_path / "RaTEScore" / "model.bin").touch()
    point = importlib.metadata.EntryPoint(
        "RaTEScore", f"{__name__}:_length_ratio", external_metrics.ENTRY_POINT_GROUP
    )
    monkeypatch.setattr(importlib.metadata.EntryPoint, "load", lambda self: _length_ratio)
    monkeypatch.setattr(
        external_metrics, "entry_points", lambda group, name: [point] if name == point.name else []
    )
    return tmp_path


def test_without_weights_every_metric_says_where_it_looked(tmp_path: Path) -> None:
    (tmp_path / "CheXbert").mkdir()  # empty: no weights
    for metric in find_external_metrics(tmp_path):
        with pytest.raises(MetricUnavailable) as caught:
            metric.score(["a"], ["a"])
        where = tmp_path / metric.name
        assert str(caught.value) == f"unavailable: needs local weights in {where}"


def test_weights_without_a_package_are_not_enough(tmp_path: Path) -> None:
    (tmp_path / "RadGraph").mkdir()
    (tmp_path / "RadGraph" / "model.bin").touch()
    metric = {m.name: m for m in find_external_metrics(tmp_path)}["RadGraph"]
    with pytest.raises(MetricUnavailable, match="no installed package offers"):
        metric.score(["a"], ["a"])


def test_plug_in_is_a_figure_with_an_interval(
    plug_in: Path, make_outcome: Callable[..., StudyOutcome]
) -> None:
    outcomes = [
        make_outcome("Findings: ab", reference=("abcd", ""), study="1"),
        make_outcome("Findings: abcd", reference=("abcd", ""), study="2"),
        make_outcome("Findings: abcd", reference=("abcd", ""), study="3", is_chest=False),
    ]
    (result,) = summarise(outcomes, None, find_external_metrics(plug_in))
    assert result.estimates["RaTEScore"].value == pytest.approx(0.75)
    assert result.estimates["RaTEScore"].interval == pytest.approx((0.5, 1.0))
    assert set(result.unavailable) == set(EXTERNAL_METRICS) - {"RaTEScore"}


def test_failing_plug_in_is_a_reason_not_a_crash(
    plug_in: Path, make_outcome: Callable[..., StudyOutcome]
) -> None:
    (plug_in / "RaTEScore" / "model.bin").rename(plug_in / "RaTEScore" / "other.bin")
    (result,) = summarise([make_outcome("Findings: a")], None, find_external_metrics(plug_in))
    assert "RaTEScore" not in result.estimates
    assert "AssertionError" in result.unavailable["RaTEScore"]
