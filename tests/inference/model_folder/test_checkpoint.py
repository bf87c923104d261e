"""Model folders: the two layouts that load, and every damage named by file and reason."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference import load_engine
from inference.api import (
    EngineError,
    GenerationRequest,
    WeightsMismatch,
    calibrate_confidence,
)
from inference.engine import ReportEngine
from inference.model_folder.checkpoint import list_model_files, open_checkpoint
from inference.model_folder.manifest import (
    CALIBRATION_NAME,
    MANIFEST_NAME,
    read_manifest,
    write_manifest,
)

WEIGHTS = "model.safetensors"


def _change_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _rehash(folder: Path) -> None:
    """Make the manifest agree with the files again, so that later checks are reached."""
    manifest = read_manifest(folder)
    assert manifest is not None
    write_manifest(folder, manifest, manifest.files)


def _change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    state = load_file(folder / WEIGHTS)
    change(state)
    (folder / WEIGHTS).unlink()
    save_file(state, folder / WEIGHTS)


def _shard(folder: Path) -> list[str]:
    """Split model.safetensors into two shards with an index; returns their names."""
    state = load_file(folder / WEIGHTS)
    keys, weight_map = sorted(state), {}
    for number, part in enumerate((keys[::2], keys[1::2]), start=1):
        name = f"model-0000{number}-of-00002.safetensors"
        save_file({key: state[key] for key in part}, folder / name)
        weight_map |= dict.fromkeys(part, name)
    (folder / WEIGHTS).unlink()
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return sorted(set(weight_map.values()))


def _tokens(engine: ReportEngine, request: GenerationRequest) -> list[object]:
    return [getattr(event, "token_ids", None) for event in engine.draft(request)]


MakeRequest = Callable[..., GenerationRequest]


def test_released_layout_loads_and_decodes(
    released_folder: Path, make_request: MakeRequest
) -> None:
    def rename(state: dict[str, torch.Tensor]) -> None:
        for key in list(state):
            released = key.replace("model.visual.", "visual.")
            state[released.replace("model.language_model.", "model.")] = state.pop(key)

    engine = ReportEngine.load(released_folder, "cpu")
    expected = _tokens(engine, make_request())
    _change_weights(released_folder, rename)
    renamed = ReportEngine.load(released_folder, "cpu")
    assert _tokens(renamed, make_request()) == expected
    description = renamed.description
    assert description.decoding_modes == ("one-step", "adaptive", "multi-step")
    assert description.languages == ("en", "zh")
    assert (description.model_name, description.block_length) == ("model", 4)
    assert renamed._checkpoint.manifest.system_prompt == "You are a helpful assistant."


def test_sharded_weights_in_any_dtype_load(
    released_folder: Path, tiny_engine: ReportEngine
) -> None:
    _change_weights(
        released_folder,
        lambda state: state.update({k: v.to(torch.bfloat16) for k, v in state.items()}),
    )
    _shard(released_folder)
    model = ReportEngine.load(released_folder, "cpu")._weights_for("one-step").model
    original = tiny_engine._weights_for("one-step").model
    for key, value in model.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, original.state_dict()[key], rtol=1e-2, atol=1e-2)


def test_untied_lm_head_is_read(released_folder: Path) -> None:
    _change_json(released_folder / "config.json", tie_word_embeddings=False)
    with pytest.raises(WeightsMismatch, match=r"model\.safetensors: .*missing lm_head\.weight"):
        ReportEngine.load(released_folder, "cpu")
    embedding = "model.language_model.embed_tokens.weight"
    _change_weights(
        released_folder, lambda state: state.update({"lm_head.weight": -state[embedding]})
    )
    model = ReportEngine.load(released_folder, "cpu")._weights_for("one-step").model
    assert torch.equal(model.lm_head.weight, -model.get_input_embeddings().weight)


def test_autoregressive_weights_are_read_when_first_needed(
    tiny_folder: Path, make_request: MakeRequest
) -> None:
    engine = ReportEngine.load(tiny_folder, "cpu")
    assert list(engine.weights.loaded) == [WEIGHTS]
    list(engine.draft(make_request(decoding="autoregressive")))
    assert list(engine.weights.loaded) == [WEIGHTS, "autoregressive.safetensors"]


def test_extra_weights_may_share_the_vision_tower(
    copied_folder: Path, make_request: MakeRequest
) -> None:
    path = copied_folder / "autoregressive.safetensors"
    state = load_file(path)
    path.unlink()
    save_file({k: v for k, v in state.items() if ".visual." not in k}, path)
    _rehash(copied_folder)
    engine = ReportEngine.load(copied_folder, "cpu")
    list(engine.draft(make_request(decoding="autoregressive")))
    first, second = (
        weights.model.model.visual.patch_embed.proj.weight
        for weights in engine.weights.loaded.values()
    )
    assert torch.equal(first, second)


def _write_calibration(folder: Path, **changes: object) -> None:
    curve = {"method": "isotonic", "x": [0.5, 0.75, 1.0], "y": [0.25, 0.5, 1.0]}
    (folder / CALIBRATION_NAME).write_text(json.dumps(curve | changes))


def test_calibration_is_read_verified_and_no_part_of_the_models_identity(
    copied_folder: Path,
) -> None:
    plain = ReportEngine.load(copied_folder, "cpu").description
    assert plain.calibration is None
    _write_calibration(copied_folder)
    with pytest.raises(WeightsMismatch, match=r"calibration\.json: not named in"):
        ReportEngine.load(copied_folder, "cpu")
    manifest = read_manifest(copied_folder)
    assert manifest is not None
    names = list_model_files(copied_folder, ["autoregressive.safetensors"])
    write_manifest(copied_folder, manifest, names)
    description = ReportEngine.load(copied_folder, "cpu").description
    assert description.calibration == ((0.5, 0.25), (0.75, 0.5), (1.0, 1.0))
    assert description.model_sha256 == plain.model_sha256
    for confidence, share in ((0.1, 0.25), (0.625, 0.375), (0.875, 0.75), (1.0, 1.0)):
        assert calibrate_confidence(description.calibration, confidence) == share


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "guess"},
        {"x": [0.5, 0.5, 1.0]},
        {"y": [0.5, 0.25, 1.0]},
        {"y": [0.5, 1.0]},
        {"y": [0.25, 0.5, 1.5]},
        {"x": [], "y": []},
        {"x": "high"},
    ],
)
def test_unusable_calibration_is_named(released_folder: Path, changes: dict[str, object]) -> None:
    _write_calibration(released_folder, **changes)
    with pytest.raises(WeightsMismatch, match=r"calibration\.json: not a"):
        ReportEngine.load(released_folder, "cpu")


def test_manifests_from_before_adaptive_offer_it_if_they_offer_one_step(
    copied_folder: Path,
) -> None:
    _change_json(copied_folder / MANIFEST_NAME, decoding_modes=["one-step", "autoregressive"])
    engine = ReportEngine.load(copied_folder, "cpu")
    assert engine.description.decoding_modes == (
        "one-step",
        "adaptive",
        "guided",
        "autoregressive",
    )
    _change_json(copied_folder / MANIFEST_NAME, decoding_modes=["multi-step"])
    assert ReportEngine.load(copied_folder, "cpu").description.decoding_modes == ("multi-step",)


def test_mode_without_weights_is_not_offered(copied_folder: Path) -> None:
    _change_json(copied_folder / MANIFEST_NAME, autoregressive_weights=None)
    engine = ReportEngine.load(copied_folder, "cpu")
    assert engine.description.decoding_modes == ("one-step", "adaptive", "multi-step")


def test_model_sha256_is_the_digest_of_the_file_digests(tiny_folder: Path) -> None:
    manifest = json.loads((tiny_folder / MANIFEST_NAME).read_text())
    lines = [
        f"{name}:{hashlib.sha256((tiny_folder / name).read_bytes()).hexdigest()}\n"
        for name in sorted(manifest["files"])
    ]
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert open_checkpoint(tiny_folder).sha256 == expected
    assert len(lines) == 6


# What is done to the folder -> what the message says. The manifest is removed beforehand.
def _remove_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def _remove_shard(folder: Path) -> None:
    (folder / _shard(folder)[1]).unlink()


def _replace_by_pickle(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weights": [1.0]}))


def _add_pickle(folder: Path) -> None:
    (folder / "extra.PTH").write_bytes(pickle.dumps({}))


def _point_shard_at_pickle(folder: Path) -> None:
    _shard(folder)
    _change_json(folder / f"{WEIGHTS}.index.json", weight_map={"a": "sub/model.bin"})


def _point_shard_outside(folder: Path) -> None:
    _shard(folder)
    _change_json(folder / f"{WEIGHTS}.index.json", weight_map={"a": "../model.safetensors"})


def _truncate_weights(folder: Path) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])


def _empty_weights(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"")


def _rename_key(folder: Path) -> None:
    def rename(state: dict[str, torch.Tensor]) -> None:
        state["model.language_model.norm.wait"] = state.pop("model.language_model.norm.weight")

    _change_weights(folder, rename)


def _reshape(folder: Path) -> None:
    key = "model.language_model.norm.weight"
    _change_weights(folder, lambda state: state.update({key: torch.ones(3)}))


def _wrong_mask_id(folder: Path) -> None:
    _change_json(folder / "config.json", mask_token_id=3)


def _no_mask_id(folder: Path) -> None:
    _change_json(folder / "config.json", mask_token_id=None)


def _no_vision(folder: Path) -> None:
    _change_json(folder / "config.json", vision_config=None)


def _config_not_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def _config_nonsense(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text())
    values["text_config"]["hidden_size"] = "wide"
    (folder / "config.json").write_text(json.dumps(values))


def _tokenizer_nonsense(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("[]")


def _no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def _no_processor(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove_weights, r"model\.safetensors: missing"),
        (_remove_shard, r"model-00002-of-00002\.safetensors: missing \(a shard named by"),
        (_replace_by_pickle, r"pytorch_model\.bin: pickle refused"),
        (_add_pickle, r"extra\.PTH: pickle refused"),
        (_point_shard_at_pickle, r"model\.bin: pickle refused"),
        (_point_shard_outside, r"leads out of the model folder"),
        (_truncate_weights, r"model\.safetensors: not a whole safetensors file"),
        (_empty_weights, r"model\.safetensors: not a whole safetensors file"),
        (_rename_key, r"missing model\.\S+norm\.weight; unexpected model\.\S+norm\.wait"),
        (_reshape, r"wrong shape model\.language_model\.norm\.weight \[3\] instead of \[64\]"),
        (_wrong_mask_id, r"tokenizer\.json: <\|MASK\|> is 6, the model says 3"),
        (_no_mask_id, r"config\.json: has no mask_token_id"),
        (_no_vision, r"config\.json: has no vision_config"),
        (_config_not_json, r"config\.json: not JSON"),
        (_config_nonsense, r"config\.json: not a Qwen2\.5-VL config"),
        (_tokenizer_nonsense, r"tokenizer\.json: not a usable tokenizer"),
        (_no_tokenizer, r"tokenizer\.json: missing"),
        (_no_processor, r"preprocessor_config\.json: missing"),
    ],
)
def test_damaged_folder_is_refused_by_file_and_reason(
    released_folder: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(released_folder)
    with pytest.raises(EngineError, match=message):
        load_engine(released_folder, "cpu")


def test_stop_ids_fall_back_to_the_config(released_folder: Path) -> None:
    (released_folder / "generation_config.json").write_text("{}")
    _change_json(released_folder / "config.json", eos_token_id=[5, 9])
    assert open_checkpoint(released_folder).stop_ids == {5, 9}
    _change_json(released_folder / "config.json", eos_token_id=None)
    with pytest.raises(WeightsMismatch, match="eos_token_id"):
        open_checkpoint(released_folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_file_other_than_the_manifest_says_is_refused(copied_folder: Path, name: str) -> None:
    content = bytearray((copied_folder / name).read_bytes())
    content[-2] ^= 1
    (copied_folder / name).write_bytes(content)
    with pytest.raises(WeightsMismatch, match=f"{name}: damaged or changed, its sha256 is"):
        load_engine(copied_folder, "cpu")


def test_file_that_the_manifest_does_not_name_is_refused(copied_folder: Path) -> None:
    files = json.loads((copied_folder / MANIFEST_NAME).read_text())["files"]
    del files["generation_config.json"]
    _change_json(copied_folder / MANIFEST_NAME, files=files)
    with pytest.raises(WeightsMismatch, match=r"generation_config\.json: not named in"):
        load_engine(copied_folder, "cpu")


@pytest.mark.parametrize(
    "changes",
    [
        {"block_length": "eight"},
        {"files": []},
        {"decoding_modes": ["sideways"]},
        {"block_length": 0},
        {"mask_token_id": 3},
    ],
)
def test_unusable_manifest_is_refused(copied_folder: Path, changes: dict[str, object]) -> None:
    _change_json(copied_folder / MANIFEST_NAME, **changes)
    with pytest.raises(WeightsMismatch, match=str(copied_folder)):
        load_engine(copied_folder, "cpu")


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="nowhere: no such model folder"):
        load_engine(tmp_path / "nowhere", "cpu")


def test_list_model_files_names_what_is_read(copied_folder: Path) -> None:
    shards = _shard(copied_folder)
    assert set(list_model_files(copied_folder)) == {
        "config.json",
        "tokenizer.json",
        "preprocessor_config.json",
        "generation_config.json",
        f"{WEIGHTS}.index.json",
        *shards,
    }
