"""Folders of the released ECHO layout, with tiny dimensions: flat config, fp32 shards."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inference import load_engine
from inference.api import EngineError, GenerationRequest, WeightsMismatch
from inference.model_folder import weight_files
from inference.model_folder.checkpoint import open_checkpoint
from inference.model_folder.loading_progress import LoadProgress
from inference.model_folder.manifest import read_manifest, write_manifest
from inference.model_folder.weight_files import WEIGHTS_NAME

SHARDS = 3
INDEX = f"{WEIGHTS_NAME}.index.json"
EMBEDDING = "model.embed_tokens.weight"  # as released
MakeReleased = Callable[..., Path]


def _released_name(key: str) -> str:
    return key.replace("model.visual.", "visual.").replace("model.language_model.", "model.")


def _flatten_config(nested: dict[str, Any], tied: bool) -> dict[str, Any]:
    """Qwen2.5-VL's published form: text settings at the root, rope_scaling of type mrope."""
    text = {key: value for key, value in nested["text_config"].items() if key != "model_type"}
    rope = text.pop("rope_parameters")
    text.pop("layer_types")
    kept = ("image_token_id", "video_token_id", "mask_token_id", "block_length")
    vision = {k: v for k, v in nested["vision_config"].items() if k != "rope_parameters"}
    return (
        text
        | {key: nested[key] for key in kept}
        | {
            "model_type": "qwen2_5_vl",
            "architectures": ["EchoForConditionalGeneration"],
            "auto_map": {"AutoModel": "modeling_echo.EchoForConditionalGeneration"},
            "rope_theta": rope["rope_theta"],
            "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]},
            "tie_word_embeddings": tied,
            "torch_dtype": "float32",
            "vision_config": vision | {"model_type": "qwen2_5_vl", "in_chans": 3},
        }
    )


def _write_shards(folder: Path, state: dict[str, torch.Tensor]) -> None:
    keys, weight_map = sorted(state), {}
    for number in range(SHARDS):
        name = f"model-{number + 1:05}-of-{SHARDS:05}.safetensors"
        part = {key: state[key].contiguous() for key in keys[number::SHARDS]}
        save_file(part, folder / name, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, name)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


@pytest.fixture
def make_released(released_folder: Path, tmp_path: Path) -> MakeReleased:
    """ECHO_block4 as downloaded; head: "tied", "untied", or "tied copy" (stored all the same)."""

    def make(head: str = "tied") -> Path:
        folder = released_folder.rename(tmp_path / "ECHO_block4")
        path = folder / "config.json"
        flat = _flatten_config(json.loads(path.read_text()), tied=head != "untied")
        path.write_text(json.dumps(flat))
        state = {_released_name(k): v for k, v in load_file(folder / WEIGHTS_NAME).items()}
        if head != "tied":
            state["lm_head.weight"] = state[EMBEDDING] * (-1 if head == "untied" else 1)
        _write_shards(folder, state)
        (folder / WEIGHTS_NAME).unlink()
        return folder

    return make


def _change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _shard(folder: Path, number: int) -> Path:
    return folder / f"model-{number:05}-of-{SHARDS:05}.safetensors"


def _change_shard(
    folder: Path, number: int, change: Callable[[dict[str, torch.Tensor]], object]
) -> None:
    state = load_file(_shard(folder, number))
    change(state)
    _shard(folder, number).unlink()
    save_file(state, _shard(folder, number))


@pytest.mark.parametrize("head", ["tied", "untied", "tied copy"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_tensor_arrives_in_the_chosen_dtype(
    make_released: MakeReleased, head: str, dtype: torch.dtype
) -> None:
    folder = make_released(head)
    model = open_checkpoint(folder).load_model(WEIGHTS_NAME, torch.device("cpu"), dtype)
    stored = {k: v for n in range(SHARDS) for k, v in load_file(_shard(folder, n + 1)).items()}
    assert all(value.dtype == torch.float32 for value in stored.values())
    if head == "tied":
        stored["lm_head.weight"] = stored[EMBEDDING]
    loaded = {_released_name(key): value for key, value in model.state_dict().items()}
    assert loaded.keys() == stored.keys()
    for key, value in stored.items():
        assert torch.equal(loaded[key], value.to(dtype)), key
    is_shared = model.lm_head.weight is model.get_input_embeddings().weight
    assert is_shared == (head != "untied")
    assert not any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_released_folder_drafts_as_its_own_layout_does(
    make_released: MakeReleased,
    released_folder: Path,
    make_request: Callable[..., GenerationRequest],
) -> None:
    def tokens(folder: Path) -> list[object]:
        events = load_engine(folder, "cpu").draft(make_request())
        return [getattr(event, "token_ids", None) for event in events]

    expected = tokens(released_folder)
    assert tokens(make_released()) == expected


def test_one_stored_tensor_at_a_time_is_in_memory(
    make_released: MakeReleased, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, most_live, read = 0, 0, 0

    class CountingHandle:
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._opened = safe_open(*arguments, **options)

        def __enter__(self) -> CountingHandle:
            self._handle = self._opened.__enter__()
            return self

        def __exit__(self, *exception: object) -> None:
            self._opened.__exit__(*exception)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._handle, name)

        def get_tensor(self, name: str) -> torch.Tensor:
            nonlocal live, most_live, read
            tensor: torch.Tensor = self._handle.get_tensor(name)
            live, read = live + 1, read + 1
            most_live = max(most_live, live)
            weakref.finalize(tensor, forget)
            return tensor

    def forget() -> None:
        nonlocal live
        live -= 1

    checkpoint = open_checkpoint(make_released("untied"))
    count = len(checkpoint.read_tensors(WEIGHTS_NAME))
    monkeypatch.setattr(weight_files, "safe_open", CountingHandle)
    for dtype in (torch.bfloat16, torch.float32):  # converted, and as stored
        checkpoint.load_model(WEIGHTS_NAME, torch.device("cpu"), dtype)
    assert (read, most_live, live) == (2 * count, 1, 0)


def test_loaded_weights_do_not_lean_on_the_file(make_released: MakeReleased) -> None:
    folder = make_released()
    model = open_checkpoint(folder).load_model(WEIGHTS_NAME, torch.device("cpu"), torch.float32)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    for number in range(SHARDS):
        with _shard(folder, number + 1).open("r+b") as stream:
            stream.seek(-4096, 2)
            stream.write(bytes(4096))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_progress_counts_every_byte_once(make_released: MakeReleased) -> None:
    folder = make_released()
    told: list[LoadProgress] = []
    load_engine(folder, "cpu", on_progress=told.append)
    checking = [progress for progress in told if progress.step == "checking"]
    loading = [progress for progress in told if progress.step == "loading"]
    assert told == checking + loading  # hashed first, then loaded
    for steps in (checking, loading):
        done = [progress.done_bytes for progress in steps]
        assert done == sorted(done)
        assert done[-1] == steps[-1].total_bytes
        assert len({progress.total_bytes for progress in steps}) == 1
    values = [v for n in range(SHARDS) for v in load_file(_shard(folder, n + 1)).values()]
    assert loading[-1].total_bytes == sum(value.nbytes for value in values)
    assert len(loading) == len(values)


def test_listener_can_end_the_load(make_released: MakeReleased) -> None:
    class Closed(Exception):
        pass

    def close(progress: LoadProgress) -> None:
        if progress.step == "loading":
            raise Closed

    with pytest.raises(Closed):
        load_engine(make_released(), "cpu", on_progress=close)


# What is done to the folder -> what the message says.
def _of_another_architecture(folder: Path) -> None:
    _change_config(folder, model_type="qwen2_vl")


def _of_unknown_architecture(folder: Path) -> None:
    _change_config(folder, model_type="echo", auto_map=None)


def _truncate_shard(folder: Path) -> None:
    whole = _shard(folder, 2).read_bytes()
    _shard(folder, 2).write_bytes(whole[:-100])


def _leave_a_pointer(folder: Path) -> None:
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    _shard(folder, 3).write_text(text)


def _lose_a_key(folder: Path) -> None:
    _change_shard(folder, 1, lambda state: state.pop(sorted(state)[0]))


def _lose_a_key_and_its_index(folder: Path) -> None:
    weight_map = json.loads((folder / INDEX).read_text())["weight_map"]
    _change_shard(folder, int(weight_map["model.norm.weight"][6:11]), _drop_norm)
    del weight_map["model.norm.weight"]
    (folder / INDEX).write_text(json.dumps({"weight_map": weight_map}))


def _drop_norm(state: dict[str, torch.Tensor]) -> None:
    state.pop("model.norm.weight", None)


def _add_a_key(folder: Path) -> None:
    _change_shard(folder, 1, lambda state: state.update({"model.extra": torch.ones(1)}))


def _store_a_key_twice(folder: Path) -> None:
    key = sorted(load_file(_shard(folder, 1)))[0]
    _change_shard(folder, 2, lambda state: state.update({key: torch.ones(1)}))


def _quantise_a_key(folder: Path) -> None:
    key = sorted(load_file(_shard(folder, 1)))[0]
    _change_shard(folder, 1, lambda state: state.update({key: state[key].to(torch.int8)}))


def _mask_outside_the_vocabulary(folder: Path) -> None:
    _change_config(folder, mask_token_id=152_064)


def _mask_of_another_token(folder: Path) -> None:
    _change_config(folder, mask_token_id=2)


def _block_of_another_folder(folder: Path) -> None:
    _change_config(folder, block_length=8)


def _two_block_lengths(folder: Path) -> None:
    _change_config(folder, block_size=8)


def _no_block_length(folder: Path) -> None:
    _change_config(folder, block_length=None)


def _slide_the_window(folder: Path) -> None:
    _change_config(folder, use_sliding_window=True, sliding_window=8, max_window_layers=1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_of_another_architecture, r"config\.json: wrong architecture, model_type is 'qwen2_vl'"),
        (_of_unknown_architecture, r"config\.json: wrong architecture, model_type is 'echo'"),
        (_truncate_shard, r"model-00002-of-00003\.safetensors: not a whole safetensors file"),
        (_leave_a_pointer, r"model-00003-of-00003\.safetensors: a Git LFS pointer"),
        (_lose_a_key, r"model-00001-of-00003\.safetensors: missing \S+"),
        (_lose_a_key_and_its_index, r"missing model\.language_model\.norm\.weight"),
        (_add_a_key, r"model-00001-of-00003\.safetensors: holds model\.extra, .* says is nowhere"),
        (_store_a_key_twice, r"model-00002-of-00003\.safetensors: \S+ is in model-00001-of"),
        (_quantise_a_key, r"model-00001-of-00003\.safetensors: \S+ is I8; only F64, F32"),
        (_mask_outside_the_vocabulary, r"config\.json: mask_token_id 152064 is outside the vocab"),
        (_mask_of_another_token, r"tokenizer\.json: <\|MASK\|> is \d+, the model says 2"),
        (_block_of_another_folder, r"config\.json: the block length is 8, .* named for 4"),
        (_two_block_lengths, r"config\.json: two block lengths"),
        (_no_block_length, r"config\.json: has no block_length"),
        (_slide_the_window, r"config\.json: sliding window attention"),
    ],
)
def test_damaged_folder_is_refused_before_any_weights_are_read(
    make_released: MakeReleased,
    damage: Callable[[Path], None],
    message: str,
) -> None:
    folder = make_released()
    damage(folder)
    told: list[LoadProgress] = []
    with pytest.raises(WeightsMismatch, match=message) as refused:
        load_engine(folder, "cpu", on_progress=told.append)
    assert "\n" not in str(refused.value)
    assert told == []


def test_architecture_known_to_remote_code_only_is_judged_by_its_tensors(
    make_released: MakeReleased,
) -> None:
    folder = make_released()
    _change_config(folder, model_type="echo")
    assert open_checkpoint(folder).read_tensors(WEIGHTS_NAME)


def test_block_size_is_another_word_for_block_length(make_released: MakeReleased) -> None:
    folder = make_released()
    _change_config(folder, block_length=None, block_size=4)
    assert open_checkpoint(folder).manifest.block_length == 4


def test_tied_head_that_differs_is_refused(make_released: MakeReleased) -> None:
    folder = make_released("untied")
    _change_config(folder, tie_word_embeddings=True)
    with pytest.raises(WeightsMismatch, match=r"lm_head\.weight differs .* config\.json ties them"):
        load_engine(folder, "cpu")


@pytest.mark.parametrize(("key", "value"), [("block_length", 8), ("mask_token_id", 5)])
def test_manifest_and_config_must_agree(copied_folder: Path, key: str, value: int) -> None:
    _change_config(copied_folder, **{key: value})
    found = read_manifest(copied_folder)
    assert found is not None
    write_manifest(copied_folder, found, found.files)
    with pytest.raises(WeightsMismatch, match=f"config.json: {key} is {value}, and the manifest"):
        open_checkpoint(copied_folder)


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ("float16", "float16: the CPU can't compute in it; it can in float32, bfloat16"),
        ("int4", "dtype 'int4': only auto, float32, bfloat16, float16 are known"),
    ],
)
def test_dtype_that_the_device_cannot_do_is_refused(
    tiny_folder: Path, dtype: str, message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        load_engine(tiny_folder, "cpu", dtype)


def test_chosen_dtype_is_what_runs(
    make_released: MakeReleased, make_request: Callable[..., GenerationRequest]
) -> None:
    engine = load_engine(make_released(), "cpu", "bfloat16")
    assert engine.description.dtype == "bfloat16"
    assert list(engine.draft(make_request()))[-1].tokens > 0  # type: ignore[union-attr]


def test_model_other_than_expected_is_refused(tiny_folder: Path) -> None:
    sha256 = open_checkpoint(tiny_folder).sha256
    load_engine(tiny_folder, "cpu", expected_sha256=sha256)
    with pytest.raises(WeightsMismatch, match="changed since it was added"):
        load_engine(tiny_folder, "cpu", expected_sha256="0" * 64)
