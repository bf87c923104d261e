"""Which positions adaptive decoding looks at again, on written-out blocks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from inference.decoding.adaptive import decode_adaptive
from inference.decoding.open_block import Block

MASK, STOP = 0, 9
# Tokens by their confidence in a look; None where the position was not masked.
Look = list[tuple[int, float] | None]


class ScriptedSession:
    """Answers each pass from a script, checking what was masked in it."""

    block_length, mask_token_id = 4, MASK

    def __init__(self, looks: list[Look], prompt_length: int = 4, blocks: int = 1) -> None:
        self.prompt_ids = [7] * prompt_length
        self.fixed = dict(enumerate(self.prompt_ids))
        self.capacity = prompt_length // 4 * 4 + 4 * blocks
        self.fed: list[tuple[list[int], int, bool]] = []
        self._looks = looks

    def run_pass(
        self,
        ids: list[int],
        start: int,
        keep: int,
        *,
        fused: bool = False,
        choose: list[int] | None = None,
    ) -> Block:
        self.fed.append((ids, start, fused))
        look = self._looks[len(self.fed) - 1]
        assert [token == MASK for token in ids[-keep:]] == [entry is not None for entry in look]
        entries = [entry or (MASK, 1.0) for entry in look]  # garbage where it was committed
        chosen = choose or [token for token, _ in entries]
        return Block(chosen, [value for _, value in entries])


class ScriptedCheck:
    """Faults of each look in turn; mends with the tokens given for it, if any.

    asked: the canvases to mend.
    """

    def __init__(self, faults: Sequence[Collection[int]], mended: list[int] | None = None) -> None:
        self._faults, self._mended = iter(faults), mended
        self.asked: list[Sequence[int | None]] = []

    def find_faults(
        self, answer: Sequence[int], block: Sequence[int], is_end: bool
    ) -> Collection[int]:
        return next(self._faults, ())

    def mend(self, answer: Sequence[int], canvas: Sequence[int | None]) -> list[int] | None:
        self.asked.append(canvas)
        return self._mended


def _decode(
    session: ScriptedSession,
    threshold: float = 0.7,
    max_passes: int = 8,
    broken: Sequence[Collection[int]] = (),
    check: ScriptedCheck | None = None,
) -> list[Block]:
    check = check or (ScriptedCheck(broken) if broken else None)
    return list(decode_adaptive(session, threshold, max_passes, {STOP}, check))  # type: ignore[arg-type]


def test_a_sure_block_costs_one_pass() -> None:
    session = ScriptedSession([[(1, 0.7), (2, 0.9), (3, 0.9), (4, 1.0)]])
    assert _decode(session) == [Block([1, 2, 3, 4], [0.7, 0.9, 0.9, 1.0])]
    assert session.fed == [([MASK] * 4, 4, False)]


def test_doubtful_positions_are_masked_again_and_the_rest_stays() -> None:
    first: Look = [(1, 0.9), (2, 0.6), (3, 0.9), (4, 0.1)]
    session = ScriptedSession([first, [None, (5, 0.8), None, (6, 0.9)]])
    assert _decode(session) == [Block([1, 5, 3, 6], [0.9, 0.8, 0.9, 0.9])]
    assert session.fed[1] == ([1, MASK, 3, MASK], 4, False)


def test_each_look_commits_the_best_where_none_is_sure() -> None:
    looks: list[Look] = [
        [(1, 0.2), (2, 0.3), (3, 0.3), (4, 0.1)],  # of equals the earlier
        [(1, 0.2), None, (3, 0.4), (4, 0.5)],
        [(5, 0.9), None, (6, 0.9), None],
    ]
    assert _decode(ScriptedSession(looks)) == [Block([5, 2, 6, 4], [0.9, 0.3, 0.9, 0.5])]


def test_the_last_pass_allowed_commits_what_is_left() -> None:
    looks: list[Look] = [
        [(1, 0.2), (2, 0.3), (3, 0.1), (4, 0.1)],
        [(5, 0.2), None, (6, 0.4), (7, 0.5)],
    ]
    block = Block([5, 2, 6, 7], [0.2, 0.3, 0.4, 0.5])
    assert _decode(ScriptedSession(looks), max_passes=2) == [block]


def test_doubt_behind_a_sure_stop_costs_nothing() -> None:
    session = ScriptedSession([[(1, 0.9), (STOP, 0.8), (3, 0.1), (4, 0.1)]])
    assert len(_decode(session)) == len(session.fed) == 1


def test_doubt_about_the_stop_includes_what_follows_it() -> None:
    first: Look = [(1, 0.9), (STOP, 0.5), (3, 0.9), (4, 0.9)]
    session = ScriptedSession([first, [None, (2, 0.9), (3, 0.9), (STOP, 0.9)]])
    assert _decode(session)[0].token_ids == [1, 2, 3, STOP]


def test_what_follows_a_doubtful_stop_is_never_what_is_kept() -> None:
    first: Look = [(1, 0.5), (STOP, 0.6), (3, 0.9), (4, 0.9)]
    session = ScriptedSession([first, [(2, 0.9), None, None, None]])
    assert _decode(session)[0].token_ids == [2, STOP, 3, 4]  # the stop is the best before its end


def test_a_broken_run_is_looked_at_again_though_the_model_is_sure() -> None:
    sure: Look = [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9)]
    session = ScriptedSession([sure, [None, (5, 0.9), (6, 0.9), None]])
    assert _decode(session, broken=[{1, 2}, ()])[0].token_ids == [1, 5, 6, 4]


def test_a_wholly_broken_block_keeps_its_best_token_to_lean_on() -> None:
    sure: Look = [(1, 0.9), (2, 0.95), (3, 0.9), (4, 0.9)]
    session = ScriptedSession([sure, [(5, 0.9), None, (6, 0.9), (7, 0.9)]])
    assert _decode(session, broken=[{0, 1, 2, 3}, ()])[0].token_ids == [5, 2, 6, 7]


def test_nothing_is_asked_twice() -> None:
    """A run that stays as it is would be masked the same way again: less of it, then no more."""
    sure: Look = [(1, 0.9), (2, 0.8), (3, 0.9), (4, 0.9)]
    same: Look = [None, (2, 0.8), None, None]
    session = ScriptedSession([sure, same])
    assert _decode(session, broken=[{1}, {1}, {1}])[0].token_ids == [1, 2, 3, 4]
    assert len(session.fed) == 2


def test_low_confidence_is_settled_before_the_grammar_is_asked() -> None:
    looks: list[Look] = [
        [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.2)],
        [None, None, None, (5, 0.9)],
        [(6, 0.9), (7, 0.9), None, None],
    ]
    assert _decode(ScriptedSession(looks), broken=[{0, 1}, ()])[0].token_ids == [6, 7, 3, 5]


def test_a_fault_is_mended_with_all_that_follows_it() -> None:
    sure: Look = [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9)]
    session = ScriptedSession([sure, [None, (2, 0.2), (3, 0.3), (4, 0.4)]])
    check = ScriptedCheck([{1}], [1, 5, 6, 7])
    assert _decode(session, check=check) == [Block([1, 5, 6, 7], [0.9, 0.2, 0.3, 0.4])]
    assert check.asked == [(1, None, None, None)]
    assert len(session.fed) == 2  # what was mended is in no doubt any more


def test_what_can_t_be_mended_is_looked_at_as_before() -> None:
    sure: Look = [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9)]
    session = ScriptedSession([sure, [None, (5, 0.9), None, None]])
    check = ScriptedCheck([{1}, ()])
    assert _decode(session, check=check)[0].token_ids == [1, 5, 3, 4]
    assert len(check.asked) == 1


def test_a_mending_that_leaves_a_fault_is_not_tried_again() -> None:
    sure: Look = [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9)]
    looks: list[Look] = [sure, [None, (5, 0.9), (6, 0.9), (7, 0.9)], [None, None, (8, 0.9), None]]
    check = ScriptedCheck([{1}, {2}, ()], [1, 5, 6, 7])
    assert _decode(ScriptedSession(looks), check=check)[0].token_ids == [1, 5, 8, 7]
    assert len(check.asked) == 1


def test_the_last_look_mends_before_it_doubts() -> None:
    first: Look = [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.2)]
    session = ScriptedSession([first, [None, (2, 0.2), (3, 0.3), (4, 0.4)]])
    check = ScriptedCheck([{1}], [1, 5, 6, 7])
    assert _decode(session, max_passes=2, check=check)[0].token_ids == [1, 5, 6, 7]


def test_the_last_look_doubts_where_nothing_is_at_fault() -> None:
    first: Look = [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.2)]
    session = ScriptedSession([first, [None, None, None, (5, 0.4)]])
    assert _decode(session, max_passes=2, check=ScriptedCheck([()]))[0].token_ids == [1, 2, 3, 5]


def test_doubt_that_stays_does_not_hide_a_fault() -> None:
    """One unsure token, which can't be looked at with less masked: the check is asked as well."""
    first: Look = [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.2)]
    looks: list[Look] = [
        first,
        [None, None, None, (5, 0.3)],
        [(6, 0.9), (7, 0.9), (8, 0.9), (9, 0.9)],
    ]
    check = ScriptedCheck([{0}], [6, 7, 8, 1])
    assert _decode(ScriptedSession(looks), check=check)[0].token_ids == [6, 7, 8, 1]


@pytest.mark.parametrize("prompt_length", [4, 6])
def test_the_next_first_look_stores_the_block_that_was_settled(prompt_length: int) -> None:
    count = 4 - prompt_length % 4
    doubtful: Look = [(token + 1, 0.1 if token else 0.9) for token in range(count)]
    again: Look = [None, *((token + 5, 0.9) for token in range(1, count))]
    sure: Look = [(8, 0.9)] * 4
    session = ScriptedSession([doubtful, again, sure], prompt_length, blocks=2)
    blocks = _decode(session)
    settled = [7] * (prompt_length % 4) + blocks[0].token_ids
    assert session.fed[1][0] == [7] * (prompt_length % 4) + [1] + [MASK] * (count - 1)
    assert session.fed[2] == (settled + [MASK] * 4, 4, True)
