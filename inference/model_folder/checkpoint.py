"""A model folder, checked before anything of it is used: safetensors only, strict, no remote code.

Two layouts: our own with echo_manifest.json, and the released ECHO one (released_layout.py).
In this order, so that the quick refusals come first: configs, small files' sha256, headers of
the weights, device fit, sha256 of the weights, weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from inference import resource_folder
from inference.api import (
    REGION_MODES,
    Calibration,
    DecodingMode,
    EngineError,
    WeightsMismatch,
)
from inference.memory.device_fit import ModelSize, require_dtype, require_fit
from inference.model_folder import manifest as manifests
from inference.model_folder.file_digests import DigestCache, digest_of, hash_files
from inference.model_folder.loading_progress import ProgressListener
from inference.model_folder.manifest import MANIFEST_NAME, Manifest
from inference.model_folder.model_files import check_file, read_json, refuse_pickle
from inference.model_folder.released_layout import (
    check_against_config,
    read_config,
    released_manifest,
)
from inference.model_folder.weight_files import (
    VISION_PREFIX,
    WEIGHTS_NAME,
    StoredTensor,
    list_weight_files,
    read_weight_headers,
)
from inference.model_folder.weight_loading import (
    HEAD,
    build_empty_model,
    check_tensors,
    load_tensors,
)
from inference.prompts import END_OF_TEXT, IMAGE_PAD, MASK
from inference.vision.image_processor import ImageProcessor

_FILES = ("config.json", "tokenizer.json", "preprocessor_config.json", "generation_config.json")


@dataclass(frozen=True)
class Checkpoint:
    """A model folder whose small files are verified; weights are by load_model, or by sha256.

    file_names: all that the engine reads, and all that the manifest names.
    expected_sha256: what sha256 has to be ("" if nothing is known of it).
    """

    folder: Path
    manifest: Manifest
    config: Qwen2_5_VLConfig
    tokenizer: Tokenizer
    image_processor: ImageProcessor
    stop_ids: frozenset[int]
    file_names: tuple[str, ...]
    calibration: Calibration | None = None
    digest_cache: DigestCache | None = None
    on_progress: ProgressListener | None = None
    expected_sha256: str = ""

    @cached_property
    def sha256(self) -> str:
        """The model's digest, every file hashed; WeightsMismatch if one isn't as promised.

        Without the calibration: it is fitted to this very model, and changes none of its answers.
        """
        digests = hash_files(self.folder, self.file_names, self.digest_cache, self.on_progress)
        if self.manifest.files:
            manifests.compare_digests(self.folder, self.manifest, digests)
        found = digest_of(digests, left_out=(manifests.CALIBRATION_NAME,))
        if self.expected_sha256 and found != self.expected_sha256:
            raise WeightsMismatch(
                f"{self.folder}: changed since it was added, its sha256 is {found} "
                f"and was {self.expected_sha256}"
            )
        return found

    def weights_name(self, mode: DecodingMode) -> str:
        """The weights file of a decoding mode, relative to the folder."""
        own = {
            "autoregressive": self.manifest.autoregressive_weights,
            "multi-step": self.manifest.multi_step_weights,
            **dict.fromkeys(REGION_MODES, self.manifest.region_weights),
        }
        return own.get(mode) or WEIGHTS_NAME

    def weights_names(self) -> list[str]:
        """The weights of every decoding mode."""
        return [WEIGHTS_NAME, *self.manifest.extra_weights]

    def read_tensors(self, weights_name: str) -> dict[str, StoredTensor]:
        """What load_model would read, checked against the config by names and shapes."""
        return self._plan_load(weights_name)[1]

    def size(self, tensors: Mapping[str, StoredTensor]) -> ModelSize:
        """How much memory these weights will take."""
        is_tied = self.config.tie_word_embeddings
        counted = [stored for key, stored in tensors.items() if not (is_tied and key == HEAD)]
        parameters = sum(stored.elements for stored in counted)
        return ModelSize(self.config, self.image_processor, self.manifest, parameters)

    def load_model(
        self, weights_name: str, device: torch.device, dtype: torch.dtype
    ) -> Qwen2_5_VLForConditionalGeneration:
        """The model with these weights, in eval mode.

        WeightsMismatch names file and keys; ModelDoesNotFit and EngineError (a dtype that the
        device can't compute in) come before any weights are read.
        """
        model, tensors = self._plan_load(weights_name)
        require_dtype(device, dtype)
        require_fit(self.size(tensors), device, dtype, self._size_embedded)
        assert self.sha256
        load_tensors(model, tensors, device, dtype, self.on_progress)
        return model.eval()

    def _plan_load(
        self, weights_name: str
    ) -> tuple[Qwen2_5_VLForConditionalGeneration, dict[str, StoredTensor]]:
        tensors = read_weight_headers(self.folder, weights_name)
        if weights_name != WEIGHTS_NAME and not any(
            key.startswith(VISION_PREFIX) for key in tensors
        ):
            main = read_weight_headers(self.folder, WEIGHTS_NAME)
            tensors |= {key: main[key] for key in main if key.startswith(VISION_PREFIX)}
        model = build_empty_model(self.config)
        check_tensors(self.folder / weights_name, model, tensors)
        return model, tensors

    def _size_embedded(self) -> ModelSize | None:
        """The embedded model, unless this is it or it can't be read."""
        folder = embedded_folder()
        if self.folder.resolve() == folder.resolve():
            return None
        try:
            embedded = open_checkpoint(folder)
            return embedded.size(embedded.read_tensors(WEIGHTS_NAME))
        except EngineError:
            return None


def embedded_folder() -> Path:
    return resource_folder() / "models" / "embedded"


def open_checkpoint(
    folder: Path,
    digest_cache: DigestCache | None = None,
    on_progress: ProgressListener | None = None,
    expected_sha256: str = "",
) -> Checkpoint:
    """Check a model folder and read all of it but the weights.

    digest_cache: None hashes every file. on_progress: of hashing and loading, kept for later.
    expected_sha256: the digest that this model had before; another is refused by load_model.
    Raises WeightsMismatch or EngineError, naming the file and the reason.
    """
    if not folder.is_dir():
        raise EngineError(f"{folder}: no such model folder")
    for path in sorted(folder.iterdir()):
        refuse_pickle(path)
    found = manifests.read_manifest(folder)
    names = _needed_files(folder, found)
    if found is not None:
        manifests.check_names(folder, found, names)
        small = [name for name in names if not name.endswith(".safetensors")]
        manifests.compare_digests(folder, found, hash_files(folder, small, digest_cache))
        names = list(found.files)
    config = read_config(folder / "config.json")
    manifest = found or released_manifest(folder)
    tokenizer = _read_tokenizer(folder / "tokenizer.json")
    check_against_config(folder, manifest)
    _check_special_tokens(folder, manifest, config, tokenizer)
    return Checkpoint(
        folder=folder,
        manifest=manifest,
        config=config,
        tokenizer=tokenizer,
        image_processor=ImageProcessor.from_folder(folder),
        stop_ids=_read_stop_ids(folder),
        file_names=tuple(names),
        calibration=manifests.read_calibration(folder),
        digest_cache=digest_cache,
        on_progress=on_progress,
        expected_sha256=expected_sha256,
    )


def list_model_files(folder: Path, extra_weights: Iterable[str] = ()) -> list[str]:
    """Every file of folder that the engine reads: what a manifest has to name."""
    names = [name for name in (*_FILES, manifests.CALIBRATION_NAME) if (folder / name).exists()]
    for weights in (WEIGHTS_NAME, *extra_weights):
        names += list_weight_files(folder, weights)
        if not (folder / weights).exists():
            names.append(f"{weights}.index.json")
    return names


def _needed_files(folder: Path, manifest: Manifest | None) -> list[str]:
    for name in ("config.json", "tokenizer.json", "preprocessor_config.json"):
        check_file(folder, name)
    return list_model_files(folder, manifest.extra_weights if manifest else ())


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust side raises bare Exception
        raise WeightsMismatch(f"{path}: not a usable tokenizer ({error})") from error


def _check_special_tokens(
    folder: Path, manifest: Manifest, config: Qwen2_5_VLConfig, tokenizer: Tokenizer
) -> None:
    size, rows = tokenizer.get_vocab_size(), config.text_config.vocab_size
    if not 0 <= manifest.mask_token_id < rows:
        raise WeightsMismatch(
            f"{_source_of(folder)}: mask_token_id {manifest.mask_token_id} "
            f"is outside the vocabulary of {rows}"
        )
    expected: dict[str, int] = {MASK: manifest.mask_token_id, IMAGE_PAD: config.image_token_id}
    for token, wanted in expected.items():
        if (found := tokenizer.token_to_id(token)) != wanted:
            raise WeightsMismatch(
                f"{folder / 'tokenizer.json'}: {token} is {found}, the model says {wanted}"
            )
    if tokenizer.token_to_id(END_OF_TEXT) is None:
        raise WeightsMismatch(f"{folder / 'tokenizer.json'}: has no {END_OF_TEXT}")
    if size > rows:
        raise WeightsMismatch(
            f"{folder / 'tokenizer.json'}: {size} tokens, but the model has rows for {rows}"
        )
    if manifest.block_length < 1:
        raise WeightsMismatch(f"{_source_of(folder)}: a block length of {manifest.block_length}")


def _source_of(folder: Path) -> Path:
    """The file that mask token and block length were read from."""
    path = folder / MANIFEST_NAME
    return path if path.exists() else folder / "config.json"


def _read_stop_ids(folder: Path) -> frozenset[int]:
    """Every eos id of generation_config.json, or of config.json where that has none."""
    for name in ("generation_config.json", "config.json"):
        if (folder / name).exists():
            value: Any = read_json(folder / name).get("eos_token_id")
            ids = value if isinstance(value, list) else [value]
            if value is not None and all(isinstance(entry, int) for entry in ids):
                return frozenset(ids)
    raise WeightsMismatch(f"{folder / 'generation_config.json'}: has no eos_token_id")
