"""Every form says of each sentence which model wrote it, how sure it was, when, and who touched it
since; and a report of every stage is called what it is."""

from __future__ import annotations

import io
import json
import re

import hl7
import pydicom
import pytest
from pypdfium2 import PdfDocument

from tests.workstation.reported_studies import (
    DRAFTED_AT,
    DRAFTED_WORDS,
    MODEL_NAME,
    MODEL_SHA256,
    TOUCHED_AT,
    MakeStudy,
)
from workstation.exports.fhir_report import write_fhir
from workstation.exports.hl7_message import write_hl7
from workstation.exports.pdf_report import write_pdf
from workstation.exports.plain_text import write_text
from workstation.exports.structured_report import write_structured_report
from workstation.exports.wording import status_words

EDITED = "Small left pleural effusion."


def test_fhir_observation_of_an_edited_sentence_keeps_its_origin(make_study: MakeStudy) -> None:
    resource = json.loads(write_fhir(make_study().bring_to("final")))
    [observation] = [
        each
        for each in resource["contained"]
        if each.get("valueString") == EDITED and each["id"] == "sentence-3"
    ]
    said = {
        each["url"].split(":")[-1]: each.get("valueString") for each in observation["extension"]
    }
    assert said["sentence-model"] == MODEL_NAME
    assert said["sentence-model-sha256"] == MODEL_SHA256
    assert said["sentence-confidence"] == "0.9300"
    assert said["sentence-drafted-at"] == DRAFTED_AT
    assert said["sentence-drafted-text"] == DRAFTED_WORDS
    assert said["sentence-touched-by"] == "Dr. Roe"
    assert said["sentence-touched-at"] == TOUCHED_AT


def test_hl7_notes_follow_their_sentence_and_do_not_count(make_study: MakeStudy) -> None:
    message = hl7.parse(write_hl7(make_study().bring_to("final")).decode("utf-8"))
    numbers = [int(str(each[1])) for each in message.segments("OBX")]
    assert numbers == list(range(1, len(numbers) + 1))
    named = [str(each[0][0]) for each in message]
    place = next(n for n, each in enumerate(message) if EDITED in str(each))
    assert named[place + 1 : place + 8] == ["NTE"] * 7
    assert f"What the model wrote: {DRAFTED_WORDS}".replace("|", "\\F\\") in str(message)


def test_structured_report_hangs_the_origin_below_the_sentence(make_study: MakeStudy) -> None:
    report = make_study().bring_to("final")
    dataset = pydicom.dcmread(io.BytesIO(write_structured_report(report)))
    [sentence] = [
        item
        for container in dataset.ContentSequence
        for item in container.get("ContentSequence", [])
        if item.get("TextValue") == EDITED
        and item.ConceptNameCodeSequence[0].CodeMeaning == "Finding"
    ]
    said = {
        item.ConceptNameCodeSequence[0].CodeMeaning: item.TextValue
        for item in sentence.ContentSequence
        if item.ValueType == "TEXT"
    }
    assert said["What the model wrote"] == DRAFTED_WORDS
    assert said["When the sentence was drafted"] == DRAFTED_AT
    assert said["Who wrote, changed or accepted it"] == "Dr. Roe"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_text_and_pages_list_every_sentence(make_study: MakeStudy, language: str) -> None:
    report = make_study(language).bring_to("final")
    text = write_text(report)
    lines = [line for line in text.splitlines() if MODEL_NAME in line]
    runs = [re.match(r"(\d+)(?:–(\d+))?\. \[", line) for line in lines]
    told = [n for run in runs if run for n in range(int(run[1]), int(run[2] or run[1]) + 1)]
    numbered = enumerate(report.sentences, start=1)
    assert told == [n for n, (_, sentence) in numbered if sentence.origin is not None]
    pages = "".join(page.get_textpage().get_text_range() for page in PdfDocument(write_pdf(report)))
    assert pages.count(MODEL_NAME) == len(lines)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("draft", "DRAFT — not signed"),
        ("preliminary", "PRELIMINARY"),
        ("final", "Final report"),
        ("addended", "Final report with addendum"),
        ("corrected", "Corrected report"),
    ],
)
def test_report_leaves_as_what_it_is(make_study: MakeStudy, status: str, words: str) -> None:
    report = make_study().bring_to(status)  # type: ignore[arg-type]
    assert status_words(report) == words
    assert words in write_text(report)


def test_preliminary_report_edited_since_says_so(make_study: MakeStudy) -> None:
    study = make_study()
    before = study.bring_to("preliminary")
    state = before.state.with_section("impression", before.state.findings[:1])
    study.sources.reports.save_draft(study.uid, state, [])
    report = study.read()
    assert report.status == "draft"
    assert status_words(report) == "DRAFT — edited since the preliminary report, not signed"
    assert "PRELIMINARY" not in write_text(report)
