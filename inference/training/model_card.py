"""The model card: what the weights are, how they were made, what they scored. Measured only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import safe_open
from tokenizers import Tokenizer

from inference.phantom.case import DEVICE_WEIGHTS, FINDING_WEIGHTS
from inference.training.tokenizer import LANGUAGES

_CARD = """# ECHO phantom {version}

**Not for clinical use.** Trained on rendered digital phantoms only: it has never seen a patient's
film, and what it writes about one means nothing. It exists so that the app drafts real reports, by
the real method, on a fresh machine without GPU or network.

- Architecture: Qwen2.5-VL (transformers), text 4 × 256, vision 4 × 160 at 224 × 224,
  {parameters:.1f} M parameters, float16, own byte-level BPE tokenizer of {tokens:,} entries; block
  length 8. Seven input channels: the film, its fine and its coarse detail, how far down and how far
  right a pixel is, and small bright spots at two scales.
- Languages: English and Chinese, canonical wording (`inference/report_language/template.py`).
- Input: a frontal film, or a frontal and a lateral film. No prior, no indication.
- Says: {findings} findings and {devices} devices of the phantom (`inference/phantom/case.py`), with
  explicit negatives; of a film that is no frontal chest, that it is none. Whatever else a film
  shows, it can't say.
- Files: `model.safetensors` one-step student (Stage III); `multi_step.safetensors` its teacher
  (Stage II); `autoregressive.safetensors` where both come from (Stage I).{regions}
  The vision tower is in the first file only; all share it.

## Training

| stage | steps | minutes | last loss |
| --- | --- | --- | --- |
{stages}
What each stage does, and what the paper leaves open: `inference/training/README.md`. bfloat16
autocast, AdamW.

{history}

## Scores

Held-out phantoms through the engine; 95 % intervals by bootstrap over studies.

{scores}
"""
_REGIONS = (
    "\n  `regions.safetensors` writes all regions at once "
    '(`inference/README.md`, "Regions in parallel").'
)
_STAGE_NAMES = {
    "vision": "0 vision warm-up",
    "ar": "I autoregressive",
    "rad": "II RAD",
    "dcd": "III DCD",
    "mended": "III DCD, on mended drafts",
    "regions": "III DCD, in streams by region",
}
_LANGUAGE_NAMES = {"en": "English", "zh": "Chinese"}
_FIGURES = {
    "micro_f1": "micro-F1, findings present",
    "macro_f1": "macro-F1, findings present",
    "micro_f1_with_side": "micro-F1, finding and side",
    "side_accuracy": "side accuracy",
    "statement_f1": "StatementF1, finding × polarity",
    "sentences_outside_grammar": "sentences outside the grammar",
    "contradictions": "drafts that contradict themselves",
    "four_gram_repetition": "4-grams repeated",
    "repetition_loops": "repetition loops",
    "not_stopped": "drafts that did not stop",
    "refusals": "non-chest films refused",
    "refused_or_flagged": "non-chest films refused or flagged",
    "ece_mean": "ECE, before calibration",
    "ece_calibrated": "ECE, calibrated",
    "rouge_l": "ROUGE-L",
    "bleu": "sacreBLEU",
    "cider_d": "CIDEr-D",
    "passes_per_report": "passes a report",
    "extra_passes": "of these, second looks",
    "tokens_per_pass": "tokens a pass",
}


def write_model_card(folder: Path, run: Path, version: str, scores: Sequence[Path]) -> None:
    """folder/README.md from the run's logs and the JSON output of inference.evaluation.

    Each file of scores is a section named after it. run/history.md is put in where there is one:
    what the logs don't say (data, earlier runs, limits).
    """
    with safe_open(folder / "model.safetensors", framework="pt") as tensors:
        sizes = [tensors.get_slice(name).get_shape() for name in tensors.keys()]  # noqa: SIM118
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    history = run / "history.md"
    text = _CARD.format(
        version=version,
        parameters=sum(_product(size) for size in sizes) / 1e6,
        tokens=tokenizer.get_vocab_size(),
        findings=len(FINDING_WEIGHTS),
        devices=len(DEVICE_WEIGHTS),
        stages=_stage_rows(run),
        regions=_REGIONS if (folder / "regions.safetensors").exists() else "",
        history=history.read_text(encoding="utf-8").strip() if history.exists() else "",
        scores="\n".join(_section(path) for path in scores),
    )
    (folder / "README.md").write_text(text.rstrip() + "\n", encoding="utf-8")


def _product(size: Sequence[int]) -> int:
    total = 1
    for extent in size:
        total *= extent
    return total


def _stage_rows(run: Path) -> str:
    """A row for each stage that has a log."""
    rows = ""
    for stage, name in _STAGE_NAMES.items():
        log = run / f"{stage}.log.jsonl"
        if log.exists():
            last = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
            minutes = last["seconds"] / 60
            rows += f"| {name} | {last['step']} | {minutes:.0f} | {last['loss']:.4f} |\n"
    return rows


def _section(path: Path) -> str:
    evaluation: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    parts = [
        f"### {path.stem.replace('_', ' ')}\n\n{evaluation['source']}; {evaluation['progress']}"
    ]
    for language in LANGUAGES:
        results = {
            name.removesuffix(f"/{language}"): result
            for name, result in evaluation["results"].items()
            if name.endswith(f"/{language}")
        }
        if results:
            parts += [_table(_LANGUAGE_NAMES[language], results), _concepts(results)]
    return "\n\n".join(parts) + "\n"


def _table(language: str, results: dict[str, dict[str, Any]]) -> str:
    rows = [
        f"| {language} | {' | '.join(results)} |",
        f"|{' --- |' * (len(results) + 1)}",
        "| reports (chests) |"
        + "".join(f" {r['reports']} ({r['chests']}) |" for r in results.values()),
    ]
    for figure, label in _FIGURES.items():
        if any(result.get(figure) is not None for result in results.values()):
            shown = " | ".join(_show(result, figure) for result in results.values())
            rows.append(f"| {label} | {shown} |")
    return "\n".join(rows)


def _show(result: dict[str, Any], figure: str) -> str:
    value, bounds = result.get(figure), result["intervals"].get(figure)
    if value is None:
        return "–"
    return f"{value:.3f}" + (f" ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds else "")


def _concepts(results: dict[str, dict[str, Any]]) -> str:
    """F1 per concept of the first decoding."""
    decoding, result = next(iter(results.items()))
    shown = ", ".join(
        f"{name} {'–' if f1 is None else f'{f1:.2f}'}"
        for name, f1 in result["per_concept_f1"].items()
    )
    return f"F1 per concept, {decoding}: {shown}"
