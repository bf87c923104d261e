"""A released ECHO folder on the command line: added, listed, checked, drafted with, removed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference import resource_folder
from workstation.__main__ import main

SHARDS = 3


def _released_name(key: str) -> str:
    return key.replace("model.visual.", "visual.").replace("model.language_model.", "model.")


@pytest.fixture(params=["tied", "untied"])
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The embedded weights as ECHO_block8 comes: no manifest, flat names, shards in float32."""
    embedded, folder = resource_folder() / "models" / "embedded", tmp_path / "ECHO_block8"
    if not (embedded / "model.safetensors").exists():
        pytest.skip("no embedded model here")
    folder.mkdir()
    for name in ("tokenizer.json", "preprocessor_config.json", "generation_config.json"):
        shutil.copy(embedded / name, folder)
    manifest = json.loads((embedded / "echo_manifest.json").read_text())
    config = json.loads((embedded / "config.json").read_text())
    own = {key: manifest[key] for key in ("mask_token_id", "block_length")}
    remote = {"auto_map": {"AutoModel": "modeling_echo.Echo"}}
    config |= own | remote | {"tie_word_embeddings": request.param == "tied"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modeling_echo.py").write_text("raise SystemExit('remote code was run')\n")
    state = {_released_name(k): v for k, v in load_file(embedded / "model.safetensors").items()}
    if request.param == "untied":
        state["lm_head.weight"] = state["model.embed_tokens.weight"].clone()
    keys, weight_map = sorted(state), {}
    for number in range(SHARDS):
        name = f"model-{number + 1:05}-of-{SHARDS:05}.safetensors"
        part = {key: state[key].to(torch.float32) for key in keys[number::SHARDS]}
        save_file(part, folder / name, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, name)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_released_model_is_added_drafts_and_is_removed(
    released: Path,
    tmp_path: Path,
    phantom_films: list[Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--data-dir", str(tmp_path / "data")])
        return code, *capsys.readouterr()

    code, added, _ = run("models", "add", str(released), "--accept-licence")
    assert code == 0, added
    assert "float32 on the CPU needs" in added
    _, listed, _ = run("models", "list", "--json")
    (model,) = json.loads(listed)
    assert model["name"] == "ECHO_block8"
    code, checked, _ = run("models", "check", "ECHO_block8")
    assert (code, f"Whole: sha256 {model['sha256']}" in checked) == (0, True)

    draft = ("draft", str(phantom_films[0]), "--model", "ECHO_block8", "--json")
    code, told, errors = run(*draft, "--max-tokens", "16")
    assert code in (0, 3), errors  # 3: it has no report to give, of a prompt it was not trained on
    study = json.loads(told)
    assert study["model"]["model_sha256"] == model["sha256"]
    assert study["decoding"]["block_length"] == 8
    assert 0 < study["tokens"] <= 16
    code, _, errors = run(*draft, "--decoding", "autoregressive")
    assert code == 2
    assert "this model offers one-step, adaptive, multi-step" in errors

    shard = released / f"model-00002-of-0000{SHARDS}.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])
    code, _, errors = run("models", "check", "ECHO_block8")
    assert code == 1
    assert shard.name in errors
    code, told, errors = run(*draft)
    assert (code, told) == (2, "")
    assert shard.name in errors
    assert run("models", "remove", "ECHO_block8")[0] == 0
    assert json.loads(run("models", "list", "--json")[1]) == []
    assert shard.is_file()
