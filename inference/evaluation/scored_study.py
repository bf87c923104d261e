"""One outcome with everything measured on it alone."""

from __future__ import annotations

from dataclasses import dataclass

from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.statement_confidence import StatementConfidence, rate_statements
from inference.evaluation.statement_scores import StatementScores
from inference.evaluation.wording_scores import WordingScores
from inference.report_language import NOT_A_FRONTAL_CHEST
from inference.report_language.consistency import Contradiction, find_contradictions

# The rest (a finding missing from the impression, or the reverse; a sentence said twice) is untidy
# but both sentences may stand.
_CONTRADICTIONS = frozenset({"present_and_absent", "normal_beside_finding", "side_differs"})


@dataclass(frozen=True, eq=False)
class ScoredStudy:
    """contradictions: of every kind that report_language.consistency finds."""

    outcome: StudyOutcome
    statements: StatementScores
    wording: WordingScores
    confidences: tuple[StatementConfidence, ...]
    contradictions: tuple[Contradiction, ...]

    @property
    def contradicts_itself(self) -> bool:
        return any(c.kind in _CONTRADICTIONS for c in self.contradictions)

    @property
    def is_refused(self) -> bool:
        return bool(self.outcome.refusal)

    @property
    def is_flagged(self) -> bool:
        """Refused, or said somewhere in the answer to be no frontal chest."""
        return self.is_refused or NOT_A_FRONTAL_CHEST[self.outcome.language] in self.outcome.text

    @property
    def is_exact(self) -> bool:
        return self.outcome.sections[0] == self.outcome.reference_findings


def score_study(outcome: StudyOutcome) -> ScoredStudy:
    """Score one outcome."""
    statements = StatementScores(outcome)
    findings, impression = outcome.sections
    return ScoredStudy(
        outcome,
        statements,
        WordingScores(outcome),
        rate_statements(outcome, statements) if outcome.is_chest else (),
        tuple(find_contradictions(findings, impression, outcome.language)),
    )
