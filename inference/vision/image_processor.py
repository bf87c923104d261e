"""Stored pixels to Qwen2.5-VL ``pixel_values``; never through the user's window.

Our own instead of transformers' processor, because that one needs torchvision or 8-bit RGB
pictures; the patch order is the stock one (checked against it in the tests).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from inference.api import EngineError, ModelImage
from inference.vision.film_channels import contrast_channels, position_channels, spot_channels

# Share of pixels clipped at each end: markers, collimation and bright metal must not set the range.
_CLIP_PERCENT = 0.5
_RANGE_SIDE = 224
_BAND_ROWS = 8


@dataclass(frozen=True)
class ImageProcessor:
    """The geometry and normalisation of one checkpoint (its preprocessor_config.json)."""

    patch_size: int
    temporal_patch_size: int
    merge_size: int
    min_pixels: int
    max_pixels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pad_to_square: bool = False
    local_contrast: bool = False
    position_channels: bool = False
    spot_channels: bool = False

    @classmethod
    def from_folder(cls, folder: Path) -> ImageProcessor:
        """Read preprocessor_config.json; raises EngineError naming the file."""
        path = folder / "preprocessor_config.json"
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            size = config.get("size", {})
            processor = cls(
                patch_size=int(config["patch_size"]),
                temporal_patch_size=int(config["temporal_patch_size"]),
                merge_size=int(config["merge_size"]),
                min_pixels=int(config.get("min_pixels") or size["shortest_edge"]),
                max_pixels=int(config.get("max_pixels") or size["longest_edge"]),
                mean=tuple(float(value) for value in config["image_mean"]),
                std=tuple(float(value) for value in config["image_std"]),
                pad_to_square=bool(config.get("pad_to_square", False)),
                local_contrast=bool(config.get("local_contrast", False)),
                position_channels=bool(config.get("position_channels", False)),
                spot_channels=bool(config.get("spot_channels", False)),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(f"{path}: not a usable image processor config ({error!r})") from error
        channels = 3 + 2 * processor.position_channels + 2 * processor.spot_channels
        if not len(processor.mean) == len(processor.std) == channels:
            raise EngineError(f"{path}: image_mean and image_std must have {channels} entries each")
        return processor

    def __call__(self, image: ModelImage) -> tuple[torch.Tensor, tuple[int, int, int]]:
        """(pixel_values [patches, channels * temporal * patch * patch] float32, grid (1, h, w))."""
        grey = normalise_film(image)
        if self.pad_to_square:
            grey = _pad_to_square(grey)
        height, width = self._target_size(grey.shape[0], grey.shape[1])
        resized = _resize(grey, height, width)
        return self.patchify(torch.from_numpy(resized))

    def _target_size(self, rows: int, columns: int) -> tuple[int, int]:
        if self.pad_to_square and self.min_pixels == self.max_pixels:
            # Not by smart_resize: 1536 / (1536 / 224) is 223.99…, a row of tokens short of 224.
            side = math.isqrt(self.max_pixels)
            return side, side
        factor = self.patch_size * self.merge_size
        return smart_resize(rows, columns, factor, self.min_pixels, self.max_pixels)

    def patchify(self, grey: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int, int]]:
        """grey [height, width] in 0..1, sides multiples of patch * merge, to stock patch order."""
        patch, merge = self.patch_size, self.merge_size
        rows, columns = grey.shape[0] // patch, grey.shape[1] // patch
        mean = torch.tensor(self.mean).view(-1, 1, 1)
        std = torch.tensor(self.std).view(-1, 1, 1)
        films = contrast_channels(grey) if self.local_contrast else grey.expand(3, -1, -1)
        if self.position_channels:
            films = torch.cat([films, position_channels(*grey.shape)])
        if self.spot_channels:
            films = torch.cat([films, spot_channels(grey)])
        channels = (films - mean) / std  # [3 to 7, height, width]
        tiles = channels.view(
            len(self.mean), rows // merge, merge, patch, columns // merge, merge, patch
        ).permute(1, 4, 2, 5, 0, 3, 6)  # [rows/m, cols/m, m, m, channels, patch, patch]
        repeated = tiles.unsqueeze(5).expand(-1, -1, -1, -1, -1, self.temporal_patch_size, -1, -1)
        return repeated.reshape(rows * columns, -1).contiguous(), (1, rows, columns)

    def token_count(self, grid: tuple[int, int, int]) -> int:
        """Vision tokens the language model sees for one image of this patch grid."""
        return grid[0] * grid[1] * grid[2] // self.merge_size**2


def normalise_film(image: ModelImage) -> np.ndarray:
    """[rows, columns] float32 in 0..1, higher is whiter, range set by percentiles.

    Padding takes no part in the range and comes out black. A constant film comes out black.
    """
    pixels = np.asarray(image.pixels)
    if pixels.ndim != 2 or pixels.size == 0:
        raise EngineError(f"an image of shape {pixels.shape} is not a greyscale film")
    grey = pixels.astype(np.float32, order="C")  # one copy, then in place: films may be large
    if pixels.dtype.kind not in "bui" and not np.isfinite(grey).all():
        raise EngineError("the image holds values that are not finite")
    valid = grey if image.padding_mask is None else grey[~image.padding_mask]
    low, high = _grey_range(grey, image.padding_mask) if valid.size else (0.0, 0.0)
    if high <= low:
        return np.zeros_like(grey)
    grey -= low
    grey /= high - low
    np.clip(grey, 0.0, 1.0, out=grey)
    if image.is_monochrome1:
        np.subtract(1.0, grey, out=grey)
    if image.padding_mask is not None:
        grey[image.padding_mask] = 0.0
    return grey


def _grey_range(pixels: np.ndarray, padding_mask: np.ndarray | None) -> tuple[float, float]:
    """The percentiles of the film averaged down to about _RANGE_SIDE pixels.

    Full-size percentiles would be set by quantum noise, which a film loses on its way to the
    model's size: the same body at 1536 pixels came out darker than at 512 (measured 2026-11).
    """
    side = max(1, min(pixels.shape) // _RANGE_SIDE)
    rows, columns = (extent // side * side for extent in pixels.shape)
    shape = (rows // side, side, columns // side, side)
    # Rows first: adding whole rows is fast, and leaves little to add across.
    row_sums = pixels[:rows, :columns].reshape(rows // side, side, columns).sum(1)
    means = row_sums.reshape(rows // side, columns // side, side).sum(2) / side**2
    if padding_mask is not None:
        whole = ~padding_mask[:rows, :columns].reshape(shape).any((1, 3))
        means = means[whole] if whole.any() else pixels[~padding_mask]
    low, high = np.percentile(means, [_CLIP_PERCENT, 100 - _CLIP_PERCENT])
    return float(low), float(high)  # NumPy's own would turn the film into float64


def smart_resize(
    height: int, width: int, factor: int, min_pixels: int, max_pixels: int
) -> tuple[int, int]:
    """Qwen2.5-VL's rule: sides multiples of factor, area within bounds, ratio about kept."""
    if min(height, width) < 1 or max(height, width) / min(height, width) > 200:
        raise EngineError(f"an image of {height}×{width} has no usable aspect ratio")
    new_height = max(factor, round(height / factor) * factor)
    new_width = max(factor, round(width / factor) * factor)
    if new_height * new_width > max_pixels:
        scale = math.sqrt(height * width / max_pixels)
        new_height = max(factor, math.floor(height / scale / factor) * factor)
        new_width = max(factor, math.floor(width / scale / factor) * factor)
    elif new_height * new_width < min_pixels:
        scale = math.sqrt(min_pixels / (height * width))
        new_height = math.ceil(height * scale / factor) * factor
        new_width = math.ceil(width * scale / factor) * factor
    return new_height, new_width


def _pad_to_square(grey: np.ndarray) -> np.ndarray:
    rows, columns = grey.shape
    if rows == columns:
        return grey
    side = max(rows, columns)
    square = np.zeros((side, side), dtype=np.float32)
    top, left = (side - rows) // 2, (side - columns) // 2
    square[top : top + rows, left : left + columns] = grey
    return square


def _resize(grey: np.ndarray, height: int, width: int) -> np.ndarray:
    if grey.shape == (height, width):
        return grey
    rows, columns = grey.shape
    with torch.autocast("cpu", enabled=False):  # training has it on, and films are float32
        short = _combine_rows(torch.from_numpy(grey), _resizing_bands(rows, height))
        resized = _combine_rows(short.T, _resizing_bands(columns, width)).T
    return resized.clamp(0.0, 1.0).numpy()


# (first source row, weights [rows out, rows in]) of a few rows next to each other.
Band = tuple[int, torch.Tensor]


def _combine_rows(film: torch.Tensor, bands: tuple[Band, ...]) -> torch.Tensor:
    film = film.contiguous()
    return torch.cat([weights @ film[first : first + weights.shape[1]] for first, weights in bands])


@lru_cache(maxsize=16)
def _resizing_bands(extent: int, target: int) -> tuple[Band, ...]:
    """Bicubic resizing of one side with antialiasing, as torch's interpolate does it.

    Keys' kernel with a = -0.5, widened to the scale where the film shrinks. As products of narrow
    matrices it takes a fifth of interpolate's time (measured: 1024 to 224 pixels, one core).
    """
    scale = extent / target
    wide = max(scale, 1.0)
    centers = (np.arange(target) + 0.5) * scale
    firsts = np.maximum((centers - 2 * wide + 0.5).astype(int), 0)
    ends = np.minimum((centers + 2 * wide + 0.5).astype(int), extent)
    bands = []
    for begin in range(0, target, _BAND_ROWS):
        rows = slice(begin, begin + _BAND_ROWS)
        source = np.arange(firsts[rows][0], ends[rows].max())
        distance = np.abs(source + 0.5 - centers[rows, None]) / wide
        weights = _keys_kernel(distance)
        weights *= (source >= firsts[rows, None]) & (source < ends[rows, None])
        weights /= weights.sum(1, keepdims=True)
        bands.append((int(source[0]), torch.from_numpy(weights.astype(np.float32))))
    return tuple(bands)


def _keys_kernel(distance: np.ndarray) -> np.ndarray:
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return np.where(distance < 1.0, near, np.where(distance < 2.0, far, 0.0))
