"""`echo-workstation draft PATH... [--decoding MODE] [--language L] [--model FOLDER] [--json]`.

Further flags: draft_options.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from inference import (
    BlockCommitted,
    DecodingMode,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    StopReason,
    load_engine,
)
from inference.report_language import Language, Statement, extract_statements
from workstation.dicom.display_pipeline import model_image
from workstation.dicom.film import Film, InstanceHeader
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.view_position import choose_model_films

_ReportFailure = Callable[[object], None]
_ENDINGS: dict[StopReason, str] = {
    "stop": "",
    "length": "; cut at its length limit",
    "repetition": "; cut where it began to repeat itself",
}


class DraftingEngine(Protocol):
    """What this command asks of inference.load_engine's result."""

    @property
    def description(self) -> EngineDescription: ...

    def draft(self, request: GenerationRequest) -> Iterator[DraftEvent]: ...


@dataclass(frozen=True)
class StudyDraft:
    """One study's report, or refusal, and all that produced it.

    not_sent: films of the study that the model was not given.
    """

    films: tuple[Film, ...]
    not_sent: int
    request: GenerationRequest
    blocks: tuple[BlockCommitted, ...]
    finished: DraftFinished

    @property
    def study_instance_uid(self) -> str:
        return self.films[0].header.study_instance_uid

    @property
    def statements(self) -> tuple[tuple[str, Statement], ...]:
        """(section, statement) pairs; offsets are into that section's text."""
        return tuple(
            (section, statement)
            for section, text in self.sections.items()
            for statement in extract_statements(text, self.request.language)
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


def run_draft(
    paths: Sequence[Path],
    decoding: str = "one-step",
    model: str = "embedded",
    device: str = "auto",
    as_json: bool = False,
    language: Language = "en",
    load_model: Callable[[str, str], DraftingEngine] | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Draft every study found in the files and folders, printing each as it is done.

    as_json: one JSON object a line, one line a study. load_model: what loads a model on a
    device; None for inference.load_engine. settings: further fields of GenerationRequest
    (remasking, temperature, seed, prefix_text ...); a study they can't serve fails. Exit code
    0; 1 if a file or study failed (the reason is on stderr, the others are done all the same);
    2 without a model; 3 if nothing failed and the model gave no report of some study (the
    reason is on stderr too).
    """
    failures = refusals = 0

    def report_failure(error: object) -> None:
        nonlocal failures
        failures += 1
        print(error, file=sys.stderr, flush=True)

    try:
        engine = (load_model or load_engine)(model, device)
        offered = engine.description.decoding_modes
        if decoding not in offered:
            raise EngineError(f"--decoding {decoding}: this model offers {', '.join(offered)}")
        languages = engine.description.languages
        if language not in languages:
            raise EngineError(f"--language {language}: this model writes {', '.join(languages)}")
    except EngineError as error:
        print(error, file=sys.stderr)
        return 2
    studies = _group_by_study(paths, report_failure)
    for headers in studies.values():
        films = _read_films(headers, engine.description.max_images, report_failure)
        if not films:
            continue
        try:
            draft = _draft_study(
                engine, films, len(headers) - len(films), decoding, language, settings
            )
        except EngineError as error:
            report_failure(f"{films[0].path}: {error}")
            continue
        if draft.finished.refused:
            refusals += 1
            print(f"{films[0].path}: no report: {draft.finished.refusal}", file=sys.stderr)
        if as_json:
            print(json.dumps(describe_draft(draft, engine.description)), flush=True)
        else:
            print(format_draft(draft, engine.description), flush=True)
    return 1 if failures else 3 if refusals else 0


def _group_by_study(
    paths: Iterable[Path], report_failure: _ReportFailure
) -> dict[str, list[tuple[InstanceHeader, Path]]]:
    """Headers and paths by Study Instance UID, each SOP instance once."""
    studies: dict[str, dict[str, tuple[InstanceHeader, Path]]] = {}
    for path in _walk_files(paths):
        try:
            header = read_header(path)
        except UnreadableInstance as error:
            report_failure(error)
            continue
        instances = studies.setdefault(header.study_instance_uid, {})
        instances.setdefault(header.sop_instance_uid, (header, path))
    return {uid: list(found.values()) for uid, found in studies.items()}


def _walk_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and every file below the folders named, hidden ones left out."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for below in sorted(path.rglob("*")):
            is_hidden = any(part.startswith(".") for part in below.relative_to(path).parts)
            if below.is_file() and not is_hidden:
                yield below


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


def _draft_study(
    engine: DraftingEngine,
    films: Sequence[Film],
    not_sent: int,
    decoding: DecodingMode,
    language: Language,
    settings: Mapping[str, Any],
) -> StudyDraft:
    request = GenerationRequest(
        films[0].header.study_instance_uid,
        tuple(model_image(film) for film in films),
        language=language,
        decoding=decoding,
        **settings,
    )
    events = list(engine.draft(request))
    finished = events[-1]
    assert isinstance(finished, DraftFinished)  # nobody holds a cancel token
    blocks = tuple(event for event in events if isinstance(event, BlockCommitted))
    return StudyDraft(tuple(films), not_sent, request, blocks, finished)


def describe_draft(draft: StudyDraft, model: EngineDescription) -> dict[str, Any]:
    """The JSON object of one study; times are milliseconds."""
    finished = draft.finished
    return {
        "study_instance_uid": draft.study_instance_uid,
        "images": [
            {
                "path": str(film.path),
                "sop_instance_uid": film.header.sop_instance_uid,
                "view_position": film.header.view_position,
                "image_sha256": film.image_sha256,
            }
            for film in draft.films
        ],
        "model": {
            "name": model.model_name,
            "version": model.model_version,
            "model_sha256": model.model_sha256,
            "folder": model.model_folder,
            "device": model.device,
            "dtype": model.dtype,
        },
        "seen": draft.seen,
        "decoding": _describe_decoding(draft.request, model),
        **draft.sections,
        "refusal": finished.refusal,
        "text": finished.text,
        "stop_reason": finished.stop_reason,
        "statements": [
            {"section": section} | asdict(statement) for section, statement in draft.statements
        ],
        "blocks": [
            ({"region": block.region} if block.region else {})
            | {
                "index": block.index,
                "token_ids": block.token_ids,
                "tokens": block.token_texts,
                "confidences": [round(value, 6) for value in block.confidences],
                "passes": block.passes,
                "elapsed_ms": round(block.elapsed_ms, 3),
            }
            for block in draft.blocks
        ],
        "passes": finished.passes,
        "extra_passes": finished.extra_passes,
        "tokens": finished.tokens,
        "pinned_tokens": finished.pinned_tokens,
        "prefill_ms": round(finished.prefill_ms, 3),
        "decode_ms": round(finished.decode_ms, 3),
        "tokens_per_second": round(finished.tokens_per_second, 1),
    }


def _describe_decoding(request: GenerationRequest, model: EngineDescription) -> dict[str, Any]:
    return request.settings | {"block_length": model.block_length}


def format_draft(draft: StudyDraft, model: EngineDescription) -> str:
    """The same for reading in a terminal."""
    finished = draft.finished
    settings = _describe_decoding(draft.request, model)
    lines = [f"Study {draft.study_instance_uid}"]
    lines += [
        f"  image    {film.path} {film.header.view_position or '-'} sha256 {film.image_sha256}"
        for film in draft.films
    ]
    lines += [
        f"  seen     {draft.seen}",
        f"  model    {model.model_name} {model.model_version} on {model.device} ({model.dtype}) "
        f"sha256 {model.model_sha256}",
        "  decoding " + ", ".join(f"{name} {value}" for name, value in settings.items()),
        "",
    ]
    if finished.refused:
        lines += [f"No report: {finished.refusal}"]
    else:
        lines += [f"{section.capitalize()}: {text}" for section, text in draft.sections.items()]
        lines += ["", "Statements"]
        lines += [f"  {section:<11}{_word(statement)}" for section, statement in draft.statements]
    lines += ["", "Blocks (passes, ms, token confidence)"]
    lines += [f"  {_format_block(block)}" for block in draft.blocks]
    lines += [
        "",
        f"{finished.passes} passes"
        + (f" ({finished.extra_passes} beyond one a block)" if finished.extra_passes else "")
        + f", {finished.tokens} tokens; "
        f"prefill {finished.prefill_ms:.0f} ms, decoding {finished.decode_ms:.0f} ms; "
        f"{finished.tokens_per_second:.0f} tokens/s" + _ENDINGS[finished.stop_reason],
        "",
    ]
    return "\n".join(lines)


def _word(statement: Statement) -> str:
    details = (statement.side, statement.zone, statement.severity)
    said = ", ".join(detail for detail in details if detail)
    return f"{statement.status:<10}{statement.concept}" + (f" ({said})" if said else "")


def _format_block(block: BlockCommitted) -> str:
    tokens = " ".join(
        f"{text!r} {confidence:.2f}"
        for text, confidence in zip(block.token_texts, block.confidences, strict=True)
    )
    region = f"{block.region:<12}" if block.region else ""
    return f"{block.index:>3} {block.passes:>4} {block.elapsed_ms:>8.1f}  {region}{tokens}"
