from __future__ import annotations

import pytest

from workstation.reporting.draft_report import DraftReport


@pytest.fixture
def report() -> DraftReport:
    """As the model drafted it, nothing touched."""
    report = DraftReport()
    report.set_from_draft(
        "The thorax is symmetric. No pleural effusion. No pneumothorax.",
        "No acute cardiopulmonary abnormality.",
    )
    return report
