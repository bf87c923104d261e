"""What one stage taught is added to another model; all else stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.training.config import ConfigError, ModelConfig
from inference.training.start_model import StartModel, open_start, write_model_folder

_CPU = torch.device("cpu")


def _open(folder: Path, *task_vector: Path) -> StartModel:
    return open_start(ModelConfig(str(folder), task_vector=task_vector), folder.parent, _CPU)


@pytest.fixture
def stages(stock_folder: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A stage's folder, and one whose weights have all moved since, by seeded noise."""
    before, after = tmp_path / "before", tmp_path / "after"
    write_model_folder(_open(stock_folder), before, "dcd", "0")
    shutil.copytree(before, after)
    torch.manual_seed(5)
    moved = {
        n: w + torch.randn_like(w) / 8 for n, w in load_file(before / "model.safetensors").items()
    }
    save_file(moved, after / "model.safetensors", metadata={"format": "pt"})
    return after, before


def test_the_difference_is_added_and_the_tower_stays(
    stages: tuple[Path, Path], tmp_path: Path
) -> None:
    after, before = stages
    start = tmp_path / "start"
    shutil.copytree(before, start)
    torch.manual_seed(6)
    own = {n: torch.randn_like(w) for n, w in load_file(before / "model.safetensors").items()}
    save_file(own, start / "model.safetensors", metadata={"format": "pt"})

    found = _open(start, after, before).model.state_dict()
    plain = _open(start).model.state_dict()
    old, new = (load_file(folder / "model.safetensors") for folder in (before, after))
    assert any(n.startswith("model.visual.") for n in old)
    for name, weight in plain.items():
        added = found[name] - weight
        if name.startswith("model.visual."):
            assert not added.any()
        else:
            torch.testing.assert_close(added, new[name] - old[name], atol=1e-5, rtol=1e-4)


def test_a_stage_plus_what_it_was_taught_is_what_it_became(stages: tuple[Path, Path]) -> None:
    after, before = stages
    found, taught = _open(before, after, before).model, _open(after).model
    for name, weight in taught.state_dict().items():
        if not name.startswith("model.visual."):
            torch.testing.assert_close(found.state_dict()[name], weight)


@pytest.mark.parametrize("fault", ["one folder", "no weights", "another shape"])
def test_what_is_no_difference_is_refused(stages: tuple[Path, Path], fault: str) -> None:
    after, before = stages
    folders = (after, before)
    if fault == "one folder":
        folders = (after,)
    elif fault == "no weights":
        (after / "model.safetensors").unlink()
    else:
        weights = load_file(after / "model.safetensors")
        weights["model.language_model.norm.weight"] = torch.ones(3)
        save_file(weights, after / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match="task_vector"):
        _open(before, *folders)
