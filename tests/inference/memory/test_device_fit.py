"""Whether a model fits is told before it is loaded, with what would do instead."""

from __future__ import annotations

import weakref
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Qwen2_5_VLConfig

from inference import EngineError, load_engine
from inference.api import GenerationRequest, ModelImage, PrefillDone
from inference.decoding.prompt_state import PromptState
from inference.engine import ReportEngine
from inference.memory import device_fit
from inference.memory.device_fit import MemoryNeed, ModelDoesNotFit, ModelSize, choose_dtype
from inference.memory.free_memory import _free_on_linux, free_memory, parse_vm_stat
from inference.model_folder.checkpoint import open_checkpoint
from inference.model_folder.loading_progress import LoadProgress
from inference.model_folder.manifest import Manifest
from inference.model_folder.weight_files import WEIGHTS_NAME
from inference.report_parts import PARTS
from inference.vision.image_processor import ImageProcessor

GIB = 2**30
CPU = torch.device("cpu")


def _seven_billion() -> ModelSize:
    """ECHO's published shape; its parameters as Qwen2.5-VL-7B's index counts them."""
    config = Qwen2_5_VLConfig(
        text_config={
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24]},
        },
        vision_config={"depth": 32, "hidden_size": 1280, "intermediate_size": 3420},
    )
    processor = ImageProcessor(14, 2, 2, 200_704, 2_250_000, (0.5,) * 3, (0.25,) * 3)
    manifest = Manifest("ECHO_block8", "", mask_token_id=1, block_length=8, max_images=2)
    return ModelSize(config, processor, manifest, 8_292_166_656)


def test_needs_of_the_published_shape() -> None:
    need = _seven_billion().need(torch.bfloat16)
    assert need.weights == 2 * 8_292_166_656
    patches = 2 * 2_250_000 // 14**2
    prompt = patches // 4 + 128
    positions = -(-(prompt + 512) // 8) * 8
    assert need.kv_cache == 57_344 * positions  # 56 KiB a position: 28 layers, 2 · 4 · 128 in bf16
    in_prefill = 2 * prompt * (8 * 3584 + 3 * 18944)
    assert need.activations == in_prefill + 6 * patches * 3 * 2 * 14**2
    assert need.kept == 2 * 3584 * (prompt + patches // 4)  # embeddings, and the tower's features
    assert need.total == need.weights + need.kv_cache + need.kept + need.activations
    assert 16 * GIB < need.total < 17 * GIB
    assert _seven_billion().need(torch.float32).kv_cache == 2 * need.kv_cache


def _need(**manifest: Any) -> MemoryNeed:
    """Of the published shape, with a manifest that says this."""
    size = _seven_billion()
    return replace(size, manifest=replace(size.manifest, **manifest)).need(torch.bfloat16)


def test_every_mode_with_weights_of_its_own_keeps_a_prompt() -> None:
    one = _need()
    two = _need(autoregressive_weights="a", multi_step_weights="a")
    three = _need(autoregressive_weights="a", multi_step_weights="b")
    assert two.kept == one.kv_cache + 2 * one.kept
    assert three.kept == 2 * one.kv_cache + 3 * one.kept
    assert three.kv_cache == one.kv_cache
    more = _need(decoding_modes=("one-step", "regions")).kv_cache - one.kv_cache
    rows = len(PARTS) + 2 * len(PARTS) * 8  # a name each, and two blocks
    assert abs(more - 57_344 * rows) < 57_344 * 8  # in whole blocks


def test_what_an_engine_keeps_between_drafts_is_counted(
    tiny_folder: Path, tiny_engine: ReportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, begin = list[weakref.ref[PromptState]](), PromptState.__init__

    def remember(self: PromptState, *arguments: Any) -> None:
        made.append(weakref.ref(self))
        begin(self, *arguments)

    monkeypatch.setattr(PromptState, "__init__", remember)
    film = ModelImage(np.random.default_rng(7).normal(1000, 300, (112, 112)).astype(np.float32))
    tiny_engine.forget_prompt()
    for mode in ("one-step", "autoregressive", "multi-step"):
        request = GenerationRequest("r", (film, film), decoding=mode)
        assert isinstance(next(tiny_engine.draft(request)), PrefillDone)
    kept = [prompt for made_once in made if (prompt := made_once()) is not None]
    assert len(kept) == 2
    held = sum(prompt.cache.nbytes + prompt.embeddings.nbytes for prompt in kept)
    checkpoint = open_checkpoint(tiny_folder)
    need = checkpoint.size(checkpoint.read_tensors(WEIGHTS_NAME)).need(torch.float32)
    assert need.kv_cache < held <= need.kv_cache + need.kept
    tiny_engine.forget_prompt()


def test_weights_are_what_the_loaded_model_holds(tiny_folder: Path) -> None:
    checkpoint = open_checkpoint(tiny_folder)
    size = checkpoint.size(checkpoint.read_tensors(WEIGHTS_NAME))
    for dtype in (torch.float32, torch.bfloat16):
        model = checkpoint.load_model(WEIGHTS_NAME, CPU, dtype)
        held = sum(parameter.nbytes for parameter in model.parameters())
        assert size.need(dtype).weights == held


def _pretend_free(monkeypatch: pytest.MonkeyPatch, free: int | None) -> None:
    monkeypatch.setattr(device_fit, "free_memory", lambda device: free)
    monkeypatch.setattr(device_fit, "_devices", lambda: [CPU])  # whatever this machine has


def test_message_says_needed_free_and_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    size = _seven_billion()
    _pretend_free(monkeypatch, 20 * GIB)
    with pytest.raises(ModelDoesNotFit) as refused:
        device_fit.require_fit(size, CPU, torch.float32, lambda: None)
    assert str(refused.value) == (
        "ECHO_block8: float32 on the CPU needs 33.8 GiB (weights 30.9 GiB, cache 0.7 GiB, "
        "kept prompts 0.2 GiB, activations 2.1 GiB); free 20.0 GiB; "
        "bfloat16 on the CPU needs 16.9 GiB, free 20.0 GiB: fits"
    )
    device_fit.require_fit(size, CPU, torch.bfloat16)


def test_too_large_model_is_refused_before_hashing_and_names_the_embedded_one(
    released_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = open_checkpoint(released_folder)
    needed = checkpoint.size(checkpoint.read_tensors(WEIGHTS_NAME)).need(torch.float32).total
    told: list[LoadProgress] = []
    _pretend_free(monkeypatch, needed - 1)
    with pytest.raises(ModelDoesNotFit, match=r"model: float32 on the CPU needs .*; free ") as no:
        load_engine(released_folder, "cpu", on_progress=told.append)
    assert told == []
    assert "\n" not in str(no.value)
    assert "the embedded model fits" not in str(no.value)  # it is larger than the tiny one
    _pretend_free(monkeypatch, needed)
    load_engine(released_folder, "cpu", on_progress=told.append)
    assert told


def test_embedded_model_is_named_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = open_checkpoint(Path(__file__).parents[3] / "resources" / "models" / "embedded")
    size = embedded.size(embedded.read_tensors(WEIGHTS_NAME))
    _pretend_free(monkeypatch, GIB)
    with pytest.raises(ModelDoesNotFit, match=r"does not fit; the embedded model fits$"):
        device_fit.require_fit(_seven_billion(), CPU, torch.float32, lambda: size)


def test_platform_that_does_not_tell_is_no_obstacle(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend_free(monkeypatch, None)
    assert load_engine(tiny_folder, "cpu").description.device == "cpu"


def test_auto_is_float32_on_the_cpu() -> None:
    assert choose_dtype("auto", CPU) == torch.float32
    assert choose_dtype("bfloat16", CPU) == torch.bfloat16


def test_a_gpu_without_bfloat16_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    gpu = torch.device("cuda", 0)
    assert choose_dtype("auto", gpu) == torch.float32
    assert choose_dtype("float16", gpu) == torch.float16
    with pytest.raises(EngineError, match=r"bfloat16: .* it can in float32, float16"):
        choose_dtype("bfloat16", gpu)


def test_this_machine_tells_its_free_memory() -> None:
    free = free_memory(CPU)
    assert free is not None
    assert 2**20 < free < 2**50


# Files below /proc and /sys/fs/cgroup -> bytes free.
MEMINFO = {"proc/meminfo": "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable:    8000 kB\n"}
V2 = {"cg/memory.current": "3000000\n", "cg/memory.stat": "anon 5\ninactive_file 1000000\n"}
V1 = {
    "cg/memory/memory.usage_in_bytes": "3000000\n",
    "cg/memory/memory.stat": "inactive_file 7\ntotal_inactive_file 500000\n",
}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, None),
        (MEMINFO, 8000 * 1024),
        (MEMINFO | V2 | {"cg/memory.max": "max\n"}, 8000 * 1024),
        (MEMINFO | V2 | {"cg/memory.max": "4000000\n"}, 2_000_000),
        (MEMINFO | V2 | {"cg/memory.max": "1000000\n"}, 0),
        (MEMINFO | V1 | {"cg/memory/memory.limit_in_bytes": "4000000\n"}, 1_500_000),
        (
            MEMINFO | V1 | {"cg/memory/memory.limit_in_bytes": "9223372036854771712\n"},
            8000 * 1024,
        ),
        (V1 | {"cg/memory/memory.limit_in_bytes": "4000000\n"}, 1_500_000),
    ],
)
def test_free_memory_on_linux(tmp_path: Path, files: dict[str, str], free: int | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert _free_on_linux(tmp_path / "proc", tmp_path / "cg") == free


VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               10.
Pages active:                         900000.
Pages inactive:                           20.
Pages speculative:                         3.
Pages throttled:                           0.
Pages purgeable:                           4.
"""


@pytest.mark.parametrize(("told", "free"), [(VM_STAT, 37 * 16384), ("", None), ("x\n", None)])
def test_free_memory_on_macos(told: str, free: int | None) -> None:
    assert parse_vm_stat(told) == free


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_tells_its_free_memory() -> None:
    free = free_memory(torch.device("cuda:0"))
    assert free is not None
    assert free <= torch.cuda.get_device_properties(0).total_memory
