"""What a site asks of every report: a file in the data folder, report-rules.json. Qt-free."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.report_language import CONCEPT_BY_NAME, CONCEPTS
from workstation.reporting.checks.report_check import BLOCKING, REQUIRED, CheckRule
from workstation.whole_file import write_whole_file

RULES_NAME = "report-rules.json"
CHOOSABLE: tuple[CheckRule, ...] = (
    "not_stated",
    "section_empty",
    "finding_without_impression",
    "impression_without_finding",
    "repeated_sentence",
    "side_left_out",
)
"""Checks a site may make blocking. They depend on the text alone, so that panel and signature
agree; what depends on the films at hand (prior, lateral) is told and never blocks."""


class UnreadableRules(ValueError):
    """The site's rules are no rules; the file and the reason are named."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


@dataclass(frozen=True)
class SiteRules:
    """required: names of the concepts a report has to affirm or deny.

    must_settle: checks that have to be solved, or overridden with a reason, before a report can
    be signed; beside BLOCKING, which always are.
    """

    required: tuple[str, ...] = REQUIRED
    must_settle: frozenset[CheckRule] = frozenset()

    def is_blocking(self, rule: CheckRule) -> bool:
        return rule in BLOCKING or rule in self.must_settle


DEFAULT_RULES = SiteRules()
"""Those every site begins with."""


def make_rules(required: Iterable[str], must_settle: Iterable[str]) -> SiteRules:
    """Concepts in the vocabulary's order. Raises ValueError for a concept or a check that is
    none, or none that a site may choose."""
    asked, settled = set(required), set(must_settle)
    unknown = sorted(asked - CONCEPT_BY_NAME.keys()) + sorted(settled - set(CHOOSABLE))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}")
    names = tuple(concept.name for concept in CONCEPTS if concept.name in asked)
    return SiteRules(names, frozenset(rule for rule in CHOOSABLE if rule in settled))


def load_rules(folder: Path) -> SiteRules:
    """Of a data folder; without a file those every site begins with. Raises UnreadableRules."""
    path = folder / RULES_NAME
    try:
        stored = json.loads(path.read_text("utf-8"))
        required, settled = stored["required"], stored["must_settle"]
        if not all(isinstance(each, list) for each in (required, settled)):
            raise UnreadableRules(path, "required and must_settle have to be lists")
        return make_rules(required, settled)
    except FileNotFoundError:
        return DEFAULT_RULES
    except UnreadableRules:
        raise
    except OSError as error:
        raise UnreadableRules(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableRules(path, f"no rules of reports ({error})") from error


def save_rules(folder: Path, rules: SiteRules) -> None:
    """All or nothing. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(describe_rules(rules), indent=1) + "\n"
    write_whole_file(folder / RULES_NAME, text.encode())


def describe_rules(rules: SiteRules) -> dict[str, Any]:
    """As the file and the audit log keep them."""
    settled = [rule for rule in CHOOSABLE if rule in rules.must_settle]
    return {"required": list(rules.required), "must_settle": settled}
