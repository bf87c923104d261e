"""The embedded model's architecture: Qwen2.5-VL from transformers, with small numbers."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from inference.prompts import END_OF_TEXT, IM_END, IMAGE_PAD, MASK, VISION_END, VISION_START

IMAGE_SIZE = 224
BLOCK_LENGTH = 8
_CHANNEL_MEAN = [0.5] * 7  # the film, its fine and coarse detail, two of position, two of spots


def build_config(tokenizer: Tokenizer) -> Qwen2_5_VLConfig:
    """About 5 M parameters: text 4 × 256, vision 4 × 160 at 224 pixels (64 vision tokens).

    Every vision layer attends to the whole film: at 16 × 16 patches windows would save nothing.
    """
    ids = {
        "image_token_id": tokenizer.token_to_id(IMAGE_PAD),
        "video_token_id": tokenizer.get_vocab_size() - 1,  # never produced; the config wants one
        "vision_start_token_id": tokenizer.token_to_id(VISION_START),
        "vision_end_token_id": tokenizer.token_to_id(VISION_END),
    }
    text = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 256,
        "intermediate_size": 704,
        "num_hidden_layers": 4,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": True,
        "bos_token_id": tokenizer.token_to_id(END_OF_TEXT),
        "eos_token_id": tokenizer.token_to_id(IM_END),
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6],
        },
    }  # fmt: skip
    vision = {
        "depth": 4,
        "hidden_size": 160,
        "intermediate_size": 448,
        "num_heads": 5,
        "out_hidden_size": 256,
        "patch_size": 14,
        "window_size": IMAGE_SIZE,
        "fullatt_block_indexes": [0, 1, 2, 3],
        "in_channels": len(_CHANNEL_MEAN),
    }
    config = Qwen2_5_VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=True, **ids
    )
    config.mask_token_id = tokenizer.token_to_id(MASK)
    config.block_length = BLOCK_LENGTH
    return config


def build_model(tokenizer: Tokenizer, seed: int = 0) -> Qwen2_5_VLForConditionalGeneration:
    """A freshly initialised model; the same seed gives the same weights."""
    torch.manual_seed(seed)
    return Qwen2_5_VLForConditionalGeneration(build_config(tokenizer))


def preprocessor_config() -> dict[str, object]:
    return {
        "image_processor_type": "Qwen2VLImageProcessor",
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "min_pixels": IMAGE_SIZE**2,
        "max_pixels": IMAGE_SIZE**2,
        "image_mean": _CHANNEL_MEAN,
        "image_std": [0.25] * len(_CHANNEL_MEAN),
        "pad_to_square": True,
        "local_contrast": True,
        "position_channels": True,
        "spot_channels": True,
    }


def write_preprocessor_config(folder: Path) -> None:
    text = json.dumps(preprocessor_config(), indent=2)
    (folder / "preprocessor_config.json").write_text(text + "\n", encoding="utf-8")
