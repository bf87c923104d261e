"""Configuration files: read whole, or refused with file, key and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference import training
from inference.training.compare_distillation import METHODS, CompareConfig
from inference.training.config import ConfigError, MaskNoise, StageConfig, read_config

_SMALL = """
output = "out"
[model]
start = "embedded"
[data]
films = "films"
[schedule]
steps = 5
learning_rate = 1
"""
_CONFIGS = Path(training.__file__).parent / "configs"


def _read(tmp_path: Path, text: str) -> StageConfig:
    path = tmp_path / "stage.toml"
    path.write_text(text, encoding="utf-8")
    config = read_config(path)
    assert isinstance(config, StageConfig)
    return config


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    config = _read(tmp_path, _SMALL + "[rad]\nnoise = { lowest_rate = 0.2 }\n")
    assert config.output == Path("out")
    assert config.data.films == Path("films")
    assert config.data.manifest is None
    assert config.schedule.learning_rate == 1.0
    assert config.rad.copies == 2
    assert config.rad.noise == MaskNoise(0.2, 0.25)
    assert config.dcd.by_step


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_SMALL + "copies = 2", "schedule: unknown key 'copies'; known are steps, "),
        (_SMALL + "[rda]\ncopies = 2", "unknown key 'rda'"),
        (_SMALL.replace("steps = 5", ""), "schedule: 'steps' is missing"),
        (_SMALL.replace("steps = 5", "steps = 5.5"), "steps: 5.5 is not of type int"),
        (_SMALL.replace("steps = 5", "steps = true"), "steps: True is not of type int"),
        (_SMALL.replace('"films"', "7"), "films: 7 is not of type Path"),
        (_SMALL.replace('"embedded"', '"e"\nweights_dtype = "int8"'), "not one of 'float32'"),
        (_SMALL + "[rad]\nnoise = 3", "noise: not a table"),
        (_SMALL + "[data]", r"stage\.toml: .*[Dd]ata"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        _read(tmp_path, text)
    assert "stage.toml" in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        read_config(tmp_path / "none.toml")


@pytest.mark.parametrize("path", sorted(_CONFIGS.rglob("*.toml")), ids=lambda path: path.stem)
def test_shipped_files_are_valid(path: Path) -> None:
    is_comparison = path.stem == "compare_distillation"
    config = read_config(path, CompareConfig if is_comparison else StageConfig)
    if is_comparison:
        assert config.methods == tuple(method.name for method in METHODS)
    if path.parent.name == "qwen2_5_vl_7b":
        assert config.model.weights_dtype == "bfloat16"
        assert config.data.manifest is not None
