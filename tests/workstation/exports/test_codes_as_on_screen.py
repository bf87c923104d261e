"""What a report leaves the house with in codes is what the reader saw, statement by statement."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import groupby
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

import workstation
from inference.evaluation.measure_extraction import read_reports
from inference.phantom import sample_case
from inference.report_language import CONCEPTS, CannotRewrite, Language, Statement
from inference.report_language.statements import LANGUAGES
from inference.report_language.template import compose_findings, compose_impression
from tests.workstation.reported_studies import MakeStudy, ReportedStudy
from workstation.exports import coded_concepts as coded
from workstation.exports.exported_report import ExportedReport
from workstation.exports.fhir_report import write_fhir
from workstation.exports.hl7_message import write_hl7
from workstation.exports.structured_report import write_structured_report
from workstation.reporting.checks.report_check import ReportContext
from workstation.reporting.checks.report_checks import check_report
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import SECTIONS, ReportState
from workstation.ui.report.statements.statement_rows import list_rows

_Codes = frozenset[str]  # of one statement: its finding, presence, side, zone and severity
_Said = list[tuple[str, list[_Codes]]]  # every sentence's words, with what it states

# Put between others: half-typed, flipped, listed, doubtful, of follow-up; most without a full stop,
# so that read as one text each would say something of its neighbours.
ROWS: dict[Language, tuple[str, ...]] = {
    "en": (
        "Small left effusion", "no pneumothorax", "No", "Possible mild edema", "or pneumonia",
        "2. Nodule in the right upper zone", "3) no fracture", "unchanged since the prior film",
        "Pneumonia cannot be excluded", "Large right pneumothorax, no mass", "without", "e.g",
        "Endotracheal tube 3.5 cm above the carina", "Impression:", "No effusion; mass.", "Nodule?",
    ),
    "zh": (
        "左侧少量胸腔积液", "未见气胸", "未", "可能轻度肺水肿", "或肺炎", "2、右上肺结节",
        "3）未见骨折", "较前无变化", "肺炎不能除外", "右侧大量气胸，未见肿块", "不伴",
        "气管插管位于隆突上3.5cm", "诊断：", "无胸水；肿块。", "结节？",
    ),
}  # fmt: skip


def _on_screen(state: ReportState) -> _Said:
    said: _Said = []
    for row in list_rows(DraftReport(state)):
        if row.kind == "sentence":
            said.append((row.text, []))
        if row.statement is not None:
            said[-1][1].append(_codes_of(row.statement))
    return said


def _codes_of(statement: Statement) -> _Codes:
    codes = {coded.finding_code(statement.concept).value, coded.PRESENCES[statement.status].value}
    if statement.side is not None:
        codes.add(coded.LATERALITIES[statement.side].value)
    if statement.zone is not None:
        codes.add(coded.ZONES[statement.zone].value)
    if statement.severity is not None:
        codes.add(coded.SEVERITIES[statement.severity].value)
    return frozenset(codes)


def _in_structured_report(report: ExportedReport) -> _Said:
    root = pydicom.dcmread(BytesIO(write_structured_report(report)))
    elements = {code.value for code in coded.ELEMENTS.values()}
    return [
        (str(item.TextValue), list(_coded_statements(item)))
        for heading in root.ContentSequence
        for item in heading.get("ContentSequence", [])
        if item.ValueType == "TEXT" and _value(item.ConceptNameCodeSequence[0]) in elements
    ]


def _coded_statements(sentence: Dataset) -> Iterator[_Codes]:
    for item in sentence.ContentSequence:
        if _value(item.ConceptNameCodeSequence[0]) == coded.FINDING.value:
            said = [item, *item.ContentSequence]
            yield frozenset(_value(each.ConceptCodeSequence[0]) for each in said)


def _value(code: Dataset) -> str:
    """Of up to 16 letters, or longer (PS3.3 8.1)."""
    return str(code.get("CodeValue") or code.LongCodeValue)


def _in_fhir(report: ExportedReport) -> _Said:
    contained = json.loads(write_fhir(report))["contained"]
    by_id = {f"#{each['id']}": each for each in contained if each["resourceType"] == "Observation"}
    said: _Said = []
    for name, each in by_id.items():
        if re.fullmatch(r"#sentence-\d+", name):
            members = [by_id[member["reference"]] for member in each.get("hasMember", [])]
            said.append((each["valueString"], [_observed(member) for member in members]))
    return said


def _observed(observation: dict[str, object]) -> _Codes:
    text = json.dumps([observation[key] for key in ("code", "valueCodeableConcept")])
    said = [text]
    for component in json.loads(json.dumps(observation.get("component", []))):
        said.append(json.dumps(component["valueCodeableConcept"]))
    return frozenset(code for each in said for code in re.findall(r'"code": "([^"]+)"', each))


def _in_hl7(report: ExportedReport) -> _Said:
    lines = write_hl7(report).decode("utf-8").split("\r")
    segments = [line.split("|") for line in lines if line.startswith("OBX")]
    headings = {code.value for code in coded.HEADINGS.values()}
    numbered = [each for each in segments if each[4].isdigit()]
    said: _Said = []
    for _, of_sentence in groupby(numbered, key=lambda each: each[4]):
        words, *stated = of_sentence
        assert words[3].split("^")[0] in headings
        codes = [
            frozenset((each[3].split("^")[0], *(v.split("^")[0] for v in each[5].split("~"))))
            for each in stated
        ]
        said.append((words[5], codes))
    return said


def _expect_same(report: ExportedReport, state: ReportState) -> None:
    """In every coded form, and in what the checks hold for stated."""
    seen = _on_screen(state)
    issue = replace(report, state=state)
    assert _in_structured_report(issue) == seen
    assert _in_fhir(issue) == seen
    assert [stated for _, stated in _in_hl7(issue)] == [stated for _, stated in seen]
    rows = list_rows(DraftReport(state))
    stated = {row.statement.concept for row in rows if row.statement is not None}
    concepts = tuple(concept.name for concept in CONCEPTS)
    checks = check_report(state, ReportContext(required=concepts))
    if state.findings:
        asked = {check.concept for check in checks if check.rule == "not_stated"}
        assert asked == set(concepts) - stated


def _expect_text_says_it(state: ReportState) -> None:
    """The words that are signed and printed, read again, are the sentences they were made from."""
    reopened = _draft(state.findings_text, state.impression_text, state.language).state
    for section in SECTIONS:
        expected = [each.text for each in state.sentences(section)]
        assert [each.text for each in reopened.sentences(section)] == expected


def _draft(findings: str, impression: str, language: Language) -> DraftReport:
    report = DraftReport(ReportState(language=language))
    report.set_from_draft(findings, impression, language=language)
    return report


def _edit(report: DraftReport, dice: random.Random) -> None:
    """Rows rewritten, added, deleted, flipped and withdrawn, a letter typed in between."""
    for _ in range(3):
        section = dice.choice(SECTIONS)
        rows = report.state.sentences(section)
        words = dice.choice(ROWS[report.language])
        report.add_sentence(section, words, dice.randrange(len(rows) + 1))
        chosen = dice.choice(report.state.sentences(section))
        report.edit_sentence(section, chosen.id, chosen.text.rstrip(".。 "))
        if stated := report.statements(section):
            sentence, statement = dice.choice(stated)
            try:
                report.flip_statement(section, sentence.id, statement)
            except CannotRewrite:
                report.delete_sentence(section, sentence.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_reports_of_the_template_edited_row_by_row(
    make_study: MakeStudy, language: Language
) -> None:
    exported = make_study(language).bring_to("final")
    dice = random.Random(f"rows {language}")
    for seed in range(6):
        said = sample_case(seed, kind="chest").statements
        report = _draft(
            compose_findings(said, language), compose_impression(said, language), language
        )
        _expect_same(exported, report.state)
        _edit(report, dice)
        _expect_same(exported, report.state)
        _expect_text_says_it(report.state)


def test_real_reports_as_drafted_and_edited(study: ReportedStudy, shared_data: Path) -> None:
    exported = study.bring_to("final")
    dice = random.Random("open-i")
    for row in read_reports(shared_data / "text" / "openi_development.tsv")[::380]:
        report = _draft(row["findings"], row["impression"], "en")
        _expect_same(exported, report.state)
        _edit(report, dice)
        _expect_same(exported, report.state)
        _expect_text_says_it(report.state)


@pytest.mark.parametrize(
    ("language", "rows"),
    [
        ("en", ("no pneumothorax", "Right rib fracture.")),
        ("en", ("Possible mild edema", "Large left pneumothorax.")),
        ("en", ("Nodule in the right mid zone", "Left rib fracture.")),
        ("zh", ("未", "右侧膈肌抬高。")),
        ("zh", ("不能除外", "左侧大量胸腔积液。")),
    ],
)
def test_no_row_speaks_for_its_neighbour(
    make_study: MakeStudy, language: Language, rows: tuple[str, str]
) -> None:
    """Each of these, read as one text, denies, doubts or moves what the second row affirms."""
    exported = make_study(language).bring_to("final")
    state = exported.state
    first, second, *_ = state.findings
    state = state.with_section(
        "findings", (replace(first, text=rows[0]), replace(second, text=rows[1]))
    )
    _expect_same(exported, state)
    last = _in_structured_report(replace(exported, state=state))[1][1][-1]
    assert coded.PRESENCES["present"].value in last


def test_one_module_alone_reads_reports() -> None:
    """A second reading would be a second opinion of what was signed."""
    folder = Path(workstation.__file__).parent
    readers = {
        path.name
        for path in folder.rglob("*.py")
        if "extract_statements" in path.read_text(encoding="utf-8")
    }
    assert readers == {"sentence_statements.py"}
