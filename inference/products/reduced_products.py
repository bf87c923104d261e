"""Which linear products are reduced, where that is offered, and from how many rows it pays.

Reduced are those of the decoder's layers and of the vision tower's blocks and merger: not the
output head, nor the patch embedding. Off unless asked for; token_agreement tells what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from inference.api import Products, ProductsRefused
from inference.products.reduced_linear import BfloatLinear, Float8Linear, Int8Linear, ReducedLinear

FORMS: dict[Products, type[ReducedLinear]] = {
    "bfloat16": BfloatLinear, "int8": Int8Linear, "fp8": Float8Linear,
}  # fmt: skip
# Below, exact weights of the decoder stay beside the reduced ones: they lie in the processor's
# cache, where fewer bits save a single row nothing. Above, its memory is what is to be saved.
_SMALL_BYTES = 256 * 2**20
_ROWS, _TRIES = (1, 2, 4, 8, 16, 32, 64), 7
_WORTH_IT = 0.9  # of the exact product's time: less gain than that may be noise
_FIRST_FLOAT8 = (8, 9)  # compute capability
_FLOAT8_MULTIPLE = 16


class Reduction(NamedTuple):
    """from_rows: of the decoder's products, those of fewer rows stay exact; 0: none."""

    products: Products
    from_rows: int

    def apply(self, model: Qwen2_5_VLForConditionalGeneration) -> None:
        """Put reduced layers in place of the model's own, one by one, so that memory never holds
        more than one of them twice."""
        form = FORMS[self.products]
        for parent, name, linear, is_text in _reducible(model):
            if self.products != "fp8" or _fits_float8(linear):
                setattr(parent, name, form(linear, self.from_rows if is_text else 0))


def offered_products(device: torch.device, dtype: torch.dtype) -> tuple[Products, ...]:
    """Those that make sense here; whether they are faster, trying them tells."""
    if device.type == "cpu":
        return ("exact", "bfloat16", "int8") if dtype == torch.float32 else ("exact", "int8")
    if torch.cuda.get_device_capability(device) >= _FIRST_FLOAT8 and dtype == torch.bfloat16:
        return ("exact", "fp8")
    return ("exact",)


def choose_reduction(
    products: Products,
    config: Qwen2_5_VLConfig,
    device: torch.device,
    dtype: torch.dtype,
    now: Callable[[], float] = perf_counter,
) -> Reduction | None:
    """None for "exact". ProductsRefused where the device doesn't offer it, or isn't faster with it.

    now: seconds. Some 20 milliseconds on a CPU.
    """
    offered = offered_products(device, dtype)
    if products not in offered:
        name = str(dtype).removeprefix("torch.")
        raise ProductsRefused(
            f"products {products!r}: {device} in {name} offers {', '.join(offered)} only"
        )
    if products == "exact":
        return None
    text = config.text_config
    if device.type != "cpu" or not keeps_exact(config, dtype):
        return Reduction(products, 0)
    linear = nn.Linear(text.hidden_size, 2 * text.intermediate_size, bias=False).to(dtype)
    if rows := _fewest_rows(linear, FORMS[products](linear), now):
        return Reduction(products, rows)
    raise ProductsRefused(f"products {products!r}: no faster than 'exact' on this processor")


def keeps_exact(config: Qwen2_5_VLConfig, dtype: torch.dtype) -> bool:
    """Whether the decoder's exact weights stay beside the reduced ones (on a CPU)."""
    sizes = _text_sizes(config)
    return sum(rows * columns for rows, columns in sizes) * dtype.itemsize <= _SMALL_BYTES


def saved_bytes(products: Products, config: Qwen2_5_VLConfig, dtype: torch.dtype) -> int:
    """By how much a model becomes smaller (below 0: larger) when its products are reduced."""
    form, saved = FORMS.get(products), 0
    if form is None:
        return 0
    keeps = products != "fp8" and keeps_exact(config, dtype)
    for is_text, sizes in ((True, _text_sizes(config)), (False, _tower_sizes(config))):
        for rows, columns in sizes:
            if products == "fp8" and (rows % _FLOAT8_MULTIPLE or columns % _FLOAT8_MULTIPLE):
                continue
            scales = 0 if form is BfloatLinear else torch.float32.itemsize * rows
            held = rows * columns * (2 if form is BfloatLinear else 1) + scales
            saved += (0 if keeps and is_text else rows * columns * dtype.itemsize) - held
    return saved


def _fewest_rows(linear: nn.Linear, reduced: ReducedLinear, now: Callable[[], float]) -> int:
    """From how many rows on the reduced product is clearly faster; 0 for never.

    Both take turns on random numbers, and the best time of each counts, so that other work on the
    machine decides nothing.
    """
    fewest = 0
    for count in reversed(_ROWS):
        rows = torch.randn(count, linear.in_features, dtype=linear.weight.dtype)
        exact_s = reduced_s = float("inf")
        for turn in range(_TRIES + 1):
            begun = now()
            functional.linear(rows, linear.weight.data)
            between = now()
            reduced(rows)
            ended = now()
            if turn:  # the first one warms up
                exact_s, reduced_s = min(exact_s, between - begun), min(reduced_s, ended - between)
        if reduced_s > _WORTH_IT * exact_s:
            break
        fewest = count
    return fewest


def _reducible(
    model: Qwen2_5_VLForConditionalGeneration,
) -> Iterator[tuple[nn.Module, str, nn.Linear, bool]]:
    """(parent, its name there, the layer, whether it is the decoder's)."""
    tower = model.model.visual
    wholes = [(model.model.language_model.layers, True), (tower.blocks, False)]
    for whole, is_text in [*wholes, (tower.merger, False)]:
        for parent in list(whole.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.Linear):
                    yield parent, name, child, is_text


def _fits_float8(linear: nn.Linear) -> bool:
    return not (linear.in_features % _FLOAT8_MULTIPLE or linear.out_features % _FLOAT8_MULTIPLE)


def _text_sizes(config: Qwen2_5_VLConfig) -> list[tuple[int, int]]:
    text = config.text_config
    head_size = text.hidden_size // text.num_attention_heads
    keys = text.num_key_value_heads * head_size
    width, inner = text.hidden_size, text.intermediate_size
    layer = [(width, width), (keys, width), (keys, width), (width, width)]
    layer += [(inner, width), (inner, width), (width, inner)]
    return layer * text.num_hidden_layers


def _tower_sizes(config: Qwen2_5_VLConfig) -> list[tuple[int, int]]:
    vision = config.vision_config
    width, inner = vision.hidden_size, vision.intermediate_size
    merged = width * vision.spatial_merge_size**2
    block = [(3 * width, width), (width, width), (inner, width), (inner, width), (width, inner)]
    return block * vision.depth + [(merged, merged), (vision.out_hidden_size, merged)]
