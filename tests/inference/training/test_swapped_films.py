"""RAD with another study's film: what is asked, and of whom."""

from __future__ import annotations

import torch

from inference.training.adapt_rad import swap_films
from inference.training.pairs import impression_positions

HEADING = [7, 8]


def _batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    answers = torch.tensor([[1, 2, 7, 8, row + 10, 9] for row in range(8)])
    features = torch.arange(8.0)[:, None, None].expand(8, 2, 3)
    return features, answers, torch.ones_like(answers, dtype=torch.bool)


def test_impression_begins_with_its_first_heading_in_either_language() -> None:
    ids = torch.tensor([[1, 7, 8, 2, 7, 8], [5, 6, 1, 1, 1, 1], [1, 1, 7, 1, 1, 8]])
    after = impression_positions(ids, [HEADING, [5, 6]])
    assert after.tolist() == [[False] + [True] * 5, [True] * 6, [False] * 6]


def test_a_share_of_the_rows_sees_another_film_and_is_asked_for_the_impression_alone() -> None:
    features, answers, supervised = _batch()
    seen, asked = swap_films(features, answers, supervised, 0.25, [HEADING])
    swapped = (seen != features).any(dim=(1, 2))
    assert swapped.sum() == 2
    assert asked[swapped].tolist() == [[False, False, True, True, True, True]] * 2
    assert asked[~swapped].all()
    assert supervised.all()
    assert bool((features[:, 0, 0] == torch.arange(8.0)).all())


def test_rows_without_an_impression_and_single_studies_stay_as_they_are() -> None:
    features, answers, supervised = _batch()
    seen, asked = swap_films(features, answers, supervised, 1.0, [[99]])
    assert torch.equal(seen, features)
    assert asked.all()
    one = (features[:1], answers[:1], supervised[:1])
    seen, asked = swap_films(*one, 1.0, [HEADING])
    assert torch.equal(seen, features[:1])
    assert asked.all()
