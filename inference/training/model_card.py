"""The model card: what the weights are, how they were made, what they scored. Measured only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_HEAD = """# ECHO phantom {version}

**Not for clinical use.** Trained on rendered digital phantoms only: it has never seen a patient's
film, and what it writes about one means nothing. It exists so that the app drafts real reports, by
the real method, on a fresh machine without GPU or network.

- Architecture: Qwen2.5-VL (transformers), text 4 × 256, vision 4 × 160 at 224 × 224, 5.1 M
  parameters, float16, own byte-level BPE tokenizer of 1,024 entries; block length 8.
- Language: English, canonical wording (`inference/report_language/template.py`).
- Input: one frontal film. No lateral, no prior, no indication.
- Says: 14 findings and 6 devices of the phantom (`inference/phantom/case.py`), with explicit
  negatives. Whatever else a film shows, it can't say.
- Files: `model.safetensors` one-step student (Stage III); `multi_step.safetensors` its teacher
  (Stage II); `autoregressive.safetensors` where both come from (Stage I). The vision tower is in
  the first file only; all three share it.

## Training

| stage | steps | minutes (2 CPU cores, shared with other work) | last loss |
| --- | --- | --- | --- |
{stages}
Rendered phantoms from seed 1,000,000 on, bfloat16 autocast, AdamW.

{history}

## Scores

{phantoms} held-out phantoms (seeds 0 to {last_seed}), rendered at 512 pixels, through the engine.

| weights, decoding | micro-F1 | with side | macro-F1 | statement F1 | outside grammar | passes \
| tokens/pass |
| --- | --- | --- | --- | --- | --- | --- | --- |
{scores}
micro-F1: findings present, by concept. With side: concept and side both right. Statement F1:
concept × polarity. Outside grammar: share of sentences that the template can't produce. Native
one-step is the teacher decoded in one step, undistilled: the baseline that distillation must beat.

One-step student, F1 per concept:

{concepts}

## Limits

The phantom's findings are drawn with a gap between normal and abnormal, one wording each, never
more than four at once. Token confidence is the model's probability of its own words; it is not
calibrated and is no probability of disease. Films that are not frontal chests are not recognised.
Side and zone are the weakest part, thin lines (catheters, gastric tube) and small lesions are often
missed, and the one-step student still prints broken sentences where its teacher is in doubt.
"""

_STAGE_NAMES = {
    "vision": "0 vision warm-up",
    "ar": "I autoregressive",
    "rad": "II RAD",
    "dcd": "III DCD",
}


def write_model_card(folder: Path, run: Path, version: str, scores_path: Path) -> None:
    """scores_path: {row label: summary of inference.evaluation}; the student's row is first."""
    scores: dict[str, dict[str, Any]] = json.loads(scores_path.read_text(encoding="utf-8"))
    student = next(iter(scores.values()))
    concepts = ", ".join(f"{name} {f1}" for name, f1 in student["per_concept_f1"].items())
    text = _HEAD.format(
        version=version,
        stages=_stage_rows(run),
        history=_history(run),
        phantoms=student["reports"],
        last_seed=student["reports"] - 1,
        scores="".join(_score_row(label, summary) for label, summary in scores.items()),
        concepts=concepts,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def _history(run: Path) -> str:
    """What the logs of this run don't say (earlier runs it went on from): run/history.md."""
    path = run / "history.md"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def _stage_rows(run: Path) -> str:
    rows = ""
    for stage, name in _STAGE_NAMES.items():
        lines = (run / f"{stage}.log.jsonl").read_text(encoding="utf-8").splitlines()
        last = json.loads(lines[-1])
        minutes = last["seconds"] / 60
        rows += f"| {name} | {last['step']} | {minutes:.0f} | {last['loss']:.4f} |\n"
    return rows


def _score_row(label: str, summary: dict[str, Any]) -> str:
    share = f"{100 * summary['sentences_outside_grammar']:.1f}%"
    return (
        f"| {label} | {summary['micro_f1']:.3f} | {summary['micro_f1_with_side']:.3f} "
        f"| {summary['macro_f1']:.3f} | {summary['statement_f1']:.3f} | {share} "
        f"| {summary['passes_per_report']} | {summary['tokens_per_pass']} |\n"
    )
