"""Report metrics that need nothing but the report language: no downloaded weights, no proxies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from inference.report_language import extract_statements, is_canonical, split_sentences
from inference.report_language.statements import Statement


@dataclass
class F1Counts:
    """Counts of one kind of match; f1 is 1.0 where there was nothing to find."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0

    def add(self, predicted: set[object], expected: set[object]) -> None:
        self.hits += len(predicted & expected)
        self.false_alarms += len(predicted - expected)
        self.misses += len(expected - predicted)

    @property
    def f1(self) -> float:
        wrong = self.false_alarms + self.misses
        return 2 * self.hits / (2 * self.hits + wrong) if self.hits or wrong else 1.0


@dataclass
class ReportScores:
    """Accumulates over reports; an empty report counts with all its findings missed."""

    reports: int = 0
    positives: F1Counts = field(default_factory=F1Counts)
    positives_with_side: F1Counts = field(default_factory=F1Counts)
    statements: F1Counts = field(default_factory=F1Counts)  # concept × polarity
    per_concept: dict[str, F1Counts] = field(default_factory=dict)
    sentences: int = 0
    broken: Counter[str] = field(default_factory=Counter)  # sentences outside the grammar
    exact_reports: int = 0
    not_stopped: int = 0
    passes: int = 0
    tokens: int = 0

    def add(
        self, findings: str, impression: str, truth: Iterable[Statement], reference_findings: str
    ) -> None:
        """One report against the phantom's truth and its canonical findings text."""
        self.reports += 1
        expected = [s for s in truth if s.status == "present"]
        found = extract_statements(findings)
        said = [s for s in found if s.status == "present"]
        self.positives.add({s.concept for s in said}, {s.concept for s in expected})
        self.positives_with_side.add(
            {(s.concept, s.side) for s in said}, {(s.concept, s.side) for s in expected}
        )
        reference = extract_statements(reference_findings)
        self.statements.add(
            {(s.concept, s.status) for s in found}, {(s.concept, s.status) for s in reference}
        )
        for name in {s.concept for s in said} | {s.concept for s in expected}:
            counts = self.per_concept.setdefault(name, F1Counts())
            counts.add(
                {s.concept for s in said if s.concept == name},
                {s.concept for s in expected if s.concept == name},
            )
        for section in (findings, impression):
            for start, end in split_sentences(section):
                self.sentences += 1
                if not is_canonical(section[start:end]):
                    self.broken[section[start:end]] += 1
        self.exact_reports += findings == reference_findings

    @property
    def side_accuracy(self) -> float:
        """Among positives found, the share with the right side."""
        return self.positives_with_side.hits / max(self.positives.hits, 1)

    @property
    def macro_f1(self) -> float:
        scores = [counts.f1 for counts in self.per_concept.values()]
        return sum(scores) / max(len(scores), 1)

    @property
    def broken_share(self) -> float:
        return sum(self.broken.values()) / max(self.sentences, 1)

    def summary(self) -> dict[str, object]:
        return {
            "reports": self.reports,
            "micro_f1": round(self.positives.f1, 4),
            "micro_f1_with_side": round(self.positives_with_side.f1, 4),
            "macro_f1": round(self.macro_f1, 4),
            "statement_f1": round(self.statements.f1, 4),
            "side_accuracy": round(self.side_accuracy, 4),
            "sentences_outside_grammar": round(self.broken_share, 4),
            "exact_findings": round(self.exact_reports / max(self.reports, 1), 4),
            "not_stopped": self.not_stopped,
            "passes_per_report": round(self.passes / max(self.reports, 1), 2),
            "tokens_per_pass": round(self.tokens / max(self.passes, 1), 2),
            "per_concept_f1": {
                name: round(counts.f1, 3) for name, counts in sorted(self.per_concept.items())
            },
        }
