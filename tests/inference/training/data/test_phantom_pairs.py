"""Films beside the reports of their seeds, and which of them a step gets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from inference.phantom import sample_case
from inference.prompts import IMAGE_PAD
from inference.report_language.statements import Language
from inference.training.data.pairs import Draw, MixedPairs, answer_ids, augment
from inference.training.data.phantom_pairs import PhantomPairs
from inference.training.data.prompt_frame import PromptFormat, PromptFrame
from inference.training.embedded_config import BLOCK_LENGTH
from inference.training.tokenizer import LANGUAGES, special_id


@pytest.fixture
def pairs(film_folder: Path, prompt: PromptFormat) -> PhantomPairs:
    return PhantomPairs(film_folder, prompt)


WITH_LATERAL = [1, 4, 5, 7]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_film_stands_beside_the_report_of_its_seed(
    pairs: PhantomPairs, tokenizer: Tokenizer, language: Language
) -> None:
    assert pairs.seeds == [*range(999_996, 1_000_004)]
    films = pairs.films([6, 1])
    assert films.shape == (2, 1, 224, 224)
    assert films[:, 0, 0, 0].tolist() == pytest.approx([60 / 255, 10 / 255])
    answers, supervised, _ = pairs.answers(Draw(pairs.kind(language, 1), [6, 1]))
    for row, seed in enumerate([1_000_002, 999_997]):
        answer = answer_ids(tokenizer, sample_case(seed).report(language), BLOCK_LENGTH)
        assert answers[row, : len(answer)].tolist() == answer
        assert supervised[row].sum() == len(answer)


def test_lateral_stands_after_the_frontal_film_of_its_study(pairs: PhantomPairs) -> None:
    assert pairs.with_lateral.tolist() == WITH_LATERAL
    films = pairs.films([7, 1], 2)
    assert films.shape == (2, 2, 224, 224)
    grey = films[:, :, 0, 0].flatten().tolist()
    assert grey == pytest.approx([70 / 255, 75 / 255, 10 / 255, 15 / 255])


def test_folder_without_films_says_what_to_run(tmp_path: Path, prompt: PromptFormat) -> None:
    with pytest.raises(FileNotFoundError, match=r"render_films"):
        PhantomPairs(tmp_path, prompt)


def test_draw_is_a_function_of_seed_and_step_alone(pairs: PhantomPairs) -> None:
    forwards = [pairs.draw(step, 3) for step in range(20)]
    backwards = [pairs.draw(step, 3) for step in reversed(range(20))]
    assert forwards == backwards[::-1]
    assert forwards != [pairs.draw(step, 3, seed=1) for step in range(20)]
    assert {index for draw in forwards for index in draw.indices} == set(range(8))


def test_half_of_the_batches_is_chinese_and_a_fifth_has_laterals(pairs: PhantomPairs) -> None:
    draws = [pairs.draw(step, 4) for step in range(400)]
    assert sum(draw.kind.language == "zh" for draw in draws) == 200
    two = [draw for draw in draws if len(draw.kind.grids) == 2]
    assert 50 < len(two) < 110
    assert {index for draw in two for index in draw.indices} == set(WITH_LATERAL)
    assert all(len(draw.indices) == 4 for draw in draws)


def test_batches_hold_answers_of_similar_length(pairs: PhantomPairs) -> None:
    for first in range(0, 32, 8):
        pool = [pairs.draw(step, 4) for step in range(first, first + 8)]
        for kind in {draw.kind for draw in pool}:
            lengths = pairs.lengths[kind.language]
            batches = [d.indices for d in pool if d.kind == kind]
            ranges = sorted(sorted(int(lengths[i]) for i in batch) for batch in batches)
            joined = [length for batch in ranges for length in batch]
            assert joined == sorted(joined)  # sorted and cut: no batch overlaps another


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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("images", [1, 2])
def test_prompt_is_whole_blocks_with_one_token_per_vision_feature(
    pairs: PhantomPairs, prompt: PromptFormat, language: Language, images: int
) -> None:
    frame = PromptFrame(prompt, pairs.kind(language, images))
    assert frame.length % BLOCK_LENGTH == 0
    assert frame.ids.count(special_id(prompt.tokenizer, IMAGE_PAD)) == 64 * images
    patches = pairs.patchify(torch.rand(3, images, 224, 224))
    assert patches.shape == (3 * images * 256, 7 * 2 * 14**2)


def test_every_study_is_drafted_once_in_one_language(pairs: PhantomPairs) -> None:
    plan = list(pairs.plan(7))
    drafted = {index: draw.kind for draw in plan for index in draw.indices}
    assert sorted(drafted) == list(range(7)) == sorted(i for draw in plan for i in draw.indices)
    assert {i for i, kind in drafted.items() if kind.language == "zh"} == {1, 3, 5}
    assert {i for i, kind in drafted.items() if len(kind.grids) == 2} == {1, 4, 5}


def test_two_sources_are_drawn_by_size_and_never_mixed(pairs: PhantomPairs) -> None:
    class Half(PhantomPairs):
        def __init__(self) -> None:
            self.__dict__.update(pairs.__dict__)

        def __len__(self) -> int:
            return 4

    mixed = MixedPairs(pairs, Half())
    draws = [mixed.draw(step, 2, seed=0) for step in range(30)]
    second = [draw for draw in draws if draw.indices[0] >= 8]
    assert len(second) == 10
    assert all(len({index >= 8 for index in draw.indices}) == 1 for draw in draws)
    first = [draw for draw in draws if draw.indices[0] < 8]
    assert first == [pairs.draw(step, 2) for step in range(20)]  # none is skipped
    own = Draw(second[0].kind, [index - 8 for index in second[0].indices])
    assert torch.equal(mixed.answers(second[0])[0], pairs.answers(own)[0])
    assert torch.equal(mixed.patches(second[0], None), pairs.patches(own, None))
