"""What one draft of one study came to, and the file that keeps such outcomes.

An outcome holds all that any table needs, so that every table can be made again without drafting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from inference.api import DecodingMode
from inference.prompts import parse_sections
from inference.report_language import Statement
from inference.report_language.statements import Language

_FORMAT = 1
OutcomeKey = tuple[str, str, str]  # study, language, decoding


class UnusableOutcomes(Exception):
    """A file of outcomes that is none, or that belongs to another run; the message says why."""


@dataclass(frozen=True)
class StudyOutcome:
    """One study drafted once.

    truth: every statement that is present, what is not listed being absent (phantoms), or None
    where only the reference text is known (manifests).
    token_texts join to the answer; confidences belong to them one to one.
    blocks counts commits (an autoregressive one holds a single token).
    refusal: why the engine takes the answer for none (DraftFinished.refusal), or "".
    failure: why there is no answer; such an outcome has no tokens and counts as a failure.
    """

    study: str
    language: Language
    decoding: DecodingMode
    is_chest: bool
    truth: tuple[Statement, ...] | None
    reference_findings: str
    reference_impression: str
    token_texts: tuple[str, ...] = ()
    confidences: tuple[float, ...] = ()
    tokens: int = 0  # those of the answer, without headings that nobody drafted; 0: all of them
    stop_reason: Literal["stop", "length", "repetition", ""] = ""
    passes: int = 0
    extra_passes: int = 0
    blocks: int = 0
    refusal: str = ""
    failure: str = ""

    @property
    def key(self) -> OutcomeKey:
        return self.study, self.language, self.decoding

    @cached_property
    def text(self) -> str:
        return "".join(self.token_texts)

    @cached_property
    def sections(self) -> tuple[str, str]:
        """(findings, impression) as the engine reads them."""
        return parse_sections(self.text)

    @property
    def is_failure(self) -> bool:
        """Whether nothing was answered, and no refusal either."""
        return not self.text.strip() and not self.refusal


@dataclass(frozen=True)
class RunDescription:
    """What the outcomes of one file have in common. source: phantoms and size, or the manifest."""

    model_name: str
    model_version: str
    model_sha256: str
    device: str
    block_length: int
    source: str


def outcome_to_json(outcome: StudyOutcome) -> dict[str, Any]:
    """A flat JSON object; statements keep what they say, not where they stand."""
    values = asdict(outcome)
    if outcome.truth is not None:
        values["truth"] = [[s.concept, s.status, s.side, s.zone, s.severity] for s in outcome.truth]
    return values


def outcome_from_json(values: Mapping[str, Any]) -> StudyOutcome:
    """Raises KeyError or TypeError where values are not what outcome_to_json wrote."""
    truth = values["truth"]
    return StudyOutcome(
        **{
            **values,
            "truth": None if truth is None else tuple(Statement(*slots) for slots in truth),
            "token_texts": tuple(values["token_texts"]),
            "confidences": tuple(values["confidences"]),
        }
    )


class OutcomeFile:
    """JSON lines: one that describes the run, then an outcome each, written as they come."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[RunDescription, list[StudyOutcome]]:
        """All complete lines; a last line cut by a kill is left out. UnusableOutcomes, OSError."""
        lines = self._complete_lines().split(b"\n")[:-1]  # texts may hold other line ends
        try:
            header = json.loads(lines[0])
            if header.pop("outcomes_format") != _FORMAT:
                raise UnusableOutcomes(f"{self._path}: written by another version")
            outcomes = [outcome_from_json(json.loads(line)) for line in lines[1:]]
            return RunDescription(**header), outcomes
        except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnusableOutcomes(f"{self._path}: not a file of outcomes ({error!r})") from error

    def resume(self, run: RunDescription) -> list[StudyOutcome]:
        """Start the file, or return what it holds if it is of the same run."""
        if not self._path.exists() or self._path.stat().st_size == 0:
            self._append({"outcomes_format": _FORMAT, **asdict(run)})
            return []
        earlier, outcomes = self.read()
        for name, value in asdict(run).items():
            if name != "device" and getattr(earlier, name) != value:
                raise UnusableOutcomes(
                    f"{self._path}: belongs to another run ({name} {getattr(earlier, name)!r}, "
                    f"now {value!r})"
                )
        complete = len(self._complete_lines())
        with self._path.open("r+b") as file:
            file.truncate(complete)
        return outcomes

    def add(self, outcomes: Iterable[StudyOutcome]) -> None:
        for outcome in outcomes:
            self._append(outcome_to_json(outcome))

    def _complete_lines(self) -> bytes:
        stored = self._path.read_bytes()
        return stored[: stored.rfind(b"\n") + 1]

    def _append(self, values: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(values, ensure_ascii=False) + "\n")
