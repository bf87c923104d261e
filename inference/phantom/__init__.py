"""Rendered digital chest phantoms: the only films the embedded model was trained on."""

from inference.phantom.case import PhantomCase, sample_case, sample_follow_up
from inference.phantom.projection import render_film, render_lateral, render_study

__all__ = [
    "PhantomCase",
    "render_film",
    "render_lateral",
    "render_study",
    "sample_case",
    "sample_follow_up",
]
