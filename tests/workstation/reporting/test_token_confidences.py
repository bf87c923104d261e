"""Confidences of tokens, by section and by sentence."""

from __future__ import annotations

import pytest

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.token_confidences import locate_confidences


def test_sentence_confidence_is_the_mean_of_its_tokens() -> None:
    report = DraftReport()
    tokens = ["No", " mass", ".", " No", " nodule", "."]
    raw = "".join(tokens)
    spans = locate_confidences(raw, raw, tokens, [0.9, 0.6, 0.9, 1.0, 1.0, 0.7])
    report.set_from_draft(raw, "Normal.", spans)
    confidences = [sentence.confidence for sentence in report.state.findings]
    assert confidences == pytest.approx([0.8, 0.9])
    assert report.state.impression[0].confidence is None


def test_token_confidences_are_found_in_their_section() -> None:
    tokens = ["Findings:", " No", " mass.", " Impression:", " No", " mass.", ""]
    raw = "".join(tokens)
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    findings = locate_confidences(raw, "No mass.", tokens, values)
    impression = locate_confidences(raw, "No mass.", tokens, values, last=True)
    assert findings == ((0, 2, 0.2), (2, 8, 0.3))
    assert impression == ((0, 2, 0.5), (2, 8, 0.6))
    assert locate_confidences(raw, "elsewhere", tokens, values) == ()
    assert locate_confidences(raw, "", tokens, values) == ()
