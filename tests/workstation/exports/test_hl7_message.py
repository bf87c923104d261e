"""The HL7 message, parsed back by hl7apy and python-hl7."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.report_language import Language
from tests.workstation.reported_studies import (
    ADDENDA,
    FINDINGS,
    MODEL_SHA256,
    SIGNERS,
    MakeStudy,
    ReportedStudy,
)
from workstation.exports.exported_report import ReportStatus
from workstation.exports.hl7_message import escape_text, write_hl7

hl7 = pytest.importorskip("hl7")
hl7apy = pytest.importorskip("hl7apy.parser")

_BACK = {"E": "\\", "F": "|", "S": "^", "T": "&", "R": "~", ".br": "\n"}


def _unescape(text: str) -> str:
    return re.sub(r"\\([EFSTR]|\.br)\\", lambda match: _BACK[match.group(1)], text)


@pytest.mark.parametrize(
    ("status", "letter", "language"),
    [
        ("draft", "R", "en"),
        ("preliminary", "P", "zh"),
        ("final", "F", "en"),
        ("addended", "C", "zh"),
        ("corrected", "C", "en"),
    ],
)
def test_a_strangers_parser_accepts_it(
    make_study: MakeStudy, tmp_path: Path, status: ReportStatus, letter: str, language: Language
) -> None:
    study = make_study(language)
    message = write_hl7(study.bring_to(status)).decode("utf-8")
    parsed = hl7apy.parse_message(message, find_groups=True)
    assert parsed.validate(report_file=str(tmp_path / "faults"))
    assert "Error" not in (tmp_path / "faults").read_text()
    assert parsed.msh.msh_9.value == "ORU^R01^ORU_R01"
    assert parsed.msh.msh_18.value == "UNICODE UTF-8"
    segments = hl7.parse(message)
    assert str(segments.segment("OBR")[25]) == letter
    assert {str(each[11]) for each in segments.segments("OBX")} == {letter}
    names = str(segments.segment("PID")[5])
    assert names == "Wang^XiaoDong^^^^^L^A~王^小东^^^^^L^I"
    assert str(segments.segment("PID")[3]) == "P-17\\F\\a^^^^PI"
    assert str(segments.segment("OBR")[18]) == "ACC\\T\\17"
    signed = f"&{SIGNERS[language]}" if status != "draft" else ""
    assert str(segments.segment("OBR")[32] if signed else "") == signed


def test_sentences_read_back_with_who_wrote_them(study: ReportedStudy) -> None:
    segments = hl7.parse(write_hl7(study.bring_to("addended")).decode("utf-8"))
    told, stated = {}, {}
    for each in segments.segments("OBX"):
        value = _unescape(str(each[5]))
        if str(each[2]) == "FT" and str(each[3]).startswith("59776-5^"):
            written_by_model = len(each) > 18 and str(each[18]).startswith(MODEL_SHA256)
            told[value] = (str(each[17]).split("^")[0], written_by_model, bool(str(each[16])))
        elif str(each[2]) == "CE":
            stated[str(each[3]).split("^")[0]] = value
        elif str(each[3]).startswith("55107-7^"):
            assert value == ADDENDA["en"]
    expected = {
        "ai": ("ai", True, False),
        "edited": ("edited", True, True),
        "human": ("human", False, True),
    }
    assert told == {text: expected[provenance] for text, provenance in FINDINGS["en"]}
    assert stated["60046008"].startswith("52101004^Present^SCT~7771000^Left^SCT")
    assert stated["36118008"] == "272519000^Absent^SCT"


def test_hashes_and_intended_use_are_in_it(study: ReportedStudy) -> None:
    report = study.bring_to("final")
    segments = hl7.parse(write_hl7(report).decode("utf-8"))
    said = {str(each[3]).split("^")[0]: str(each[5]) for each in segments.segments("OBX")}
    assert said["research-use"] == "Research use — not for diagnosis"
    assert said["model-sha256"] == MODEL_SHA256
    assert said["audit-head"] == report.audit_head
    assert said["113014"] == study.uid
    assert said["cardiothoracic-ratio"] == "0.44"


@given(
    st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"]))
)
def test_no_text_breaks_the_message(text: str) -> None:
    escaped = escape_text(f"a{text}\n|^&~\\b")
    assert not set("|^&~\r\n") & set(escaped)
    assert _unescape(escaped).split() == f"a{text}\n|^&~\\b".split()
