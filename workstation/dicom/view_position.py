"""View Position (PS3.3 C.8.1.3): which of its values are frontal and lateral chest views."""

from __future__ import annotations

from collections.abc import Sequence

FRONTAL_VIEWS = ("PA", "AP")
LATERAL_VIEWS = ("LL", "RL", "LATERAL", "LAT")  # the last two are no defined terms, but in use


def find_lateral(views: Sequence[str]) -> int | None:
    """The first lateral film among a study's view positions."""
    return next((i for i, view in enumerate(views) if view.upper() in LATERAL_VIEWS), None)


def choose_model_films(views: Sequence[str], max_images: int) -> tuple[int, ...]:
    """The films of a study a model is asked about: a frontal one, then a lateral one if it takes
    two. Without a film marked frontal the first that is not marked lateral stands for it, and
    without such a one the first. Empty for no films."""
    if not views:
        return ()
    marked = (i for i, view in enumerate(views) if view.upper() in FRONTAL_VIEWS)
    unmarked = (i for i, view in enumerate(views) if view.upper() not in LATERAL_VIEWS)
    frontal = next(marked, next(unmarked, 0))
    lateral = find_lateral(views)
    if max_images < 2 or lateral is None or lateral == frontal:
        return (frontal,)
    return frontal, lateral
