"""The RAD configuration for full-sequence weights, run on a tiny model in a few steps."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

from inference import load_engine
from inference.api import DraftFinished, GenerationRequest, ModelImage
from inference.model_folder.manifest import read_manifest, write_manifest
from inference.training import config as training_config
from inference.training.__main__ import main

_CONFIG = Path(training_config.__file__).parent / "configs/full_sequence/rad.toml"


def test_it_trains_weights_that_decode_the_whole_answer(
    tmp_path: Path, stock_folder: Path, site_manifest: Path, film: ModelImage
) -> None:
    read = tomllib.loads(_CONFIG.read_text(encoding="utf-8"))
    assert training_config.read_config(_CONFIG).model.block_length == 192
    text = _CONFIG.read_text(encoding="utf-8")
    for old, new in (
        (f'output = "{read["output"]}"', f"output = {json.dumps(str(tmp_path / 'run'))}"),
        (f'start = "{read["model"]["start"]}"', f"start = {json.dumps(str(stock_folder))}"),
        (f'films = "{read["data"]["films"]}"', f"manifest = {json.dumps(str(site_manifest))}"),
        (f"steps = {read['schedule']['steps']}", "steps = 2"),
        (f"batch = {read['schedule']['batch']}", "batch = 2"),
        ("block_length", 'device = "cpu"\nblock_length'),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "rad.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["rad", "--config", str(path)]) == 0
    folder = tmp_path / "run" / "rad"
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.block_length == 192
    write_manifest(folder, replace(manifest, block_is_answer=True), manifest.files)
    request = GenerationRequest("r", (film,), decoding="full-sequence", denoising_steps=2)
    *_, last = load_engine(folder, "cpu").draft(request)
    assert isinstance(last, DraftFinished)
    assert last.passes <= 2
