"""The FHIR report, checked by two libraries: fhirclient (R4) and fhir.resources (R4B)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

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
from workstation.exports.fhir_report import EXTENSION, write_fhir


def _contained(resource: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in resource["contained"] if each["resourceType"] == kind]


@pytest.mark.parametrize(
    ("status", "word", "language"),
    [
        ("draft", "partial", "en"),
        ("preliminary", "preliminary", "zh"),
        ("final", "final", "en"),
        ("addended", "appended", "zh"),
        ("corrected", "corrected", "en"),
    ],
)
def test_two_libraries_accept_it_with_its_status(
    make_study: MakeStudy, status: ReportStatus, word: str, language: Language
) -> None:
    fhirclient = pytest.importorskip("fhirclient.models.diagnosticreport")
    fhir_resources = pytest.importorskip("fhir.resources.R4B.diagnosticreport")
    study = make_study(language)
    resource = json.loads(write_fhir(study.bring_to(status)))
    parsed = fhirclient.DiagnosticReport(resource, strict=True)
    assert parsed.as_json()["status"] == word
    assert fhir_resources.DiagnosticReport.model_validate(resource).status == word
    names = parsed.contained[0].name
    assert [(name.family, name.given) for name in names] == [
        ("Wang", ["XiaoDong"]),
        ("王", ["小东"]),
    ]
    assert _signers(resource) == ([] if status == "draft" else [SIGNERS[language]])


def _signers(resource: dict[str, Any]) -> list[str]:
    people = _contained(resource, "Practitioner")
    return [each["name"][0]["text"] for each in people if each["id"] == "signer"]


def test_every_reference_leads_to_something_contained(study: ReportedStudy) -> None:
    resource = json.loads(write_fhir(study.bring_to("addended")))
    known = {f"#{each['id']}" for each in resource["contained"]}

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
            return own.union(*(references(each) for each in value.values()))
        if isinstance(value, list):
            return set().union(*(references(each) for each in value))
        return set()

    assert references(resource) == known


def test_sentences_findings_and_provenance_are_observations(study: ReportedStudy) -> None:
    resource = json.loads(write_fhir(study.bring_to("addended")))
    observations = {each["id"]: each for each in _contained(resource, "Observation")}
    (device,) = _contained(resource, "Device")
    assert device["version"][0]["value"] == MODEL_SHA256
    told = {}
    for each in observations.values():
        for extension in each.get("extension", []):
            if extension["url"] == EXTENSION + "provenance":
                authors = ("device" in each, "performer" in each)
                told[each["valueString"]] = (extension["valueCode"], *authors)
    expected = {
        "ai": ("ai", True, False),
        "edited": ("edited", True, True),
        "human": ("human", False, True),
    }
    assert told == {text: expected[provenance] for text, provenance in FINDINGS["en"]}
    effusion = next(
        each for each in observations.values() if each["code"]["text"] == "pleural effusion"
    )
    assert effusion["code"]["coding"][0] == {
        "system": "http://snomed.info/sct",
        "code": "60046008",
        "display": "pleural effusion",
    }
    assert effusion["valueCodeableConcept"]["text"] == "Present"
    assert effusion["component"][0]["valueCodeableConcept"]["text"] == "Left"
    assert observations["addendum-1"]["valueString"] == ADDENDA["en"]
    assert observations["measurement-2"]["valueQuantity"]["value"] == 0.44


def test_hashes_use_and_the_report_before_are_in_it(study: ReportedStudy) -> None:
    final = json.loads(write_fhir(study.bring_to("final")))
    study.correct()
    corrected = json.loads(write_fhir(study.read()))
    signature = study.sign_off.signature(study.uid)
    assert signature is not None
    said = {each["url"].removeprefix(EXTENSION): each for each in corrected["extension"]}
    assert said["model-sha256"]["valueString"] == MODEL_SHA256
    assert said["audit-head"]["valueString"] == signature.audit_head
    assert said["research-use"]["valueString"] == "Research use — not for diagnosis"
    assert said["correction-reason"]["valueString"] == "wrong size"
    assert said["replaces"]["valueIdentifier"] == final["identifier"][0]
    text = base64.b64decode(corrected["presentedForm"][0]["data"]).decode()
    assert "王小东" in text
    assert "Research use — not for diagnosis" in corrected["text"]["div"]
