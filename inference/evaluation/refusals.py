"""The model's answer to a film that is no frontal chest."""

from __future__ import annotations

from inference.prompts import parse_sections
from inference.report_language.statements import Language
from inference.report_language.template import compose_refusal


def is_refusal(findings: str, impression: str, language: Language) -> bool:
    """Whether a draft is the refusal of a film that is no frontal chest, and nothing else."""
    return (findings, impression) == parse_sections(compose_refusal(language))


def is_flagged(text: str, language: Language) -> bool:
    """Whether a draft says somewhere that the film is no frontal chest."""
    sentence, _ = parse_sections(compose_refusal(language))
    return sentence in text
