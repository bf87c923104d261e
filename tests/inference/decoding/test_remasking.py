"""low_confidence_dynamic against the sentence that defines it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.decoding.remasking import choose_low_confidence_dynamic

_PROBABILITIES = st.sampled_from([0.1, 0.3, 0.3, 0.85, 0.9, 1.0])


@given(
    st.lists(st.tuples(_PROBABILITIES, st.booleans()), min_size=1, max_size=8),
    st.sampled_from([0.0, 0.3, 0.85, 1.0]),
    st.integers(1, 8),
)
def test_equals_naive_loop(block: list[tuple[float, bool]], threshold: float, minimum: int) -> None:
    confidences = [confidence for confidence, _ in block]
    is_masked = [masked for _, masked in block]
    expected: list[int] = []
    left = [position for position, masked in enumerate(is_masked) if masked]
    while left:
        best = left[0]
        for position in left:
            if confidences[position] > confidences[best]:
                best = position
        if confidences[best] <= threshold and len(expected) >= minimum:
            break
        expected.append(best)
        left.remove(best)
    chosen = choose_low_confidence_dynamic(confidences, is_masked, threshold, minimum)
    assert chosen == sorted(expected)


@pytest.mark.parametrize(
    ("confidences", "threshold", "minimum", "chosen"),
    [
        ([0.9, 0.2, 0.86, 0.85], 0.85, 1, [0, 2]),  # above, not at, the threshold
        ([0.1, 0.4, 0.3, 0.2], 0.85, 1, [1]),
        ([0.1, 0.4, 0.3, 0.2], 0.85, 2, [1, 2]),
        ([0.5, 0.5, 0.5, 0.5], 0.85, 2, [0, 1]),  # ties: the earlier
    ],
)
def test_examples(
    confidences: list[float], threshold: float, minimum: int, chosen: list[int]
) -> None:
    assert choose_low_confidence_dynamic(confidences, [True] * 4, threshold, minimum) == chosen


def test_committed_positions_are_never_chosen() -> None:
    assert choose_low_confidence_dynamic([0.9, 0.9], [False, True], 0.5, 2) == [1]
