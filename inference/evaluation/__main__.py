"""Score a model folder on held-out phantoms through the real engine.

    python -m inference.evaluation --checkpoint embedded --decoding one-step --phantoms 200

Held-out seeds start at 0; training seeds start at 1,000,000. Films are rendered at --size and go
through the image processor like any film.
"""

from __future__ import annotations

import argparse
import json
import sys

from inference import DECODING_MODES, DraftFinished, GenerationRequest, ModelImage, load_engine
from inference.engine import ReportEngine
from inference.evaluation.metrics import ReportScores
from inference.phantom import PhantomCase, render_film, sample_case
from inference.report_language.template import compose_findings


def score_draft(
    engine: ReportEngine, case: PhantomCase, image: ModelImage, decoding: str, scores: ReportScores
) -> DraftFinished:
    """Draft one film and add it to the scores."""
    request = GenerationRequest(f"phantom-{case.seed}", (image,), decoding=decoding)  # type: ignore[arg-type]
    finished = next(e for e in engine.draft(request) if isinstance(e, DraftFinished))
    scores.add(
        finished.findings, finished.impression, case.statements, compose_findings(case.statements)
    )
    scores.passes += finished.passes
    scores.tokens += finished.tokens
    scores.not_stopped += finished.stop_reason != "stop"
    return finished


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="embedded")
    parser.add_argument("--decoding", choices=[*DECODING_MODES, "all"], default="one-step")
    parser.add_argument("--phantoms", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show-broken", type=int, default=0, metavar="N")
    options = parser.parse_args()
    engine = load_engine(options.checkpoint)
    offered = engine.description.decoding_modes
    modes = offered if options.decoding == "all" else (options.decoding,)
    scores = {mode: ReportScores() for mode in modes}
    for number in range(options.phantoms):
        case = sample_case(options.seed + number)
        image = ModelImage(render_film(case, options.size))
        for mode in modes:
            score_draft(engine, case, image, mode, scores[mode])
        if sys.stderr.isatty():
            print(f"\r{number + 1}/{options.phantoms}", end="", file=sys.stderr)
    summaries = {mode: score.summary() for mode, score in scores.items()}
    if options.json:
        print(json.dumps(summaries, indent=2))
        return
    for mode, summary in summaries.items():
        print(mode)
        for name, value in summary.items():
            print(f"  {name}: {value}")
        for sentence, count in scores[mode].broken.most_common(options.show_broken):
            print(f"  broken ×{count}: {sentence}")


if __name__ == "__main__":
    main()
