"""The tokenizer follows from the code alone and loses nothing of a report."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tokenizers import Tokenizer

from inference.phantom import sample_case
from inference.prompts import END_OF_TEXT, IM_END, SPECIAL_TOKENS, render_prompt
from inference.report_language.statements import Language
from inference.report_language.template import canonical_sentences
from inference.training.data.pairs import answer_ids, pad_answers
from inference.training.embedded_config import BLOCK_LENGTH
from inference.training.tokenizer import LANGUAGES, VOCABULARY_SIZE, special_id


@pytest.mark.slow
def test_another_process_trains_the_same_tokenizer(tokenizer: Tokenizer) -> None:
    """Each stage is a process of its own and trains the tokenizer anew."""
    code = "from inference.training.tokenizer import *; print(train_tokenizer().to_str())"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == tokenizer.to_str()


def test_special_tokens_have_the_first_ids(tokenizer: Tokenizer) -> None:
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == list(range(7))
    assert 1024 < tokenizer.get_vocab_size() <= VOCABULARY_SIZE
    with pytest.raises(KeyError, match="no such"):
        special_id(tokenizer, "no such")


def test_canonical_text_round_trips(tokenizer: Tokenizer) -> None:
    texts = [sample_case(seed).report(language) for seed in range(50) for language in LANGUAGES]
    texts += [s for lang in LANGUAGES for s in sorted(canonical_sentences(lang))[::40]]
    texts += ["Ärztlich: 胸部 12,5 mm\n\n é"]
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(ids) == text
        assert min(ids) >= len(SPECIAL_TOKENS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_token_is_a_whole_sentence(tokenizer: Tokenizer, language: Language) -> None:
    """One wrong token must not cost a statement: sentences are several tokens long."""
    counts = [
        len(tokenizer.encode(sentence, add_special_tokens=False).ids)
        for sentence in canonical_sentences(language)
    ]
    assert min(counts) >= 2  # "Atelectasis." and "气胸。"
    assert sorted(counts)[len(counts) // 10] >= 4


def test_prompt_uses_special_tokens_as_one_id_each(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(render_prompt("en", (64,)), add_special_tokens=False).ids
    assert ids.count(special_id(tokenizer, "<|image_pad|>")) == 64


def test_answer_is_whole_blocks_ending_in_stop_tokens(tokenizer: Tokenizer) -> None:
    stop, pad = special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT)
    paddings = set()
    for seed in range(60):
        report = sample_case(seed).report(LANGUAGES[seed % 2])
        ids = answer_ids(tokenizer, report, BLOCK_LENGTH)
        words = ids[: ids.index(stop)]
        padding = ids[len(words) + 1 :]
        assert len(ids) % BLOCK_LENGTH == 0
        assert tokenizer.decode(words) == report
        assert padding == [pad] * len(padding)
        assert len(padding) < BLOCK_LENGTH
        paddings.add(len(padding))
    assert len(paddings) > 3


def test_whole_answers_are_supervised_and_filling_is_not() -> None:
    padded, supervised = pad_answers([[5, 6, 7, 8], [9, 9]], pad_id=0)
    assert padded.tolist() == [[5, 6, 7, 8], [9, 9, 0, 0]]
    assert supervised.tolist() == [[True] * 4, [True, True, False, False]]
