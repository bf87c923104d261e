"""RAD with another study's film: what is asked, and of whom."""

from __future__ import annotations

import torch

from inference.report_parts import PARTS
from inference.training.adapt_rad import swap_films
from inference.training.data.pairs import Answers, impression_positions
from inference.training.layouts.region_layout import layout_of

HEADING = [7, 8]


def _batch(rows: int = 8) -> tuple[torch.Tensor, Answers]:
    ids = torch.tensor([[1, 2, 7, 8, row + 10, 9] for row in range(rows)])
    features = torch.arange(float(rows))[:, None, None].expand(rows, 2, 3)
    return features, Answers(ids, torch.ones_like(ids, dtype=torch.bool))


def test_impression_begins_with_its_first_heading_in_either_language() -> None:
    ids = torch.tensor([[1, 7, 8, 2, 7, 8], [5, 6, 1, 1, 1, 1], [1, 1, 7, 1, 1, 8]])
    after = impression_positions(ids, [HEADING, [5, 6]])
    assert after.tolist() == [[False] + [True] * 5, [True] * 6, [False] * 6]


def test_a_share_of_the_rows_sees_another_film_and_is_asked_for_the_impression_alone() -> None:
    features, answers = _batch()
    seen, (_, asked, _) = swap_films(features, answers, 0.25, [HEADING])
    swapped = (seen != features).any(dim=(1, 2))
    assert swapped.sum() == 2
    assert asked[swapped].tolist() == [[False, False, True, True, True, True]] * 2
    assert asked[~swapped].all()
    assert answers.supervised.all()
    assert bool((features[:, 0, 0] == torch.arange(8.0)).all())


def test_rows_without_an_impression_and_single_studies_stay_as_they_are() -> None:
    for features, answers, heading in (*_batch(), [99]), (*_batch(1), HEADING):
        seen, (_, asked, _) = swap_films(features, answers, 1.0, [heading])
        assert torch.equal(seen, features)
        assert asked.all()


def test_of_streams_the_impression_s_are_asked() -> None:
    features, answers = _batch()
    impression = PARTS.index("impression")
    layout = layout_of(torch.tensor([[0, impression, -1]] * 8))  # blocks of two
    seen, (_, asked, _) = swap_films(features, answers._replace(layout=layout), 0.25, [])
    swapped = (seen != features).any(dim=(1, 2))
    assert swapped.sum() == 2
    assert asked[swapped].tolist() == [[False, False, True, True, False, False]] * 2
