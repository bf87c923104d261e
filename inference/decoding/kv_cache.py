"""Keys and values of one draft: allocated once, written at explicit positions."""

from __future__ import annotations

import torch


class StaticKvCache:
    """keys, values: [layers, kv_heads, capacity, head_dim].

    Nothing is ever appended or cropped: a pass writes its rows at their places and reads
    [0, end). Rows past what a pass reads may be stale; the next pass over them overwrites.
    """

    def __init__(
        self,
        layers: int,
        kv_heads: int,
        capacity: int,
        head_dim: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        shape = (layers, kv_heads, capacity, head_dim)
        self.capacity = capacity
        self._all_keys = torch.zeros(shape, dtype=dtype, device=device)
        self._all_values = torch.zeros(shape, dtype=dtype, device=device)
        # One view per layer: indexing a tensor costs as much as a small kernel on a CPU.
        self._keys, self._values = self._all_keys.unbind(0), self._all_values.unbind(0)

    @property
    def nbytes(self) -> int:
        return self._all_keys.nbytes + self._all_values.nbytes

    def take_over(self, other: StaticKvCache, length: int) -> None:
        """Hold what another cache of the same model holds before length, and zeros behind.

        Zeros, so that what a mask hides is a number: hidden NaN would still spread.
        """
        for own, others in (
            (self._all_keys, other._all_keys),
            (self._all_values, other._all_values),
        ):
            own[:, :, :length].copy_(others[:, :, :length])
            own[:, :, length:].zero_()

    def write(
        self,
        layer: int,
        places: slice | torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        end: int,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store keys and values [rows, kv_heads, head_dim] at places; return all before end.

        The returned views are [kv_heads, end, head_dim]. ValueError beyond the capacity.
        """
        if end > self.capacity:
            raise ValueError(f"position {end} is beyond the cache's {self.capacity}")
        layer_keys, layer_values = self._keys[layer], self._values[layer]
        if isinstance(places, slice):
            layer_keys[:, places] = keys.transpose(0, 1)
            layer_values[:, places] = values.transpose(0, 1)
        else:
            layer_keys.index_copy_(1, places, keys.transpose(0, 1))
            layer_values.index_copy_(1, places, values.transpose(0, 1))
        return layer_keys[:, :end], layer_values[:, :end]
