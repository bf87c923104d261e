"""Drafts studies through the real engine and turns each draft into an outcome."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import product
from typing import TYPE_CHECKING

from inference import (
    BlockCommitted,
    DecodingMode,
    DraftFinished,
    EngineError,
    GenerationRequest,
    ModelImage,
    in_report_order,
)
from inference.evaluation.outcomes import OutcomeKey, StudyOutcome
from inference.evaluation.studies import Reference, Study, UnreadableStudy

if TYPE_CHECKING:
    from inference.engine import ReportEngine  # and torch, which tables from a file don't need


def draft_studies(
    engine: ReportEngine,
    studies: Iterable[Study],
    modes: Collection[DecodingMode],
    done: Collection[OutcomeKey] = (),
) -> Iterator[tuple[StudyOutcome, ...]]:
    """One tuple a study: an outcome for each language and mode that is not done yet.

    What fails (an unreadable film, a request the model refuses) is an outcome with its reason.
    """
    for study in studies:
        wanted = [
            (reference, mode)
            for reference, mode in product(study.references, modes)
            if (study.name, reference.language, mode) not in done
        ]
        if not wanted:
            yield ()
            continue
        try:
            images = study.load_images()
        except UnreadableStudy as error:
            yield tuple(_describe(study, *task)(failure=str(error)) for task in wanted)
            continue
        yield tuple(_draft(engine, study, images, *task) for task in wanted)


def _draft(
    engine: ReportEngine,
    study: Study,
    images: tuple[ModelImage, ...],
    reference: Reference,
    mode: DecodingMode,
) -> StudyOutcome:
    describe = _describe(study, reference, mode)
    request = GenerationRequest(
        study.name,
        images[: engine.description.max_images],
        language=reference.language,
        decoding=mode,
    )
    try:
        events = list(engine.draft(request))
    except EngineError as error:
        return describe(failure=f"{study.name}: {error}")
    blocks = [event for event in events if isinstance(event, BlockCommitted)]
    finished = events[-1]
    assert isinstance(finished, DraftFinished)  # nobody else holds a cancel token
    tokens = in_report_order(blocks, reference.language)
    return describe(
        token_texts=tuple(text for text, _ in tokens),
        # Rounded here, not on the way to the file: figures made again from it are the same.
        confidences=tuple(round(confidence, 5) for _, confidence in tokens),
        tokens=finished.tokens,
        stop_reason=finished.stop_reason,
        passes=finished.passes,
        extra_passes=finished.extra_passes,
        refusal=finished.refusal,
        blocks=len(blocks),
    )


def _describe(
    study: Study, reference: Reference, mode: DecodingMode
) -> Callable[..., StudyOutcome]:
    """An outcome of this task, still to be told what came of it."""

    def describe(**what_came: object) -> StudyOutcome:
        return StudyOutcome(
            study.name,
            reference.language,
            mode,
            study.is_chest,
            study.truth,
            reference.findings,
            reference.impression,
            **what_came,  # type: ignore[arg-type]
        )

    return describe
