"""Whether a model fits a device, told before anything of it is loaded.

needed = weights + KV cache + kept + activations, with b the bytes of a number in the chosen dtype:

    weights      b · parameters, a tied output head counted once; less what reduced products save
                 (inference.products) once the model is loaded. Loading takes all of them, as the
                 exact model is what the reduced one is compared with
    KV cache     b · 2 · layers · KV heads · head size · positions, twice on a GPU: passes captured
                 as graphs find keys and values at one place, whichever prompt they come from
    positions    vision tokens of the largest films the model takes + text of the prompt
                 + new tokens (where regions are offered, the rows they take), in whole blocks
    kept         between drafts on the same films (draft_runner): a KV cache for each further
                 weights file of the manifest, as a mode of its own has its own prompt; and for
                 every weights file the prompt's embeddings and what the tower made of the films,
                 b · width · (prompt + vision tokens)
    activations  the larger of the vision tower over all patches and the prompt's prefill:
                 b · rows · (8 · width + 3 · feed-forward width); a layer then holds its input,
                 the normed input, queries, keys and values twice (before and after the rotation)
                 and the attention's output, or gate, up and product of the feed-forward
                 + the patches themselves, in fp32 and in the chosen dtype

Attention scores are not counted: the kernels in use never hold them whole. Weights of further
files are counted when they are loaded, and then what is kept is counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from transformers import Qwen2_5_VLConfig

from inference.api import REGION_MODES, EngineError, Products
from inference.memory.free_memory import free_memory
from inference.model_folder.manifest import Manifest
from inference.products.reduced_products import offered_products, saved_bytes
from inference.report_parts import needed_rows
from inference.vision.image_processor import ImageProcessor

MAX_NEW_TOKENS = 512  # GenerationRequest's default
_PROMPT_TEXT_TOKENS = 128  # both prompts with system turn stay below, in stock Qwen2.5's tokenizer
_COLOURS = 3
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class ModelDoesNotFit(EngineError):
    """The device has less free memory than the model needs; the message says what would do."""


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes on the device, of one loaded model while it drafts."""

    weights: int
    kv_cache: int
    kept: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.kept + self.activations

    def __str__(self) -> str:
        return (
            f"weights {_gib(self.weights)}, cache {_gib(self.kv_cache)}, "
            f"kept prompts {_gib(self.kept)}, activations {_gib(self.activations)}"
        )


@dataclass(frozen=True)
class FitOption:
    """One way to run a model. free_bytes: None where the platform doesn't tell. offered_products:
    what could be chosen on that device in that dtype."""

    device: str
    dtype: str
    needed_bytes: int
    free_bytes: int | None
    products: Products = "exact"
    offered_products: tuple[Products, ...] = ("exact",)

    @property
    def fits(self) -> bool:
        return self.free_bytes is None or self.needed_bytes <= self.free_bytes

    def __str__(self) -> str:
        reduced = f" with {self.products} products" if self.products != "exact" else ""
        return f"{self.dtype}{reduced} on {name_device(self.device)}"

    def describe(self) -> str:
        """In words: what it needs, what is free, and whether that does."""
        needs = f"{self} needs {_gib(self.needed_bytes)}"
        if self.free_bytes is None:
            return needs
        return f"{needs}, free {_gib(self.free_bytes)}: {'fits' if self.fits else 'does not fit'}"


@dataclass(frozen=True)
class ModelSize:
    """What of a model folder decides how much memory it takes."""

    config: Qwen2_5_VLConfig
    processor: ImageProcessor
    manifest: Manifest
    parameters: int

    def need(self, dtype: torch.dtype, caches: int = 1, products: Products = "exact") -> MemoryNeed:
        """See the module's formula. caches: how often keys and values are held."""
        text, vision, films = self.config.text_config, self.config.vision_config, self.processor
        block_length, images = self.manifest.block_length, self.manifest.max_images
        patches = images * films.max_pixels // films.patch_size**2
        vision_tokens, answer = count_vision_tokens(films, images), MAX_NEW_TOKENS
        prompt = vision_tokens + _PROMPT_TEXT_TOKENS
        if {*REGION_MODES} & {*self.manifest.decoding_modes}:
            answer = needed_rows(answer, block_length)
        positions = prompt + answer + -(prompt + answer) % block_length
        head_size = text.hidden_size // text.num_attention_heads
        per_position = 2 * text.num_hidden_layers * text.num_key_value_heads * head_size
        cache, further = caches * per_position * positions, len(self.manifest.extra_weights)
        features = (1 + further) * text.hidden_size * (prompt + vision_tokens)
        in_tower = patches * (8 * vision.hidden_size + 3 * vision.intermediate_size)
        in_prefill = prompt * (8 * text.hidden_size + 3 * text.intermediate_size)
        pixels = patches * _COLOURS * films.temporal_patch_size * films.patch_size**2
        return MemoryNeed(
            weights=dtype.itemsize * self.parameters - saved_bytes(products, self.config, dtype),
            kv_cache=dtype.itemsize * cache,
            kept=dtype.itemsize * (further * cache + features),
            activations=dtype.itemsize * max(in_tower, in_prefill)
            + (torch.float32.itemsize + dtype.itemsize) * pixels,
        )

    def option(
        self, device: torch.device, dtype: torch.dtype, products: Products = "exact"
    ) -> FitOption:
        name = str(dtype).removeprefix("torch.")
        needed = self.need(dtype, _caches_on(device), products).total
        offered = offered_products(device, dtype)
        return FitOption(str(device), name, needed, free_memory(device), products, offered)

    def options(self) -> Iterator[FitOption]:
        """Every device and dtype of this machine, GPUs and exact dtypes first."""
        for device in _devices():
            for dtype in _offered_dtypes(device):
                yield self.option(device, dtype)


def require_fit(
    size: ModelSize,
    device: torch.device,
    dtype: torch.dtype,
    find_embedded: Callable[[], ModelSize | None] = lambda: None,
) -> None:
    """ModelDoesNotFit says needed, free, and which option would fit, the embedded model too."""
    asked = size.option(device, dtype)
    if asked.fits:
        return
    assert asked.free_bytes is not None
    need = size.need(dtype, _caches_on(device))
    is_asked = (str(device), asked.dtype)
    others = [option for option in size.options() if (option.device, option.dtype) != is_asked]
    advice = [option.describe() for option in others]
    embedded = find_embedded()
    if embedded is not None and embedded.option(device, dtype).fits:
        advice.append("the embedded model fits")
    raise ModelDoesNotFit(
        f"{size.manifest.name}: {asked} needs {_gib(asked.needed_bytes)} ({need}); "
        f"free {_gib(asked.free_bytes)}" + "".join(f"; {text}" for text in advice)
    )


def longest_sequence(processor: ImageProcessor, images: int) -> int:
    """Positions of a prompt with so many of the largest films, and of the answer to it."""
    return count_vision_tokens(processor, images) + _PROMPT_TEXT_TOKENS + MAX_NEW_TOKENS


def count_vision_tokens(processor: ImageProcessor, images: int) -> int:
    """Of so many films of the largest size."""
    return images * processor.max_pixels // (processor.patch_size * processor.merge_size) ** 2


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """ "auto" is bfloat16 on a GPU that computes in it, else float32.

    EngineError for a name that is no dtype, or one that the device can't compute in.
    """
    offered = _offered_dtypes(device)
    if name == "auto":
        is_fast = device.type == "cuda" and torch.bfloat16 in offered
        return torch.bfloat16 if is_fast else torch.float32
    if (chosen := _DTYPES.get(name)) is None:
        raise EngineError(f"dtype {name!r}: only auto, {', '.join(_DTYPES)} are known")
    require_dtype(device, chosen)
    return chosen


def require_dtype(device: torch.device, dtype: torch.dtype) -> None:
    """EngineError names what the device can compute in instead."""
    offered = _offered_dtypes(device)
    if dtype not in offered:
        names = ", ".join(str(other).removeprefix("torch.") for other in offered)
        raise EngineError(
            f"{str(dtype).removeprefix('torch.')}: {name_device(str(device))} can't compute in it; "
            f"it can in {names}"
        )


def _offered_dtypes(device: torch.device) -> tuple[torch.dtype, ...]:
    """No float16 on a CPU (few kernels, all slow), and no emulated bfloat16 on a GPU."""
    if device.type != "cuda":
        return torch.float32, torch.bfloat16
    with torch.cuda.device(device):
        has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return (torch.float32, *((torch.bfloat16,) if has_bfloat16 else ()), torch.float16)


def _caches_on(device: torch.device) -> int:
    return 2 if device.type == "cuda" else 1


def _devices() -> list[torch.device]:
    gpus = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    return [*gpus, torch.device("cpu")]


def name_device(device: str) -> str:
    return "the CPU" if device == "cpu" else device


def _gib(count: int) -> str:
    """GiB with one digit; MiB below a tenth of one."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 // 10 else f"{count / 2**20:.1f} MiB"
