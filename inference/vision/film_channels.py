"""What a film fills its input channels with: itself, its detail, where a pixel is, small spots.

A stock film fills three equal channels. A small tower trained on few films gains much by having
some of the work done for it (measured: model card of the embedded model).
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch.nn import functional

_DETAIL_SIDES, _DETAIL_GAINS = (15, 57), (4.0, 2.0)
# (shrunk by, sigma in shrunk pixels, gain): at 224 pixels a granuloma is 3 wide, a nodule about 10.
_SPOT_SIZES = ((1, 1.25, 10.0), (2, 1.5, 12.0))
_SPOT_REACH = 9


def contrast_channels(grey: torch.Tensor) -> torch.Tensor:
    """[height, width] in 0..1 to [3, height, width]: the film, its fine and its coarse detail.

    Detail is the difference from a box mean (15 and 57 pixels), amplified: lines and nodules are
    faint beside the range from lung to bone, and found late or never in the plain film.
    """
    films = [grey]
    for side, gain in zip(_DETAIL_SIDES, _DETAIL_GAINS, strict=True):
        by_rows, by_columns = (_box_mean_matrix(extent, side) for extent in grey.shape)
        films.append((0.5 + gain * (grey - by_rows @ grey @ by_columns.T)).clamp(0.0, 1.0))
    return torch.stack(films)


@cache
def position_channels(height: int, width: int) -> torch.Tensor:
    """[2, height, width]: how far down and how far right a pixel is, 0..1.

    Qwen2.5-VL knows positions only relative to each other, and its language model gives columns
    the slowest rotary frequencies: across 8 columns they turn by 0.02 rad. A pretrained tower has
    learned to say "left" in its features; a small one trained on few films has not.
    """
    down, right = torch.linspace(0, 1, height), torch.linspace(0, 1, width)
    return torch.stack(torch.meshgrid(down, right, indexing="ij"))


def spot_channels(grey: torch.Tensor) -> torch.Tensor:
    """[height, width] in 0..1 to [2, height, width]: how like a bright spot it is hereabouts.

    The smaller curvature (less negative eigenvalue of the Hessian, after Gaussian smoothing) is
    high on a spot and near nothing on a line or an edge; its maximum over 9 × 9 pixels says so
    wherever in a patch the spot is. A patch embedding is linear: of 14 × 14 pixels it keeps the
    slow changes, and a granuloma of three pixels was never found without this, though by this
    channel alone the patch that shows one is told from others with an AUC of 0.99 (300 films).
    """
    spots = []
    for shrunk, sigma, gain in _SPOT_SIZES:
        film = functional.avg_pool2d(grey[None, None], shrunk)
        likeness = (gain * _spot_likeness(film, sigma)).clamp(0.0, 1.0)
        spots.append(functional.interpolate(likeness[None, None], grey.shape)[0, 0])
    return _sliding_max(_sliding_max(torch.stack(spots), 1), 2)


def _spot_likeness(film: torch.Tensor, sigma: float) -> torch.Tensor:
    """[1, 1, height, width] to [height, width], in units of sigma."""
    kernels = _gaussian_kernels(sigma)
    margin = kernels.shape[-1] // 2
    wide = functional.pad(film, (margin,) * 4, mode="replicate")
    along_rows = functional.conv2d(wide, kernels[:, None, None])
    down, both, right = functional.conv2d(along_rows, kernels.flip(0)[:, None, :, None], groups=3)[
        0
    ]
    mean, half = (down + right) / 2, (down - right) / 2
    return -(mean + (half.square() + both.square()).sqrt())


def _sliding_max(values: torch.Tensor, dim: int) -> torch.Tensor:
    """The maximum over _SPOT_REACH neighbours, none below 0; max_pool2d takes ten times as long."""
    extent, margin = values.shape[dim], _SPOT_REACH // 2
    sides = (margin, margin) if dim == 2 else (0, 0, margin, margin)
    wide, covered = functional.pad(values, sides), 1
    while covered < _SPOT_REACH:
        step = min(covered, _SPOT_REACH - covered)
        length = wide.shape[dim] - step
        wide = torch.maximum(wide.narrow(dim, 0, length), wide.narrow(dim, step, length))
        covered += step
    assert wide.shape[dim] == extent
    return wide


@cache
def _box_mean_matrix(extent: int, side: int) -> torch.Tensor:
    """[extent, extent]: the mean over side neighbours, fewer at the edges; a fifth of pooling's
    time at 224 pixels."""
    at = torch.arange(extent)
    is_near = ((at[:, None] - at).abs() <= side // 2).float()
    return is_near / is_near.sum(1, keepdim=True)


@cache
def _gaussian_kernels(sigma: float) -> torch.Tensor:
    """[3, width]: smoothing and its first and second derivative, in units of sigma."""
    reach = math.ceil(4 * sigma)
    offset = torch.arange(-reach, reach + 1) / sigma
    smooth = torch.exp(-(offset**2) / 2)
    smooth /= smooth.sum()
    curved = (offset**2 - 1) * smooth
    return torch.stack([smooth, offset * smooth, curved - curved.mean()])
