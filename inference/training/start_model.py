"""The model a stage starts from: our small architecture, or any local Qwen2.5-VL folder.

Safetensors only, local files only, no remote code. What a stage writes is again such a folder,
which the engine loads and the next stage starts from.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.api import REGION_MODES, DecodingMode
from inference.model_folder.checkpoint import list_model_files
from inference.model_folder.manifest import Manifest, write_manifest
from inference.prompts import END_OF_TEXT, IM_END, IMAGE_PAD, MASK
from inference.report_parts import PARTS
from inference.training.config import ConfigError, ModelConfig
from inference.training.data.prompt_frame import PromptFormat
from inference.training.embedded_config import build_model, write_preprocessor_config
from inference.training.loop import load_language, load_vision, load_weights, save_weights
from inference.training.task_vector import add_task_vector
from inference.training.tokenizer import LANGUAGES, run_tokenizer, special_id
from inference.vision.image_processor import ImageProcessor

_PREPROCESSOR = "preprocessor_config.json"
_MODES: dict[str, tuple[DecodingMode, ...]] = {"ar": ("autoregressive",), "vision": ()}


@dataclass(frozen=True, eq=False)
class StartModel:
    """A model ready to be trained, and all it takes to prompt it and to write it again."""

    model: Qwen2_5_VLForConditionalGeneration
    prompt: PromptFormat
    preprocessor: Path  # its preprocessor_config.json
    name: str

    @property
    def tokenizer(self) -> Tokenizer:
        return self.prompt.tokenizer


def open_start(config: ModelConfig, output: Path, device: torch.device) -> StartModel:
    """Raises ConfigError for a start that is none, or for options that don't fit it."""
    if config.start == "embedded":
        started = _open_embedded(config, output)
    else:
        if config.weights or config.vision_from or config.language_from:
            raise ConfigError('weights, vision_from and language_from need start = "embedded"')
        started = _open_folder(Path(config.start), config)
    if config.task_vector:
        if len(config.task_vector) != 2:
            raise ConfigError("task_vector: two folders, [trained, began with]")
        add_task_vector(started.model, *config.task_vector)
    model = started.model.to(device, getattr(torch, config.weights_dtype)).train()
    model.config.block_length = config.block_length
    model.model.visual.requires_grad_(not config.freeze_vision)
    if config.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    return started


def _open_embedded(config: ModelConfig, output: Path) -> StartModel:
    beside = config.weights.parent if config.weights else output
    tokenizer = run_tokenizer(beside)
    model = build_model(tokenizer)
    if config.weights:
        load_weights(model, config.weights)
    if config.language_from:
        old = Tokenizer.from_file(str(config.language_from.parent / "tokenizer.json"))
        load_language(model, tokenizer, config.language_from, old)
    if config.vision_from:
        load_vision(model, config.vision_from)
    output.mkdir(parents=True, exist_ok=True)
    write_preprocessor_config(output)
    prompt = _prompt_format(tokenizer, output, config)
    return StartModel(model, prompt, output / _PREPROCESSOR, "ECHO phantom")


def _open_folder(folder: Path, config: ModelConfig) -> StartModel:
    if not (folder / "config.json").is_file():
        raise ConfigError(f"start: {folder} is no model folder")
    model, report = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
        dtype=getattr(torch, config.weights_dtype),
    )
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if keys := sorted(map(str, report[problem])):
            raise ConfigError(f"start: {folder}: {problem} {', '.join(keys[:3])} ({len(keys)})")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for token in (IM_END, END_OF_TEXT, IMAGE_PAD):
        if tokenizer.token_to_id(token) is None:
            raise ConfigError(f"start: {folder / 'tokenizer.json'} has no {token}")
    add_mask_token(model, tokenizer)
    prompt = _prompt_format(tokenizer, folder, config)
    return StartModel(model, prompt, folder / _PREPROCESSOR, folder.name)


def _prompt_format(tokenizer: Tokenizer, folder: Path, config: ModelConfig) -> PromptFormat:
    processor = ImageProcessor.from_folder(folder)
    names = name_ids(tokenizer) if config.regions else ()
    return PromptFormat(
        tokenizer, processor, config.block_length, config.system_prompt or None, names
    )


def name_ids(tokenizer: Tokenizer) -> tuple[int, ...]:
    """One token that names each part of the report: the first of its English name.

    Any checkpoint has such tokens, so that its network and vocabulary stay as they are.
    """
    encoded = tokenizer.encode_batch([f" {part}" for part in PARTS], add_special_tokens=False)
    ids = tuple(encoding.ids[0] for encoding in encoded)
    if len(set(ids)) < len(ids):
        raise ConfigError("model: regions: two parts of the report begin with the same token")
    return ids


def add_mask_token(model: Qwen2_5_VLForConditionalGeneration, tokenizer: Tokenizer) -> None:
    """Give tokenizer and model <|MASK|> where they lack it; its embedding is the mean of all.

    Qwen2.5-VL has more embedding rows than tokens: a row is added only where none is free.
    """
    if tokenizer.token_to_id(MASK) is None:
        tokenizer.add_special_tokens([AddedToken(MASK, normalized=False)])
        mask_id = special_id(tokenizer, MASK)
        if mask_id >= model.get_input_embeddings().weight.shape[0]:
            model.resize_token_embeddings(mask_id + 1, mean_resizing=False)
        with torch.no_grad():
            for rows in {model.get_input_embeddings().weight, model.lm_head.weight}:
                rows[mask_id] = rows[:mask_id].mean(0)
    model.config.mask_token_id = special_id(tokenizer, MASK)


def write_model_folder(start: StartModel, folder: Path, stage: str, version: str) -> None:
    """The trained model as a folder of our own layout: the engine's, and the next stage's start.

    Its files are written first and its manifest last; a half-written folder has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "echo_manifest.json").unlink(missing_ok=True)
    start.model.config.save_pretrained(folder)
    save_weights(start.model, folder / "model.safetensors")
    start.tokenizer.save(str(folder / "tokenizer.json"))
    if start.preprocessor != folder / _PREPROCESSOR:
        shutil.copyfile(start.preprocessor, folder / _PREPROCESSOR)
    stops = [special_id(start.tokenizer, IM_END), special_id(start.tokenizer, END_OF_TEXT)]
    generation = {"eos_token_id": stops, "do_sample": False}
    text = json.dumps(generation, indent=2) + "\n"
    (folder / "generation_config.json").write_text(text, encoding="utf-8")
    modes = _MODES.get(stage, ("one-step", "multi-step", "adaptive"))
    modes = REGION_MODES if start.prompt.name_ids else modes
    manifest = Manifest(
        name=start.name,
        version=version,
        mask_token_id=int(start.model.config.mask_token_id),
        block_length=start.prompt.block_length,
        languages=LANGUAGES,
        max_images=2,
        pad_prompt_to_block=True,
        system_prompt=start.prompt.system_prompt,
        decoding_modes=modes,
        autoregressive_weights="model.safetensors" if stage == "ar" else None,
        region_name_ids=start.prompt.name_ids,
    )
    write_manifest(folder, manifest, list_model_files(folder))
