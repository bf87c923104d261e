"""A study's draft as `echo-workstation draft` prints it: one JSON object, or for a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from inference import BlockCommitted, EngineDescription, GenerationRequest, StopReason
from inference.report_language import Statement
from workstation.commands.exit_codes import one_line
from workstation.commands.study_drafts import StudyDraft

_ENDINGS: dict[StopReason, str] = {
    "stop": "",
    "length": "; cut at its length limit",
    "repetition": "; cut where it began to repeat itself",
}


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
            **model.precision,
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
                "second_looks": block.second_looks,
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
        "studies_beside": draft.company,
    }


def _describe_decoding(request: GenerationRequest, model: EngineDescription) -> dict[str, Any]:
    return request.settings | {"block_length": model.block_length}


def format_draft(draft: StudyDraft, model: EngineDescription) -> str:
    """The same for reading in a terminal."""
    finished = draft.finished
    settings = _describe_decoding(draft.request, model)
    lines = [f"Study {draft.study_instance_uid}"]
    lines += [
        f"  image    {one_line(film.path)} {film.header.view_position or '-'} "
        f"sha256 {film.image_sha256}"
        for film in draft.films
    ]
    lines += [
        f"  seen     {draft.seen}",
        f"  model    {model.model_name} {model.model_version} on {model.device} "
        f"({model.computed_in}) sha256 {model.model_sha256}",
        "  decoding " + ", ".join(f"{name} {value}" for name, value in settings.items()),
        "",
    ]
    if finished.refused:
        lines += [f"No report: {finished.refusal}"]
    else:
        lines += [f"{section.capitalize()}: {text}" for section, text in draft.sections.items()]
        lines += ["", "Statements"]
        lines += [f"  {section:<11}{_word(statement)}" for section, statement in draft.statements]
    lines += ["", "Blocks (passes, +second looks, ms, token confidence)"]
    lines += [f"  {_format_block(block)}" for block in draft.blocks]
    lines += [
        "",
        f"{finished.passes} passes"
        + (f" ({finished.extra_passes} beyond one a block)" if finished.extra_passes else "")
        + f", {finished.tokens} tokens; "
        f"prefill {finished.prefill_ms:.0f} ms, decoding {finished.decode_ms:.0f} ms; "
        f"{finished.tokens_per_second:.0f} tokens/s"
        + (f" beside {draft.company} other studies" if draft.company else "")
        + _ENDINGS[finished.stop_reason],
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
    looks = f"+{block.second_looks}" if block.second_looks else ""
    figures = f"{block.index:>3} {block.passes:>4} {looks:<3}{block.elapsed_ms:>8.1f}"
    return f"{figures}  {region}{tokens}"
