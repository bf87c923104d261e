"""One run: its studies drafted in order, with progress, kept on interruption."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference import EngineDescription, UnsupportedRequest, load_engine
from inference.evaluation.drafting import draft_studies
from inference.evaluation.manifest_studies import manifest_studies
from inference.evaluation.outcomes import OutcomeFile, RunDescription, StudyOutcome
from inference.evaluation.phantom_studies import phantom_studies
from inference.evaluation.studies import Study
from inference.report_language import LANGUAGES

_QUIET_PROGRESS_S = 60.0  # between lines where the progress is no terminal


@dataclass(frozen=True)
class EvaluationRun:
    """What was drafted. progress says how much of what was asked for, in words."""

    description: RunDescription
    outcomes: tuple[StudyOutcome, ...]
    progress: str
    is_interrupted: bool = False


def read_run(outcomes: Path) -> EvaluationRun:
    """A run as its file of outcomes keeps it."""
    description, drafted = OutcomeFile(outcomes).read()
    studies = len({outcome.study for outcome in drafted})
    said = f"{studies} studies{_name_range(drafted)}, read from {outcomes}"
    return EvaluationRun(description, tuple(drafted), said)


def draft_run(options: argparse.Namespace) -> EvaluationRun:
    """Draft what the command line asks for; Ctrl-C ends it early and keeps what there is."""
    engine = load_engine(options.checkpoint, options.device, products=options.products)
    offered = engine.description.decoding_modes
    modes = offered if options.decoding == "all" else (options.decoding,)
    if unknown := set(modes) - set(offered):
        raise UnsupportedRequest(
            f"decoding {min(unknown)!r}: {engine.description.model_name} offers "
            f"{', '.join(offered)}"
        )
    studies, source = _choose_studies(options, engine.description)
    description = _describe_run(engine.description, source)
    kept = OutcomeFile(options.resume) if options.resume else None
    outcomes = kept.resume(description) if kept else []
    done = {outcome.key for outcome in outcomes}
    progress, drafted, is_interrupted = _Progress(len(studies)), 0, False
    try:
        for new in draft_studies(engine, studies, modes, done):
            if kept:
                kept.add(new)
            outcomes += new
            drafted += 1
            progress.show(drafted)
    except KeyboardInterrupt:
        is_interrupted = True
    progress.end()
    wanted = {(s.name, r.language, m) for s in studies for r in s.references for m in modes}
    outcomes = [outcome for outcome in outcomes if outcome.key in wanted]
    said = f"{drafted} of {len(studies)} studies{_name_range(outcomes)}"
    said += ", interrupted" if is_interrupted else ""
    return EvaluationRun(description, tuple(outcomes), said, is_interrupted)


def _name_range(outcomes: Sequence[StudyOutcome]) -> str:
    return f" ({outcomes[0].study} to {outcomes[-1].study})" if outcomes else ""


def _choose_studies(
    options: argparse.Namespace, engine: EngineDescription
) -> tuple[list[Study], str]:
    """The studies, and the words that name their source."""
    if options.manifest:
        asked = LANGUAGES if options.language in (None, "both") else (options.language,)
        studies = list(manifest_studies(options.manifest, asked))
        # a mended manifest is another run: --resume must not keep what its bad lines came to
        digest = hashlib.sha256(options.manifest.read_bytes()).hexdigest()
        return studies, f"manifest {options.manifest} (sha256 {digest[:12]})"
    asked = LANGUAGES if options.language == "both" else (options.language or "en",)
    if unknown := set(asked) - set(engine.languages):
        raise UnsupportedRequest(
            f"language {min(unknown)!r}: {engine.model_name} writes {', '.join(engine.languages)}"
        )
    seeds = range(options.seed, options.seed + options.phantoms)
    source = f"phantoms, films {options.size} pixels wide"
    return list(phantom_studies(seeds, options.size, asked)), source


def _describe_run(engine: EngineDescription, source: str) -> RunDescription:
    reduced = f" {engine.products}" if engine.products != "exact" else ""
    return RunDescription(
        engine.model_name,
        engine.model_version,
        engine.model_sha256,
        f"{engine.device} {engine.dtype}{reduced}",
        engine.block_length,
        source,
    )


class _Progress:
    """Studies done, rate and time left, on standard error."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._began = self._said = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def show(self, done: int) -> None:
        now = time.monotonic()
        if not self._is_terminal and now - self._said < _QUIET_PROGRESS_S:
            return
        self._said = now
        elapsed_s = now - self._began
        left_s = elapsed_s / done * (self._total - done)
        line = f"{done}/{self._total} studies, {done / elapsed_s:.1f}/s, {left_s:.0f} s left"
        ends = ("\r", "") if self._is_terminal else ("", "\n")
        print(f"{ends[0]}{line}   ", end=ends[1], file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._is_terminal:
            print(file=sys.stderr)
