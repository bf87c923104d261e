"""Report language: vocabulary, canonical wording, extraction and rewriting (no torch, no Qt)."""

from inference.report_language.extraction import extract_statements
from inference.report_language.rewriting import CannotRewrite, RefusalCode, rewrite_statement
from inference.report_language.sentences import split_sentences
from inference.report_language.statements import (
    LANGUAGES,
    Language,
    Severity,
    Side,
    Statement,
    Status,
    Zone,
)
from inference.report_language.template import (
    NOT_A_FRONTAL_CHEST,
    canonical_sentences,
    compose_findings,
    compose_impression,
    compose_refusal,
    compose_report,
    is_canonical,
    word_statement,
)
from inference.report_language.vocabulary import (
    CONCEPT_BY_NAME,
    CONCEPTS,
    REGIONS,
    Concept,
    Region,
)

__all__ = [
    "CONCEPTS",
    "CONCEPT_BY_NAME",
    "LANGUAGES",
    "NOT_A_FRONTAL_CHEST",
    "REGIONS",
    "CannotRewrite",
    "Concept",
    "Language",
    "RefusalCode",
    "Region",
    "Severity",
    "Side",
    "Statement",
    "Status",
    "Zone",
    "canonical_sentences",
    "compose_findings",
    "compose_impression",
    "compose_refusal",
    "compose_report",
    "extract_statements",
    "is_canonical",
    "rewrite_statement",
    "split_sentences",
    "word_statement",
]
