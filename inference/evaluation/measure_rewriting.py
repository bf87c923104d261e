"""Measures the report language on its own reports: status F1, random toggles, time.

    python -m inference.evaluation.measure_rewriting [--toggles N] [--seed S]
    python -m inference.evaluation.measure_rewriting --openi ../shared/data/text/*.tsv

A toggle asks ``rewrite_statement`` for another status of one statement. It has a side effect if
any other statement is then read otherwise, and reaches elsewhere if a character outside its
sentence changes. Toggled ten times each are canonical reports, and free text made of the same
statements (``write_raw_report``), or with --openi real reports, where a refusal is in order.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, product
from pathlib import Path

from inference.evaluation.measure_extraction import read_reports
from inference.evaluation.measure_normalization import draw_statements
from inference.report_language import (
    CannotRewrite,
    Language,
    Statement,
    Status,
    compose_report,
    extract_statements,
    rewrite_statement,
    split_sentences,
    word_statement,
)
from inference.report_language.extraction import forget_sentences
from inference.report_language.raw_prose import write_raw_report
from inference.report_language.slots import express_statement
from inference.report_language.statements import LANGUAGES
from inference.report_language.template import SEVERITIES, SIDES, ZONES
from inference.report_language.vocabulary import CONCEPTS

TOGGLES_PER_REPORT = 10
_STATUSES: tuple[Status, ...] = ("present", "absent", "uncertain")
Key = tuple[str, str, str | None, str | None, str | None]


@dataclass
class ToggleScore:
    """Counts over all toggles; times are CPU milliseconds with nothing cached.

    refused: by ``CannotRewrite.code``. errors: (kind, what was asked, before, after or reason).
    """

    toggles: int = 0
    side_effects: int = 0
    elsewhere: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    extraction_ms: list[float] = field(default_factory=list)
    rewriting_ms: list[float] = field(default_factory=list)
    errors: list[tuple[str, str, str, str]] = field(default_factory=list)


def measure_status_f1(language: Language) -> tuple[int, float]:
    """Number of canonical sentences, and the micro-F1 of the (concept, status) read from them."""
    meant: dict[str, tuple[str, Status]] = {}
    slots = product((None, *SIDES), (None, *ZONES), (None, *SEVERITIES))
    for concept, status, where in product(CONCEPTS, _STATUSES, tuple(slots)):
        sentence = word_statement(concept.name, status, *where, language=language)
        meant[sentence] = (concept.name, status)
    right = wrong = 0
    for sentence, expected in meant.items():
        said = Counter((s.concept, s.status) for s in extract_statements(sentence, language))
        hits = min(said[expected], 1)
        right += hits
        wrong += said.total() - hits + 1 - hits
    return len(meant), 2 * right / max(1, 2 * right + wrong)


def write_reports(seed: int, language: Language, *, free_text: bool) -> Iterator[str]:
    """Reports without end, each a function of seed and its place."""
    for number in count(seed):
        statements = draw_statements(number)
        if free_text:
            yield write_raw_report(statements, language, random.Random(f"toggled {number}"))
        else:
            yield compose_report(statements, language)


def measure_toggles(
    reports: Iterable[str], toggles: int, seed: int, language: Language
) -> ToggleScore:
    """Toggle random statements, ten times a report, until there were so many or no report is left.

    Of each report the first toggle is timed, and the extraction before it.
    """
    extract_statements("", language)
    rng = random.Random(f"toggles {seed}")
    score = ToggleScore()
    for text in reports:
        for step in range(min(TOGGLES_PER_REPORT, toggles - score.toggles)):
            if step == 0:
                forget_sentences()
            started = time.process_time()
            statements = extract_statements(text, language)
            if step == 0:
                score.extraction_ms.append((time.process_time() - started) * 1000)
                forget_sentences()
            if not statements:
                break
            chosen = rng.choice(statements)
            wanted = rng.choice([status for status in _STATUSES if status != chosen.status])
            started = time.process_time()
            text = _toggle(score, text, statements, chosen, wanted, language)
            if step == 0:
                score.rewriting_ms.append((time.process_time() - started) * 1000)
        if score.toggles >= toggles:
            break
    return score


def _toggle(
    score: ToggleScore,
    text: str,
    statements: tuple[Statement, ...],
    chosen: Statement,
    wanted: Status,
    language: Language,
) -> str:
    """The text after one toggle; what went wrong is counted."""
    score.toggles += 1
    asked = f"{chosen.concept}: {chosen.status} to {wanted}"
    try:
        after = rewrite_statement(text, chosen, wanted, language)
    except CannotRewrite as refusal:
        score.refused[refusal.code] += 1
        score.errors.append((f"refused, {refusal.code}", asked, text, refusal.reason))
        return text
    expected = Counter(_key(s) for s in statements if s is not chosen)
    expected[_key(express_statement(replace(chosen, status=wanted)))] += 1
    if Counter(_key(s) for s in extract_statements(after, language)) != expected:
        score.side_effects += 1
        score.errors.append(("side effect", asked, text, after))
    start, end = next((a, b) for a, b in split_sentences(text) if a <= chosen.start < b)
    if not (after.startswith(text[:start]) and after.endswith(text[end:])):
        score.elsewhere += 1
        score.errors.append(("elsewhere", asked, text, after))
    return after


def _key(said: Statement) -> Key:
    return said.concept, said.status, said.side, said.zone, said.severity


def read_real_reports(tsv: Path) -> list[str]:
    """Findings and impression of the reports of an Open-i table."""
    texts = (f"{row['findings']} {row['impression']}".strip() for row in read_reports(tsv))
    return [text for text in texts if text]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; exit code 2 if the Open-i file cannot be read."""
    parser = argparse.ArgumentParser(description="Measure the rewriting of statements.")
    parser.add_argument("--toggles", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=2_000_000)
    parser.add_argument("--openi", type=Path, metavar="FILE", help="real reports instead")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="print the first N")
    options = parser.parse_args(arguments)
    if options.openi is not None:
        try:
            real = read_real_reports(options.openi)
        except (OSError, KeyError, UnicodeDecodeError) as reason:
            print(f"{options.openi}: not an Open-i table: {reason!r}", file=sys.stderr)
            return 2
        random.Random(options.seed).shuffle(real)
        score = measure_toggles(real, options.toggles, options.seed, "en")
        _print_toggles("real reports (en)", score, options.errors)
        return 0
    for language in LANGUAGES:
        sentences, f1 = measure_status_f1(language)
        print(f"status F1 {f1:.4f} over {sentences} canonical sentences ({language})")
        for name, free_text in (("canonical reports", False), ("free text", True)):
            reports = write_reports(options.seed, language, free_text=free_text)
            score = measure_toggles(reports, options.toggles, options.seed, language)
            _print_toggles(f"{name} ({language})", score, options.errors)
    return 0


def _print_toggles(name: str, score: ToggleScore, errors: int) -> None:
    refused = score.refused.total()
    codes = "".join(f", {code} {n}" for code, n in score.refused.most_common())
    print(f"{name}: {score.toggles} toggles of {len(score.extraction_ms)} reports")
    print(f"  side effects {score.side_effects}, elsewhere {score.elsewhere}")
    print(f"  refused {refused} ({100 * refused / max(1, score.toggles):.2f}%{codes})")
    for what, times in (("extraction", score.extraction_ms), ("rewriting", score.rewriting_ms)):
        ranked = sorted(times) or [0.0]
        p99 = ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))]
        median = ranked[len(ranked) // 2]
        print(f"  {what} CPU ms: median {median:.2f}, p99 {p99:.2f}, max {ranked[-1]:.2f}")
    for kind, asked, before, after in score.errors[:errors]:
        print(f"--- {kind}: {asked}\n{before}\n=> {after}")


if __name__ == "__main__":
    sys.exit(main())
