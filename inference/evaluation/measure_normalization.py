"""Measures Stage I normalisation: what becomes of the statements that a raw report was made of.

    python -m inference.evaluation.measure_normalization [--count N] [--seed S] [--language en]
    python -m inference.evaluation.measure_normalization --openi ../shared/data/text/*.tsv

Half of the raw reports are written from phantom cases, half from random statements over all
concepts, so that every wording is met. A statement with two sides counts as two. With --openi,
real reports have no known statements; counted is what ``check_normalization`` accepts.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from inference.evaluation.measure_extraction import read_reports
from inference.phantom import sample_case
from inference.report_language.consistency import find_contradictions
from inference.report_language.normalization import (
    NothingStated,
    check_normalization,
    normalize_report,
)
from inference.report_language.raw_prose import write_raw_report
from inference.report_language.slots import express_statement
from inference.report_language.statements import LANGUAGES, Language, Side, Statement, Status
from inference.report_language.template import SEVERITIES, SIDES, ZONES
from inference.report_language.vocabulary import CONCEPTS

Atom = tuple[str, Status, Side | None, str | None, str | None]


@dataclass
class NormalizationScore:
    """Counts over all reports; errors holds (kind, statement, raw, normalised)."""

    reports: int = 0
    stated: int = 0
    preserved: int = 0
    attribute_errors: int = 0
    made: int = 0
    invented: int = 0
    contradictions: int = 0
    rejected: int = 0
    errors: list[tuple[str, Atom | str, str, str]] = field(default_factory=list)


def draw_statements(seed: int) -> tuple[Statement, ...]:
    """One to six statements of different concepts, each slot as likely as another, some denied."""
    rng = random.Random(f"statements {seed}")
    chosen = rng.sample(CONCEPTS, rng.randint(1, 6))
    statements = []
    for concept in chosen:
        status = rng.choices(("present", "uncertain", "absent"), (0.7, 0.15, 0.15))[0]
        if concept.is_device and status == "uncertain":
            status = "present"
        statement = Statement(
            concept.name,
            status,  # type: ignore[arg-type]
            rng.choice((None, *SIDES)),
            rng.choice((None, *ZONES)),
            rng.choice((None, *SEVERITIES)),
        )
        statements.append(express_statement(statement))
    return tuple(statements)


def measure_prose(count: int, seed: int, language: Language) -> NormalizationScore:
    """Write, normalise and compare count raw reports."""
    score = NormalizationScore()
    for number in range(seed, seed + count):
        statements = (
            sample_case(number).statements if number % 2 == 0 else draw_statements(number)
        )  # fmt: skip
        raw = write_raw_report(statements, language, random.Random(f"prose {number}"))
        score_report(score, statements, raw, language)
    return score


def score_report(
    score: NormalizationScore, statements: Sequence[Statement], raw: str, language: Language
) -> None:
    """Compare one normalised report with the statements its raw report was written from."""
    score.reports += 1
    try:
        normalized = normalize_report(raw, language)
    except NothingStated:
        normalized = None
    report = normalized.report if normalized is not None else ""
    kept = normalized.statements if normalized is not None else ()
    stated, made = Counter(_atoms(statements)), Counter(_atoms(kept))
    extra = made - stated
    positives = {s.concept for s in statements if s.status != "absent"}
    for atom in (stated - made).elements():
        twin = next((a for a in extra if a[:2] == atom[:2]), None)
        score.attribute_errors += twin is not None
        score.errors.append(("lost" if twin is None else "attribute", atom, raw, report))
        if twin is not None:
            extra[twin] -= 1
            extra = +extra
    for atom in extra.elements():
        if atom[1] == "absent" and atom[0] not in positives:
            continue  # a normal that the raw report says in words
        score.invented += 1
        score.errors.append(("invented", atom, raw, report))
    score.stated += stated.total()
    score.preserved = score.preserved + stated.total() - _count(score, "lost", raw)
    score.made += made.total()
    if normalized is not None:
        found = find_contradictions(normalized.findings, normalized.impression, language)
        score.contradictions += bool(found)
        score.errors += [("contradiction", c.message, raw, report) for c in found]
        problems = check_normalization(raw, report, language)
        score.rejected += bool(problems)
        score.errors += [("check", problem, raw, report) for problem in problems]


def _count(score: NormalizationScore, kind: str, raw: str) -> int:
    return sum(1 for k, _, text, _ in score.errors if k == kind and text is raw)


def _atoms(statements: Sequence[Statement]) -> Iterator[Atom]:
    for said in statements:
        worded = express_statement(said)
        sides: tuple[Side | None, ...] = (worded.side,)
        if worded.side == "bilateral":
            sides = ("left", "right")
        for side in sides:
            one = replace(worded, side=side)
            yield one.concept, one.status, one.side, one.zone, one.severity


def measure_openi(tsv: Path) -> NormalizationScore:
    """Normalise real reports, findings and impression under their headings."""
    score = NormalizationScore()
    for row in read_reports(tsv):
        sections = (("FINDINGS", row["findings"]), ("IMPRESSION", row["impression"]))
        raw = "\n".join(f"{name}: {text}" for name, text in sections if text)
        if not raw:
            continue
        score.reports += 1
        try:
            normalized = normalize_report(raw, "en")
        except NothingStated:
            score.rejected += 1
            score.errors.append(("nothing stated", row["uid"], raw, ""))
            continue
        problems = check_normalization(raw, normalized.report, "en")
        score.made += len(normalized.statements)
        score.rejected += bool(problems)
        score.errors += [("check", problem, raw, normalized.report) for problem in problems]
        found = find_contradictions(normalized.findings, normalized.impression, "en")
        score.contradictions += bool(found)
    return score


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; exit code 2 if the Open-i file cannot be read."""
    parser = argparse.ArgumentParser(description="Measure the normalisation of raw reports.")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1_000_000)
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--openi", type=Path, metavar="FILE", help="real reports instead")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="print the first N")
    options = parser.parse_args(arguments)
    if options.openi is None:
        score = measure_prose(options.count, options.seed, options.language)
        _print_prose(score, options.language)
    else:
        try:
            score = measure_openi(options.openi)
        except (OSError, KeyError, UnicodeDecodeError) as reason:
            print(f"{options.openi}: not an Open-i table: {reason!r}", file=sys.stderr)
            return 2
        accepted = score.reports - score.rejected
        print(f"{score.reports} real reports, {score.made} statements")
        print(f"accepted by the check  {_share(accepted, score.reports)}")
        print(f"contradict themselves  {_share(score.contradictions, score.reports)}")
    for kind, what, raw, report in score.errors[: options.errors]:
        print(f"--- {kind}: {what}\n{raw}\n=> {report}")
    return 0


def _print_prose(score: NormalizationScore, language: Language) -> None:
    print(f"{score.reports} raw reports ({language}), {score.stated} statements")
    print(f"statements preserved   {_share(score.preserved, score.stated)}")
    print(f"  with attribute error {_share(score.attribute_errors, score.stated)}")
    print(f"statements invented    {_share(score.invented, score.made)} of those made")
    print(f"contradict themselves  {_share(score.contradictions, score.reports)} of reports")
    print(f"rejected by the check  {_share(score.rejected, score.reports)} of reports")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):6.2f}%  ({part} of {whole})"


if __name__ == "__main__":
    sys.exit(main())
