"""Passes of several drafts at once: their rows share every product with the weights.

Each draft runs in a greenlet of its own, so that every decoding strategy stays as it is: where it
would run a pass it waits here instead, until all drafts of the batch wait, and the waiting passes
are run together. Each draft attends over its own cache, and only there are the rows kept apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from inference.decoding.kv_cache import StaticKvCache
from inference.decoding.text_decoder import DecoderView, Places, RotaryTable, TextDecoder
from inference.memory.out_of_memory import is_out_of_memory

_MOST_ROWS = 160  # of one draft: longer passes (whole answers) gain nothing from company


@dataclass(eq=False)
class WaitingPass:
    """The arguments of TextDecoder.run, and what came of them: None where it has to run alone."""

    decoder: JoinedDecoder
    hidden: torch.Tensor
    rotary: RotaryTable
    cache: StaticKvCache
    places: Places
    mask: torch.Tensor | None
    keep: int
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
            taken = places or Places(own, own.stop, own)
            waiting = WaitingPass(self, hidden, rotary, cache, taken, mask, keep)
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
        kept = self._run_layers(together)
        logits = super().logits(kept)
        counts = [each.keep for each in together]
        for each, rows, row_logits in zip(
            together, kept.split(counts), logits.split(counts), strict=True
        ):
            each.kept = rows
            each.decoder._foreseen = (rows, row_logits)

    def _run_layers(self, together: list[WaitingPass]) -> torch.Tensor:
        """The kept rows of all, one after the other: as TextDecoder.run, but for attention."""
        hidden = torch.cat([each.hidden for each in together])
        cos = torch.cat([each.rotary.cos[each.places.positions] for each in together])
        sin = torch.cat([each.rotary.sin[each.places.positions] for each in together])
        counts = [len(each.hidden) for each in together]
        last = len(self._layers) - 1
        for index, layer in enumerate(self._layers):
            normed = functional.rms_norm(hidden, (self.hidden,), layer.input_norm, self.eps)
            qkv = layer.qkv(normed)
            heads = qkv.view(len(qkv), self.heads + 2 * self.kv_heads, self.head_dim)
            turning = heads[:, : self.heads + self.kv_heads]
            turned = torch.addcmul(turning * cos, turning.roll(self.head_dim // 2, -1), sin)
            values = heads[:, self.heads + self.kv_heads :].split(counts)
            attended = [
                self._attend_alone(each, index, each_turned, each_values)
                for each, each_turned, each_values in zip(
                    together, turned.split(counts), values, strict=True
                )
            ]
            if index == last:
                rows_of = zip(together, hidden.split(counts), strict=True)
                hidden = torch.cat([rows[len(rows) - each.keep :] for each, rows in rows_of])
            hidden = hidden + layer.output(torch.cat(attended))
            hidden = hidden + layer.feed_forward(hidden, self.hidden, self.eps)
        return hidden

    def _attend_alone(
        self,
        each: WaitingPass,
        layer: int,
        turned: torch.Tensor,
        values: torch.Tensor,
    ) -> torch.Tensor:
        """turned: its queries and keys [rows, heads + kv_heads, head_dim]."""
        keys = turned[:, self.heads :]
        slots, end, _ = each.places
        all_keys, all_values = each.cache.write_at(layer, slots, keys, values, end)
        queries, mask, rows = turned[:, : self.heads], each.mask, len(turned)
        if layer == len(self._layers) - 1 and each.keep < rows:
            if each.keep == 0:
                return turned.new_empty(0, self.hidden)
            queries = queries[rows - each.keep :]
            mask = self._keep_mask_rows(mask, rows, each.keep)
        return self._attend(queries, all_keys, all_values, mask)
