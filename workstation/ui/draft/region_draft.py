"""A draft whose parts fill at the same time: what each says so far, and which of them are done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from inference import BlockCommitted
from workstation.reporting.redrafting.region_redraft import IMPRESSION
from workstation.ui.draft.draft_transcript import DraftBlock, DraftTranscript
from workstation.ui.draft.region_names import name_region

RegionState = Literal["kept", "filling", "waiting", "done"]


class RegionDraft:
    """regions: in the report's order. The impression waits for all the others."""

    def __init__(self, regions: Sequence[str]) -> None:
        self.regions = tuple(regions)
        self.parts = {region: DraftTranscript() for region in self.regions}
        self._ended: set[str] = set()
        self._kept: set[str] = set()

    def keep(self, texts: Iterable[tuple[str, str]]) -> None:
        """These (region, text) stand as they are; the model only reads them."""
        for region, text in texts:
            self.parts[region].restart(text)
            self._kept.add(region)

    def add_block(self, event: BlockCommitted) -> DraftBlock:
        """To its own region. A block of the impression means that all others are done, also one
        whose last block was dropped because it began to loop."""
        if event.region == IMPRESSION:
            self._ended |= set(self.regions) - {IMPRESSION}
        if event.is_region_end:
            self._ended.add(event.region)
        return self.parts[event.region].add_block(event)

    def state_of(self, region: str) -> RegionState:
        if region in self._kept:
            return "kept"
        if region in self._ended:
            return "done"
        others = set(self.regions) - {IMPRESSION} - self._ended - self._kept
        return "waiting" if region == IMPRESSION and others else "filling"

    @property
    def is_at_impression(self) -> bool:
        """Whether all before it is done."""
        return IMPRESSION in self.parts and self.state_of(IMPRESSION) != "waiting"

    @property
    def blocks(self) -> list[DraftBlock]:
        """Of all regions, one after the other."""
        return [block for part in self.parts.values() for block in part.blocks]

    def passage_of(self, index: int) -> str:
        """The whole words that a block brought; "" for none."""
        passages = (part.passage_of(index) for part in self.parts.values())
        return next((passage for passage in passages if passage), "")

    @property
    def spoken_text(self) -> str:
        """All that stands, by region: for screen readers."""
        said = ((region, part.raw_text.strip()) for region, part in self.parts.items())
        return "\n".join(f"{name_region(region)}: {text}" for region, text in said if text)
