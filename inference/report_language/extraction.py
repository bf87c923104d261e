"""Reads statements out of report prose (ConText-style rules, every statement names its rule)."""

from __future__ import annotations

from inference.report_language.statements import Statement


def extract_statements(text: str, language: str = "en") -> tuple[Statement, ...]:
    """Every statement of text in reading order, offsets exact into text."""
    raise NotImplementedError
