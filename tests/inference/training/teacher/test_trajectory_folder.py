"""A folder of trajectories: of one configuration, and clear about what is missing in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inference.training.config import ConfigError, TeacherConfig
from inference.training.data.feature_cache import LiveFeatures
from inference.training.data.manifest_pairs import ManifestPairs
from inference.training.data.prompt_frame import PromptFormat
from inference.training.forward import Forwards
from inference.training.teacher.collect_trajectories import collect_trajectories, load_trajectories

SETTINGS = TeacherConfig(drafts=2, batch=2, max_blocks=1, max_steps=2, threshold=0.0)


Collect = Callable[[TeacherConfig], Path]


@pytest.fixture
def collect(
    tmp_path: Path, site_manifest: Path, prompt: PromptFormat, forwards: Forwards
) -> Collect:
    pairs = ManifestPairs(site_manifest, prompt)
    features = LiveFeatures(forwards, pairs, None)

    def run(settings: TeacherConfig) -> Path:
        folder = tmp_path / "trajectories"
        collect_trajectories(folder, forwards, features, pairs, settings)
        return folder

    return run


def test_drafts_of_other_settings_are_not_mixed(collect: Collect) -> None:
    folder = collect(SETTINGS)
    written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    collect(replace(SETTINGS, rounds=3))  # says nothing of the drafts; nothing is drafted again
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == written
    with pytest.raises(ConfigError, match=r"\[teacher\] threshold = 0\.0, now 0\.9: remove"):
        collect(replace(SETTINGS, threshold=0.9))


def test_folder_without_a_usable_draft_says_why(
    collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "inference.training.teacher.collect_trajectories.keep_row", lambda *_: torch.tensor(False)
    )
    with pytest.raises(FileNotFoundError, match="past \\[teacher\\] max_blocks, or looped"):
        load_trajectories(collect(SETTINGS))
