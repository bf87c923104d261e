"""The Structured Report, checked by dciodvfy and dsrdump."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from inference.report_language import Language
from tests.workstation.foreign_programs import find_tool
from tests.workstation.reported_studies import (
    ADDENDA,
    FINDINGS,
    IMAGE_SHA256,
    MODEL_SHA256,
    SIGNERS,
    MakeStudy,
    ReportedStudy,
)
from workstation.exports.exported_report import ExportFailed, ReportStatus
from workstation.exports.structured_report import write_structured_report


def _read(content: bytes) -> Dataset:
    return pydicom.dcmread(BytesIO(content))


def _items(dataset: Dataset, depth: int = 0) -> Iterator[Dataset]:
    for item in dataset.get("ContentSequence", []):
        yield item
        yield from _items(item, depth + 1)


def _name(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)


def _texts(dataset: Dataset) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in _items(dataset):
        if item.ValueType == "TEXT":
            found.setdefault(_name(item), []).append(str(item.TextValue))
    return found


@pytest.mark.parametrize(
    ("status", "language"),
    [
        ("draft", "en"),
        ("preliminary", "zh"),
        ("final", "en"),
        ("addended", "zh"),
        ("corrected", "en"),
    ],
)
def test_strangers_validators_accept_it(
    make_study: MakeStudy, tmp_path: Path, status: ReportStatus, language: Language
) -> None:
    checker, reader = find_tool("dciodvfy", "dicom3tools"), find_tool("dsrdump", "dcmtk")
    study = make_study(language)
    path = tmp_path / "report.dcm"
    path.write_bytes(write_structured_report(study.bring_to(status)))
    checked = subprocess.run([checker, path], capture_output=True, text=True, check=False)
    assert "Error" not in checked.stderr
    assert checked.stderr.startswith("EnhancedSR")
    assert checked.returncode == 0
    printed = subprocess.run([reader, "+Pl", path], capture_output=True, check=False)
    assert printed.returncode == 0, printed.stderr
    text = printed.stdout.decode("utf-8")
    assert "Wang^XiaoDong=王^小东" in text
    assert "E:" not in printed.stderr.decode()
    for sentence, _ in FINDINGS[language]:
        assert sentence in text


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        ("draft", ("PARTIAL", "UNVERIFIED", "PRELIMINARY")),
        ("preliminary", ("COMPLETE", "UNVERIFIED", "PRELIMINARY")),
        ("final", ("COMPLETE", "VERIFIED", "FINAL")),
        ("addended", ("COMPLETE", "VERIFIED", "FINAL")),
        ("corrected", ("COMPLETE", "VERIFIED", "FINAL")),
    ],
)
def test_a_report_leaves_only_as_what_it_is(
    study: ReportedStudy, status: ReportStatus, flags: tuple[str, str, str]
) -> None:
    dataset = _read(write_structured_report(study.bring_to(status)))
    assert (dataset.CompletionFlag, dataset.VerificationFlag, dataset.PreliminaryFlag) == flags
    observers = dataset.get("VerifyingObserverSequence", [])
    assert bool(observers) == (flags[1] == "VERIFIED")
    assert _texts(dataset)["Status of the report"] == [status]
    if observers:
        signature = study.sign_off.signature(study.uid)
        assert signature is not None
        assert observers[0].VerifyingObserverName == f"{SIGNERS['en']}^"
        moment = signature.signed_at.replace("-", "").replace(":", "").replace("T", "")
        assert str(observers[0].VerificationDateTime)[:14] == moment[:14]


def test_a_preliminary_report_edited_since_is_a_draft_again(study: ReportedStudy) -> None:
    before = study.bring_to("preliminary")
    state = study.read().state
    changed = state.with_section("impression", ())
    study.sources.reports.save_draft(study.uid, changed, [])
    after = study.read()
    assert (before.status, after.status) == ("preliminary", "draft")
    dataset = _read(write_structured_report(after))
    assert dataset.CompletionFlag == "PARTIAL"
    # Nobody stands behind the new text: the signer is named by the issue before only.
    assert SIGNERS["en"] not in str(dataset)
    assert after.predecessor is not None
    assert after.predecessor.document_uid("sr") == before.document_uid("sr")


def test_every_issue_refers_to_those_before(study: ReportedStudy) -> None:
    final = _read(write_structured_report(study.bring_to("final")))
    study.sign_off.add_addendum(study.uid, "Dr. Roe", ADDENDA["en"])
    addended = _read(write_structured_report(study.read()))
    study.correct()
    corrected = _read(write_structured_report(study.read()))

    def predecessors(dataset: Dataset) -> set[str]:
        return {
            str(instance.ReferencedSOPInstanceUID)
            for each in dataset.get("PredecessorDocumentsSequence", [])
            for series in each.ReferencedSeriesSequence
            for instance in series.ReferencedSOPSequence
        }

    assert predecessors(final) == set()
    assert predecessors(addended) == {final.SOPInstanceUID}
    assert predecessors(corrected) == {final.SOPInstanceUID, addended.SOPInstanceUID}
    assert [each.InstanceNumber for each in (final, addended, corrected)] == [1, 2, 3]
    assert len({each.SeriesInstanceUID for each in (final, addended, corrected)}) == 1
    assert ADDENDA["en"] in _texts(addended)["Comment"]
    assert _texts(corrected)["Reason of the correction"] == ["wrong size"]
    assert _texts(corrected)["Impression"] == ["Moderate left pleural effusion."]


def test_it_is_the_same_bytes_every_time_until_the_report_changes(study: ReportedStudy) -> None:
    study.bring_to("final")
    first, again = (write_structured_report(study.read()) for _ in range(2))
    assert first == again
    plain = write_structured_report(study.read(with_measurements=False))
    assert _read(plain).SOPInstanceUID != _read(first).SOPInstanceUID


def test_every_sentence_says_who_wrote_it(study: ReportedStudy) -> None:
    dataset = _read(write_structured_report(study.bring_to("final")))
    sentences = [item for item in _items(dataset) if item.ValueType == "TEXT"]
    told = {}
    for item in sentences:
        if _name(item) != "Finding":
            continue
        below = {_name(each): each for each in item.ContentSequence}
        provenance = below["Provenance of the sentence"].ConceptCodeSequence[0].CodeValue
        told[item.TextValue] = (
            provenance,
            "Algorithm Version" in below,
            "Person Observer Name" in below,
        )
        if "Algorithm Version" in below:
            assert below["Algorithm Version"].TextValue == MODEL_SHA256
    expected = {
        "ai": ("ai", True, False),
        "edited": ("edited", True, True),
        "human": ("human", False, True),
    }
    assert told == {text: expected[provenance] for text, provenance in FINDINGS["en"]}


def test_findings_negatives_and_sides_are_coded(study: ReportedStudy) -> None:
    dataset = _read(write_structured_report(study.bring_to("final")))
    coded: dict[str, list[tuple[str, str]]] = {}
    for item in _items(dataset):
        if item.ValueType == "CODE" and _name(item) == "Finding":
            finding = item.ConceptCodeSequence[0]
            code = finding.get("CodeValue") or finding.LongCodeValue
            coded[f"{finding.CodingSchemeDesignator} {code}"] = [
                (_name(each), each.ConceptCodeSequence[0].CodeMeaning)
                for each in item.ContentSequence
            ]
    assert coded["SCT 60046008"] == [
        ("Presence of property", "Present"),
        ("Laterality", "Left"),
        ("Severity", "Small"),
    ]
    assert coded["SCT 36118008"] == [("Presence of property", "Absent")]
    assert coded["RADLEX RID4650"] == [("Presence of property", "Absent")]


def test_hashes_chain_head_measurements_and_the_films_are_in_it(study: ReportedStudy) -> None:
    dataset = _read(write_structured_report(study.bring_to("final")))
    signature = study.sign_off.signature(study.uid)
    assert signature is not None
    texts = _texts(dataset)
    assert texts["SHA-256 of the model's weights"] == [MODEL_SHA256]
    assert texts["SHA-256 of the images the model saw"] == [IMAGE_SHA256]
    assert texts["Head of the audit chain"] == [signature.audit_head]
    assert texts["SHA-256 of the signed text"] == [signature.text_sha256]
    assert texts["Intended use"] == ["Research use — not for diagnosis"]
    assert dataset.ContentQualification == "RESEARCH"
    numbers = {
        _name(item): str(item.MeasuredValueSequence[0].NumericValue)
        for item in _items(dataset)
        if item.ValueType == "NUM" and item.RelationshipType == "CONTAINS"
    }
    assert set(numbers) == {"Length", "Cardiothoracic ratio"}
    assert numbers["Cardiothoracic ratio"] == "0.44"
    film = pydicom.dcmread(study.film, stop_before_pixels=True)
    images = [item for item in _items(dataset) if item.ValueType == "IMAGE"]
    for item in images:
        assert item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID
    assert len(images) == 3  # key image, and what each measurement was taken on
    assert dataset.StudyInstanceUID == film.StudyInstanceUID
    assert dataset.PatientID == film.PatientID


def test_a_film_of_no_class_of_dicom_is_named(make_study: MakeStudy) -> None:
    odd = make_study("en", SOPClassUID="1.2.111.10008.2.1.4.1.1.2")
    with pytest.raises(ExportFailed, match=r"film-1\.dcm: its SOP class '1\.2\.111\."):
        odd.exporter.make(odd.read(), "sr")


def test_a_correction_not_signed_yet_does_not_leave(study: ReportedStudy) -> None:
    signed = study.bring_to("final")
    study.sign_off.start_correction(study.uid, SIGNERS["en"], "wrong size")
    state = signed.state.with_section("impression", ())
    study.sources.reports.save_draft(study.uid, state, [])
    assert study.read() == signed
