"""What adaptive decoding asks of a canonical report: what is wrong, and what could stand there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch

from inference.decoding.draft_session import ChooseTokens
from inference.report_language import Language
from inference.report_rules.report_conflicts import ReportSoFar
from inference.report_rules.report_grammar import BrokenRuns
from inference.report_rules.report_paths import PathPlace, ReportPaths, report_paths

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class CanonicalPartCheck:
    """decode_adaptive's ReportCheck, of one part of a report; said: what stands in the others."""

    def __init__(
        self, tokenizer: Tokenizer, language: Language, stop_ids: frozenset[int], part: str,
        said: ReportSoFar,
    ) -> None:  # fmt: skip
        self._find_paths = partial(report_paths, tokenizer, language, stop_ids, part)
        self._said = said
        self._runs = BrokenRuns(tokenizer, language, part, said)

    def find_faults(self, answer: Sequence[int], block: Sequence[int], is_end: bool) -> list[int]:
        """See BrokenRuns."""
        return self._runs(answer, block, is_end)

    def mend(self, answer: Sequence[int], canvas: Sequence[int | None]) -> ChooseTokens | None:
        """The likeliest tokens that leave no fault (ReportPaths.fill), where answer allows any."""
        paths = self._find_paths()  # not before one is needed: the first takes a moment to make
        place = paths.follow(answer, self._said)
        return partial(_fill, paths, place, canvas) if place is not None else None


class CanonicalReportCheck(CanonicalPartCheck):
    """The same of a report as one, headings included: of one draft in one language."""

    def __init__(self, tokenizer: Tokenizer, language: Language, stop_ids: frozenset[int]) -> None:
        super().__init__(tokenizer, language, stop_ids, part="", said=ReportSoFar())


def _fill(
    paths: ReportPaths, place: PathPlace, canvas: Sequence[int | None], logits: torch.Tensor
) -> torch.Tensor | None:
    """logits: [rows, vocabulary] of the canvas's last rows, all that is open among them."""
    log_probs = logits.log_softmax(dim=-1).tolist()
    fixed: list[list[float]] = [[]] * (len(canvas) - len(log_probs))
    filled = paths.fill(place, canvas, fixed + log_probs)
    return torch.tensor(filled[len(fixed) :], device=logits.device) if filled else None
