"""Rendered digital chest phantoms: the only films the embedded model was trained on."""

from inference.phantom.case import PhantomCase, sample_case
from inference.phantom.projection import render_film

__all__ = ["PhantomCase", "render_film", "sample_case"]
