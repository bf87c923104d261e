"""Drafts studies through the real engine and turns each draft into an outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING, NamedTuple

from inference import (
    BlockCommitted,
    DecodingMode,
    DraftEvent,
    DraftFailed,
    DraftFinished,
    GenerationRequest,
    ModelImage,
    draft_batch,
    in_report_order,
)
from inference.evaluation.outcomes import OutcomeKey, StudyOutcome
from inference.evaluation.studies import Reference, Study, UnreadableStudy

if TYPE_CHECKING:
    from inference.engine import ReportEngine  # and torch, which tables from a file don't need

_AT_ONCE = 8  # a CPU gains little beyond it (inference/benchmarks/README.md)


def draft_studies(
    engine: ReportEngine,
    studies: Iterable[Study],
    modes: Collection[DecodingMode],
    done: Collection[OutcomeKey] = (),
) -> Iterator[tuple[StudyOutcome, ...]]:
    """One tuple a study: an outcome for each language and mode that is not done yet.

    What fails (an unreadable film, a request the model refuses) is an outcome with its reason.
    Studies are drafted together, some at a time, where that changes no text: in float32 with exact
    products.
    """
    told = engine.description
    at_once = _AT_ONCE if (told.dtype, told.products) == ("float32", "exact") else 1
    following = iter(studies)
    while group := list(islice(following, at_once)):
        opened = [_open_study(engine, study, modes, done) for study in group]
        requests = [task.request for tasks in opened for task in tasks if task.request]
        events: dict[str, list[DraftEvent | DraftFailed]] = defaultdict(list)
        for event in draft_batch(engine, requests, at_once=at_once):
            events[event.request_id].append(event)
        for tasks in opened:
            yield tuple(_finish(task, events) for task in tasks)


class _Task(NamedTuple):
    """One study in one language and mode; request: None where it couldn't be read."""

    study: Study
    describe: Callable[..., StudyOutcome]
    request: GenerationRequest | None
    failure: str = ""


def _open_study(
    engine: ReportEngine,
    study: Study,
    modes: Collection[DecodingMode],
    done: Collection[OutcomeKey],
) -> list[_Task]:
    wanted = [
        (reference, mode)
        for reference, mode in product(study.references, modes)
        if (study.name, reference.language, mode) not in done
    ]
    if not wanted:
        return []
    images: tuple[ModelImage, ...] = ()
    failure = ""
    try:
        images = study.load_images()[: engine.description.max_images]
    except UnreadableStudy as error:
        failure = str(error)
    tasks = []
    for reference, mode in wanted:
        name = f"{study.name} {reference.language} {mode}"
        request = GenerationRequest(name, images, language=reference.language, decoding=mode)
        describe = _describe(study, reference, mode)
        tasks.append(_Task(study, describe, None if failure else request, failure))
    return tasks


def _finish(task: _Task, events: Mapping[str, Sequence[DraftEvent | DraftFailed]]) -> StudyOutcome:
    if task.request is None:
        return task.describe(failure=task.failure)
    told = events[task.request.request_id]
    finished = told[-1]
    if isinstance(finished, DraftFailed):
        return task.describe(failure=f"{task.study.name}: {finished.reason}")
    blocks = [event for event in told if isinstance(event, BlockCommitted)]
    assert isinstance(finished, DraftFinished)  # nobody else holds a cancel token
    tokens = in_report_order(blocks, task.request.language)
    return task.describe(
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
