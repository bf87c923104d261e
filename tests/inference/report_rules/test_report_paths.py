"""The likeliest way to go on with a canonical report, against trying every way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from random import Random

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from inference.report_language import canonical_sentences, split_sentences
from inference.report_rules.report_conflicts import ReportSoFar, is_conflicting, is_unfounded
from inference.report_rules.report_paths import ReportPaths

_HEADINGS = ("Findings:", "Impression:")
_STOP = "<stop>"
_PIECES = r"[.:]|<stop>| ?[^ .:]+"
_SPOKEN = (
    "Findings: Left pleural effusion. Left PICC in place. No pleural effusion."
    " Impression: Right Scoliosis."
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """A token a word with its space, as the embedded model's mostly are."""
    splitter = pre_tokenizers.Split(Regex(_PIECES), "isolated")
    pieces = [_STOP, *(piece for piece, _ in splitter.pre_tokenize_str(_SPOKEN))]
    vocabulary = {piece: at for at, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=_STOP))
    tokenizer.pre_tokenizer, tokenizer.decoder = splitter, decoders.Fuse()
    return tokenizer


@pytest.fixture(scope="module")
def sentences(tokenizer: Tokenizer) -> list[str]:
    """All that these tokens can say."""
    said = [s for s in sorted(canonical_sentences("en")) if 0 not in _ids(tokenizer, " " + s)]
    assert len(said) == 8
    return said


@pytest.fixture(scope="module")
def paths(tokenizer: Tokenizer, sentences: list[str]) -> ReportPaths:
    return ReportPaths(tokenizer, "en", {0}, sentences)


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


def _may_stand(text: str, begin: int, sentences: Sequence[str]) -> bool:
    """Whether a report so far is canonical, and what ends or stays open behind begin agrees."""
    body, *rest = text.split(_STOP)
    said, spans = ReportSoFar(), split_sentences(body)
    for number, (start, end) in enumerate(spans):
        run = body[start:end]
        if (number == 0) != (run == _HEADINGS[0]) or (run == _HEADINGS[1] and said.is_concluding):
            return False
        if run in _HEADINGS:
            said = said.with_heading() if run == _HEADINGS[1] else said
            continue
        is_open = end == len(body) and not run.endswith(".")
        if is_open and rest:
            return False
        wholes = [s for s in sentences if s.startswith(run)] if is_open else [run]
        heads = is_open and not said.is_concluding and _HEADINGS[1].startswith(run)
        stands = [
            s in sentences and not is_conflicting(said, s, "en") and not is_unfounded(said, s, "en")
            for s in wholes
        ]
        if end > begin and not heads and not any(stands):
            return False
        said = said if is_open else said.with_sentence(run)
    return not rest or bool(said.impression)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Findings:",
        "Findings: Left",
        "Findings: Left pleural effusion. Scoliosis.",
        "Findings: Left pleural effusion. Left PICC in place. Impression: Left pleural",
        "Findings: Left pleural effusion. Right PICC in place. Impression:",
        "Findings: No pleural effusion. Scoliosis. Impression:",
        "Findings: Scoliosis. Impression: Scoliosis.",
    ],
)
def test_filling_equals_trying_everything(
    tokenizer: Tokenizer, paths: ReportPaths, sentences: list[str], answer: str
) -> None:
    random, size, length = Random(1), tokenizer.get_vocab_size(), 3
    place = paths.follow(_ids(tokenizer, answer))
    assert place is not None
    standing = [
        list(ids)
        for ids in product(range(size), repeat=length)
        if _may_stand(
            answer + tokenizer.decode(ids, skip_special_tokens=False), len(answer), sentences
        )
    ]
    assert standing
    for _ in range(8):
        rows = [[random.gauss(0, 3) for _ in range(size)] for _ in range(length)]
        canvas = [random.randrange(size) if random.random() < 0.2 else None for _ in range(length)]
        fitting = [ids for ids in standing if _fits(ids, canvas)]
        best = max(fitting, key=lambda ids: _score(ids, canvas, rows), default=None)
        filled = paths.fill(place, canvas, rows)
        if canvas[0] is None or filled is None:  # what is fixed at first is no sentence to choose
            assert filled == best
        else:
            assert _fits(filled, canvas)


def _fits(ids: Sequence[int], canvas: Sequence[int | None]) -> bool:
    return all(fixed in (None, token_id) for token_id, fixed in zip(ids, canvas, strict=True))


def _score(
    ids: Sequence[int], canvas: Sequence[int | None], rows: Sequence[Sequence[float]]
) -> float:
    return sum(
        row[token_id]
        for token_id, fixed, row in zip(ids, canvas, rows, strict=True)
        if fixed is None
    )


def test_what_stands_before_the_first_open_place_is_not_judged(
    tokenizer: Tokenizer, paths: ReportPaths
) -> None:
    place = paths.follow(_ids(tokenizer, "Findings: Left pleural effusion. Impression:"))
    assert place is not None
    fixed = _ids(tokenizer, " Right pleural effusion.")
    filled = paths.fill(place, [*fixed, None], [[]] * len(fixed) + [[0.0] * 20])
    assert filled is not None
    assert filled[: len(fixed)] == fixed


def test_a_broken_run_is_passed_over_up_to_its_full_stop(
    tokenizer: Tokenizer, paths: ReportPaths
) -> None:
    broken = "Findings: Scoliosis. Left Left effusion"
    assert paths.follow(_ids(tokenizer, broken)) is None
    place = paths.follow(_ids(tokenizer, f"{broken}. No pleural effusion."))
    assert place is not None
    assert place.said.findings == ("Scoliosis.", "No pleural effusion.")
