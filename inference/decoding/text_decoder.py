"""The language model of a Qwen2.5-VL, run layer by layer over our own K/V cache.

transformers' forward spends more on a 16-row CPU pass in Python than in arithmetic. Here the
same weights are joined (q|k|v, gate|up) and query heads that share a key head are folded
into rows, so that keys are never repeated. Batch is always one: rows are [rows, hidden].
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from inference.api import EngineError
from inference.decoding.attention_paths import AttentionPath, attend_fused, choose_attention
from inference.decoding.kv_cache import StaticKvCache
from inference.products.linear_products import ExactProduct, LinearProduct, join_product

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLForConditionalGeneration

_BLOCK_ROWS = 16  # of the usual pass, by which the way to attend is chosen
_FEW_ROWS = 64


class RotaryTable(NamedTuple):
    """cos and sin [positions, 1, head_dim]; sin is negated in the first half of head_dim."""

    cos: torch.Tensor
    sin: torch.Tensor


class Places(NamedTuple):
    """Of rows that don't lie in a row: their places in the cache, the end of what they attend to,
    and the positions that they are turned by.
    """

    slots: slice | torch.Tensor
    end: int
    positions: slice | torch.Tensor


class FedRows(NamedTuple):
    """One draft's rows [rows, hidden] on their way through the layers, and what they attend to.

    mask, keep: see TextDecoder.run.
    """

    hidden: torch.Tensor
    rotary: RotaryTable
    cache: StaticKvCache
    places: Places
    mask: torch.Tensor | None
    keep: int

    @property
    def turned_by(self) -> RotaryTable:
        """Of these rows only."""
        at = self.places.positions
        return RotaryTable(self.rotary.cos[at], self.rotary.sin[at])

    def keep_last(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden[len(hidden) - self.keep :]


# (layer, queries and keys already turned [rows, heads + kv_heads, head_dim], values [rows,
# kv_heads, head_dim]) -> [rows, hidden]; of the last layer, the rows that are kept.
AttendRows = Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor]


class TextDecoder:
    """Embeds, attends and projects; holds no state of a draft."""

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration) -> None:
        text, config = model.model.language_model, model.config.text_config
        if set(config.layer_types) != {"full_attention"}:
            raise EngineError("config.json: sliding window layers are not supported")
        self.heads: int = config.num_attention_heads
        self.kv_heads: int = config.num_key_value_heads
        self.head_dim: int = config.hidden_size // config.num_attention_heads
        self.group = self.heads // self.kv_heads
        self.hidden: int = config.hidden_size
        self.eps: float = config.rms_norm_eps
        self._embedding: nn.Embedding = text.embed_tokens
        self._rotary: nn.Module = text.rotary_emb
        self._norm: torch.Tensor = text.norm.weight
        self._head = ExactProduct(model.lm_head.weight)
        self._layers = [_Layer(layer) for layer in text.layers]
        self.dtype, self.device = self._norm.dtype, self._norm.device
        self.one_row_path, self.few_rows_path = (
            choose_attention(
                self.kv_heads, rows * self.group, self.head_dim, self.dtype, self.device
            )
            for rows in (1, _BLOCK_ROWS)
        )

    @property
    def bytes_per_pass(self) -> int:
        """Weights that every pass reads: layers and head, not the embedding's other rows."""
        tensors = [self._norm, *self._head.tensors]
        tensors += [tensor for layer in self._layers for tensor in layer.tensors]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def new_cache(self, capacity: int) -> StaticKvCache:
        return StaticKvCache(
            len(self._layers), self.kv_heads, capacity, self.head_dim, self.dtype, self.device
        )

    def rotary_table(self, positions: torch.Tensor) -> RotaryTable:
        """positions: [3, length] mRoPE positions of the whole sequence."""
        probe = torch.empty(0, dtype=self.dtype, device=self.device)
        cos, sin = self._rotary(probe, positions[:, None].to(self.device))
        sin = sin[0].clone()
        sin[:, : self.head_dim // 2].neg_()
        return RotaryTable(cos[0, :, None], sin[:, None])

    def fold_mask(self, mask: torch.Tensor, before: int = 0) -> torch.Tensor:
        """bool [rows, columns] to additive [group * rows, before + columns]; never 0/1 floats.

        before: columns in front of mask's, which every row sees.
        """
        additive = torch.zeros(mask.shape, dtype=self.dtype, device=self.device)
        additive.masked_fill_(~mask.to(self.device), float("-inf"))
        rows, columns = mask.shape
        folded = additive.new_empty(self.group, rows, before + columns)
        folded[..., :before] = 0.0
        folded[..., before:] = additive
        return folded.view(self.group * rows, before + columns)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """ids [rows] to [rows, hidden]."""
        return functional.embedding(ids, self._embedding.weight)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """[rows, hidden] to [rows, vocabulary] float32."""
        normed = functional.rms_norm(hidden, (self.hidden,), self._norm, self.eps)
        return self._head(normed).float()

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
        """Store the rows' keys and values at start; return the last ``keep`` rows [keep, hidden].

        mask: folded additive [group * rows, start + rows], or None where every row attends to
        all of [0, start + rows). Rows that aren't kept skip the last layer but for its K/V.
        places: instead of start, for rows anywhere.
        """
        own = slice(start, start + len(hidden))
        fed = FedRows(hidden, rotary, cache, places or Places(own, own.stop, own), mask, keep)
        attend = partial(self._attend_over_cache, fed)
        return self._run_layers(hidden, fed.turned_by, attend, fed.keep_last)

    def _run_layers(
        self,
        hidden: torch.Tensor,
        turned_by: RotaryTable,
        attend: AttendRows,
        keep_rows: Callable[[torch.Tensor], torch.Tensor],
    ) -> torch.Tensor:
        """hidden [rows, hidden] through all layers: the rows kept. turned_by: of just these rows.

        Only attend knows whose rows they are, and which of them see each other.
        """
        rows, last = len(hidden), len(self._layers) - 1
        for index, layer in enumerate(self._layers):
            normed = functional.rms_norm(hidden, (self.hidden,), layer.input_norm, self.eps)
            heads = layer.qkv(normed).view(rows, self.heads + 2 * self.kv_heads, self.head_dim)
            turning = heads[:, : self.heads + self.kv_heads]
            rolled = turning.roll(self.head_dim // 2, -1)
            turned = torch.addcmul(turning * turned_by.cos, rolled, turned_by.sin)
            attended = attend(index, turned, heads[:, self.heads + self.kv_heads :])
            if index == last:
                hidden = keep_rows(hidden)
                if not len(hidden):
                    break
            hidden = hidden + layer.output(attended)
            hidden = hidden + layer.feed_forward(hidden, self.hidden, self.eps)
        return hidden

    def _attend_over_cache(
        self, fed: FedRows, layer: int, turned: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """AttendRows of one draft: store its keys and values, then attend to what it may see."""
        slots, end, _ = fed.places
        all_keys, all_values = fed.cache.write(layer, slots, turned[:, self.heads :], values, end)
        queries, mask, rows = turned[:, : self.heads], fed.mask, len(turned)
        if layer == len(self._layers) - 1 and fed.keep < rows:
            if fed.keep == 0:
                return turned.new_empty(0, self.hidden)
            queries = queries[rows - fed.keep :]
            mask = self._keep_mask_rows(mask, rows, fed.keep)
        return self._attend(queries, all_keys, all_values, mask)

    def _attend(
        self,
        queries: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor | None,
    ) -> torch.Tensor:
        """queries [rows, heads, head_dim] over [kv_heads, end, head_dim] to [rows, hidden]."""
        rows = queries.shape[0]
        folded = queries.view(rows, self.kv_heads, self.group, self.head_dim).permute(1, 2, 0, 3)
        path: AttentionPath = attend_fused  # of a prompt, all scores at once would take gigabytes
        if rows <= _FEW_ROWS:
            path = self.one_row_path if rows == 1 else self.few_rows_path
        attended = path(
            folded.reshape(1, self.kv_heads, self.group * rows, self.head_dim),
            keys[None],
            values[None],
            mask,
        )
        unfolded = attended.view(self.kv_heads, self.group, rows, self.head_dim)
        return unfolded.permute(2, 0, 1, 3).reshape(rows, self.hidden)

    def _keep_mask_rows(
        self, mask: torch.Tensor | None, rows: int, keep: int
    ) -> torch.Tensor | None:
        if mask is None:
            return None
        by_group = mask.view(self.group, rows, mask.shape[1])[:, rows - keep :]
        return by_group.reshape(self.group * keep, mask.shape[1])


class DecoderView(TextDecoder):
    """Another decoder over the same weights, none of them copied: what its passes do differently,
    a subclass says.
    """

    def __init__(self, decoder: TextDecoder) -> None:
        self.__dict__.update(decoder.__dict__)


class _Layer:
    """One decoder layer: its norms, and the products with its weights, joined where they share
    an input."""

    def __init__(self, layer: Any) -> None:  # transformers is untyped here: Qwen2_5_VLDecoderLayer
        attention, mlp = layer.self_attn, layer.mlp
        self.input_norm: torch.Tensor = layer.input_layernorm.weight
        self.post_norm: torch.Tensor = layer.post_attention_layernorm.weight
        self.qkv = join_product(attention.q_proj, attention.k_proj, attention.v_proj)
        self.output = join_product(attention.o_proj)
        self.gate_up = join_product(mlp.gate_proj, mlp.up_proj)
        self.down = join_product(mlp.down_proj)
        self.activation: nn.Module = mlp.act_fn

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        products: tuple[LinearProduct, ...] = (self.qkv, self.output, self.gate_up, self.down)
        read = [tensor for product in products for tensor in product.tensors]
        return (*read, self.input_norm, self.post_norm)

    def feed_forward(self, hidden: torch.Tensor, size: int, eps: float) -> torch.Tensor:
        normed = functional.rms_norm(hidden, (size,), self.post_norm, eps)
        gate, up = self.gate_up(normed).chunk(2, dim=-1)
        return self.down(self.activation(gate) * up)
