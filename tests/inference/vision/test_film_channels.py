"""Channels that do some of a small tower's work: each says what it is there to say."""

from __future__ import annotations

import pytest
import torch

from inference.vision.film_channels import spot_channels

_SIDE = 112


def _film_with_spot(sigma: float, row: int = 40, column: int = 70) -> torch.Tensor:
    down, right = torch.meshgrid(torch.arange(_SIDE), torch.arange(_SIDE), indexing="ij")
    distance = (down - row) ** 2 + (right - column) ** 2
    return 0.3 + 0.3 * torch.exp(-distance / (2 * sigma**2))


@pytest.mark.parametrize(
    ("spot", "channel", "smoothing", "gain"), [(1.2, 0, 1.25, 10.0), (4.0, 1, 3.0, 12.0)]
)
def test_a_spot_is_seen_where_it_is_by_the_channel_of_its_size(
    spot: float, channel: int, smoothing: float, gain: float
) -> None:
    """A smoothed Gaussian is a Gaussian, whose curvature at the middle is known."""
    spots = spot_channels(_film_with_spot(spot))
    assert spots.shape == (2, _SIDE, _SIDE)
    curvature = 0.3 * spot**2 / (spot**2 + smoothing**2) ** 2 * smoothing**2
    assert spots[channel].amax().item() == pytest.approx(gain * curvature, rel=0.06)
    assert spots[channel, 37:44, 67:74].min() == spots[channel].amax()
    assert spots[channel].amax() > 1.5 * spots[1 - channel].amax()
    far = torch.ones(_SIDE, _SIDE, dtype=torch.bool)
    far[20:61, 50:91] = False
    assert spots[:, far].max() < 0.01


def test_a_line_an_edge_and_a_dark_spot_are_no_spots() -> None:
    line = torch.full((_SIDE, _SIDE), 0.3)
    line[:, 50:52] = 0.9
    edge = torch.full((_SIDE, _SIDE), 0.3)
    edge[:, 50:] = 0.9
    for film in (line, edge, 0.9 - _film_with_spot(1.2), 0.9 - _film_with_spot(4.0)):
        inside = spot_channels(film)[:, 20:-20, 20:-20]
        assert inside.max() < 0.08


@pytest.mark.parametrize("shape", [(28, 28), (57, 31)])
def test_an_even_film_of_any_shape_has_no_spots(shape: tuple[int, int]) -> None:
    spots = spot_channels(torch.full(shape, 0.7))
    assert spots.shape == (2, *shape)
    assert spots.abs().max() < 1e-5
