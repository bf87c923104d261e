"""Measures statement extraction against the 14 labels of Open-i (NegBio's human labels).

    python -m inference.evaluation.measure_extraction ../shared/data/text/openi_development.tsv

Scores "present" statements of findings and impression against labels that are 1 where the
finding is affirmed somewhere in the report (Peng et al., NegBio, AMIA 2018). The labels are
narrower than our concepts: "Fibrosis" is not set for a scar, nor "Emphysema" for hyperinflation,
so by default a label counts only the terms it stands for; ``--concepts`` counts every term.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.report_language import Statement, extract_statements
from inference.report_language.extraction import forget_sentences

# label -> (concept, pattern its trigger words must begin with). Hernia is 0 in every report.
LABELS: dict[str, tuple[tuple[str, str], ...]] = {
    "Atelectasis": (("atelectasis", r"atelecta"),),
    "Cardiomegaly": (("cardiomegaly", r""),),
    "Effusion": (("pleural_effusion", r".*(?:effusion|fluid)"),),
    "Infiltration": (("opacity", r".*infiltrat"), ("interstitial_pattern", r".*infiltrat")),
    "Mass": (("mass", r""),),
    "Nodule": (("nodule", r".*nodule"), ("granuloma", r".*nodule")),
    "Pneumonia": (("pneumonia", r".*pneumoni"),),
    "Pneumothorax": (("pneumothorax", r"pneumothora"),),
    "Consolidation": (("consolidation", r""),),
    "Edema": (("pulmonary_edema", r".*edema"),),
    "Emphysema": (("emphysema", r"emphysema"),),
    "Fibrosis": (("fibrosis", r"fibro"),),
    "Pleural_Thickening": (("pleural_thickening", r""),),
}


@dataclass(frozen=True)
class LabelScore:
    """Counts of one label over all reports."""

    label: str
    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def f1(self) -> float:
        """F1 of the positives; 0 where there is nothing to find and nothing was found."""
        wrong = self.false_positives + self.false_negatives
        return 2 * self.true_positives / max(1, 2 * self.true_positives + wrong)


@dataclass(frozen=True)
class ExtractionScore:
    """The whole measurement; times are CPU time per report, in milliseconds."""

    reports: int
    labels: tuple[LabelScore, ...]
    median_ms: float
    p99_ms: float
    max_ms: float

    @property
    def micro(self) -> LabelScore:
        """All labels pooled."""
        return LabelScore(
            "micro",
            sum(s.true_positives for s in self.labels),
            sum(s.false_positives for s in self.labels),
            sum(s.false_negatives for s in self.labels),
        )


def label_of(text: str, statement: Statement, label: str, *, by_concept: bool = False) -> bool:
    """Whether a present statement of text sets an Open-i label."""
    if statement.status != "present":
        return False
    trigger = text[statement.trigger_start : statement.trigger_end].lower()
    return any(
        statement.concept == concept and (by_concept or re.match(pattern, trigger) is not None)
        for concept, pattern in LABELS[label]
    )


def read_reports(tsv: Path) -> list[dict[str, str]]:
    """The rows of an Open-i table: uid, findings, impression and a 0/1 column a label."""
    with tsv.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def measure_extraction(
    reports: Sequence[dict[str, str]],
    *,
    by_concept: bool = False,
    errors: list[tuple[str, str, str, str]] | None = None,
) -> ExtractionScore:
    """Score and time extraction; errors collects (label, "missed" or "extra", uid, text)."""
    counts = {label: [0, 0, 0] for label in LABELS}
    elapsed_ms: list[float] = []
    extract_statements("No effusion.")  # builds the phrase table outside the timing
    for report in reports:
        text = f"{report['findings']} {report['impression']}"
        forget_sentences()  # a cached sentence would flatter the timing
        started = time.process_time()
        statements = extract_statements(text)
        elapsed_ms.append((time.process_time() - started) * 1000)
        for label, count in counts.items():
            found = any(label_of(text, s, label, by_concept=by_concept) for s in statements)
            stated = report[label] == "1"
            count[0] += found and stated
            count[1] += found and not stated
            count[2] += stated and not found
            if errors is not None and found != stated:
                errors.append((label, "extra" if found else "missed", report["uid"], text))
    elapsed_ms.sort()
    return ExtractionScore(
        len(reports),
        tuple(LabelScore(label, *count) for label, count in counts.items()),
        elapsed_ms[len(elapsed_ms) // 2],
        elapsed_ms[min(len(elapsed_ms) - 1, int(len(elapsed_ms) * 0.99))],
        elapsed_ms[-1],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit code 2 if the file is not such a table."""
    parser = argparse.ArgumentParser(description="Measure statement extraction on Open-i labels.")
    parser.add_argument("tsv", type=Path)
    parser.add_argument("--concepts", action="store_true", help="count every term of a concept")
    parser.add_argument("--errors", metavar="LABEL", help="also print the reports it got wrong")
    options = parser.parse_args(arguments)
    errors: list[tuple[str, str, str, str]] = []
    try:
        reports = read_reports(options.tsv)
        score = measure_extraction(reports, by_concept=options.concepts, errors=errors)
    except (OSError, KeyError, UnicodeDecodeError, IndexError) as reason:
        print(f"{options.tsv}: not an Open-i table of labels: {reason!r}", file=sys.stderr)
        return 2
    for row in (*score.labels, score.micro):
        print(
            f"{row.label:20} F1 {row.f1:.3f}  found {row.true_positives:4}"
            f"  extra {row.false_positives:4}  missed {row.false_negatives:4}"
        )
    print(
        f"{score.reports} reports; CPU time per report median {score.median_ms:.2f} ms,"
        f" p99 {score.p99_ms:.2f} ms, max {score.max_ms:.2f} ms"
    )
    for label, kind, uid, text in errors:
        if label == options.errors:
            print(f"{kind}\t{uid}\t{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
