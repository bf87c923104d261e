"""Models of a known shape with random weights: for speed, which doesn't depend on the values.

No file of weights is needed, so the 7B shape can be measured where its checkpoint can't be had.
Tokenizer and prompt are the embedded model's. What such a model says means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.initialization import no_init_weights

from inference.api import Products
from inference.engine import ReportEngine, choose_device
from inference.memory.device_fit import ModelSize, require_dtype, require_fit
from inference.model_folder.checkpoint import Checkpoint, embedded_folder, open_checkpoint
from inference.model_folder.weight_files import WEIGHTS_NAME
from inference.model_folder.weight_loading import build_empty_model
from inference.vision.image_processor import ImageProcessor

Shape = Literal["embedded", "echo-7b"]
SHAPES: tuple[Shape, ...] = ("embedded", "echo-7b")
_SEED = 0


def random_engine(
    shape: Shape, device: str = "auto", dtype: str = "auto", products: Products = "exact"
) -> ReportEngine:
    """An engine of that shape; EngineError where the device has too little memory for it.

    It never stops by itself: every answer is as long as it may be. Reduced products are taken
    whether tokens agree or not: random weights leave nearly all of them in doubt.
    """
    checkpoint = open_checkpoint(embedded_folder())
    config, processor = checkpoint.config, checkpoint.image_processor
    if shape == "echo-7b":
        config, processor = _echo_7b(config), _stock_processor()
    manifest = replace(
        checkpoint.manifest,
        name=f"{shape} shape, random weights",
        version="",
        autoregressive_weights=WEIGHTS_NAME,  # the same: only the mask differs
        multi_step_weights=None,
        canonical_wording=False,
    )
    random = RandomCheckpoint(
        folder=checkpoint.folder,
        manifest=manifest,
        config=config,
        tokenizer=checkpoint.tokenizer,
        image_processor=processor,
        stop_ids=frozenset(),
        file_names=(),
    )
    return ReportEngine(
        random, choose_device(device), dtype, products=products, least_agreement=0.0
    )


@dataclass(frozen=True)
class RandomCheckpoint(Checkpoint):
    """A checkpoint whose weights are drawn, not read."""

    @property
    def sha256(self) -> str:  # nothing to cache: there is no file
        return ""

    def load_model(
        self, weights_name: str, device: torch.device, dtype: torch.dtype
    ) -> Qwen2_5_VLForConditionalGeneration:
        require_dtype(device, dtype)
        empty = build_empty_model(self.config)
        parameters = sum(parameter.numel() for parameter in empty.parameters())
        size = ModelSize(self.config, self.image_processor, self.manifest, parameters)
        require_fit(size, device, dtype)
        with no_init_weights(), device, _default_dtype(dtype):
            model = Qwen2_5_VLForConditionalGeneration(self.config)
        generator = torch.Generator(device).manual_seed(_SEED)
        for name, parameter in model.named_parameters():
            _draw(name, parameter.requires_grad_(False), generator)
        return model.eval()


def _draw(name: str, parameter: torch.Tensor, generator: torch.Generator) -> None:
    """Every unit's output varies as much as its inputs do, so that answers don't loop at once."""
    if parameter.dim() > 1:
        fan_in = 1 if "embed_tokens" in name else parameter[0].numel()
        parameter.normal_(0.0, fan_in**-0.5, generator=generator)
    else:
        parameter.fill_(0.0 if name.endswith("bias") else 1.0)


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _echo_7b(embedded: Qwen2_5_VLConfig) -> Qwen2_5_VLConfig:
    """Qwen2.5-VL-7B's dimensions (its config.json), with the special tokens of our tokenizer."""
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": 152_064,
            "hidden_size": 3584,
            "intermediate_size": 18_944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "rms_norm_eps": 1e-6,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1_000_000.0,
                "mrope_section": [16, 24, 24],
            },
            "bos_token_id": None,
            "eos_token_id": None,
        },
        vision_config={
            "depth": 32,
            "hidden_size": 1280,
            "num_heads": 16,
            "intermediate_size": 3420,
            "out_hidden_size": 3584,
            "patch_size": 14,
            "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
        },
        image_token_id=embedded.image_token_id,
        video_token_id=embedded.video_token_id,
        tie_word_embeddings=False,
    )


def _stock_processor() -> ImageProcessor:
    """Qwen2.5-VL's, with the film size of ECHO (arXiv 2604.09450)."""
    return ImageProcessor(
        patch_size=14,
        temporal_patch_size=2,
        merge_size=2,
        min_pixels=256 * 28 * 28,
        max_pixels=2_250_000,
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
    )
