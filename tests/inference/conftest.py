"""A tiny random Qwen2.5-VL in a model folder of our own layout, with vision; made once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from inference.api import GenerationRequest, ModelImage
from inference.engine import ReportEngine
from inference.model_folder.checkpoint import list_model_files
from inference.model_folder.manifest import MANIFEST_NAME, Manifest, write_manifest
from inference.prompts import END_OF_TEXT, IM_END, IMAGE_PAD, MASK, PROMPTS, SPECIAL_TOKENS

BLOCK_LENGTH = 4
_CORPUS = [*PROMPTS.values(), "Findings: No pleural effusion. Impression: Normal. 胸部 é ü 🫁"]


def train_tiny_tokenizer() -> Tokenizer:
    """Byte-level BPE, so that one Chinese character or emoji spans several tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    return tokenizer


def tiny_config(tokenizer: Tokenizer) -> Qwen2_5_VLConfig:
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [2, 3, 3],
            },
            "bos_token_id": None,
            "eos_token_id": tokenizer.token_to_id(IM_END),
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "num_heads": 2,
            "intermediate_size": 48,
            "out_hidden_size": 64,
            "patch_size": 14,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        image_token_id=tokenizer.token_to_id(IMAGE_PAD),
        video_token_id=tokenizer.get_vocab_size() - 1,
        tie_word_embeddings=True,
    )


def random_weights(config: Qwen2_5_VLConfig, seed: int) -> dict[str, torch.Tensor]:
    """Weights large enough that every token depends on the film and on all others."""
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(config)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.6 if "embed" in name else 0.25)
        elif name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.1)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    del state["lm_head.weight"]  # tied
    return state


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """config, tokenizer, weights, autoregressive weights and manifest; never write into it."""
    folder = tmp_path_factory.mktemp("tiny-model")
    tokenizer = train_tiny_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = tiny_config(tokenizer)
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    stop_ids = [tokenizer.token_to_id(IM_END), tokenizer.token_to_id(END_OF_TEXT)]
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": stop_ids}))
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "patch_size": 14,
                "temporal_patch_size": 2,
                "merge_size": 2,
                "min_pixels": 28 * 28,
                "max_pixels": 112 * 112,
                "image_mean": [0.5, 0.5, 0.5],
                "image_std": [0.25, 0.25, 0.25],
            }
        )
    )
    save_file(random_weights(config, seed=1), folder / "model.safetensors")
    save_file(random_weights(config, seed=2), folder / "autoregressive.safetensors")
    manifest = Manifest(
        name="tiny",
        version="0",
        mask_token_id=tokenizer.token_to_id(MASK),
        block_length=BLOCK_LENGTH,
        max_images=2,
        autoregressive_weights="autoregressive.safetensors",
    )
    write_manifest(folder, manifest, list_model_files(folder, ["autoregressive.safetensors"]))
    return folder


@pytest.fixture(scope="session")
def tiny_engine(tiny_folder: Path) -> ReportEngine:
    return ReportEngine.load(tiny_folder, "cpu")


@pytest.fixture
def copied_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny model folder, to be damaged."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


@pytest.fixture
def released_folder(copied_folder: Path) -> Path:
    """The released ECHO layout: no manifest, mask token and block length in config.json."""
    manifest = json.loads((copied_folder / MANIFEST_NAME).read_text())
    (copied_folder / MANIFEST_NAME).unlink()
    (copied_folder / "autoregressive.safetensors").unlink()
    path = copied_folder / "config.json"
    config = json.loads(path.read_text()) | {
        "mask_token_id": manifest["mask_token_id"],
        "block_length": manifest["block_length"],
        "auto_map": {"AutoModel": "modeling_echo.EchoModel"},
        "architectures": ["EchoModel"],
    }
    path.write_text(json.dumps(config))
    return copied_folder


@pytest.fixture(scope="session")
def tiny_film() -> ModelImage:
    pixels = np.random.default_rng(7).normal(1000, 300, (84, 84)).astype(np.float32)
    return ModelImage(pixels)


@pytest.fixture
def make_request(tiny_film: ModelImage) -> Callable[..., GenerationRequest]:
    """A request for the tiny film; keyword arguments as GenerationRequest's."""

    def make(**settings: object) -> GenerationRequest:
        defaults: dict[str, object] = {
            "request_id": "r1",
            "images": (tiny_film,),
            "max_new_tokens": 30,
        }
        return GenerationRequest(**(defaults | settings))  # type: ignore[arg-type]

    return make
