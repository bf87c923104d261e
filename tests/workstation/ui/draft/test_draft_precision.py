"""What a draft's numbers were computed in is in the audit log, and beside the model's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from inference import EngineDescription, GenerationRequest, ModelImage
from workstation.app import build_records
from workstation.catalog.database import open_database
from workstation.ui.draft.block_rail import BlockRail
from workstation.ui.draft.draft_ledger import DraftLedger

EXACT = EngineDescription(
    "ECHO", "1", "a" * 64, "/models/echo", "cpu", "float32", 8, ("one-step",), ("en",), 1
)
REDUCED = replace(EXACT, products="int8", token_agreement=0.99791)


@pytest.mark.parametrize(
    ("engine", "precision"),
    [
        (EXACT, {"dtype": "float32", "products": "exact"}),
        (REDUCED, {"dtype": "float32", "products": "int8", "token_agreement": 0.9979}),
    ],
)
def test_audit_log_tells_in_which_arithmetic_was_drafted(
    tmp_path: Path, engine: EngineDescription, precision: dict[str, object]
) -> None:
    database = open_database(tmp_path)
    records = build_records(database)
    ledger = DraftLedger(records.audit, "reader", pytest.fail)
    request = GenerationRequest("r1", (ModelImage(np.zeros((8, 8))),))
    assert ledger.begin("1.2.3", request, (), engine, "")
    decoding = records.audit.entries()[-1].details["decoding"]
    told = {"dtype", "products", "token_agreement"}
    assert {name: decoding[name] for name in decoding if name in told} == precision
    assert (decoding["device"], decoding["mode"]) == ("cpu", "one-step")
    database.dispose()


def test_reader_can_see_it(qtbot: QtBot) -> None:
    rail = BlockRail()
    qtbot.addWidget(rail)
    rail.set_engine(EXACT)
    assert "float32, blocks of 8 tokens" in rail.model_label.toolTip()
    rail.set_engine(REDUCED)
    assert "float32, int8 products (99.8% of tokens as exact)" in rail.model_label.toolTip()
