"""Films beside the reports of their seeds, and which of them a step gets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from inference.phantom import sample_case
from inference.prompts import IMAGE_PAD
from inference.training.dataset import PhantomPairs, PromptFrame, answer_ids, augment
from inference.training.embedded_config import BLOCK_LENGTH
from inference.training.tokenizer import special_id


@pytest.fixture
def pairs(film_folder: Path, tokenizer: Tokenizer) -> PhantomPairs:
    return PhantomPairs(film_folder, tokenizer)


def test_each_film_stands_beside_the_report_of_its_seed(
    pairs: PhantomPairs, tokenizer: Tokenizer
) -> None:
    assert pairs.seeds == [*range(999_996, 1_000_004)]
    batch = pairs.batch([6, 1])
    assert batch.seeds == [1_000_002, 999_997]
    assert batch.films[:, 0, 0].tolist() == pytest.approx([60 / 255, 10 / 255])
    for row, seed in enumerate(batch.seeds):
        answer = answer_ids(tokenizer, sample_case(seed).report)
        assert batch.answers[row, : len(answer)].tolist() == answer
        assert batch.supervised[row].sum() == len(answer)


def test_other_answers_take_the_place_of_the_data(pairs: PhantomPairs) -> None:
    assert pairs.batch([0, 1], answers=[[7] * 8, [8] * 8]).answers.tolist() == [[7] * 8, [8] * 8]


def test_folder_without_films_says_what_to_run(tmp_path: Path, tokenizer: Tokenizer) -> None:
    with pytest.raises(FileNotFoundError, match=r"render_films"):
        PhantomPairs(tmp_path, tokenizer)


def test_draw_is_a_function_of_seed_and_step_alone(pairs: PhantomPairs) -> None:
    forwards = [pairs.draw(step, 3) for step in range(20)]
    backwards = [pairs.draw(step, 3) for step in reversed(range(20))]
    assert forwards == backwards[::-1]
    assert forwards != [pairs.draw(step, 3, seed=1) for step in range(20)]
    assert {index for indices in forwards for index in indices} == set(range(8))


def test_batches_hold_answers_of_similar_length(pairs: PhantomPairs) -> None:
    pools = [[pairs.draw(step, 4) for step in range(8 * n, 8 * n + 8)] for n in range(4)]
    for pool in pools:
        ranges = sorted(sorted(int(pairs.lengths[i]) for i in batch) for batch in pool)
        joined = [length for batch in ranges for length in batch]
        assert joined == sorted(joined)  # the pool, sorted and cut: no batch overlaps another


def test_augmented_films_stay_films_and_keep_their_sides() -> None:
    films = torch.full((2, 32, 32), 0.2)
    films[:, 14:18, 4:8] = 0.9
    out = augment(films, torch.Generator().manual_seed(3))
    again = augment(films, torch.Generator().manual_seed(3))
    assert torch.equal(out, again)
    assert out.shape == films.shape
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    for seed in range(20):
        film = augment(films, torch.Generator().manual_seed(seed))[0]
        row, column = divmod(int(film.argmax()), 32)
        assert 10 <= row <= 21
        assert 0 <= column <= 11


def test_prompt_is_whole_blocks_with_one_token_per_vision_feature(tokenizer: Tokenizer) -> None:
    frame = PromptFrame(tokenizer)
    assert frame.length % BLOCK_LENGTH == 0
    assert frame.ids.count(special_id(tokenizer, IMAGE_PAD)) == 64
    assert frame.patches(torch.rand(2, 224, 224)).shape == (2 * 256, 3 * 2 * 14 * 14)
