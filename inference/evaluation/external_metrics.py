"""Metrics that need downloaded weights: plug-ins, computed with local weights or not at all.

A plug-in is a function of an installed package under the entry point group below, by the metric's
name: (weights folder, drafts, references) -> a score a draft. None is shipped and nothing stands
in for one: RaTEScore is the metric of Zhao et al. (EMNLP 2024), not a positive-only variant of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

ENTRY_POINT_GROUP = "echo_workstation.report_metrics"
EXTERNAL_METRICS = ("RaTEScore", "CheXbert", "RadGraph")
Scorer = Callable[[Path, Sequence[str], Sequence[str]], Sequence[float]]


class MetricUnavailable(Exception):
    """A metric that can't be computed here; the message says why."""


@dataclass(frozen=True)
class ExternalMetric:
    """One metric; its weights are looked for in the folder when it is asked for scores."""

    name: str
    weights: Path

    def score(self, drafts: Sequence[str], references: Sequence[str]) -> list[float]:
        """A score a draft. Raises MetricUnavailable."""
        if not self.weights.is_dir() or not any(self.weights.iterdir()):
            raise MetricUnavailable(f"unavailable: needs local weights in {self.weights}")
        plugins = list(entry_points(group=ENTRY_POINT_GROUP, name=self.name))
        if not plugins:
            raise MetricUnavailable(
                f"unavailable: {self.weights} is there, but no installed package offers the "
                f"entry point {self.name!r} of {ENTRY_POINT_GROUP}"
            )
        try:
            scorer: Scorer = plugins[0].load()
            scores = [float(score) for score in scorer(self.weights, drafts, references)]
        except Exception as error:  # whatever a foreign package fails with is the reason
            raise MetricUnavailable(f"unavailable: {plugins[0].value}: {error!r}") from error
        if len(scores) != len(drafts):
            raise MetricUnavailable(
                f"unavailable: {plugins[0].value}: {len(scores)} scores of {len(drafts)} drafts"
            )
        return scores


def find_external_metrics(folder: Path) -> list[ExternalMetric]:
    """Every metric, its weights in folder/<name>."""
    return [ExternalMetric(name, folder / name) for name in EXTERNAL_METRICS]
