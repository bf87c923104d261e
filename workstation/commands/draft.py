"""`echo-workstation draft PATH... [--decoding MODE] [--language L] [--model FOLDER] [--json]`.

Further flags: draft_options.py.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inference import CancelToken, DecodingMode, EngineError, load_engine
from inference.report_language import Language
from workstation.commands.draft_output import describe_draft, format_draft
from workstation.commands.exit_codes import FAILED, INTERRUPTED, UNUSABLE, one_line
from workstation.commands.study_drafts import (
    DraftingEngine,
    FailedStudy,
    ask_studies,
    draft_studies,
)

_NO_REPORT = 3


def run_draft(
    paths: Sequence[Path],
    decoding: DecodingMode = "one-step",
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
    reason is on stderr too); 130 after Ctrl+C, with all that was finished printed.
    """
    failures = refusals = 0

    def report_failure(error: object) -> None:
        nonlocal failures
        failures += 1
        print(one_line(error), file=sys.stderr, flush=True)

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
        return UNUSABLE
    with _ended_by_ctrl_c() as cancel:
        studies = ask_studies(
            paths, engine.description.max_images, decoding, language, settings, report_failure
        )
        for draft in draft_studies(engine, studies, cancel):
            if isinstance(draft, FailedStudy):
                report_failure(f"{draft.path}: {draft.reason}")
                continue
            if draft.finished.refused:
                refusals += 1
                reason = f"{draft.films[0].path}: no report: {draft.finished.refusal}"
                print(one_line(reason), file=sys.stderr)
            if as_json:
                print(json.dumps(describe_draft(draft, engine.description)), flush=True)
            else:
                print(format_draft(draft, engine.description), flush=True)
    if cancel.is_cancelled:
        print("stopped: what was finished is printed", file=sys.stderr)
        return INTERRUPTED
    return FAILED if failures else _NO_REPORT if refusals else 0


@contextmanager
def _ended_by_ctrl_c() -> Iterator[CancelToken]:
    """While entered, Ctrl+C cancels, and a second one ends the program as ever."""
    cancel = CancelToken()
    usual = signal.getsignal(signal.SIGINT)

    def cancel_first(*_: object) -> None:
        signal.signal(signal.SIGINT, usual)
        cancel.cancel()

    signal.signal(signal.SIGINT, cancel_first)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, usual)
