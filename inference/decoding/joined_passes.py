"""Passes of several drafts at once: their rows share every product with the weights.

Each draft runs in a greenlet of its own, so that every decoding strategy stays as it is: where it
would run a pass it waits here instead, until all drafts of the batch wait, and the waiting passes
are run together. Each draft attends over its own cache, and only there are the rows kept apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from inference.decoding.kv_cache import StaticKvCache
from inference.decoding.text_decoder import (
    DecoderView,
    FedRows,
    Places,
    RotaryTable,
    TextDecoder,
)
from inference.memory.out_of_memory import is_out_of_memory

_MOST_ROWS = 160  # of one draft: longer passes (whole answers) gain nothing from company


@dataclass(eq=False)
class WaitingPass:
    """What a draft feeds, and what came of it: None where it has to run alone."""

    decoder: JoinedDecoder
    fed: FedRows
    kept: torch.Tensor | None = None


class PassMeeting:
    """Where the drafts of one batch wait for each other.

    leave: called by a draft that has to wait; returns when run_together has been.
    """

    def __init__(self, leave: Callable[[], object]) -> None:
        self._leave = leave
        self._waiting: list[WaitingPass] = []
        self._is_joining = True

    def wait(self, waiting: WaitingPass) -> None:
        self._waiting.append(waiting)
        self._leave()

    def run_together(self) -> None:
        """Run what waits, the passes of each set of weights as one.

        Where memory runs out, this pass and every later one is left to its own draft: a pass
        that was begun may be run again, as it writes the same keys to the same places.
        """
        waiting, self._waiting = self._waiting, []
        by_weights: dict[int, list[WaitingPass]] = {}
        for each in waiting:
            by_weights.setdefault(each.decoder.weights_id, []).append(each)
        for together in by_weights.values():
            if len(together) > 1 and self._is_joining:
                self._is_joining = _run_or_leave(together)


def _run_or_leave(together: list[WaitingPass]) -> bool:
    try:
        together[0].decoder.run_joined(together)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        for each in together:
            each.kept = None
        return False
    return True


class JoinedDecoder(DecoderView):
    """One draft's view of a language model, whose passes wait for the other drafts'."""

    def __init__(self, decoder: TextDecoder, meeting: PassMeeting) -> None:
        super().__init__(decoder)
        self.weights_id = id(decoder)
        self._meeting = meeting
        self._foreseen: tuple[torch.Tensor, torch.Tensor] | None = None

    def run(
        self,
        hidden: torch.Tensor,
        rotary: RotaryTable,
        cache: StaticKvCache,
        start: int,
        mask: torch.Tensor | None,
        keep: int,
        places: Places | None = None,
    ) -> torch.Tensor:
        """See TextDecoder."""
        rows, is_prompt = len(hidden), places is None and start == 0
        if rows <= _MOST_ROWS and not is_prompt:
            own = slice(start, start + rows)
            at = places or Places(own, own.stop, own)
            waiting = WaitingPass(self, FedRows(hidden, rotary, cache, at, mask, keep))
            self._meeting.wait(waiting)
            if waiting.kept is not None:
                return waiting.kept
        return super().run(hidden, rotary, cache, start, mask, keep, places)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """See TextDecoder; of rows just kept by a joined pass, they were computed with it."""
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is not None and hidden is foreseen[0]:
            return foreseen[1]
        return super().logits(hidden)

    def run_joined(self, together: list[WaitingPass]) -> None:
        """Run them all, and the head on the rows they keep."""
        fed = [each.fed for each in together]
        turned_by = [rows.turned_by for rows in fed]
        counts = [len(rows.hidden) for rows in fed]

        def attend(layer: int, turned: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
            """Each over its own cache."""
            apart = zip(fed, turned.split(counts), values.split(counts), strict=True)
            return torch.cat([self._attend_over_cache(rows, layer, *own) for rows, *own in apart])

        def keep_rows(hidden: torch.Tensor) -> torch.Tensor:
            apart = zip(fed, hidden.split(counts), strict=True)
            return torch.cat([rows.keep_last(own) for rows, own in apart])

        kept = self._run_layers(
            torch.cat([rows.hidden for rows in fed]),
            RotaryTable(
                torch.cat([table.cos for table in turned_by]),
                torch.cat([table.sin for table in turned_by]),
            ),
            attend,
            keep_rows,
        )
        logits, kept_counts = super().logits(kept), [rows.keep for rows in fed]
        for each, rows, row_logits in zip(
            together, kept.split(kept_counts), logits.split(kept_counts), strict=True
        ):
            each.kept = rows
            each.decoder._foreseen = (rows, row_logits)
