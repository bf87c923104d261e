"""Score a model folder through the real engine, on rendered phantoms or on a site's own studies.

    python -m inference.evaluation --checkpoint embedded --decoding all --phantoms 200 --report out
    python -m inference.evaluation --checkpoint PATH --manifest studies.jsonl --json

Held-out phantom seeds start at 0; training seeds start at 1,000,000. An interrupted run (Ctrl-C)
still shows what it has; with --resume FILE it goes on where it stopped, and --outcomes FILE makes
every table again without drafting. Calibration is fitted on a run of its own:

    python -m inference.evaluation --phantoms 300 --seed 500000 --fit-calibration calibration.json
    python -m inference.evaluation --phantoms 1000 --calibration calibration.json

The file is the calibration.json that the engine reads beside the weights. Fit it on the decoding
and languages that are used: all statements of the run go into one curve.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from inference import DECODING_MODES, PRODUCTS, REGION_MODES, EngineError
from inference.evaluation.calibration import (
    FittedCalibration,
    UnusableCalibration,
    fit_calibration,
    read_calibration,
    write_calibration,
)
from inference.evaluation.evaluation_run import EvaluationRun, draft_run, read_run
from inference.evaluation.external_metrics import find_external_metrics
from inference.evaluation.outcomes import UnusableOutcomes
from inference.evaluation.report_page import compose_page, show_estimate
from inference.evaluation.studies import UnreadableStudy
from inference.evaluation.summary import (
    Difference,
    Result,
    compare,
    difference_to_json,
    result_to_json,
    summarise,
)
from inference.report_language import LANGUAGES


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inference.evaluation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkpoint", default="embedded", help="model folder (embedded)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N")
    parser.add_argument(
        "--products", choices=PRODUCTS, default="exact", help="of the model's weights (exact)"
    )
    parser.add_argument(
        "--decoding", choices=[*DECODING_MODES, *REGION_MODES, "all"], default="one-step"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--phantoms", type=int, default=200, metavar="N", help="(200)")
    source.add_argument("--manifest", type=Path, help="JSONL: images, report, language")
    source.add_argument("--outcomes", type=Path, help="recompute from a --resume file")
    parser.add_argument("--seed", type=int, default=0, help="of the first phantom (0)")
    parser.add_argument("--size", type=int, default=512, help="of phantom films, pixels (512)")
    parser.add_argument(
        "--language",
        choices=[*LANGUAGES, "both"],
        help="phantoms: en unless said; manifest: every line's own unless said",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="keep outcomes, go on from them"
    )
    parser.add_argument("--fit-calibration", type=Path, metavar="FILE", help="fit on this run")
    parser.add_argument("--calibration", type=Path, metavar="FILE", help="apply to this run")
    parser.add_argument(
        "--metric-weights",
        type=Path,
        default=Path("metric-weights"),
        metavar="FOLDER",
        help="RaTEScore, CheXbert, RadGraph, a folder each (metric-weights)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write DIR/index.html")
    parser.add_argument("--show-broken", type=int, default=0, metavar="N")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 2 where something asked for can't be read or served, 130 if interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        return _evaluate(options)
    except (
        EngineError, UnreadableStudy, UnusableCalibration, UnusableOutcomes, OSError,
    ) as error:  # fmt: skip
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2


def _evaluate(options: argparse.Namespace) -> int:
    calibration = read_calibration(options.calibration) if options.calibration else None
    run = read_run(options.outcomes) if options.outcomes else draft_run(options)
    if calibration is not None:
        calibration.check(run.description.model_sha256, {o.study for o in run.outcomes})
    metrics = find_external_metrics(options.metric_weights)
    results = summarise(run.outcomes, calibration, metrics)
    differences = compare(results)
    if options.report:
        _write_page(options.report, run, results, differences)
    if options.json:
        print(json.dumps(_run_to_json(run, results, differences, calibration), indent=2))
    else:
        _print_tables(run, results, options.show_broken)
    if options.fit_calibration:
        write_calibration(options.fit_calibration, _fit_calibration(run, results))
    return 130 if run.is_interrupted else 0


def _fit_calibration(run: EvaluationRun, results: Sequence[Result]) -> FittedCalibration:
    """One curve of all statements of the run, whatever the decoding and language."""
    rated = [c for result in results for study in result.studies for c in study.confidences]
    return fit_calibration(
        run.description.model_sha256,
        sorted({outcome.study for outcome in run.outcomes}),
        [result.name for result in results],
        [c.mean for c in rated],
        [c.is_right for c in rated],
    )


def _unavailable(results: Sequence[Result]) -> dict[str, str]:
    return {name: reason for result in results for name, reason in result.unavailable.items()}


def _write_page(
    folder: Path, run: EvaluationRun, results: Sequence[Result], differences: Sequence[Difference]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page = compose_page(
        run.description, results, differences, _unavailable(results), run.progress
    )  # fmt: skip
    (folder / "index.html").write_text(page, encoding="utf-8")
    print(f"wrote {folder / 'index.html'}", file=sys.stderr)


def _run_to_json(
    run: EvaluationRun,
    results: Sequence[Result],
    differences: Sequence[Difference],
    calibration: FittedCalibration | None,
) -> dict[str, object]:
    description = run.description
    return {
        "model": {
            "name": description.model_name,
            "version": description.model_version,
            "sha256": description.model_sha256,
            "device": description.device,
            "block_length": description.block_length,
        },
        "source": description.source,
        "progress": run.progress,
        "interrupted": run.is_interrupted,
        "calibrated": calibration is not None,
        "results": {result.name: result_to_json(result) for result in results},
        "differences": [difference_to_json(difference) for difference in differences],
        "unavailable": _unavailable(results),
    }


def _print_tables(run: EvaluationRun, results: Sequence[Result], show_broken: int) -> None:
    print(f"{run.description.source}; {run.progress}")
    for result in results:
        print(f"\n{result.name}, {len(result.studies)} studies, 95 % intervals")
        for figure in result.figures:
            shown = show_estimate(result.estimates[figure.name], figure.unit)
            print(f"  {figure.label:<52} {shown}")
        for row in result.concepts:
            shown = show_estimate(row.f1, "score")
            print(f"    {row.concept:<24} {row.true:5} true {row.said:5} said  F1 {shown}")
        for sentence, count in result.broken_sentences.most_common(show_broken):
            print(f"  broken ×{count}: {sentence}")
        for failure in result.failures:
            print(f"  failed: {failure}")
    for name, reason in _unavailable(results).items():
        print(f"{name}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
