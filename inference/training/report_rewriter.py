"""A local causal language model that rewrites a free-text report in the canonical form.

Its proposals are not trusted: ``normalize_reports`` checks each against the raw report.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.report_language.normalization import normalize_report
from inference.report_language.statements import Language

_INSTRUCTIONS: dict[Language, str] = {
    "en": (
        "Rewrite the chest X-ray report in the form of the example. State every region in the"
        " example's order; what the report does not mention is normal. Keep every finding with"
        " its side, zone and severity and every device; add none. Conclusions go to the impression."
    ),
    "zh": (
        "请按示例的格式改写胸部X光报告。按示例的顺序描述每个部位；原报告未提及的部位视为正常。"
        "保留每个异常及其侧别、部位和程度，保留每个置管和器械，不得增加内容。诊断性判断写入结论。"
    ),
}
_EXAMPLES: dict[Language, str] = {
    "en": "FINDINGS: Small left effusion. ETT in place. IMPRESSION: Left effusion.",
    "zh": "所见：左侧少量胸腔积液，气管插管在位。结论：左侧胸腔积液。",
}


def load_report_rewriter(
    folder: Path, *, max_new_tokens: int = 512
) -> Callable[[str, Language], str]:
    """A function (raw report, language) -> the model's greedy answer.

    folder: any transformers causal language model with its tokenizer; nothing is downloaded and
    no remote code runs. Raises OSError if it is no such folder.
    """
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder}: no model folder (config.json is missing)")
    tokenizer = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype="auto"
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).eval()

    def propose(raw: str, language: Language) -> str:
        prompt = build_prompt(raw, language)
        if tokenizer.chat_template is not None:
            prompt = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
            )
        ids = tokenizer(prompt, return_tensors="pt").input_ids.to(device)  # [1, prompt]
        with torch.inference_mode():
            answer = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=max_new_tokens,
                pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id or 0,
            )
        return str(tokenizer.decode(answer[0, ids.shape[1] :], skip_special_tokens=True))

    return propose


def build_prompt(raw: str, language: Language) -> str:
    """Instruction, one worked example, and the report to rewrite."""
    example = normalize_report(_EXAMPLES[language], language).report
    return (
        f"{_INSTRUCTIONS[language]}\n\n{_EXAMPLES[language]}\n=> {example}\n\n"
        f"{' '.join(raw.split())}\n=> "
    )
