"""Rendered phantoms as studies: chests, and films that are no frontal chest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from inference import ModelImage
from inference.evaluation.studies import Reference, Study
from inference.phantom import sample_case
from inference.phantom.case import PhantomCase
from inference.phantom.projection import render_study
from inference.prompts import parse_sections
from inference.report_language import Language


def phantom_studies(
    seeds: Iterable[int], size: int, languages: Iterable[Language]
) -> Iterator[Study]:
    """Rendered phantoms, films size pixels wide; each is rendered when its images are asked for."""
    languages = tuple(languages)
    for seed in seeds:
        case = sample_case(seed)
        references = (
            Reference(language, *parse_sections(case.report(language))) for language in languages
        )
        yield Study(
            f"phantom-{seed}",
            case.kind == "chest",
            case.statements if case.kind == "chest" else (),
            tuple(references),
            _film_loader(case, size),
        )


def _film_loader(case: PhantomCase, size: int) -> Callable[[], tuple[ModelImage, ...]]:
    def load_images() -> tuple[ModelImage, ...]:
        films = render_study(case, size)
        names = sorted(films, key=lambda name: name != "frontal")
        return tuple(ModelImage(films[name]) for name in names)

    return load_images
