"""echo_manifest.json: what one of our own model folders is, and the sha256 of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from inference.api import (
    DECODING_MODES,
    Calibration,
    DecodingMode,
    EngineError,
    WeightsMismatch,
)

MANIFEST_NAME = "echo_manifest.json"
CALIBRATION_NAME = "calibration.json"
_PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"})


@dataclass(frozen=True)
class FileDigest:
    """sha256 in lower-case hex, and the size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """One model folder. Paths are relative to it, with forward slashes.

    autoregressive_weights, multi_step_weights: weights of their own for that decoding mode;
    None means no autoregressive mode, and multi-step on the one-step weights. Such a file may
    leave out the vision tower, which then is the main file's.
    canonical_wording: the model was trained on the wording of report_language's template and on
    nothing else, so that a sentence outside it is a broken one (adaptive looks again).
    """

    name: str
    version: str
    mask_token_id: int
    block_length: int
    languages: tuple[str, ...] = ("en",)
    max_images: int = 1
    pad_prompt_to_block: bool = True
    system_prompt: str | None = None
    decoding_modes: tuple[DecodingMode, ...] = DECODING_MODES
    autoregressive_weights: str | None = None
    multi_step_weights: str | None = None
    canonical_wording: bool = False
    files: Mapping[str, FileDigest] = field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's manifest, or None where there is none; WeightsMismatch if unusable."""
    path = folder / MANIFEST_NAME
    if not path.exists():
        return None
    values = read_json(path)
    try:
        manifest = Manifest(
            name=str(values["name"]),
            version=str(values["version"]),
            mask_token_id=int(values["mask_token_id"]),
            block_length=int(values["block_length"]),
            languages=tuple(values["languages"]),
            max_images=int(values["max_images"]),
            pad_prompt_to_block=bool(values["pad_prompt_to_block"]),
            system_prompt=values["system_prompt"],
            decoding_modes=tuple(values["decoding_modes"]),
            autoregressive_weights=values.get("autoregressive_weights"),
            multi_step_weights=values.get("multi_step_weights"),
            canonical_wording=bool(values.get("canonical_wording", False)),
            files={
                name: FileDigest(str(entry["sha256"]), int(entry["bytes"]))
                for name, entry in values["files"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsMismatch(f"{path}: not a usable manifest ({error!r})") from error
    if unknown := set(manifest.decoding_modes) - set(DECODING_MODES):
        raise WeightsMismatch(f"{path}: unknown decoding modes {sorted(unknown)}")
    return manifest


def read_calibration(folder: Path) -> Calibration | None:
    """The folder's calibration.json, or None where there is none; WeightsMismatch if unusable.

    {"method": "isotonic", "x": [...], "y": [...]}: both within 0..1, x rising, y not falling.
    """
    path = folder / CALIBRATION_NAME
    if not path.exists():
        return None
    values = read_json(path)
    try:
        points = tuple((float(x), float(y)) for x, y in zip(values["x"], values["y"], strict=True))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsMismatch(f"{path}: not a usable calibration ({error!r})") from error
    rises = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(points))
    lies_within = all(0.0 <= value <= 1.0 for point in points for value in point)
    if values.get("method") != "isotonic" or not points or not rises or not lies_within:
        raise WeightsMismatch(f"{path}: not a rising curve within 0..1 by the method isotonic")
    return points


def write_manifest(folder: Path, manifest: Manifest, names: Iterable[str]) -> Manifest:
    """Hash the named files of folder and write the manifest with them; returns it."""
    values = asdict(manifest) | {
        "files": {name: asdict(digest) for name, digest in hash_files(folder, names).items()}
    }
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST_NAME).write_text(text, encoding="utf-8")
    written = read_manifest(folder)
    assert written is not None
    return written


def verify_files(folder: Path, manifest: Manifest, needed: Iterable[str]) -> dict[str, FileDigest]:
    """Digests of the manifest's files, all as promised, with every needed file among them."""
    for name in needed:
        if name not in manifest.files:
            raise WeightsMismatch(f"{folder / name}: not named in {MANIFEST_NAME}")
    digests = hash_files(folder, manifest.files)
    for name, promised in manifest.files.items():
        if digests[name] != promised:
            raise WeightsMismatch(
                f"{folder / name}: damaged or changed, its sha256 is {digests[name].sha256} "
                f"({digests[name].bytes} bytes) and {MANIFEST_NAME} says {promised.sha256} "
                f"({promised.bytes} bytes)"
            )
    return digests


def hash_files(folder: Path, names: Iterable[str]) -> dict[str, FileDigest]:
    """sha256 and size of each file, in parallel; WeightsMismatch names one that is missing."""

    def hash_one(name: str) -> FileDigest:
        path = check_file(folder, name)
        try:
            with path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                return FileDigest(sha256, stream.tell())
        except OSError as error:
            raise EngineError(f"{path}: can't be read ({error.strerror})") from error

    ordered = sorted(names)
    with ThreadPoolExecutor() as pool:
        return dict(zip(ordered, pool.map(hash_one, ordered), strict=True))


def digest_of(digests: Mapping[str, FileDigest]) -> str:
    """One sha256 for the model: over its sorted "relative name:sha256" lines.

    Without the calibration: it is fitted to this very model, and changes none of its answers.
    """
    names = sorted(name for name in digests if name != CALIBRATION_NAME)
    lines = "".join(f"{name}:{digests[name].sha256}\n" for name in names)
    return hashlib.sha256(lines.encode()).hexdigest()


def check_file(folder: Path, name: str) -> Path:
    """The path of a file inside folder that exists and can't run code when it is loaded."""
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or "\\" in name or ":" in name:
        raise WeightsMismatch(f"{folder}: the file name {name!r} leads out of the model folder")
    path = folder / relative
    refuse_pickle(path)
    if not path.is_file():
        raise WeightsMismatch(f"{path}: missing")
    return path


def refuse_pickle(path: Path) -> None:
    """WeightsMismatch for a file that only unpickling, which can run any code, could load."""
    if path.suffix.lower() in _PICKLE_SUFFIXES:
        raise WeightsMismatch(
            f"{path}: pickle refused, because loading it could run any code; "
            "only safetensors weights are loaded"
        )


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in path; EngineError names the file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EngineError(f"{path}: can't be read ({error.strerror})") from error
    except ValueError as error:
        raise EngineError(f"{path}: not JSON ({error})") from error
    if not isinstance(values, dict):
        raise EngineError(f"{path}: not a JSON object")
    return values
