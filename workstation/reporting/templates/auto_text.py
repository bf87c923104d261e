"""Short forms that become whole texts: ".nl" and a space is the normal report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inference.report_language import Language
from workstation.reporting.templates.text_templates import TextTemplate


@dataclass(frozen=True)
class ShortForm:
    """A short form found right before the cursor: start, end are offsets into the text."""

    start: int
    end: int
    template: TextTemplate


def find_short_form(
    before_cursor: str, templates: Iterable[TextTemplate], language: Language
) -> ShortForm | None:
    """The short form that ends the text, None where there is none.

    It has to stand by itself: a letter or digit before it means that it is the end of something
    else. Chinese is written without spaces, so that a Han character may stand before it.
    """
    found: ShortForm | None = None
    for template in templates:
        short = template.short
        if not short or template.language != language or not before_cursor.endswith(short):
            continue
        start = len(before_cursor) - len(short)
        previous = before_cursor[start - 1] if start else ""
        if previous.isascii() and (previous.isalnum() or previous == short[0]):
            continue
        if found is None or start < found.start:
            found = ShortForm(start, len(before_cursor), template)
    return found
