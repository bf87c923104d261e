"""echo_manifest.json: what one of our own model folders is, and the sha256 of its files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from inference.api import (
    DECODING_MODES,
    REGION_MODES,
    WHOLE_ANSWER_MODES,
    Calibration,
    DecodingMode,
    WeightsMismatch,
)
from inference.model_folder.file_digests import FileDigest, hash_files
from inference.model_folder.model_files import read_json
from inference.report_parts import PARTS

MANIFEST_NAME = "echo_manifest.json"
CALIBRATION_NAME = "calibration.json"


@dataclass(frozen=True)
class Manifest:
    """One model folder. Paths are relative to it, with forward slashes.

    autoregressive_weights, multi_step_weights: weights of their own for that decoding mode;
    None means no autoregressive mode, and multi-step on the one-step weights. Such a file may
    leave out the vision tower, which then is the main file's.
    block_is_answer: trained with one block as long as the longest answer: for ``full-sequence``.
    region_weights: for the modes of regions; None means the one-step weights. region_name_ids: the
    tokens that name the report's parts (report_parts.PARTS); none where there are no such modes.
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
    region_weights: str | None = None
    region_name_ids: tuple[int, ...] = ()
    canonical_wording: bool = False
    block_is_answer: bool = False
    files: Mapping[str, FileDigest] = field(default_factory=dict)

    @property
    def extra_weights(self) -> tuple[str, ...]:
        """The weights files beside the one-step weights."""
        own = (self.autoregressive_weights, self.multi_step_weights, self.region_weights)
        return tuple(dict.fromkeys(name for name in own if name))


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
            region_weights=values.get("region_weights"),
            region_name_ids=tuple(int(entry) for entry in values.get("region_name_ids", ())),
            canonical_wording=bool(values.get("canonical_wording", False)),
            block_is_answer=bool(values.get("block_is_answer", False)),
            files={
                name: FileDigest(str(entry["sha256"]), int(entry["bytes"]))
                for name, entry in values["files"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsMismatch(f"{path}: not a usable manifest ({error!r})") from error
    _check_modes(path, manifest)
    return manifest


def _check_modes(path: Path, manifest: Manifest) -> None:
    """WeightsMismatch for a mode that isn't known, or lacks what it needs."""
    known = {*DECODING_MODES, *WHOLE_ANSWER_MODES, *REGION_MODES}
    if unknown := set(manifest.decoding_modes) - known:
        raise WeightsMismatch(f"{path}: unknown decoding modes {sorted(unknown)}")
    offers_regions = bool({*REGION_MODES} & {*manifest.decoding_modes})
    if offers_regions and len(set(manifest.region_name_ids)) != len(PARTS):
        raise WeightsMismatch(
            f"{path}: region_name_ids must be {len(PARTS)} different tokens, one for each part of "
            "the report"
        )
    if offers_regions and not manifest.pad_prompt_to_block:
        raise WeightsMismatch(f"{path}: drafts by regions need pad_prompt_to_block")
    if manifest.block_is_answer and not manifest.pad_prompt_to_block:
        raise WeightsMismatch(
            f"{path}: block_is_answer needs pad_prompt_to_block, or the prompt takes of the block"
        )


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


def check_names(folder: Path, manifest: Manifest, needed: Iterable[str]) -> None:
    """WeightsMismatch if a file that is read is not one the manifest vouches for."""
    for name in needed:
        if name not in manifest.files:
            raise WeightsMismatch(f"{folder / name}: not named in {MANIFEST_NAME}")


def compare_digests(folder: Path, manifest: Manifest, digests: Mapping[str, FileDigest]) -> None:
    """WeightsMismatch names the first file that is not as the manifest promises."""
    for name, digest in digests.items():
        promised = manifest.files[name]
        if digest != promised:
            raise WeightsMismatch(
                f"{folder / name}: damaged or changed, its sha256 is {digest.sha256} "
                f"({digest.bytes} bytes) and {MANIFEST_NAME} says {promised.sha256} "
                f"({promised.bytes} bytes)"
            )
