"""A model folder, checked before anything of it is used: safetensors only, strict, no remote code.

Two layouts: our own with echo_manifest.json, and the released ECHO one (Qwen2.5-VL
safetensors; mask token and block length in config.json). ``auto_map`` is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from inference import manifest as manifests
from inference.api import Calibration, DecodingMode, EngineError, WeightsMismatch
from inference.image_processor import ImageProcessor
from inference.manifest import Manifest, check_file, read_json
from inference.prompts import END_OF_TEXT, IMAGE_PAD, MASK

if TYPE_CHECKING:
    from torch import nn

WEIGHTS_NAME = "model.safetensors"
_FILES = ("config.json", "tokenizer.json", "preprocessor_config.json", "generation_config.json")
_QWEN_SYSTEM_PROMPT = "You are a helpful assistant."  # stock Qwen2.5-VL's chat template
# The released layout, and where transformers 5 keeps the same tensors.
_RENAMED = (
    ("visual.", "model.visual."),
    ("model.layers.", "model.language_model.layers."),
    ("model.embed_tokens.", "model.language_model.embed_tokens."),
    ("model.norm.", "model.language_model.norm."),
)
_VISION_PREFIX = "model.visual."
_HEAD, _EMBEDDING = "lm_head.weight", "model.language_model.embed_tokens.weight"


@dataclass(frozen=True)
class Checkpoint:
    """A verified model folder; weights are read by load_model only."""

    folder: Path
    manifest: Manifest
    config: Qwen2_5_VLConfig
    tokenizer: Tokenizer
    image_processor: ImageProcessor
    stop_ids: frozenset[int]
    sha256: str
    calibration: Calibration | None = None

    def weights_name(self, mode: DecodingMode) -> str:
        """The weights file of a decoding mode, relative to the folder."""
        own = {
            "autoregressive": self.manifest.autoregressive_weights,
            "multi-step": self.manifest.multi_step_weights,
        }
        return own.get(mode) or WEIGHTS_NAME

    def load_model(
        self, weights_name: str, device: torch.device, dtype: torch.dtype
    ) -> Qwen2_5_VLForConditionalGeneration:
        """The model with these weights, in eval mode; WeightsMismatch names file and keys."""
        state = self._read_state(weights_name, device, dtype)
        if weights_name != WEIGHTS_NAME and not any(k.startswith(_VISION_PREFIX) for k in state):
            main = self._read_state(WEIGHTS_NAME, device, dtype, prefix=_VISION_PREFIX)
            state |= main
        with torch.device("meta"):
            model = Qwen2_5_VLForConditionalGeneration(self.config)
        if self.config.tie_word_embeddings and _EMBEDDING in state:
            state[_HEAD] = state[_EMBEDDING]
        _check_state(self.folder / weights_name, model.state_dict(), state)
        model.load_state_dict(state, strict=True, assign=True)
        _rebuild_buffers(model, device)
        return model.eval().requires_grad_(False)

    def _read_state(
        self, weights_name: str, device: torch.device, dtype: torch.dtype, prefix: str = ""
    ) -> dict[str, torch.Tensor]:
        state = {}
        for name in _weight_files(self.folder, weights_name):
            path = self.folder / name
            try:
                with safe_open(path, framework="pt", device="cpu") as tensors:
                    for stored in tensors.keys():  # noqa: SIM118 (not a mapping)
                        key = _rename(stored)
                        if key.startswith(prefix):
                            state[key] = tensors.get_tensor(stored).to(device, dtype)
            except (SafetensorError, OSError) as error:
                raise WeightsMismatch(
                    f"{path}: not a whole safetensors file, perhaps truncated ({error})"
                ) from error
        return state


def open_checkpoint(folder: Path) -> Checkpoint:
    """Check a model folder and read all of it but the weights.

    Raises WeightsMismatch or EngineError, naming the file and the reason.
    """
    if not folder.is_dir():
        raise EngineError(f"{folder}: no such model folder")
    for path in sorted(folder.iterdir()):
        manifests.refuse_pickle(path)
    manifest = manifests.read_manifest(folder)
    names = _needed_files(folder, manifest)
    if manifest is None:
        digests = manifests.hash_files(folder, names)
        manifest = _released_manifest(folder)
    else:
        digests = manifests.verify_files(folder, manifest, names)
    config = _read_config(folder / "config.json")
    tokenizer = _read_tokenizer(folder / "tokenizer.json")
    _check_special_tokens(folder, manifest, config, tokenizer)
    return Checkpoint(
        folder=folder,
        manifest=manifest,
        config=config,
        tokenizer=tokenizer,
        image_processor=ImageProcessor.from_folder(folder),
        stop_ids=_read_stop_ids(folder),
        sha256=manifests.digest_of(digests),
        calibration=manifests.read_calibration(folder),
    )


def list_model_files(folder: Path, extra_weights: Iterable[str] = ()) -> list[str]:
    """Every file of folder that the engine reads: what a manifest has to name."""
    names = [name for name in (*_FILES, manifests.CALIBRATION_NAME) if (folder / name).exists()]
    for weights in (WEIGHTS_NAME, *extra_weights):
        names += _weight_files(folder, weights)
        if not (folder / weights).exists():
            names.append(f"{weights}.index.json")
    return names


def _needed_files(folder: Path, manifest: Manifest | None) -> list[str]:
    for name in ("config.json", "tokenizer.json", "preprocessor_config.json"):
        check_file(folder, name)
    extra = (manifest.autoregressive_weights, manifest.multi_step_weights) if manifest else ()
    return list_model_files(folder, [name for name in extra if name])


def _weight_files(folder: Path, weights_name: str) -> list[str]:
    """The weights file itself, or the shards its index names; WeightsMismatch if one lacks."""
    index_path = folder / f"{weights_name}.index.json"
    if (folder / weights_name).exists() or not index_path.exists():
        check_file(folder, weights_name)
        return [weights_name]
    weight_map = read_json(index_path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise WeightsMismatch(f"{index_path}: has no weight_map")
    shards = sorted({str(shard) for shard in weight_map.values()})
    for shard in shards:
        try:
            check_file(folder, shard)
        except WeightsMismatch as error:
            raise WeightsMismatch(f"{error} (a shard named by {index_path.name})") from error
    return shards


def _released_manifest(folder: Path) -> Manifest:
    """What a manifest would say of a released ECHO folder, from its config.json."""
    path = folder / "config.json"
    values = read_json(path)
    for key in ("mask_token_id", "block_length"):
        if not isinstance(values.get(key), int):
            raise WeightsMismatch(f"{path}: has no {key}; this is no block diffusion model")
    return Manifest(
        name=folder.name,
        version="",
        mask_token_id=values["mask_token_id"],
        block_length=values["block_length"],
        languages=("en", "zh"),
        max_images=2,
        pad_prompt_to_block=False,
        system_prompt=_QWEN_SYSTEM_PROMPT,
        decoding_modes=("one-step", "adaptive", "multi-step"),
    )


def _read_config(path: Path) -> Qwen2_5_VLConfig:
    values = read_json(path)
    for key in ("auto_map", "architectures", "model_type", "_attn_implementation"):
        values.pop(key, None)
    if not isinstance(values.get("vision_config"), dict):
        raise WeightsMismatch(f"{path}: has no vision_config; this is no Qwen2.5-VL model")
    try:
        return Qwen2_5_VLConfig.from_dict(values)
    except Exception as error:  # transformers validates with exceptions of several libraries
        raise WeightsMismatch(f"{path}: not a Qwen2.5-VL config ({error})") from error


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust side raises bare Exception
        raise WeightsMismatch(f"{path}: not a usable tokenizer ({error})") from error


def _check_special_tokens(
    folder: Path, manifest: Manifest, config: Qwen2_5_VLConfig, tokenizer: Tokenizer
) -> None:
    expected: dict[str, int] = {MASK: manifest.mask_token_id, IMAGE_PAD: config.image_token_id}
    for token, wanted in expected.items():
        if (found := tokenizer.token_to_id(token)) != wanted:
            raise WeightsMismatch(
                f"{folder / 'tokenizer.json'}: {token} is {found}, the model says {wanted}"
            )
    if tokenizer.token_to_id(END_OF_TEXT) is None:
        raise WeightsMismatch(f"{folder / 'tokenizer.json'}: has no {END_OF_TEXT}")
    size, rows = tokenizer.get_vocab_size(), config.text_config.vocab_size
    if size > rows:
        raise WeightsMismatch(
            f"{folder / 'tokenizer.json'}: {size} tokens, but the model has rows for {rows}"
        )
    if manifest.block_length < 1:
        raise WeightsMismatch(f"{folder}: a block length of {manifest.block_length}")


def _read_stop_ids(folder: Path) -> frozenset[int]:
    """Every eos id of generation_config.json, or of config.json where that has none."""
    for name in ("generation_config.json", "config.json"):
        if (folder / name).exists():
            value: Any = read_json(folder / name).get("eos_token_id")
            ids = value if isinstance(value, list) else [value]
            if value is not None and all(isinstance(entry, int) for entry in ids):
                return frozenset(ids)
    raise WeightsMismatch(f"{folder / 'generation_config.json'}: has no eos_token_id")


def _rename(key: str) -> str:
    for released, ours in _RENAMED:
        if key.startswith(released):
            return ours + key.removeprefix(released)
    return key


def _check_state(
    path: Path, expected: dict[str, torch.Tensor], state: dict[str, torch.Tensor]
) -> None:
    problems = []
    if missing := sorted(expected.keys() - state.keys()):
        problems.append(f"missing {_first_few(missing)}")
    if unexpected := sorted(state.keys() - expected.keys()):
        problems.append(f"unexpected {_first_few(unexpected)}")
    reshaped = [
        f"{key} {list(state[key].shape)} instead of {list(expected[key].shape)}"
        for key in sorted(expected.keys() & state.keys())
        if state[key].shape != expected[key].shape
    ]
    if reshaped:
        problems.append(f"wrong shape {_first_few(reshaped)}")
    if problems:
        raise WeightsMismatch(f"{path}: not the weights of its config.json: {'; '.join(problems)}")


def _first_few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _rebuild_buffers(model: nn.Module, device: torch.device) -> None:
    """Buffers that no file holds (rotary frequencies) were built on meta: build them again."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if any(buffer.is_meta for buffer in child.buffers(recurse=False)):
                setattr(parent, name, type(child)(child.config).to(device))
    left = [name for name, buffer in model.named_buffers() if buffer.is_meta]
    assert not left, f"buffers without values: {left}"
