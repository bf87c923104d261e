"""Values of single elements as plain text and numbers; a damaged element counts as absent."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

MAX_TEXT = 256


def element_value(dataset: Dataset, keyword: str) -> Any:
    """The converted value, or None if absent, empty or not convertible."""
    try:
        return dataset.get(keyword)
    except RecursionError:
        raise
    except Exception:  # any converter of pydicom may raise anything on damaged bytes
        return None


def values_of(dataset: Dataset, keyword: str) -> list[Any]:
    """All values of a multi-valued element; [] if absent."""
    found = element_value(dataset, keyword)
    if found is None or found == "":
        return []
    if isinstance(found, MultiValue | list | tuple):
        return list(found)
    return [found]


def floats_of(dataset: Dataset, keyword: str) -> list[float]:
    """Finite and non-finite alike, in order; the whole element is dropped if one is no number."""
    try:
        return [float(value) for value in values_of(dataset, keyword)]
    except (TypeError, ValueError):
        return []


def first_float(dataset: Dataset, keyword: str) -> float | None:
    """The first value if it is a finite number."""
    numbers = floats_of(dataset, keyword)
    return numbers[0] if numbers and math.isfinite(numbers[0]) else None


def first_int(dataset: Dataset, keyword: str) -> int | None:
    """The first value if it is a whole number."""
    number = first_float(dataset, keyword)
    return int(number) if number is not None and number == int(number) else None


def first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    """First item of a sequence, or None."""
    items = items_of(dataset, keyword)
    return items[0] if items else None


def items_of(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """Items of a sequence; () if absent or no sequence."""
    found = element_value(dataset, keyword)
    if found is None or isinstance(found, str | bytes):
        return ()
    try:
        return [item for item in found if isinstance(item, Dataset)]
    except TypeError:
        return ()


def text_of(dataset: Dataset, keyword: str) -> str:
    """Displayable text; several values joined by ", "."""
    return clean_text(", ".join(str(value) for value in values_of(dataset, keyword)))


def clean_text(text: str) -> str:
    """Without control, format (bidi override) and surrogate characters, at most 256 long."""
    kept = (c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") else " " for c in text)
    return " ".join("".join(kept).split())[:MAX_TEXT]
