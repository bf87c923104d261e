"""The options of `echo-workstation draft`; those of decoding are fields of GenerationRequest."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from inference import DECODING_MODES, REGION_MODES, REMASKING_STRATEGIES
from inference.report_language import LANGUAGES
from workstation.commands.shared_options import CommandParsers, add_model_options, data_dir_of


class _Flag(NamedTuple):
    name: str
    field: str
    kind: type
    help: str


_FLAGS = (
    _Flag("--prefix", "prefix_text", str, "the report begins with this text"),
    _Flag("--max-tokens", "max_new_tokens", int, "length limit, prefix included"),
    _Flag("--temperature", "temperature", float, "0 (default) takes the likeliest token"),
    _Flag("--top-k", "top_k", int, "sample from so many of the likeliest; 0 for all"),
    _Flag("--top-p", "top_p", float, "sample from the likeliest share, 0..1"),
    _Flag("--seed", "seed", int, "the same seed draws the same tokens"),
    _Flag("--steps", "denoising_steps", int, "multi-step: passes a block at most"),
    _Flag("--remasking", "remasking", str, "multi-step: " + ", ".join(REMASKING_STRATEGIES)),
    _Flag("--confidence-threshold", "confidence_threshold", float, "multi-step: sure from here"),
    _Flag("--entropy-bound", "entropy_bound", float, "multi-step entropy_bounded: nats"),
    _Flag("--adaptive-threshold", "adaptive_threshold", float, "adaptive: sure from here"),
    _Flag("--adaptive-passes", "adaptive_max_passes", int, "adaptive: passes a block at most"),
    _Flag("--guided-ratio", "guided_ratio", float, "guided: disputed below this share"),
    _Flag("--guided-rounds", "guided_rounds", int, "guided: checks at most"),
)


def add_draft_command(commands: CommandParsers) -> None:
    """``draft``, and its options."""
    draft = commands.add_parser("draft", help="draft reports without a window")
    draft.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    draft.add_argument("--decoding", choices=(*DECODING_MODES, *REGION_MODES), default="one-step")
    draft.add_argument("--language", choices=LANGUAGES, default="en")
    draft.add_argument("--json", action="store_true", dest="as_json")
    draft.add_argument("--data-dir", type=Path, help="where added models are known")
    add_draft_options(draft)
    add_model_options(draft)
    draft.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from workstation.commands.draft import run_draft
    from workstation.model_registry import load_registered_engine

    return run_draft(
        options.paths,
        options.decoding,
        options.model,
        options.device,
        options.as_json,
        options.language,
        partial(
            load_registered_engine,
            data_dir=data_dir_of(options),
            products=options.products,
            threads=options.threads,
        ),
        draft_settings(options),
    )


def add_draft_options(parser: argparse.ArgumentParser) -> None:
    """Flags that are not given leave the engine's defaults, and are absent from the namespace."""
    steering = parser.add_argument_group("decoding")
    for flag in _FLAGS:
        steering.add_argument(
            flag.name,
            dest=flag.field,
            type=flag.kind,
            choices=REMASKING_STRATEGIES if flag.field == "remasking" else None,
            default=argparse.SUPPRESS,
            metavar="NAME" if flag.field == "remasking" else flag.kind.__name__.upper(),
            help=flag.help,
        )
    steering.add_argument(
        "--region",
        dest="region_texts",
        action="append",
        type=_region_text,
        default=argparse.SUPPRESS,
        metavar="REGION=TEXT",
        help="regions: this one stands as given, the others and the impression are drafted",
    )


def draft_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What was given, as fields of GenerationRequest (run_draft's settings)."""
    given = vars(options)
    settings = {flag.field: given[flag.field] for flag in _FLAGS if flag.field in given}
    if "region_texts" in given:
        settings["region_texts"] = tuple(given["region_texts"])
    return settings


def _region_text(value: str) -> tuple[str, str]:
    region, sign, text = value.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"{value!r} is not REGION=TEXT")
    return region, text
