"""Which token to take at a position: the likeliest, or one drawn from the likely ones."""

from __future__ import annotations

import torch


class TokenChooser:
    """Greedy at temperature 0; else seeded draws, the same ones on every device.

    top_k: of so many of the likeliest tokens (0: all). top_p: of those, the fewest likeliest
    that hold this share of their probability. Ties go to the lower token id.
    """

    def __init__(
        self, temperature: float = 0.0, top_k: int = 0, top_p: float = 1.0, seed: int = 0
    ) -> None:
        self._temperature, self._top_k, self._top_p = temperature, top_k, top_p
        self._generator = torch.Generator().manual_seed(seed)

    @property
    def is_greedy(self) -> bool:
        return self._temperature == 0.0

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """[rows, vocabulary] float32 to token ids [rows]; one draw a row."""
        if self.is_greedy:
            return logits.argmax(dim=-1)
        ordered, ids = logits.sort(dim=-1, descending=True, stable=True)
        ordered = ordered / self._temperature
        if self._top_k:
            ordered[:, self._top_k :] = float("-inf")
        cumulated = ordered.softmax(dim=-1).cumsum(dim=-1)  # [rows, vocabulary]
        # The token that reaches top_p still belongs: its predecessors hold less than that.
        kept = (cumulated[:, :-1] < self._top_p).sum(dim=-1, keepdim=True)
        share = cumulated.gather(-1, kept)
        draws = torch.rand(logits.shape[0], 1, generator=self._generator).to(logits.device)
        place = torch.searchsorted(cumulated, draws * share, right=True)
        # A draw may round to the very end of what is kept, or beyond top_k.
        last_likely = (ordered > float("-inf")).sum(dim=-1, keepdim=True) - 1
        return ids.gather(-1, place.minimum(kept).minimum(last_likely))[:, 0]


def pack_choice(logits: torch.Tensor, choice: torch.Tensor) -> torch.Tensor:
    """[2, rows] float64: the token ids chosen, and the probability of each among all.

    Both in one tensor, so that a GPU is waited for once. logits: [rows, vocabulary] float32.
    """
    chosen = logits.log_softmax(dim=-1).gather(-1, choice[:, None])[:, 0]
    return torch.stack([choice.double(), chosen.exp().double()])


def unpack_choice(packed: torch.Tensor) -> tuple[list[int], list[float]]:
    """Token ids and probabilities of pack_choice, on the host."""
    ids, confidences = packed.tolist()
    return [int(token_id) for token_id in ids], confidences
