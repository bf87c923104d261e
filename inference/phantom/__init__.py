"""Rendered digital chest phantoms: the only films the embedded model was trained on."""

from inference.phantom.case import PhantomCase, sample_case

__all__ = ["PhantomCase", "sample_case"]
