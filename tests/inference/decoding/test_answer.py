"""Where an answer ends, and that its pieces read as the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from inference.decoding.answer import Answer, find_loop, find_repeated_sentence
from inference.engine import ReportEngine
from inference.prompts import IM_END, SPECIAL_TOKENS

STOP = SPECIAL_TOKENS.index(IM_END)  # the tiny tokenizer numbers them in order
_CHUNKS = st.lists(st.lists(st.integers(0, 299), min_size=1, max_size=8), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def tokenizer(tiny_engine: ReportEngine) -> Tokenizer:
    return tiny_engine._checkpoint.tokenizer


@given(_CHUNKS)
def test_texts_of_any_tokens_join_to_the_decoded_whole(
    tokenizer: Tokenizer, blocks: list[list[int]]
) -> None:
    answer, texts, kept = Answer(tokenizer, {STOP}, 1000), "", []
    for block in [*blocks, [STOP, 1, 2]]:
        ids, pieces = answer.extend(block)
        assert len(ids) == len(pieces)
        kept += ids
        texts += "".join(pieces)
        if answer.stop_reason:
            break
    if answer.stop_reason == "repetition":  # what was told of the loop can't be taken back
        kept = answer.token_ids
        assert texts.startswith(answer.text)
        texts = answer.text
    assert texts == answer.text == tokenizer.decode(kept, skip_special_tokens=True)


@pytest.mark.parametrize("text", ["胸部 X光", "naïve é", "a🫁b", "No effusion."])
def test_character_over_several_tokens_comes_with_its_last(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids
    answer = Answer(tokenizer, {STOP}, 1000)
    pieces = [answer.extend([token_id])[1][0] for token_id in ids]
    assert "".join(pieces) == text
    assert "�" not in "".join(pieces)


def test_unfinished_character_at_the_end_is_shown_as_such(tokenizer: Tokenizer) -> None:
    lung = tokenizer.encode("🫁").ids
    assert len(lung) > 1
    answer = Answer(tokenizer, {STOP}, 1000)
    assert answer.extend([*lung[:-1], STOP])[1][-1] == "�"


@pytest.mark.parametrize(
    ("block", "limit", "kept", "reason"),
    [
        ([7, STOP, 8], 10, [7, STOP], "stop"),
        ([STOP], 10, [STOP], "stop"),
        ([7, 8, 9], 2, [7, 8], "length"),
        ([7, STOP, 9], 2, [7, STOP], "stop"),
        ([7, 8, 9], 4, [7, 8, 9], None),
    ],
)
def test_answer_is_cut_where_it_ends(
    tokenizer: Tokenizer, block: list[int], limit: int, kept: list[int], reason: str | None
) -> None:
    answer = Answer(tokenizer, {STOP}, limit)
    ids, _ = answer.extend(block)
    assert (ids, answer.token_ids, answer.stop_reason) == (kept, kept, reason)


@pytest.mark.parametrize(
    ("token_ids", "cut"),
    [
        ([], None),
        ([1] * 15, None),
        ([1] * 16, 4),
        ([9, *[1, 2, 3, 4] * 4], 5),
        ([9, 4, *[1, 2, 3, 4] * 4], 6),
        ([*[1, 2, 3, 4] * 3, 9], None),
        ([*[1, 2, 3, 4] * 4, 9], None),
        ([1, 2, 3] * 4, None),  # shorter than 4, as any list of three words
        (list(range(30)) * 4, 30),
        (list(range(30)) * 3, None),
    ],
)
def test_loop_is_four_repeats_of_four_tokens_or_more(token_ids: list[int], cut: int | None) -> None:
    assert find_loop(token_ids) == cut


@pytest.mark.parametrize(
    ("token_texts", "cut"),
    [
        (["No", " effusion", "."] * 3, 3),
        (["Clear", ".", *[" No", " effusion", "."] * 3, " Nor"], 5),
        (["No", " effusion", "."] * 2, None),  # clumsy, but no loop yet
        (["No", " effusion", ".", " No", " effusion", ".", " No", " effusion"], None),
        (["心影", "不大", "。"] * 3, 3),
        ([". "] * 9, None),
        (["No effusion.", " Clear.", " No effusion.", " Clear.", " No effusion."], None),
    ],
)
def test_sentence_is_said_three_times_in_a_row(token_texts: list[str], cut: int | None) -> None:
    assert find_repeated_sentence(token_texts) == cut


def test_answer_ends_after_the_first_time_of_a_loop(tokenizer: Tokenizer) -> None:
    sentence = tokenizer.encode(" No pleural effusion.").ids
    answer = Answer(tokenizer, {STOP}, 1000)
    answer.extend(sentence)
    answer.extend(sentence)
    assert answer.stop_reason is None
    assert answer.extend(sentence) == ([], [])
    assert (answer.stop_reason, answer.token_ids) == ("repetition", sentence)
    assert answer.text == " No pleural effusion."


def test_what_the_request_repeats_ends_no_answer(tokenizer: Tokenizer) -> None:
    sentence = tokenizer.encode(" No pleural effusion.").ids
    answer = Answer(tokenizer, {STOP}, 1000, pinned=len(sentence) * 5)
    for _ in range(7):
        answer.extend(sentence)
    assert answer.stop_reason is None
    answer.extend(sentence)
    assert (answer.stop_reason, answer.token_ids) == ("repetition", sentence * 6)
