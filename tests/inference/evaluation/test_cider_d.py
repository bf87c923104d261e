"""CIDEr-D on a corpus small enough to work by hand."""

from __future__ import annotations

import math

import pytest

from inference.evaluation.cider import CiderD

# N = 2 references. In both: a, so idf(a) = ln(2/2) = 0. In one: b, c, ab, ac ..., idf = ln 2.
REFERENCES = [["a", "b"], ["a", "c"]]


def test_true_draft_by_hand() -> None:
    # n = 1: only b has weight, the draft's and the reference's are equal: 1; n = 2: ab, 1;
    # n = 3 and 4: no n-grams: 0. Equal lengths, no penalty: 10 · (1 + 1 + 0 + 0) / 4.
    assert CiderD(REFERENCES).score(["a", "b"], ["a", "b"]) == pytest.approx(5.0)


def test_repeated_word_is_clipped_and_length_penalised() -> None:
    # draft b b: g(b) = 2 ln 2, the reference's ln 2: min · g / (norms) = ln²2 / (2 ln 2 · ln 2)
    # = 1/2; bigram bb isn't in the reference: 0. 10 · (1/2) / 4.
    cider = CiderD(REFERENCES)
    assert cider.score(["b", "b"], ["a", "b"]) == pytest.approx(1.25)
    # draft a b b: unigrams 1/2 again (a weighs nothing); bigrams ab, bb: g = (ln 2, ln 2),
    # ln²2 / (√2 ln 2 · ln 2) = 1/√2; one token longer: exp(-1/72).
    expected = 10 * math.exp(-1 / 72) * (1 / 2 + 1 / math.sqrt(2)) / 4
    assert cider.score(["a", "b", "b"], ["a", "b"]) == pytest.approx(expected)


def test_word_of_no_reference_weighs_most() -> None:
    # z is in no reference: idf ln(2/1), as of a word in one. b z: (ln 2, ln 2) against ln 2.
    score = CiderD(REFERENCES).score(["b", "z"], ["a", "b"])
    assert score == pytest.approx(10 * (1 / math.sqrt(2)) / 4)


def test_four_words_reach_ten() -> None:
    references = [list("abcd"), list("efgh"), list("ijkl")]
    assert CiderD(references).score(list("abcd"), list("abcd")) == pytest.approx(10.0)


def test_nothing_in_common_or_nothing_said_is_zero() -> None:
    cider = CiderD(REFERENCES)
    assert cider.score(["c"], ["a", "b"]) == 0.0
    assert cider.score([], ["a", "b"]) == 0.0
    assert cider.score(["a"], ["a", "b"]) == 0.0  # said by every reference: weighs nothing
