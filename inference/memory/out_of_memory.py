"""Memory that ran out while drafting: how each allocator says so, and what would need less."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from inference.api import REGION_MODES, EngineError, GenerationRequest, Products
from inference.memory.device_fit import name_device
from inference.model_folder.checkpoint import Checkpoint, embedded_folder
from inference.model_folder.weight_files import WEIGHTS_NAME
from inference.products.reduced_products import offered_products


def is_out_of_memory(error: Exception) -> bool:
    """torch raises a class of its own on a GPU, but a bare RuntimeError on a CPU."""
    if isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error):
        return True
    return isinstance(error, (torch.OutOfMemoryError, MemoryError))


def describe_out_of_memory(
    checkpoint: Checkpoint,
    request: GenerationRequest,
    device: torch.device,
    dtype: torch.dtype,
    doing: str,
    products: Products = "exact",
) -> str:
    """What ran out, and the next smaller way to draft."""
    ways = _smaller_ways(checkpoint, request, device, dtype, products)
    smaller = next(ways, "closing other programs")
    return (
        f"{name_device(str(device))}: out of memory while {doing}. What the engine held of this "
        f"study is freed, and another draft can be asked for. Needs less: {smaller}"
    )


def _smaller_ways(
    checkpoint: Checkpoint,
    request: GenerationRequest,
    device: torch.device,
    dtype: torch.dtype,
    products: Products,
) -> Iterator[str]:
    """The nearest first."""
    if len(request.images) > 1:
        yield "the first film alone"
    if request.decoding == "guided":
        yield "decoding 'one-step', which runs one model instead of two"
    if request.decoding in REGION_MODES:
        yield "decoding 'one-step', which fills one block at a time"
    try:
        size = checkpoint.size(checkpoint.read_tensors(WEIGHTS_NAME))
    except EngineError:  # weights of no file (benchmarks), or a folder that is gone
        return
    needed = size.option(device, dtype, products).needed_bytes
    reduced = [size.option(device, dtype, form) for form in offered_products(device, dtype)[1:]]
    options = list(size.options())
    on_device = [option for option in options if option.device == str(device)]
    yield from (o.describe() for o in [*on_device, *reduced] if o.needed_bytes < needed)
    yield from (o.describe() for o in options if o.device != str(device) and o.fits)
    if checkpoint.folder.resolve() != embedded_folder().resolve():
        yield "the embedded model"
