"""The difference of two texts: nothing lost, words whole, Chinese by the character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workstation.reporting.versions.version_difference import compare_texts, count_words


def _told(before: str, after: str) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in compare_texts(before, after)]


def test_words_are_replaced_whole() -> None:
    assert _told("Small left effusion.", "Small right effusion.") == [
        ("same", "Small "),
        ("deleted", "left"),
        ("inserted", "right"),
        ("same", " effusion."),
    ]


def test_changes_that_only_a_space_parts_are_one() -> None:
    pieces = compare_texts("No acute finding here.", "A large mass here.")
    assert [piece.kind for piece in pieces] == ["deleted", "inserted", "same"]
    assert (count_words(pieces, "deleted"), count_words(pieces, "inserted")) == (3, 3)


def test_chinese_is_compared_by_the_character() -> None:
    assert _told("左侧少量胸腔积液。", "右侧少量胸腔积液。") == [
        ("deleted", "左"),
        ("inserted", "右"),
        ("same", "侧少量胸腔积液。"),
    ]


def test_numbers_and_hyphens_stay_in_one_piece() -> None:
    assert _told("a 1.5 cm follow-up", "a 1.6 cm follow-up")[1:3] == [
        ("deleted", "1.5"),
        ("inserted", "1.6"),
    ]


def test_the_same_is_no_difference() -> None:
    assert _told("Normal.", "Normal.") == [("same", "Normal.")]
    assert _told("", "") == []


_TEXT = st.text(alphabet="ab .,-'\n左右侧é1_", max_size=40)


@given(_TEXT, _TEXT)
def test_both_texts_can_be_read_off_the_pieces(before: str, after: str) -> None:
    pieces = compare_texts(before, after)
    assert "".join(p.text for p in pieces if p.kind != "inserted") == before
    assert "".join(p.text for p in pieces if p.kind != "deleted") == after
