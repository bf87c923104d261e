"""The card says what logs and evaluations say, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from inference.training.model_card import write_model_card


def _result(micro_f1: float, **more: float) -> dict[str, object]:
    return {
        "reports": 40, "chests": 38, "micro_f1": micro_f1, "bleu": None, **more,
        "intervals": {"micro_f1": [micro_f1 - 0.01, micro_f1 + 0.01]},
        "per_concept_f1": {"mass": 0.25, "nodule": None},
    }  # fmt: skip


def test_card_shows_logs_scores_and_what_is_not_known(tmp_path: Path, tokenizer: Tokenizer) -> None:
    folder, run = tmp_path / "model", tmp_path / "run"
    folder.mkdir()
    run.mkdir()
    save_file({"a": torch.zeros(1000, 1500)}, folder / "model.safetensors")
    tokenizer.save(str(folder / "tokenizer.json"))
    (run / "rad.log.jsonl").write_text('{"step": 20, "loss": 0.5, "seconds": 120.0}\n')
    (run / "history.md").write_text("Seeds 1,000,000 to 1,007,999.\n", encoding="utf-8")
    evaluation = {
        "source": "phantoms, films 512 pixels wide",
        "progress": "40 of 40 studies",
        "results": {
            "one-step/en": _result(0.9, passes_per_report=9.5),
            "multi-step/en": _result(0.91),
            "one-step/zh": _result(0.85),
        },
    }
    scores = tmp_path / "embedded_model.json"
    scores.write_text(json.dumps(evaluation), encoding="utf-8")
    write_model_card(folder, run, "1.2.3", [scores])
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# ECHO phantom 1.2.3\n")
    assert "1.5 M parameters" in card
    assert f"{tokenizer.get_vocab_size():,} entries" in card
    assert "| II RAD | 20 | 2 | 0.5000 |" in card
    assert "III DCD |" not in card  # has no log
    assert "Seeds 1,000,000 to 1,007,999." in card
    assert "### embedded model\n\nphantoms, films 512 pixels wide; 40 of 40 studies" in card
    assert "| English | one-step | multi-step |" in card
    assert (
        "| micro-F1, findings present | 0.900 (0.890 to 0.910) | 0.910 (0.900 to 0.920) |" in card
    )
    assert "| passes a report | 9.500 | – |" in card
    assert "| Chinese | one-step |" in card
    assert "sacreBLEU" not in card
    assert "F1 per concept, one-step: mass 0.25, nodule –" in card
