"""Full-sequence decoding that computes the prompt in every pass: for proof and measurement."""

from __future__ import annotations

from collections.abc import Sequence

from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block, OpenBlock


class UncachedLooks:
    """Every pass feeds prompt and canvas."""

    def __init__(self, session: DraftSession) -> None:
        self._session = session

    def look(self, block: OpenBlock, wanted: Sequence[int]) -> Block:
        return self._session.run_with_prompt(block.ids)
