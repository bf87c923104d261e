"""What is seen without a model: films that show nothing. Torch-free."""

from __future__ import annotations

import numpy as np

from inference.api import ModelImage

_IGNORED_PERCENT = 0.5  # at each end: a burnt-in letter doesn't make a film
_QUICK_SIDE = 256


def describe_emptiness(image: ModelImage) -> str:
    """Why there is nothing to read on a film, "" where there may be.

    Says only what is certain: a featureless, noisy or wrong film is the model's to refuse.
    """
    pixels = np.asarray(image.pixels)
    if pixels.ndim != 2:
        return ""  # no film at all: the image processor says so
    step = max(1, min(pixels.shape) // _QUICK_SIDE)
    if image.padding_mask is None and _varies(pixels[::step, ::step]):
        return ""
    shown = pixels if image.padding_mask is None else pixels[~image.padding_mask]
    if shown.size == 0:
        return "The film is blank: all of it is padding."
    return "" if _varies(shown) else "The film is blank: all its pixels have the same value."


def _varies(pixels: np.ndarray) -> bool:
    if pixels.size == 0 or not np.isfinite(pixels).all():
        return True  # as above
    low, high = np.percentile(pixels, [_IGNORED_PERCENT, 100 - _IGNORED_PERCENT])
    return bool(low < high)
