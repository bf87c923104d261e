"""All stages in sequence, two steps each on eight films, into a model the engine drafts with."""

from __future__ import annotations

import importlib
import json
from itertools import product
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tokenizers import Tokenizer

from inference import DECODING_MODES, load_engine
from inference.api import DraftFinished, GenerationRequest, ModelImage, PrefillDone
from inference.training import collect_trajectories, render_films

_STAGES = ("warm_up_vision", "pretrain_ar", "adapt_rad", "collect_trajectories", "distill_dcd")
_FIRST_SEED, _SHARD = 5_000, 4


@pytest.fixture
def small_pipeline(
    monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer, stand_in_renderer: None
) -> None:
    """Shards of four films, one training of the tokenizer, and every draft of the teacher kept.

    After two steps no teacher writes a stop token, so that none would be.
    """
    for name in ("dataset", "render_films", "vision_labels"):
        monkeypatch.setattr(f"inference.training.{name}.SHARD", _SHARD)
    monkeypatch.setattr("inference.training.tokenizer.train_tokenizer", lambda: tokenizer)
    monkeypatch.setattr(collect_trajectories, "keep_row", lambda *_: True)
    monkeypatch.setattr(collect_trajectories, "MAX_BLOCKS", 3)


def _run_main(monkeypatch: pytest.MonkeyPatch, module: str, *arguments: object) -> None:
    monkeypatch.setattr("sys.argv", [module, *map(str, arguments)])
    importlib.import_module(f"inference.training.{module}").main()


def _write_scores(path: Path) -> None:
    summary = {
        "reports": 2, "micro_f1": 0.5, "micro_f1_with_side": 0.4, "macro_f1": 0.3,
        "statement_f1": 0.2, "sentences_outside_grammar": 0.125, "passes_per_report": 9.5,
        "tokens_per_pass": 7.5, "per_concept_f1": {"mass": 0.25},
    }  # fmt: skip
    path.write_text(json.dumps({"student, one-step": summary}), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("small_pipeline")
def test_every_stage_runs_and_the_engine_drafts_with_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, film: ModelImage, lateral: ModelImage
) -> None:
    folder, run, out = tmp_path / "films", tmp_path / "run", tmp_path / "model"
    folder.mkdir()
    for seed in (_FIRST_SEED, _FIRST_SEED + _SHARD):
        render_films.render_shard(folder, seed, 224)
    for stage in _STAGES:
        own = ("--count", 8, "--threshold", 0.0) if stage == "collect_trajectories" else (
            "--steps", 2, "--batch", 2,
        )  # fmt: skip
        _run_main(monkeypatch, stage, "--films", folder, "--out", run, *own)
    ar, rad, dcd = (load_file(run / f"{stage}.safetensors") for stage in ("ar", "rad", "dcd"))
    for name in ar:  # from RAD on the tower is frozen, the rest is not
        assert (rad[name] == ar[name]).all() == ("visual" in name), name
        assert (dcd[name] == rad[name]).all() == ("visual" in name), name
    _write_scores(tmp_path / "scores.json")
    _run_main(
        monkeypatch, "export_model", "--run", run, "--out", out, "--version", "9.9",
        "--scores", tmp_path / "scores.json",
    )  # fmt: skip

    engine = load_engine(out, "cpu")
    assert engine.description.decoding_modes == DECODING_MODES
    assert engine.description.model_version == "9.9"
    assert engine.description.languages == ("en", "zh")
    for mode, language, films in product(DECODING_MODES, ("en", "zh"), ((film,), (film, lateral))):
        request = GenerationRequest("r", films, language=language, decoding=mode, max_new_tokens=16)
        events = list(engine.draft(request))
        assert isinstance(events[0], PrefillDone)
        assert isinstance(events[-1], DraftFinished)
        assert events[-1].tokens > 0
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "| II RAD | 2 |" in card
    assert "| student, one-step | 0.500 | 0.400 | 0.300 | 0.200 | 12.5% | 9.5 | 7.5 |" in card
    assert "mass 0.25" in card


@pytest.mark.usefixtures("small_pipeline")
def test_stages_without_their_input_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, film_folder: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"vision\.safetensors|No such file"):
        _run_main(monkeypatch, "pretrain_ar", "--films", film_folder, "--out", tmp_path)
    with pytest.raises(FileNotFoundError, match="collect_trajectories"):
        collect_trajectories.load_trajectories(tmp_path)
