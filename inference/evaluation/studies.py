"""What is evaluated: studies with their films and what is known to be true of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inference import ModelImage
from inference.report_language import Statement
from inference.report_language.statements import Language


class UnreadableStudy(Exception):
    """A study whose films or reference can't be read; the message names file, line and reason."""


@dataclass(frozen=True)
class Reference:
    """The report a draft in this language is held against, by section."""

    language: Language
    findings: str
    impression: str


@dataclass(frozen=True)
class Study:
    """name is unique in its run. truth is as in StudyOutcome.

    load_images: frontal film first; raises UnreadableStudy.
    """

    name: str
    is_chest: bool
    truth: tuple[Statement, ...] | None
    references: tuple[Reference, ...]
    load_images: Callable[[], tuple[ModelImage, ...]]
