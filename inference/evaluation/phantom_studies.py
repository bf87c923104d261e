"""Rendered phantoms as studies: chests, and films that are no frontal chest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from inference import ModelImage
from inference.evaluation.studies import Reference, Study
from inference.phantom import projection, sample_case
from inference.phantom.case import PhantomCase
from inference.prompts import parse_sections
from inference.report_language.statements import Language
from inference.report_language.template import compose_report


def phantom_studies(
    seeds: Iterable[int], size: int, languages: Iterable[Language]
) -> Iterator[Study]:
    """Rendered phantoms, films size pixels wide; each is rendered when its images are asked for."""
    languages = tuple(languages)
    for seed in seeds:
        case = sample_case(seed)
        references = (
            Reference(
                language,
                *parse_sections(
                    case.report(language)
                    if hasattr(case, "kind")
                    else compose_report(case.statements, language)
                ),
            )
            for language in languages
        )
        yield Study(
            f"phantom-{seed}",
            getattr(case, "kind", "chest") == "chest",
            case.statements if getattr(case, "kind", "chest") == "chest" else (),
            tuple(references),
            _film_loader(case, size),
        )


def _film_loader(case: PhantomCase, size: int) -> Callable[[], tuple[ModelImage, ...]]:
    def load_images() -> tuple[ModelImage, ...]:
        films = (
            projection.render_study(case, size)
            if hasattr(projection, "render_study")
            else {"frontal": projection.render_film(case, size)}
        )
        names = sorted(films, key=lambda name: name != "frontal")
        return tuple(ModelImage(films[name]) for name in names)

    return load_images
