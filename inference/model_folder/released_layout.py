"""The released ECHO folders: Qwen2.5-VL's config.json and key names, and what ECHO adds to them.

``auto_map`` and the class names beside it point to remote code and are ignored: the tensors'
names and shapes decide whether the weights are this model's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from transformers import Qwen2_5_VLConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from inference.api import WeightsMismatch
from inference.model_folder.manifest import Manifest
from inference.model_folder.model_files import read_json

MODEL_TYPE = "qwen2_5_vl"
_QWEN_SYSTEM_PROMPT = "You are a helpful assistant."  # stock Qwen2.5-VL's chat template
# The released layout, and where transformers 5 keeps the same tensors.
_RENAMED = (
    ("visual.", "model.visual."),
    ("model.layers.", "model.language_model.layers."),
    ("model.embed_tokens.", "model.language_model.embed_tokens."),
    ("model.norm.", "model.language_model.norm."),
)
# Block diffusion models of this family use either word.
_BLOCK_LENGTH_KEYS = ("block_length", "block_size")
_BLOCK_IN_NAME = re.compile(r"_block(\d+)$", re.IGNORECASE)


def rename_key(stored: str) -> str:
    """A released tensor's name as transformers 5 has it; its own names stay."""
    for released, ours in _RENAMED:
        if stored.startswith(released):
            return ours + stored.removeprefix(released)
    return stored


def read_config(path: Path) -> Qwen2_5_VLConfig:
    """config.json, of the flat released form or transformers 5's; WeightsMismatch if another's."""
    values = read_json(path)
    _check_architecture(path, values)
    for key in ("auto_map", "architectures", "model_type", "_attn_implementation"):
        values.pop(key, None)
    if not isinstance(values.get("vision_config"), dict):
        raise WeightsMismatch(f"{path}: has no vision_config; this is no Qwen2.5-VL model")
    try:
        config = Qwen2_5_VLConfig.from_dict(values)
    except Exception as error:  # transformers validates with exceptions of several libraries
        raise WeightsMismatch(f"{path}: not a Qwen2.5-VL config ({error})") from error
    if set(config.text_config.layer_types) != {"full_attention"}:
        raise WeightsMismatch(f"{path}: sliding window attention can't be decoded in blocks")
    return config


def _check_architecture(path: Path, values: dict[str, Any]) -> None:
    """A name of another known model is refused; one that only remote code knows says nothing."""
    found = values.get("model_type", MODEL_TYPE)
    is_remote = isinstance(values.get("auto_map"), dict) and found not in CONFIG_MAPPING_NAMES
    if found != MODEL_TYPE and not is_remote:
        raise WeightsMismatch(
            f"{path}: wrong architecture, model_type is {found!r} and not {MODEL_TYPE!r}"
        )


def released_manifest(folder: Path) -> Manifest:
    """What a manifest would say of a released folder, from its config.json."""
    path = folder / "config.json"
    values = read_json(path)
    mask_token_id = _whole_number(values, "mask_token_id")
    if mask_token_id is None:
        raise WeightsMismatch(f"{path}: has no mask_token_id; this is no block diffusion model")
    block_length = read_block_length(path)
    if block_length is None:
        raise WeightsMismatch(f"{path}: has no block_length; this is no block diffusion model")
    named = _BLOCK_IN_NAME.search(folder.name)
    if named and int(named[1]) != block_length:
        raise WeightsMismatch(
            f"{path}: the block length is {block_length}, "
            f"but the folder is named for {int(named[1])}"
        )
    return Manifest(
        name=folder.name,
        version="",
        mask_token_id=mask_token_id,
        block_length=block_length,
        languages=("en", "zh"),
        max_images=2,
        pad_prompt_to_block=False,
        system_prompt=_QWEN_SYSTEM_PROMPT,
        decoding_modes=("one-step", "adaptive", "multi-step"),
    )


def check_against_config(folder: Path, manifest: Manifest) -> None:
    """WeightsMismatch where echo_manifest.json and config.json both say it and disagree."""
    path = folder / "config.json"
    said = {
        "mask_token_id": (_whole_number(read_json(path), "mask_token_id"), manifest.mask_token_id),
        "block_length": (read_block_length(path), manifest.block_length),
    }
    for name, (in_config, in_manifest) in said.items():
        if in_config is not None and in_config != in_manifest:
            raise WeightsMismatch(
                f"{path}: {name} is {in_config}, and the manifest says {in_manifest}"
            )


def read_block_length(path: Path) -> int | None:
    """The block length in config.json, or None; WeightsMismatch if it says two."""
    values = read_json(path)
    found = {key: _whole_number(values, key) for key in _BLOCK_LENGTH_KEYS}
    said = {length for length in found.values() if length is not None}
    if len(said) > 1:
        raise WeightsMismatch(f"{path}: two block lengths, {found}")
    return said.pop() if said else None


def _whole_number(values: dict[str, Any], key: str) -> int | None:
    found = values.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
