"""`echo-workstation draft --decoding regions`: each block with its region, kept texts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inference import CancelToken, DraftEvent, EngineDescription, GenerationRequest
from inference.report_language import compose_report
from tests.workstation.region_streams import PARTS, stream_regions
from workstation.commands.draft import run_draft
from workstation.commands.draft_options import add_draft_options, draft_settings

DESCRIPTION = EngineDescription(
    "scripted", "1", "a" * 64, "/models/scripted", "cpu", "float32", 4,
    ("one-step", "regions"), ("en",), 1,
)  # fmt: skip
TEXT = compose_report((), "en")


@dataclass
class ScriptedEngine:
    """All regions at once, but those it is given."""

    description: EngineDescription = DESCRIPTION
    requests: list[GenerationRequest] = field(default_factory=list)

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        self.requests.append(request)
        yield from stream_regions(request.request_id, TEXT, given=dict(request.region_texts))


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


def draft(engine: ScriptedEngine, film: Path, *, as_json: bool, **more: Any) -> int:
    load = {"load_model": lambda *_: engine}
    return run_draft([film], "regions", "scripted", "cpu", as_json, **load, **more)


def test_every_block_names_its_region(engine, phantom_films, capsys) -> None:
    assert draft(engine, phantom_films[0], as_json=True) == 0
    study = json.loads(capsys.readouterr().out)
    assert study["decoding"]["mode"] == "regions"
    blocks = study["blocks"]
    assert [block["region"] for block in blocks if block["passes"] == 1] == list(PARTS[:-1])
    assert blocks[-1]["region"] == "impression"
    of_heart = (t for b in blocks if b["region"] == "heart" for t in b["tokens"])
    assert "".join(of_heart) == " The cardiac silhouette is not enlarged."
    assert study["text"] == TEXT


def test_blocks_name_their_region_on_a_terminal_too(engine, phantom_films, capsys) -> None:
    assert draft(engine, phantom_films[0], as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("diaphragm " in line and "' The'" in line for line in lines)


def test_regions_can_be_given_and_the_others_are_drafted(engine, phantom_films, capsys) -> None:
    parser = argparse.ArgumentParser()
    add_draft_options(parser)
    settings = draft_settings(
        parser.parse_args(["--region", "lungs=Nodule.", "--region", "bones="])
    )
    assert draft(engine, phantom_films[0], as_json=True, settings=settings) == 0
    assert engine.requests[-1].region_texts == (("lungs", "Nodule."), ("bones", ""))
    study = json.loads(capsys.readouterr().out)
    assert "lungs" not in {block["region"] for block in study["blocks"]}
    with pytest.raises(SystemExit):
        parser.parse_args(["--region", "lungs"])
    assert "'lungs' is not REGION=TEXT" in capsys.readouterr().err


def test_a_model_without_regions_refuses_them(phantom_films, capsys) -> None:
    engine = ScriptedEngine(
        EngineDescription("s", "1", "a" * 64, "", "cpu", "float32", 4, ("one-step",), ("en",), 1)
    )
    assert draft(engine, phantom_films[0], as_json=True) == 2
    assert "offers one-step" in capsys.readouterr().err
