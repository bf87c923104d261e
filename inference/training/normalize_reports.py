"""Stage I over a file of reports: free text in, canonical reports out, one JSON object a line.

    python -m inference.training.normalize_reports --in raw.jsonl --out normalised.jsonl
        [--language en] [--model FOLDER]

A line is {"images": [...], "report": "...", "language": "en"}, further keys are kept. With
--model a local causal language model proposes each report; its proposal is taken only if
``check_normalization`` finds nothing wrong, else the rules' own report is. What cannot be
normalised goes to OUT.refused.jsonl with file:line and reason. Image paths are relative to the
file they stand in: an OUT in another folder gets them rewritten. OUT appears when all is done;
until then OUT.partial grows, and the same command goes on from there after a kill.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from inference.evaluation.manifest_studies import read_json_lines
from inference.report_language.normalization import (
    NormalizedReport,
    check_normalization,
    normalize_report,
)
from inference.report_language.statements import LANGUAGES, Language

Propose = Callable[[str, Language], str]
_PROGRESS_EVERY_S = 2.0


class UnusableLine(ValueError):
    """An input line that is no report of a known language."""


@dataclass
class Tally:
    """Lines done so far, over all runs of the job."""

    line: int = 0
    written: int = 0
    refused: int = 0
    by_model: int = 0
    model_rejected: int = 0


def normalize_line(line: str, default: Language, propose: Propose | None) -> dict[str, Any]:
    """The output object of an input line.

    Raises UnusableLine, and NothingStated for a report that says nothing of the chest.
    """
    try:
        pair = json.loads(line)
    except json.JSONDecodeError as reason:
        raise UnusableLine(f"not JSON: {reason}") from reason
    if not isinstance(pair, dict) or not isinstance(pair.get("report"), str):
        raise UnusableLine('no "report" text')
    if not isinstance(pair.get("images"), list):
        raise UnusableLine('no "images" list')
    language = pair.get("language", default)
    if language not in LANGUAGES:
        raise UnusableLine(f"unknown language {language!r}")
    raw = pair["report"]
    normalized = normalize_report(raw, language)
    report, source = normalized.report, "rules"
    problems: tuple[str, ...] = ()
    if propose is not None:
        proposal = propose(raw, language).strip()
        problems = check_normalization(raw, proposal, language)
        if not problems:
            report, source = proposal, "model"
    account = _describe(normalized)
    if problems:
        account["model_rejected_for"] = list(problems)
    return {**pair, "report": report, "language": language,
            "normalisation": {"source": source, **account}}  # fmt: skip


def _describe(normalized: NormalizedReport) -> dict[str, Any]:
    return {
        "stated": [f"{s.concept}:{s.status}" for s in normalized.statements],
        "implied": [s.concept for s in normalized.implied],
        "overruled": [f"{s.concept}:{s.status}" for s in normalized.overruled],
        "not_carried": list(normalized.not_carried),
    }


class Job:
    """One input file on its way to one output file; what is done survives a kill."""

    def __init__(self, source: Path, target: Path, default: Language, model: Path | None) -> None:
        self._source, self._target, self._default = source, target, default
        self._partial = target.with_name(target.name + ".partial")
        self._refused = target.with_name(target.name + ".refused.jsonl")
        self._identity_file = target.with_name(target.name + ".partial.job")
        content = hashlib.sha256(source.read_bytes()).hexdigest()
        self._identity = json.dumps([content, default, str(model) if model else None])

    def run(self, propose: Propose | None, progress: TextIO) -> Tally:
        """Normalise what is left, then put the output in place."""
        tally = self._resume()
        lines = read_json_lines(self._source)
        shown = started = time.monotonic()
        first, last = tally.line, lines[-1][0] if lines else 0
        with (
            self._partial.open("a", encoding="utf-8") as partial,
            self._refused.open("a", encoding="utf-8") as refused,
        ):
            for number, line in lines:
                if number <= first:
                    continue
                self._take_line(number, line, propose, partial, refused, tally)
                if time.monotonic() - shown > _PROGRESS_EVERY_S or number == last:
                    shown = time.monotonic()
                    rate = (number - first) / max(shown - started, 1e-9)
                    _show(progress, tally, last, rate)
            partial.flush()
            os.fsync(partial.fileno())
        os.replace(self._partial, self._target)
        self._identity_file.unlink()
        if not tally.refused:
            self._refused.unlink()
        return tally

    def _take_line(
        self,
        number: int,
        line: str,
        propose: Propose | None,
        partial: TextIO,
        refused: TextIO,
        tally: Tally,
    ) -> None:
        tally.line = number
        try:
            pair = normalize_line(line, self._default, propose)
        except ValueError as reason:
            at = f"{self._source}:{number}"
            _append(refused, {"line": number, "at": at, "reason": str(reason)})
            tally.refused += 1
            return
        pair["normalisation"]["line"] = number
        if self._source.parent.resolve() != self._target.parent.resolve():
            pair["images"] = [self._seen_from_target(name) for name in pair["images"]]
        _append(partial, pair)
        _count(tally, pair["normalisation"])

    def _seen_from_target(self, image: Any) -> Any:
        """A relative path of the input as the output's readers take it; the rest as it is."""
        if not isinstance(image, str) or Path(image).is_absolute():
            return image
        film = (self._source.parent / image).resolve()
        try:
            return Path(os.path.relpath(film, self._target.parent.resolve())).as_posix()
        except ValueError:  # on another drive
            return str(film)

    def _resume(self) -> Tally:
        """What earlier runs of the same job have done; a half-written last line is cut off."""
        tally = Tally()
        same = (
            self._identity_file.is_file()
            and self._identity_file.read_text(encoding="utf-8") == self._identity
        )
        if not same:
            self._refused.unlink(missing_ok=True)
            self._partial.write_bytes(b"")
            self._identity_file.write_text(self._identity, encoding="utf-8")
            return tally
        if not self._partial.exists():  # killed after the output was put in place
            os.replace(self._target, self._partial)
        for pair in _read_whole_lines(self._partial):
            tally.line = max(tally.line, pair["normalisation"]["line"])
            _count(tally, pair["normalisation"])
        for refusal in _read_whole_lines(self._refused):
            tally.line = max(tally.line, refusal["line"])
            tally.refused += 1
        return tally


def _count(tally: Tally, account: dict[str, Any]) -> None:
    tally.written += 1
    tally.by_model += account["source"] == "model"
    tally.model_rejected += "model_rejected_for" in account


def _append(file: TextIO, entry: dict[str, Any]) -> None:
    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    file.flush()  # one line is done when it is in the file


def _read_whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    for line in whole.split(b"\n")[:-1]:
        yield json.loads(line)


def _show(progress: TextIO, tally: Tally, total: int, rate: float) -> None:
    end = "\r" if progress.isatty() and tally.line < total else "\n"
    print(
        f"{tally.line}/{total} lines  {rate:.0f}/s  refused {tally.refused}"
        f"  by model {tally.by_model}",
        end=end,
        file=progress,
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Normalise a file; exit code 2 if it or the model cannot be read."""
    parser = argparse.ArgumentParser(description="Stage I: free-text reports to canonical ones.")
    parser.add_argument("--in", dest="source", type=Path, required=True, metavar="RAW.jsonl")
    parser.add_argument("--out", type=Path, required=True, metavar="NORMALISED.jsonl")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of lines without one")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="local causal language model")
    options = parser.parse_args(arguments)
    try:
        propose = None
        if options.model is not None:
            from inference.training.report_rewriter import load_report_rewriter

            propose = load_report_rewriter(options.model)
        job = Job(options.source, options.out, options.language, options.model)
        tally = job.run(propose, sys.stderr)
    except UnicodeDecodeError as reason:
        print(f"{options.source}: {reason}", file=sys.stderr)
        return 2
    except OSError as reason:
        print(re.sub(r"\s+", " ", str(reason)), file=sys.stderr)
        return 2
    where = f": see {options.out}.refused.jsonl" if tally.refused else ""
    print(f"{tally.written} reports to {options.out}, {tally.refused} refused{where}")
    if options.model is not None:
        print(f"model: {tally.by_model} proposals taken, {tally.model_rejected} rejected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
