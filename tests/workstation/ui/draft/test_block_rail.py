"""The rail: a tile per block, its height, its tooltip, its click, and the figures beside it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from inference import (
    BlockCommitted,
    DraftCancelled,
    DraftFinished,
    EngineDescription,
    PrefillDone,
)
from workstation.ui.draft.block_rail import BlockRail


def block(index: int, confidence: float, elapsed_ms: float, tokens: int = 4) -> BlockCommitted:
    return BlockCommitted(
        "r",
        index,
        tuple(range(tokens)),
        tuple(f" w{index}.{n}" for n in range(tokens)),
        (confidence,) * tokens,
        index + 1,
        elapsed_ms,
    )


@pytest.fixture
def rail(qtbot) -> BlockRail:
    rail = BlockRail()
    qtbot.addWidget(rail)
    rail.resize(900, 38)
    rail.show()
    rail.begin("one-step")
    rail.set_prefill(PrefillDone("r", 300, 4, 40.0))
    return rail


def test_every_block_is_a_tile_as_high_as_its_confidence(rail) -> None:
    rail.add_block(block(0, 1.0, 50.0))
    rail.add_block(block(1, 0.5, 60.0))
    assert rail.tiles.tile_count == 2
    heights = [rail.tiles.tile_rect(rank).height() for rank in (0, 1)]
    assert heights[1] == pytest.approx(heights[0] / 2)


def test_hover_tells_tokens_and_milliseconds(rail) -> None:
    rail.add_block(block(0, 0.9, 52.5))
    rail.add_block(block(1, 0.8, 60.0))
    assert "4 tokens in 12.5 ms" in rail.tiles.describe_block(0)
    assert "4 tokens in 7.5 ms" in rail.tiles.describe_block(1)
    assert "confidence 0.80" in rail.tiles.describe_block(1)


def test_click_on_a_tile_names_its_block(qtbot, rail) -> None:
    for index in range(3):
        rail.add_block(block(index, 0.9, 50.0 + index))
    centre = rail.tiles.tile_rect(2).center().toPoint()
    with qtbot.waitSignal(rail.block_clicked) as clicked:
        qtbot.mouseClick(rail.tiles, Qt.MouseButton.LeftButton, pos=centre)
    assert clicked.args == [2]


def test_tiles_can_be_walked_by_keyboard(qtbot, rail) -> None:
    for index in range(3):
        rail.add_block(block(index, 0.9, 50.0 + index))
    rail.tiles.setFocus()
    qtbot.keyClick(rail.tiles, Qt.Key.Key_Right)
    with qtbot.waitSignal(rail.block_clicked) as clicked:
        qtbot.keyClick(rail.tiles, Qt.Key.Key_Return)
    assert clicked.args[0] in (0, 1)


def test_figures_run_and_end_with_the_engine_s_own(rail) -> None:
    rail.add_block(block(0, 0.9, 60.0))
    assert rail.figures_text() == "1 pass · 4 tokens · 200 tok/s · 0.06 s · one-step"
    rail.finish(DraftFinished("r", "", "", "", "stop", 2, 7, 40.0, 20.0))
    assert rail.figures_text() == "2 passes · 7 tokens · 350 tok/s · 0.06 s · one-step"
    assert not rail.tiles.is_running


def test_stopped_draft_says_so_in_a_word(rail) -> None:
    rail.add_block(block(0, 0.9, 60.0))
    rail.cancel(DraftCancelled("r", 1, 61.0))
    assert rail.figures_text().endswith("stopped")


def test_many_single_token_tiles_stay_inside_the_rail(rail) -> None:
    for index in range(400):
        rail.add_block(block(index, 0.9, 50.0 + index, tokens=1))
    assert rail.tiles.tile_rect(399).right() <= rail.tiles.width()


def test_model_is_named_with_version_and_short_sha(rail) -> None:
    rail.set_engine(
        EngineDescription(
            "embedded", "0.1", "a1b2c3d4" * 8, "", "cpu", "float32", 4, ("one-step",), ("en",), 1
        )
    )
    assert rail.model_label.text() == "embedded 0.1 · a1b2c3d4 · cpu"
    rail.set_engine(None)
    assert rail.model_label.text() == "no model"


def test_next_draft_starts_with_an_empty_rail(rail) -> None:
    rail.add_block(block(0, 0.9, 60.0))
    rail.begin("autoregressive")
    assert rail.tiles.tile_count == 0
    assert rail.figures_text() == "autoregressive"
