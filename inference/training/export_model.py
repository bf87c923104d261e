"""Write a model folder the engine loads: 16-bit safetensors, config, tokenizer, manifest, card.

    python -m inference.training.export_model --run runs/v0 --out resources/models/embedded \\
        --version 1.0.0 [--scores FILE ...]

The weights of decoding by regions are those of the run's folder "regions" (a dcd stage with
model.regions), where there is one. All but the one-step weights leave out the vision tower: from
RAD on it is frozen, so all stages share the main file's.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from inference.api import DECODING_MODES, REGION_MODES
from inference.model_folder.manifest import Manifest, write_manifest
from inference.prompts import END_OF_TEXT, IM_END, MASK
from inference.training.embedded_config import (
    BLOCK_LENGTH,
    build_config,
    write_preprocessor_config,
)
from inference.training.model_card import write_model_card
from inference.training.start_model import name_ids
from inference.training.tokenizer import LANGUAGES, run_tokenizer, special_id

_VISION_PREFIX = "model.visual."
STAGE_FILES = {
    "dcd": "model.safetensors",
    "rad": "multi_step.safetensors",
    "ar": "autoregressive.safetensors",
    "regions": "regions.safetensors",
}


def export_weights(source: Path, target: Path, with_vision: bool) -> None:
    """float16 copies of a stage's tensors."""
    tensors = {
        name: tensor.to(torch.float16)
        for name, tensor in load_file(source).items()
        if with_vision or not name.startswith(_VISION_PREFIX)
    }
    save_file(tensors, target, metadata={"format": "pt"})


def stage_weights(run: Path, stage: str) -> Path:
    """Where a run keeps a stage's weights: in a model folder, or in a file by itself."""
    in_folder = run / stage / "model.safetensors"
    return in_folder if in_folder.exists() else run / f"{stage}.safetensors"


def write_configs(folder: Path, tokenizer: Tokenizer) -> None:
    build_config(tokenizer).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_preprocessor_config(folder)
    stops = [special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT)]
    _write_json(folder / "generation_config.json", {"eos_token_id": stops, "do_sample": False})


def describe_model(folder: Path, tokenizer: Tokenizer, version: str) -> Manifest:
    """The manifest's fields; its files are hashed by write_manifest."""
    has_ar, has_multi, has_regions = (
        (folder / STAGE_FILES[stage]).exists() for stage in ("ar", "rad", "regions")
    )
    modes = DECODING_MODES if has_ar else ("one-step", "multi-step", "adaptive")
    return Manifest(
        name="ECHO phantom",
        version=version,
        mask_token_id=special_id(tokenizer, MASK),
        block_length=BLOCK_LENGTH,
        languages=LANGUAGES,
        max_images=2,
        canonical_wording=True,
        decoding_modes=(*modes, *REGION_MODES) if has_regions else modes,
        autoregressive_weights=STAGE_FILES["ar"] if has_ar else None,
        multi_step_weights=STAGE_FILES["rad"] if has_multi else None,
        region_weights=STAGE_FILES["regions"] if has_regions else None,
        region_name_ids=name_ids(tokenizer) if has_regions else (),
    )


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--main-stage", choices=["dcd", "rad", "ar"], default="dcd")
    parser.add_argument("--scores", type=Path, nargs="*", help="JSON of inference.evaluation")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = run_tokenizer(options.run)
    main_file = options.out / STAGE_FILES["dcd"]
    export_weights(stage_weights(options.run, options.main_stage), main_file, True)
    for stage in ("ar", "regions"):
        if stage_weights(options.run, stage).exists():
            export_weights(
                stage_weights(options.run, stage), options.out / STAGE_FILES[stage], False
            )
    if options.main_stage == "dcd":
        export_weights(stage_weights(options.run, "rad"), options.out / STAGE_FILES["rad"], False)
    write_configs(options.out, tokenizer)
    described = describe_model(options.out, tokenizer, options.version)
    unlisted = ("echo_manifest.json", "README.md")
    names = sorted(path.name for path in options.out.iterdir() if path.name not in unlisted)
    write_manifest(options.out, described, names)
    if options.scores is not None:
        write_model_card(options.out, options.run, options.version, options.scores)


if __name__ == "__main__":
    main()
