"""The studies below some paths, and their drafts: together where that is faster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from inference import (
    BlockCommitted,
    CancelToken,
    DecodingMode,
    DraftCancelled,
    DraftEvent,
    DraftFailed,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    draft_batch,
)
from inference.report_language import Language, Statement
from workstation.catalog.study_catalog import find_contradiction
from workstation.dicom.film import Film, InstanceHeader
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.model_image import model_image
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.view_position import choose_model_films
from workstation.reporting.sentences.sentence_statements import statements_of

_ReportFailure = Callable[[object], None]
_AT_ONCE = 8  # a CPU gains little beyond it (inference/benchmarks/README.md)


class DraftingEngine(Protocol):
    """What `echo-workstation draft` asks of inference.load_engine's result."""

    @property
    def description(self) -> EngineDescription: ...

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]: ...


@dataclass(frozen=True)
class AskedStudy:
    """A study as the model is asked about it. not_sent: films that the model is not given."""

    films: tuple[Film, ...]
    not_sent: int
    request: GenerationRequest


@dataclass(frozen=True)
class FailedStudy:
    """A study without a draft, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class StudyDraft:
    """One study's report, or refusal, and all that produced it.

    company: how many others were drafted at the same time, whose share its times include.
    """

    films: tuple[Film, ...]
    not_sent: int
    request: GenerationRequest
    blocks: tuple[BlockCommitted, ...]
    finished: DraftFinished
    company: int = 0

    @property
    def study_instance_uid(self) -> str:
        return self.films[0].header.study_instance_uid

    @property
    def statements(self) -> tuple[tuple[str, Statement], ...]:
        """(section, statement) pairs; offsets are into that section's text."""
        return tuple(
            (section, statement)
            for section, text in self.sections.items()
            for statement in statements_of(text, self.request.language)
        )

    @property
    def sections(self) -> dict[str, str]:
        """Findings and impression; empty where there is no report: a refusal is none."""
        finished = self.finished
        if finished.refused:
            return {"findings": "", "impression": ""}
        return {"findings": finished.findings, "impression": finished.impression}

    @property
    def seen(self) -> str:
        """In words, what the model was given of the study."""
        text = "frontal and lateral" if len(self.films) > 1 else "frontal only"
        return f"{text}; {self.not_sent} more not seen" if self.not_sent else text


def ask_studies(
    paths: Iterable[Path],
    max_images: int,
    decoding: DecodingMode,
    language: Language,
    settings: Mapping[str, Any],
    report_failure: _ReportFailure,
) -> Iterator[AskedStudy]:
    """Every study found in the files and folders; its films are read when it is asked for.

    settings: further fields of GenerationRequest.
    """
    for headers in _group_by_study(paths, report_failure).values():
        films = _read_films(headers, max_images, report_failure)
        if not films:
            continue
        request = GenerationRequest(
            films[0].header.study_instance_uid,
            tuple(model_image(film) for film in films),
            language=language,
            decoding=decoding,
            **settings,
        )
        yield AskedStudy(tuple(films), len(headers) - len(films), request)


def draft_studies(
    engine: DraftingEngine, studies: Iterator[AskedStudy], cancel: CancelToken
) -> Iterator[StudyDraft | FailedStudy]:
    """One of each study, in their order.

    Some are drafted at once where that pays and changes no text: in float32 on a CPU, with exact
    products. Cancelling ends after what is finished by then, which is still given.
    """
    model = engine.description
    kept = (model.device, model.dtype, model.products)
    at_once = _AT_ONCE if kept == ("cpu", "float32", "exact") else 1
    while not cancel.is_cancelled and (group := list(islice(studies, at_once))):
        if len(group) == 1:
            yield from _draft_alone(engine, group[0], cancel)
        else:
            yield from _draft_together(engine, group, cancel)


def _draft_alone(
    engine: DraftingEngine, study: AskedStudy, cancel: CancelToken
) -> Iterator[StudyDraft | FailedStudy]:
    """Nothing, if it was cancelled."""
    try:
        events = list(engine.draft(study.request, cancel))
    except EngineError as error:
        yield FailedStudy(study.films[0].path, str(error))
        return
    if not isinstance(events[-1], DraftCancelled):
        yield _finish(study, events, company=0)


def _draft_together(
    engine: DraftingEngine, group: Sequence[AskedStudy], cancel: CancelToken
) -> Iterator[StudyDraft | FailedStudy]:
    """Each as soon as it and those before it are done."""
    told: dict[str, list[DraftEvent | DraftFailed]] = {s.request.request_id: [] for s in group}
    waiting = deque(group)

    def next_done() -> AskedStudy | None:
        is_done = waiting and _is_over(told[waiting[0].request.request_id])
        return waiting.popleft() if is_done else None

    requests = [study.request for study in group]
    for event in draft_batch(engine, requests, cancel, at_once=len(group)):  # type: ignore[arg-type]  # float32 on a CPU: the real engine
        told[event.request_id].append(event)
        while study := next_done():
            yield _finish(study, told[study.request.request_id], len(group) - 1)
    for study in waiting:  # it was cancelled: of the rest, what is done
        events = told[study.request.request_id]
        if _is_over(events):
            yield _finish(study, events, len(group) - 1)


def _is_over(events: Sequence[DraftEvent | DraftFailed]) -> bool:
    return bool(events) and isinstance(events[-1], (DraftFinished, DraftFailed))


def _finish(
    study: AskedStudy, events: Sequence[DraftEvent | DraftFailed], company: int
) -> StudyDraft | FailedStudy:
    finished = events[-1]
    if isinstance(finished, DraftFailed):
        return FailedStudy(study.films[0].path, finished.reason)
    assert isinstance(finished, DraftFinished)
    blocks = tuple(event for event in events if isinstance(event, BlockCommitted))
    return StudyDraft(study.films, study.not_sent, study.request, blocks, finished, company)


def _group_by_study(
    paths: Iterable[Path], report_failure: _ReportFailure
) -> dict[str, list[tuple[InstanceHeader, Path]]]:
    """Headers and paths by Study Instance UID, each SOP instance once. A film of another patient
    than its study's first is none of it, as in the catalog."""
    studies: dict[str, dict[str, tuple[InstanceHeader, Path]]] = {}
    for path in _walk_files(paths, report_failure):
        try:
            header = read_header(path)
        except UnreadableInstance as error:
            report_failure(error)
            continue
        instances = studies.setdefault(header.study_instance_uid, {})
        first = next(iter(instances.values()), (header, path))
        if contradiction := find_contradiction(first[0], header):
            reason = f"its study is of another patient ({contradiction}), as in {first[1]}"
            report_failure(UnreadableInstance(path, reason))
            continue
        known = instances.setdefault(header.sop_instance_uid, (header, path))
        if known[0] != header:
            reason = f"another film of the same SOP Instance UID as {known[1]}: left out"
            report_failure(UnreadableInstance(path, reason))
    return {uid: list(found.values()) for uid, found in studies.items()}


def _walk_files(paths: Iterable[Path], report_failure: _ReportFailure) -> Iterator[Path]:
    """The files named, and every file below the folders named, hidden ones left out; a folder that
    can't be read is a failure."""

    def tell(error: OSError) -> None:
        report_failure(f"{error.filename}: the folder can't be read: {error.strerror}")

    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for parent, folders, names in os.walk(path, onerror=tell):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith("."):
                    yield Path(parent, name)


def _read_films(
    headers: Sequence[tuple[InstanceHeader, Path]], max_images: int, report_failure: _ReportFailure
) -> list[Film]:
    """The films the model is to be asked about, in its order; one that can't be decoded is
    reported, and the next that could stand for it tried."""
    left, films = list(headers), dict[Path, Film]()
    while left:
        chosen = choose_model_films([header.view_position for header, _ in left], max_images)
        unread = next((i for i in chosen if left[i][1] not in films), None)
        if unread is None:
            return [films[left[i][1]] for i in chosen]
        path = left[unread][1]
        try:
            films[path] = read_film(path)
        except UnreadableInstance as error:
            report_failure(error)
            del left[unread]
    return []
