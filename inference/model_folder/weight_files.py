"""safetensors files of a model folder, read by their headers: names, shapes, dtypes, sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from inference.api import EngineError, WeightsMismatch
from inference.model_folder.model_files import check_file, read_json
from inference.model_folder.released_layout import rename_key

WEIGHTS_NAME = "model.safetensors"
VISION_PREFIX = "model.visual."
_ITEM_BYTES = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2}
_LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class StoredTensor:
    """One tensor on disk. stored_name: its key in that file; the model's key may differ."""

    path: Path
    stored_name: str
    shape: tuple[int, ...]
    dtype: str  # safetensors' name: F32, BF16 ...

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.elements * _ITEM_BYTES[self.dtype]


def list_weight_files(folder: Path, weights_name: str) -> list[str]:
    """The weights file itself, or the shards its index names; WeightsMismatch if one lacks."""
    index_path = folder / f"{weights_name}.index.json"
    if (folder / weights_name).exists() or not index_path.exists():
        check_file(folder, weights_name)
        return [weights_name]
    shards = sorted(set(_read_weight_map(index_path).values()))
    for shard in shards:
        try:
            check_file(folder, shard)
        except WeightsMismatch as error:
            raise WeightsMismatch(f"{error} (a shard named by {index_path.name})") from error
    return shards


def read_weight_headers(folder: Path, weights_name: str) -> dict[str, StoredTensor]:
    """Every tensor by the model's key, shard after shard; no weights are read.

    WeightsMismatch for a truncated file, a key stored twice, one that isn't where the index
    says, and a dtype that holds no floating point numbers.
    """
    names = list_weight_files(folder, weights_name)
    tensors: dict[str, StoredTensor] = {}
    for name in names:
        for tensor in _read_header(folder / name):
            key = rename_key(tensor.stored_name)
            if key in tensors:
                raise WeightsMismatch(
                    f"{tensor.path}: {tensor.stored_name} is in {tensors[key].path.name} too"
                )
            tensors[key] = tensor
    if names != [weights_name]:
        _check_index(folder / f"{weights_name}.index.json", tensors)
    return tensors


@contextmanager
def open_weights(path: Path) -> Iterator[Any]:
    """safetensors' handle on a file (mapped, not read); WeightsMismatch if it isn't whole."""
    try:
        with safe_open(path, framework="pt", device="cpu") as handle:
            yield handle
    except (SafetensorError, OSError) as error:
        raise WeightsMismatch(f"{path}: {_explain(path, error)}") from error


def _read_header(path: Path) -> list[StoredTensor]:
    tensors = []
    with open_weights(path) as handle:
        for name in handle.keys():  # noqa: SIM118 (not a mapping)
            stored = handle.get_slice(name)
            if stored.get_dtype() not in _ITEM_BYTES:
                raise WeightsMismatch(
                    f"{path}: {name} is {stored.get_dtype()}; "
                    f"only {', '.join(_ITEM_BYTES)} weights are loaded"
                )
            shape = tuple(stored.get_shape())
            tensors.append(StoredTensor(path, name, shape, stored.get_dtype()))
    return tensors


def _read_weight_map(index_path: Path) -> dict[str, str]:
    weight_map = read_json(index_path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise WeightsMismatch(f"{index_path}: has no weight_map")
    return {str(key): str(shard) for key, shard in weight_map.items()}


def _check_index(index_path: Path, tensors: dict[str, StoredTensor]) -> None:
    promised = _read_weight_map(index_path)
    found = {tensor.stored_name: tensor.path.name for tensor in tensors.values()}
    for name in sorted(promised.keys() | found.keys()):
        if name not in found:
            raise WeightsMismatch(f"{index_path.with_name(promised[name])}: missing {name}")
        if found[name] != Path(promised.get(name, "")).name:
            said = f"in {promised[name]}" if name in promised else "nowhere"
            raise WeightsMismatch(
                f"{index_path.with_name(found[name])}: holds {name}, "
                f"which {index_path.name} says is {said}"
            )


def _explain(path: Path, error: Exception) -> str:
    try:
        with path.open("rb") as stream:
            if stream.read(len(_LFS_POINTER)) == _LFS_POINTER:
                return "a Git LFS pointer, not the weights themselves (git lfs pull fetches them)"
    except OSError as unreadable:
        raise EngineError(f"{path}: can't be read ({unreadable.strerror})") from unreadable
    return f"not a whole safetensors file, perhaps truncated ({error})"
