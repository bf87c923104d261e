"""Which method the table says wins, and what it says of the one that ships."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from inference.training.compare_distillation import METHODS, _say_choice, choose_method
from inference.training.config import DcdWeights

Row = dict[str, Any]
_SHIPPED = next(method for method in METHODS if method.weights == DcdWeights())


def _rows(figures: dict[str, tuple[float, float]]) -> list[Row]:
    """Teacher and students; figures: (F1 in both decodings, share outside the grammar)."""
    students = [
        {
            "method": title,
            "decoding": mode,
            "micro_f1_with_side": f1,
            "sentences_outside_grammar": broken if mode == "one-step" else 0.0,
        }
        for (title, (f1, broken)), mode in product(figures.items(), ("one-step", "adaptive"))
    ]
    teacher = {
        "method": "teacher", "decoding": "multi-step", "micro_f1_with_side": 0.99,
        "sentences_outside_grammar": 0.0,
    }  # fmt: skip
    return [teacher, *students]


@pytest.mark.parametrize(
    ("figures", "winner"),
    [
        ({0: (0.80, 0.02), 1: (0.85, 0.09)}, 1),  # what is found comes first
        ({0: (0.841, 0.02), 1: (0.85, 0.09)}, 0),  # F1 alike: the least broken
        ({0: (0.839, 0.02), 1: (0.85, 0.09)}, 1),  # not alike any more
        ({0: (0.841, 0.05), 1: (0.85, 0.05)}, 1),
    ],
)
def test_winner_finds_as_much_as_any_and_breaks_least(
    figures: dict[int, tuple[float, float]], winner: int
) -> None:
    titled = {METHODS[number].title: values for number, values in figures.items()}
    assert choose_method(_rows(titled))[0] == METHODS[winner].title


def test_mean_of_both_decodings_counts() -> None:
    first, second = METHODS[0].title, METHODS[1].title
    rows = _rows({first: (0.80, 0.01), second: (0.82, 0.02)})
    for row in rows:
        if row["method"] == first and row["decoding"] == "adaptive":
            row["micro_f1_with_side"] = 0.88
    assert choose_method(rows)[0] == first


def test_table_names_the_winner_its_reason_and_what_ships() -> None:
    other = METHODS[0].title
    said = "\n".join(_say_choice(_rows({other: (0.8, 0.1), _SHIPPED.title: (0.85, 0.034)})))
    assert f"**Wins: {_SHIPPED.title}: F1 0.850, 0.034 outside the grammar.**" in said
    assert f"2 of {len(METHODS)} methods" in said
    assert f"({_SHIPPED.name}), as won here" in said
    beaten = "\n".join(_say_choice(_rows({other: (0.9, 0.1), _SHIPPED.title: (0.85, 0.0)})))
    assert f"**Wins: {other}" in beaten
    assert "which did not win here" in beaten
    assert "not scored yet" in "\n".join(_say_choice(_rows({other: (0.9, 0.1)})))
    assert _say_choice(_rows({})) == []
