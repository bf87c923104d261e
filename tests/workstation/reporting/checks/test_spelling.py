"""Words of radiology prose are known; slips of the keyboard are not; a site adds its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.report_language import CONCEPTS, canonical_sentences
from workstation.reporting.checks.site_words import SiteWords, UnreadableWordList
from workstation.reporting.checks.spelling import Speller


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller()


def marked(speller: Speller, text: str) -> list[str]:
    return [word.word for word in speller.unknown_words(text)]


@pytest.mark.parametrize(
    "text",
    [
        "The cardiomediastinal silhouette is within normal limits.",
        "Bibasilar atelectasis; no retrocardiac opacity. Bronchovascular markings are crowded.",
        "PICC tip at the cavoatrial junction, 3 cm above the carina. T8 XXXX deformity.",
        "Compared with the patient's prior film, there's no interval change.",
        "右侧PICC在位。",
    ],
)
def test_radiology_prose_is_left_alone(speller: Speller, text: str) -> None:
    assert marked(speller, text) == []


def test_every_sentence_of_the_report_language_is_known(speller: Speller) -> None:
    words = " ".join(canonical_sentences("en")) + " ".join(c.label for c in CONCEPTS)
    assert marked(speller, words) == []


@pytest.mark.parametrize(
    ("text", "word", "right"),
    [
        ("No pneumothroax.", "pneumothroax", "pneumothorax"),
        ("Small effusoin.", "effusoin", "effusion"),
        ("Teh lungs are clear.", "Teh", "The"),
        ("Mild cardiomegly.", "cardiomegly", "cardiomegaly"),
    ],
)
def test_slip_is_marked_with_the_right_word(
    speller: Speller, text: str, word: str, right: str
) -> None:
    (unknown,) = speller.unknown_words(text)
    assert unknown.word == word == text[unknown.start : unknown.end]
    assert right in speller.suggestions(word)


def test_site_words_are_kept_in_a_text_file(tmp_path: Path) -> None:
    words = SiteWords(tmp_path)
    speller = Speller(words)
    assert marked(speller, "Seen by Dr. Xylander.") == ["Xylander"]
    speller.add_word("Xylander")
    assert marked(speller, "Seen by Dr. Xylander.") == []
    assert "xylander" in SiteWords(tmp_path)
    assert not list(tmp_path.glob(".*.part"))


def test_json_list_of_a_site_is_read_and_kept(tmp_path: Path) -> None:
    (tmp_path / "words.json").write_text('["Kerrigan"]', "utf-8")
    words = SiteWords(tmp_path)
    assert "kerrigan" in words
    words.add("Ostrova")
    assert json.loads((tmp_path / "words.json").read_text("utf-8")) == ["kerrigan", "ostrova"]


def test_comments_and_blank_lines_are_no_words(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("# ours\n\nKerrigan\n", "utf-8")
    assert len(SiteWords(tmp_path)) == 1


@pytest.mark.parametrize("text", ['{"a": 1}', "[1, 2]", "[", b"\xff\xfe\x00"])
def test_unreadable_list_names_file_and_reason(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "words.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UnreadableWordList, match=r"words\.json: ."):
        SiteWords(tmp_path)
