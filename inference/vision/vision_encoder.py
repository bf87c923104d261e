"""The vision tower of a Qwen2.5-VL, with attention windows of one length in one call.

transformers calls its attention once a window: some 5,000 small calls for a film at the released
models' size. Here windows are put in order of length, so that those of one length are a batch.
Weights are transformers' own; the result is that of its tower (the tests compare them).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.nn import functional
from transformers.vision_utils import get_vision_position_ids

from inference.products.linear_products import join_product

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLForConditionalGeneration

Grid = tuple[int, int, int]
# (windows, patches in each), in the order of the patches.
WindowGroups = tuple[tuple[int, int], ...]
_EPS = 1e-6  # Qwen2.5-VL's towers all have it; no config names it


class _Layout(NamedTuple):
    """order: merged units as the tower takes them. cos, sin: [patches, 1, head_dim] so ordered,
    sin negated in the first half of head_dim. windows, images: whose patches see each other."""

    order: torch.Tensor
    back: torch.Tensor
    cos: torch.Tensor
    sin: torch.Tensor
    windows: WindowGroups
    images: WindowGroups


class VisionEncoder:
    """Films to vision tokens. Holds no weights of its own."""

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration) -> None:
        self._tower: Any = model.model.visual  # transformers is untyped here
        config = model.config.vision_config
        self._heads: int = config.num_heads
        self._unit: int = config.spatial_merge_size**2
        self._merge: int = config.spatial_merge_size
        self._window: int = config.window_size // config.spatial_merge_size // config.patch_size
        self._sees_all = frozenset(config.fullatt_block_indexes)
        self._patches: torch.Tensor = self._tower.patch_embed.proj.weight
        self._blocks = [_TowerBlock(block) for block in self._tower.blocks]
        self._layout = lru_cache(maxsize=8)(self._lay_out)

    def has_weights_of(self, other: VisionEncoder) -> bool:
        """Whether both towers give the same features."""
        ours, theirs = (encoder._tower.state_dict() for encoder in (self, other))
        return ours.keys() == theirs.keys() and all(
            torch.equal(tensor, theirs[name]) for name, tensor in ours.items()
        )

    def __call__(self, pixels: torch.Tensor, grids: tuple[Grid, ...]) -> torch.Tensor:
        """[patches, channels * temporal * patch * patch] of all films to [tokens, hidden]."""
        layout = self._layout(grids)
        hidden = functional.linear(pixels, self._patches.flatten(1))
        hidden = self._by_units(hidden)[layout.order].flatten(0, 1)
        for number, block in enumerate(self._blocks):
            groups = layout.images if number in self._sees_all else layout.windows
            hidden = hidden + self._attend(block, self._norm(hidden, block.norm1), layout, groups)
            gate, up = block.gate_up(self._norm(hidden, block.norm2)).chunk(2, dim=-1)
            hidden = hidden + block.down(block.activation(gate) * up)
        merger = self._tower.merger
        merged = self._by_units(self._norm(hidden, merger.ln_q.weight)).flatten(1)
        tokens: torch.Tensor = merger.mlp(merged)[layout.back]
        return tokens

    def _attend(
        self, block: _TowerBlock, hidden: torch.Tensor, layout: _Layout, groups: WindowGroups
    ) -> torch.Tensor:
        rows, width = hidden.shape
        qkv = block.qkv(hidden).view(rows, 3 * self._heads, width // self._heads)
        turning = qkv[:, : 2 * self._heads].float()
        half = turning.shape[-1] // 2
        turned = torch.addcmul(turning * layout.cos, turning.roll(half, -1), layout.sin)
        queries, keys = turned.to(hidden.dtype).split(self._heads, dim=1)
        values = qkv[:, 2 * self._heads :]
        attended, start = [], 0
        for count, length in groups:
            end = start + count * length
            window = (  # [windows, heads, length, head_dim]
                rows_of[start:end].unflatten(0, (count, length)).transpose(1, 2)
                for rows_of in (queries, keys, values)
            )
            seen = functional.scaled_dot_product_attention(*window)
            attended.append(seen.transpose(1, 2).reshape(end - start, width))
            start = end
        joined = torch.cat(attended) if len(attended) > 1 else attended[0]
        return block.output(joined)

    def _by_units(self, patches: torch.Tensor) -> torch.Tensor:
        """[patches, width] to [units, patches of a unit, width]."""
        return patches.view(-1, self._unit, patches.shape[-1])

    def _norm(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(hidden, (hidden.shape[-1],), weight, _EPS)

    def _lay_out(self, grids: tuple[Grid, ...]) -> _Layout:
        order: list[int] = []
        windows: list[tuple[int, int]] = []
        for _, rows, columns in grids:
            sizes = rows // self._merge, columns // self._merge
            by_window: dict[tuple[int, int], list[int]] = {}
            for unit in range(sizes[0] * sizes[1]):
                row, column = divmod(unit, sizes[1])
                place = row // self._window, column // self._window
                by_window.setdefault(place, []).append(unit)
            base = len(order)
            for length in sorted({len(units) for units in by_window.values()}, reverse=True):
                alike = [units for units in by_window.values() if len(units) == length]
                order += [base + unit for units in alike for unit in units]
                windows.append((len(alike), length * self._unit))
        device = self._patches.device
        ordered = torch.tensor(order, device=device)
        positions = get_vision_position_ids(torch.tensor(grids), self._merge).to(device)
        turns = self._tower.rotary_pos_emb(self._patches, positions)
        cos, sin = (self._by_units(turn)[ordered].flatten(0, 1)[:, None] for turn in turns)
        sin = sin.clone()
        sin[..., : sin.shape[-1] // 2].neg_()
        images = tuple((1, rows * columns) for _, rows, columns in grids)
        return _Layout(ordered, ordered.argsort(), cos, sin, tuple(windows), images)


class _TowerBlock:
    """One block's norms, and the products with its weights."""

    def __init__(self, block: Any) -> None:  # transformers' Qwen2_5_VLVisionBlock
        self.norm1: torch.Tensor = block.norm1.weight
        self.norm2: torch.Tensor = block.norm2.weight
        self.qkv = join_product(block.attn.qkv)
        self.output = join_product(block.attn.proj)
        self.gate_up = join_product(block.mlp.gate_proj, block.mlp.up_proj)
        self.down = join_product(block.mlp.down_proj)
        self.activation: torch.nn.Module = block.mlp.act_fn
