"""All stages in sequence, two steps each, into models the engine drafts with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from inference import DECODING_MODES, load_engine
from inference.api import DraftFinished, GenerationRequest, ModelImage, PrefillDone
from inference.engine import ReportEngine
from inference.phantom import projection
from inference.phantom.case import PhantomCase
from inference.prompts import MASK
from inference.training import compare_distillation, export_model
from inference.training.__main__ import main
from inference.training.render_films import render_shard
from inference.training.teacher import collect_trajectories

_FIRST_SEED, _SHARD = 5_000, 4
_TEMPLATE = """
output = {output}
[model]
start = {start}
freeze_vision = {freeze}
device = "cpu"
{model}
[data]
{data}
[schedule]
steps = {steps}
batch = 2
accumulation = 2
learning_rate = 1e-3
checkpoint_minutes = 0.0
[teacher]
drafts = 8
batch = 3
max_blocks = 3
{teacher}
{more}
"""


@pytest.fixture
def keeping_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two steps no teacher writes a stop token: every draft would be dropped."""
    monkeypatch.setattr(collect_trajectories, "keep_row", lambda *_: True)


@pytest.fixture
def phantom_films(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer, stand_in_renderer: None
) -> Path:
    """Two shards of four stand-in films, and one training of the tokenizer."""
    for name in ("data.phantom_pairs", "render_films", "data.vision_labels"):
        monkeypatch.setattr(f"inference.training.{name}.SHARD", _SHARD)
    monkeypatch.setattr("inference.training.tokenizer.train_tokenizer", lambda: tokenizer)
    folder = tmp_path / "films"
    folder.mkdir()
    for seed in (_FIRST_SEED, _FIRST_SEED + _SHARD):
        render_shard(folder, seed, 224)
    return folder


def _config(
    folder: Path, start: str | Path, data: str, *,
    freeze: bool = True, model: str = "", teacher: str = "threshold = 0.0", more: str = "",
    steps: int = 2,
) -> Path:  # fmt: skip
    """A configuration file; runs go to folder/run."""
    path = folder / "stage.toml"
    output, quoted = json.dumps(str(folder / "run")), json.dumps(str(start))
    text = _TEMPLATE.format(
        output=output, start=quoted, freeze=str(freeze).lower(), data=data, model=model,
        teacher=teacher, more=more, steps=steps,
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")
    return path


def _of(key: str, path: Path) -> str:
    return f"{key} = {json.dumps(str(path))}"


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def _drafts_with(engine: ReportEngine, *studies: tuple[ModelImage, ...]) -> None:
    modes = engine.description.decoding_modes
    for mode, language, images in product(modes, ("en", "zh"), studies):
        request = GenerationRequest(
            "r", images, language=language, decoding=mode, max_new_tokens=16
        )
        events = list(engine.draft(request))
        assert isinstance(events[0], PrefillDone)
        assert isinstance(events[-1], DraftFinished)
        assert events[-1].tokens > 0


@pytest.mark.slow
@pytest.mark.usefixtures("keeping_all")
def test_embedded_stages_run_and_the_engine_drafts_with_the_result(
    tmp_path: Path, phantom_films: Path, monkeypatch: pytest.MonkeyPatch,
    film: ModelImage, lateral: ModelImage,
) -> None:  # fmt: skip
    run, out, data = tmp_path / "run", tmp_path / "model", _of("films", phantom_films)
    starts = {"vision": "embedded", "ar": run / "vision", "rad": run / "ar", "dcd": run / "rad"}
    for stage, start in starts.items():
        config = _config(tmp_path, start, data, freeze=stage in ("rad", "dcd"))
        assert main([stage, "--config", str(config)]) == 0, stage
    vision, ar, rad, dcd = (_weights(run / stage) for stage in starts)
    for name in ar:  # from RAD on the tower is frozen, the rest is not
        assert torch.equal(rad[name], ar[name]) == ("visual" in name), name
        assert torch.equal(dcd[name], rad[name]) == ("visual" in name), name
        if "norm" not in name and "bias" not in name and "language" not in name:
            assert not torch.equal(ar[name], vision[name]), name
    arguments = ["export_model", "--run", str(run), "--out", str(out), "--version", "9.9"]
    monkeypatch.setattr("sys.argv", arguments)
    export_model.main()
    engine = load_engine(out, "cpu")
    assert engine.description.decoding_modes == DECODING_MODES
    assert engine.description.model_version == "9.9"
    assert engine.description.languages == ("en", "zh")
    _drafts_with(engine, (film,), (film, lateral))


@pytest.mark.usefixtures("keeping_all")
def test_any_qwen_folder_and_a_site_s_own_films_go_through_all_stages(
    tmp_path: Path, stock_folder: Path, site_manifest: Path, film: ModelImage
) -> None:
    run, data = tmp_path / "run", _of("manifest", site_manifest)
    model = 'block_length = 4\nsystem_prompt = "You are a helpful assistant."\n'
    model += "gradient_checkpointing = true"
    start: Path = stock_folder
    for stage in ("ar", "rad", "dcd"):
        config = _config(tmp_path, start, data, model=model, teacher="max_steps = 4")
        assert main([stage, "--config", str(config)]) == 0, stage
        start = run / stage
        engine = load_engine(start, "cpu")
        assert engine.description.block_length == 4
        _drafts_with(engine, (film,), (film, film))
    stock, ar = _weights(stock_folder), _weights(run / "ar")
    tokenizer = Tokenizer.from_file(str(run / "ar" / "tokenizer.json"))
    mask_id = tokenizer.token_to_id(MASK)
    assert mask_id == Tokenizer.from_file(str(stock_folder / "tokenizer.json")).get_vocab_size()
    assert ar["lm_head.weight"].shape == stock["lm_head.weight"].shape  # a spare row was taken
    assert not torch.equal(ar["lm_head.weight"], stock["lm_head.weight"])  # the head is trained
    assert (run / "loss.svg").read_text(encoding="utf-8").count("<polyline") == 3


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_killed_stage_goes_on_to_the_same_weights(
    tmp_path: Path, stock_folder: Path, site_manifest: Path, monkeypatch: pytest.MonkeyPatch,
    dtype: str,
) -> None:  # fmt: skip
    """Bitwise, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = f'weights_dtype = "{dtype}"'

    def train(name: str, *arguments: str) -> None:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        config = _config(folder, stock_folder, _of("manifest", site_manifest), model=model, steps=4)
        assert main(["rad", "--config", str(config), *arguments]) == 0

    try:
        train("whole")
        with monkeypatch.context() as patch:
            patch.setattr("inference.training.adapt_rad.rad_loss", _dying_after(5))
            with pytest.raises(KeyboardInterrupt):
                train("killed")
        train("killed", "--resume")
    finally:
        torch.set_num_threads(threads)
    whole, resumed = (_weights(tmp_path / name / "run" / "rad") for name in ("whole", "killed"))
    assert next(iter(whole.values())).dtype == getattr(torch, dtype)
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())
    assert not all(torch.equal(_weights(stock_folder)[n], t) for n, t in _renamed(whole).items())


def _dying_after(calls: int):  # type: ignore[no-untyped-def]
    from inference.training.adapt_rad import rad_loss

    left = [calls]

    def loss(*arguments: object) -> torch.Tensor:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return rad_loss(*arguments)  # type: ignore[arg-type]

    return loss


def _renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """transformers 5's names to those it writes."""
    return {
        name.replace("model.visual.", "visual.").replace("language_model.", ""): tensor
        for name, tensor in state.items()
    }


def test_run_that_exists_is_not_overwritten_unasked(
    tmp_path: Path, stock_folder: Path, site_manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(_config(tmp_path, stock_folder, _of("manifest", site_manifest)))
    assert main(["ar", "--config", config]) == 0
    assert main(["ar", "--config", config]) == 2
    assert "go on with --resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stage", "start", "data", "message"),
    [
        ("ar", "nowhere", None, "nowhere is no model folder"),
        ("ar", "embedded", "", "neither films nor a manifest"),
        ("vision", "embedded", None, "only phantom films have labels"),
        ("ar", "embedded", 'films = "nowhere"', "run training.render_films"),
        ("ar", "embedded", 'manifest = "nowhere.jsonl"', "nowhere.jsonl: can't be read"),
    ],
)
def test_what_can_t_be_used_is_said(
    tmp_path: Path, site_manifest: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer,
    capsys: pytest.CaptureFixture[str], stage: str, start: str, data: str | None, message: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("inference.training.tokenizer.train_tokenizer", lambda: tokenizer)
    said = _of("manifest", site_manifest) if data is None else data
    assert main([stage, "--config", str(_config(tmp_path, start, said))]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("keeping_all")
def test_comparison_trains_and_scores_every_method_and_can_be_run_again(
    tmp_path: Path, site_manifest: Path, stock_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "render_study", _render_noise)
    data = _of("manifest", site_manifest)
    config = _config(
        tmp_path, stock_folder, data, steps=3, teacher="threshold = 2.0\nmax_steps = 4",
        more="[evaluation]\nphantoms = 2\nsize = 64\n",
    )  # fmt: skip
    assert compare_distillation.main(["--config", str(config)]) == 0
    run = tmp_path / "run"
    table = (run / "table.json").read_text(encoding="utf-8")
    rows = json.loads(table)
    assert len(rows) == 2 + 2 * len(compare_distillation.METHODS)
    assert [row["method"] for row in rows[:2]] == ["teacher", "teacher, native one-step"]
    assert all(row["reports"] == 2 for row in rows)
    assert (run / "table.md").read_text(encoding="utf-8").count("\n|") == len(rows) + 2
    assert "- Ships: + RAD share, " in (run / "table.md").read_text(encoding="utf-8")
    assert len(list(run.glob("trajectories*"))) == 3  # the teacher's, and two of halving's
    heads = [_weights(run / m.name)["lm_head.weight"] for m in compare_distillation.METHODS]
    # nothing the untrained teacher writes is a stop token: that term alone changes nothing
    same = [(a, b) for b in range(len(heads)) for a in range(b) if torch.equal(heads[a], heads[b])]
    assert same == [(3, 4)]
    monkeypatch.setattr(compare_distillation, "evaluate", None)  # nothing is scored again
    monkeypatch.setattr(compare_distillation, "distill_dcd", None)
    assert compare_distillation.main(["--config", str(config)]) == 0
    assert (run / "table.json").read_text(encoding="utf-8") == table
    other = config.read_text(encoding="utf-8").replace("steps = 3", "steps = 4")
    config.write_text(other, encoding="utf-8")  # rows of one table must be comparable
    assert compare_distillation.main(["--config", str(config)]) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("keeping_all")
def test_comparison_killed_in_training_and_in_scoring_goes_on_to_the_same_table(
    tmp_path: Path, site_manifest: Path, stock_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "render_study", _render_noise)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def run(name: str) -> int:
        (tmp_path / name).mkdir(exist_ok=True)
        config = _config(
            tmp_path / name, stock_folder, _of("manifest", site_manifest), steps=4,
            teacher="threshold = 2.0\nmax_steps = 4",
            more="[evaluation]\nphantoms = 1\nsize = 64\n",
        )  # fmt: skip
        methods = f'methods = ["halving", "kl"]\n{config.read_text("utf-8")}'
        config.write_text(methods, encoding="utf-8")
        return compare_distillation.main(["--config", str(config)])

    def die_at(place: str, call: int) -> None:
        with monkeypatch.context() as patch:
            module, name = place.rsplit(".", 1)
            real, left = getattr(sys.modules[module], name), [call]

            def dying(*arguments: object, **named: object) -> object:
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
                return real(*arguments, **named)

            patch.setattr(place, dying)
            with pytest.raises(KeyboardInterrupt):
                run("killed")

    try:
        assert run("whole") == 0
        die_at("inference.training.distill_dcd.dcd_loss", 5)  # in halving's third round
        die_at("inference.training.compare_distillation.evaluate", 1)
        die_at("inference.training.distill_dcd.dcd_loss", 3)  # in plain KL
    finally:
        torch.set_num_threads(threads)
    assert run("killed") == 0
    tables = [(tmp_path / name / "run" / "table.json").read_bytes() for name in ("whole", "killed")]
    assert tables[0] == tables[1]
    for method in ("halving", "kl"):
        whole, killed = (_weights(tmp_path / n / "run" / method) for n in ("whole", "killed"))
        assert all(torch.equal(killed[name], tensor) for name, tensor in whole.items()), method


def _render_noise(case: PhantomCase, size: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(case.seed)
    views = ("frontal", "lateral") if case.has_lateral else ("frontal",)
    return {view: rng.integers(0, 4095, (size, size)).astype(np.uint16) for view in views}


@pytest.mark.slow
def test_two_processes_train_what_one_does(
    tmp_path: Path, stock_folder: Path, site_manifest: Path
) -> None:
    pytest.importorskip("accelerate")
    together = ("torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m")
    for name, launcher in (("one", ()), ("two", together)):
        (tmp_path / name).mkdir()
        config = _config(tmp_path / name, stock_folder, _of("manifest", site_manifest))
        command = [sys.executable, "-m", *launcher, "inference.training", "rad", "--config"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run([*command, str(config)], check=True, env=environment, timeout=300)
    one, two = (_weights(tmp_path / name / "run" / "rad") for name in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, msg=name)
