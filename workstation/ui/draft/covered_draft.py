"""A draft made in the background: its events wait here until the reader asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from inference import BlockCommitted, DecodingMode, DraftFinished, PrefillDone
from workstation.ui.draft.draft_ledger import RunningDraft


@dataclass
class CoveredDraft:
    """events are in the order they came. finished and draft: None while the model writes."""

    request_id: str
    decoding: DecodingMode
    events: list[PrefillDone | BlockCommitted] = field(default_factory=list)
    finished: DraftFinished | None = None
    draft: RunningDraft | None = None
    began_s: float = field(default_factory=monotonic)

    @property
    def covered_s(self) -> float:
        """How long the reader has had the film alone [s]."""
        return monotonic() - self.began_s
