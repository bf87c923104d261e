"""What mends a block leaves no fault in it, whatever the model would rather say."""

from __future__ import annotations

import pytest
import torch

from inference.engine import ReportEngine
from inference.report_language import Language
from inference.report_rules import report_check
from inference.report_rules.report_check import CanonicalPartCheck, CanonicalReportCheck
from inference.report_rules.report_conflicts import ReportSoFar
from inference.report_rules.report_paths import ReportPaths, report_paths


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", ""),
        ("en", "Findings: Left pleural effusion. Impression:"),
        ("en", "Findings: Left pleural effusion. Impression: Small"),
        ("zh", "所见：左侧胸腔积液。 结论：左侧胸腔"),
    ],
)
def test_a_mended_block_has_no_fault(
    tiny_engine: ReportEngine, language: Language, answer: str
) -> None:
    checkpoint = tiny_engine._checkpoint
    tokenizer = checkpoint.tokenizer
    before = tokenizer.encode(answer, add_special_tokens=False).ids
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        check = CanonicalReportCheck(tokenizer, language, checkpoint.stop_ids)
        logits = 3 * torch.randn(12, tokenizer.get_vocab_size(), generator=generator)
        raw = logits.argmax(-1).tolist()
        assert check.find_faults(before, raw, False)
        choose = check.mend(before, [None] * 12)
        assert choose is not None
        filled = choose(logits)
        assert filled is not None
        block = filled.tolist()
        stops = [place for place, token_id in enumerate(block) if token_id in checkpoint.stop_ids]
        check = CanonicalReportCheck(tokenizer, language, checkpoint.stop_ids)
        assert check.find_faults(before, block[: min(stops, default=12)], bool(stops)) == []


def test_nothing_is_mended_behind_what_no_report_says(tiny_engine: ReportEngine) -> None:
    checkpoint = tiny_engine._checkpoint
    check = CanonicalReportCheck(checkpoint.tokenizer, "en", checkpoint.stop_ids)
    before = checkpoint.tokenizer.encode("Findings: Left left", add_special_tokens=False).ids
    assert check.mend(before, [None] * 4) is None


def test_a_block_that_can_t_be_filled_is_left_to_the_model(tiny_engine: ReportEngine) -> None:
    checkpoint = tiny_engine._checkpoint
    check = CanonicalReportCheck(checkpoint.tokenizer, "en", checkpoint.stop_ids)
    heading = checkpoint.tokenizer.encode("Impression:", add_special_tokens=False).ids
    choose = check.mend([], [None, *heading])
    assert choose is not None
    size = checkpoint.tokenizer.get_vocab_size()
    assert choose(torch.zeros(1 + len(heading), size)) is None


def test_paths_are_made_only_where_something_is_mended(
    tiny_engine: ReportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a language take longer than a draft."""
    checkpoint, asked = tiny_engine._checkpoint, list[str]()

    def make(*asked_for: object) -> ReportPaths:
        asked.append(str(asked_for[-1]))
        return report_paths(*asked_for)

    monkeypatch.setattr(report_check, "report_paths", make)
    said = ReportSoFar()
    check = CanonicalPartCheck(checkpoint.tokenizer, "en", checkpoint.stop_ids, "pleura", said)
    block = checkpoint.tokenizer.encode(" No pneumothorax.", add_special_tokens=False).ids
    assert check.find_faults([], block, True) == []
    assert asked == []
    assert check.mend([], [None] * 4) is not None
    assert asked == ["pleura"]
