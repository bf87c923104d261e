"""The live draft: masked blocks as bars, words as they are committed, confidence by word."""

from __future__ import annotations

import pytest

from inference import BlockCommitted, PrefillDone
from workstation.ui.draft.draft_transcript import DraftTranscript
from workstation.ui.draft.draft_view import HINTED_BLOCKS, DraftView
from workstation.ui.theme import COLOURS


def block(index: int, *tokens: tuple[str, float]) -> BlockCommitted:
    return BlockCommitted(
        request_id="r",
        index=index,
        token_ids=tuple(range(len(tokens))),
        token_texts=tuple(text for text, _ in tokens),
        confidences=tuple(confidence for _, confidence in tokens),
        passes=index + 1,
        elapsed_ms=50.0 + 10.0 * (index + 1),
    )


PREFILL = PrefillDone("r", prompt_tokens=300, block_length=4, elapsed_ms=50.0)


@pytest.fixture
def view(qtbot) -> DraftView:
    view = DraftView()
    qtbot.addWidget(view)
    view.is_motion_enabled = False
    view.resize(500, 400)
    view.show()
    return view


def shown(view: DraftView) -> list[str]:
    return [placed.word.text for placed in view.placed_words()]


def test_masked_blocks_are_visible_after_prefill_and_gone_at_the_end(qtbot, view) -> None:
    view.begin()
    assert view.placeholder_count == 0
    view.set_prefill(PREFILL)
    qtbot.waitUntil(lambda: view.placeholder_count == 1 + HINTED_BLOCKS)
    view.finish()
    qtbot.waitUntil(lambda: view.placeholder_count == 0)


def test_block_words_appear_together(qtbot, view) -> None:
    view.set_prefill(PREFILL)
    view.add_block(block(0, ("Findings", 1.0), (":", 1.0), (" No", 0.9), (" pneumo", 0.9)))
    qtbot.waitUntil(lambda: shown(view) == ["Findings:", "No", "pneumo"])
    view.add_block(block(1, ("thorax", 0.6), (".", 0.99)))
    qtbot.waitUntil(lambda: shown(view) == ["Findings:", "No", "pneumothorax."])
    assert [p.word.is_heading for p in view.placed_words()] == [True, False, False]


def test_chinese_breaks_between_characters_with_whole_headings(qtbot, view) -> None:
    view.set_prefill(PREFILL)
    view.add_block(block(0, ("所", 1.0), ("见", 1.0), ("：", 1.0), ("未见", 0.9), ("气胸", 0.9)))
    view.add_block(block(1, ("。", 0.9), (" 结论：", 0.9), ("正常。", 0.9)))
    expected = ["所见：", "未", "见", "气", "胸。", "结论：", "正", "常。"]
    qtbot.waitUntil(lambda: shown(view) == expected)
    rows = [placed.rect.top() for placed in view.placed_words()]
    assert rows[1:5] == [rows[1]] * 4
    assert rows[0] < rows[1] < rows[5] < rows[6] == rows[7]


def test_many_blocks_are_laid_out_once_per_refresh(qtbot, view, monkeypatch) -> None:
    layouts = []
    lay_out = view._lay_out
    monkeypatch.setattr(view, "_lay_out", lambda: layouts.append(1) or lay_out())
    for index in range(50):
        view.add_block(block(index, (f" w{index}", 0.9)))
    qtbot.waitUntil(lambda: len(shown(view)) == 50)
    assert len(layouts) <= 3


def test_word_is_as_sure_as_its_least_sure_token() -> None:
    transcript = DraftTranscript()
    transcript.add_block(block(0, (" pleural", 0.9), (" eff", 0.8)))
    transcript.add_block(block(1, ("usion", 0.62), (".", 1.0), (" No", 0.5)))
    words = transcript.words()
    assert [(w.text, w.confidence, w.block_index) for w in words] == [
        ("pleural", 0.9, 0),
        ("effusion.", 0.62, 1),
        ("No", 0.5, 1),
    ]


def test_stop_tokens_carry_no_text_and_no_weight() -> None:
    transcript = DraftTranscript()
    added = transcript.add_block(block(0, (" No", 0.8), ("", 0.1), ("", 0.1)))
    assert added.mean_confidence == pytest.approx(0.8)
    assert transcript.raw_text == " No"


def test_tooltip_speaks_of_the_model_and_never_of_disease(qtbot, view) -> None:
    view.add_block(block(0, ("Nodule", 0.62)))
    qtbot.waitUntil(lambda: shown(view) == ["Nodule"])
    text = view.describe_word(view.placed_words()[0].word)
    assert text.startswith("model confidence 0.62")
    assert "probability" not in text


def test_word_is_found_under_the_pointer(qtbot, view) -> None:
    view.add_block(block(0, ("No", 0.9), (" nodule", 0.9)))
    qtbot.waitUntil(lambda: len(shown(view)) == 2)
    centre = view.placed_words()[1].rect.center().toPoint()
    word = view.word_at(centre)
    assert word is not None
    assert word.text == "nodule"


def test_words_of_low_confidence_have_amber_dots_below(qtbot, view) -> None:
    view.add_block(block(0, ("doubtful", 0.4), (" certain", 0.99)))
    qtbot.waitUntil(lambda: len(shown(view)) == 2)
    image = view.viewport().grab().toImage()

    def has_amber(rect) -> bool:
        return any(
            image.pixelColor(x, y).name() == COLOURS.amber
            or abs(image.pixelColor(x, y).red() - 0xD9) + abs(image.pixelColor(x, y).blue() - 0x41)
            < 60
            for x in range(int(rect.left()), int(rect.right()))
            for y in range(int(rect.bottom()) - 1, int(rect.bottom()) + 4)
        )

    low, high = (placed.rect for placed in view.placed_words())
    assert has_amber(low)
    assert not has_amber(high)


def test_long_draft_scrolls_with_its_end_and_jumps_back_to_a_block(qtbot, view) -> None:
    view.resize(300, 120)
    for index in range(60):
        view.add_block(block(index, (" consolidation", 0.9)))
    bar = view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    view.jump_to_block(0)
    assert bar.value() < 30


def test_next_draft_starts_empty(qtbot, view) -> None:
    view.add_block(block(0, ("No", 0.9)))
    view.begin()
    assert shown(view) == []
    assert view.transcript.raw_text == ""
