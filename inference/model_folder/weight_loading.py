"""Weights from disk to the device, one tensor at a time.

The model is built without memory (meta device); each tensor is mapped, converted to the chosen
dtype, moved, and forgotten before the next is read. So beside the weights themselves the host
holds one tensor in two dtypes (the embedding of the 7B shape: 2.0 GiB in fp32, a mapping the
system can drop, and 1.0 GiB in bf16), and the device nothing more: conversion is the host's.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import torch
from torch import nn
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.initialization import no_init_weights

from inference.api import WeightsMismatch
from inference.model_folder.loading_progress import LoadProgress, ProgressListener
from inference.model_folder.weight_files import StoredTensor, open_weights

HEAD, EMBEDDING = "lm_head.weight", "model.language_model.embed_tokens.weight"


def build_empty_model(config: Qwen2_5_VLConfig) -> Qwen2_5_VLForConditionalGeneration:
    """The model on the meta device: shapes, no values, no memory."""
    with no_init_weights(), torch.device("meta"):
        return Qwen2_5_VLForConditionalGeneration(config)


def check_tensors(
    path: Path, model: Qwen2_5_VLForConditionalGeneration, stored: Mapping[str, StoredTensor]
) -> None:
    """WeightsMismatch unless stored is exactly the model's tensors; a tied head may be there."""
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    is_tied = model.config.tie_word_embeddings
    problems = []
    if missing := sorted(expected.keys() - stored.keys() - ({HEAD} if is_tied else set())):
        problems.append(f"missing {_first_few(missing)}")
    if unexpected := sorted(stored.keys() - expected.keys()):
        problems.append(f"unexpected {_first_few(unexpected)}")
    reshaped = [
        f"{key} {list(stored[key].shape)} instead of {list(expected[key])}"
        for key in sorted(expected.keys() & stored.keys())
        if stored[key].shape != expected[key]
    ]
    if reshaped:
        problems.append(f"wrong shape {_first_few(reshaped)}")
    if problems:
        raise WeightsMismatch(f"{path}: not the weights of its config.json: {'; '.join(problems)}")


def load_tensors(
    model: Qwen2_5_VLForConditionalGeneration,
    stored: Mapping[str, StoredTensor],
    device: torch.device,
    dtype: torch.dtype,
    on_progress: ProgressListener | None = None,
) -> None:
    """Give the empty model its values, in place; stored has passed check_tensors."""
    total_bytes, done_bytes = sum(tensor.bytes for tensor in stored.values()), 0
    tied_head = stored.get(HEAD) if model.config.tie_word_embeddings else None
    for path, keys in groupby(stored, key=lambda key: stored[key].path):
        with open_weights(path) as handle:
            for key in keys:
                if stored[key] is not tied_head:
                    # copy: a mapped file that changes later must not change the model.
                    value = handle.get_tensor(stored[key].stored_name)
                    value = value.to(dtype, copy=True).to(device)
                    _set_parameter(model, key, value)
                    del value
                done_bytes += stored[key].bytes
                if on_progress is not None:
                    on_progress(LoadProgress("loading", done_bytes, total_bytes))
    if model.config.tie_word_embeddings:
        if tied_head is not None:
            _check_tied_head(tied_head, stored[EMBEDDING])
        model.lm_head.weight = model.get_input_embeddings().weight
    _rebuild_buffers(model, device)


def _check_tied_head(head: StoredTensor, embedding: StoredTensor) -> None:
    with open_weights(head.path) as ours, open_weights(embedding.path) as theirs:
        is_equal = torch.equal(
            ours.get_tensor(head.stored_name), theirs.get_tensor(embedding.stored_name)
        )
    if not is_equal:
        raise WeightsMismatch(
            f"{head.path}: {head.stored_name} differs from {embedding.stored_name}, "
            "but config.json ties them"
        )


def _set_parameter(model: nn.Module, key: str, value: torch.Tensor) -> None:
    parent, _, name = key.rpartition(".")
    setattr(model.get_submodule(parent), name, nn.Parameter(value, requires_grad=False))


def _rebuild_buffers(model: nn.Module, device: torch.device) -> None:
    """Buffers that no file holds (rotary frequencies) were built on meta: build them again."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if any(buffer.is_meta for buffer in child.buffers(recurse=False)):
                setattr(parent, name, type(child)(child.config).to(device))
    left = [name for name, buffer in model.named_buffers() if buffer.is_meta]
    assert not left, f"buffers without values: {left}"


def _first_few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
