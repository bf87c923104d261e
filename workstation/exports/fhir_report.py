"""FHIR R4 DiagnosticReport (hl7.org/fhir/R4) with all it refers to contained in it: patient, study,
signer, model, an Observation a sentence and one a finding stated."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from inference.report_language import Statement
from workstation.exports import coded_concepts as coded
from workstation.exports.coded_concepts import CodedConcept
from workstation.exports.exported_report import (
    ExportedMeasurement,
    ExportedReport,
    ReportStatus,
)
from workstation.exports.person_names import NameParts, name_groups
from workstation.exports.plain_text import write_text
from workstation.exports.report_provenance import model_of, provenance_values, sentence_values
from workstation.exports.wording import RESEARCH_USE, status_words
from workstation.reporting.report_state import Section, Sentence

Resource = dict[str, Any]

EXTENSION = "urn:echo-workstation:"
_STATUSES: Mapping[ReportStatus, str] = {
    "draft": "partial",  # "data in the report may be incomplete or unverified"
    "preliminary": "preliminary",
    "final": "final",
    "addended": "appended",
    "corrected": "corrected",
}
_OBSERVED: Mapping[ReportStatus, str] = {
    "draft": "registered",
    "preliminary": "preliminary",
    "final": "final",
    "addended": "final",
    "corrected": "corrected",
}
_SEXES = {"M": "male", "F": "female", "O": "other"}


def write_fhir(report: ExportedReport) -> bytes:
    """JSON in UTF-8; the same report always gives the same bytes."""
    resource = build_diagnostic_report(report)
    return (json.dumps(resource, ensure_ascii=False, indent=2) + "\n").encode()


def build_diagnostic_report(report: ExportedReport) -> Resource:
    """Status partial, preliminary, final, appended (with an addendum) or corrected."""
    sentences = [
        each
        for number, (section, sentence) in enumerate(report.sentences, start=1)
        for each in _sentence_observations(report, section, sentence, number)
    ]
    measured = [
        _measurement(report, each, number)
        for number, each in enumerate(report.measurements, start=1)
    ]
    addenda = [_addendum(report, number) for number in range(1, len(report.addenda) + 1)]
    observations = [*sentences, *measured, *addenda]
    signer = [{"reference": "#signer"}] if _is_signed_by_someone(report) else []
    resource: Resource = {
        "resourceType": "DiagnosticReport",
        "id": report.document_uid("fhir"),
        "meta": {"tag": [_coding(coded.RESEARCH) | {"display": RESEARCH_USE["en"]}]},
        "language": report.language,
        "text": {"status": "generated", "div": _narrative(report)},
        "contained": [*_people_and_things(report), *observations],
        "extension": [
            {"url": EXTENSION + code.value, "valueString": value}
            for code, value in provenance_values(report)
        ],
        "identifier": [_uid_identifier(report.document_uid("fhir")), *_accession(report)],
        "status": _STATUSES[report.status],
        "category": [{"coding": [_RADIOLOGY]}],
        "code": _codeable(coded.XRAY_REPORT),
        "subject": {"reference": "#patient"},
        "effectiveDateTime": _study_moment(report) or report.issued_at,
        "issued": report.issued_at,
        "performer": signer,
        "resultsInterpreter": signer,
        "result": [{"reference": f"#{each['id']}"} for each in observations],
        "imagingStudy": [{"reference": "#study"}],
        "conclusion": report.state.impression_text,
        "presentedForm": [_presented(report)],
    }
    if report.predecessor is not None:
        before = _uid_identifier(report.predecessor.document_uid("fhir"))
        resource["extension"].append({"url": EXTENSION + "replaces", "valueIdentifier": before})
    return _without_blanks(resource)


_RADIOLOGY = {
    "system": "http://terminology.hl7.org/CodeSystem/v2-0074",
    "code": "RAD",
    "display": "Radiology",
}


def _is_signed_by_someone(report: ExportedReport) -> bool:
    return report.signature is not None and report.status != "draft"


def _people_and_things(report: ExportedReport) -> list[Resource]:
    contained = [_patient(report), _imaging_study(report)]
    if report.signature is not None and _is_signed_by_someone(report):
        contained.append(_practitioner("signer", report.signature.signer))
    for number, addendum in enumerate(report.addenda, start=1):
        contained.append(_practitioner(f"author-{number}", addendum.author))
    if report.model_sha256:
        contained.append(
            {
                "resourceType": "Device",
                "id": "model",
                "deviceName": [{"name": report.model_name or "model", "type": "model-name"}],
                "version": [{"value": report.model_sha256}],
                "note": [{"text": RESEARCH_USE["en"]}],
            }
        )
    return contained


def _patient(report: ExportedReport) -> Resource:
    study = report.study
    names = []
    forms = zip(name_groups(study.patient_name), ("ABC", "IDE"), strict=True)
    for parts, representation in forms:
        if parts is not None:
            names.append(_human_name(parts, representation))
    day = study.patient_birth_date
    return {
        "resourceType": "Patient",
        "id": "patient",
        "identifier": [
            {
                "value": study.patient_id,
                "assigner": {"display": study.issuer_of_patient_id},
            }
        ],
        "name": names,
        "gender": _SEXES.get(study.patient_sex, "unknown"),
        "birthDate": f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else "",
    }


def _human_name(parts: NameParts, representation: str) -> Resource:
    """With the extension that tells the alphabetic from the ideographic form."""
    extension = {
        "url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation",
        "valueCode": representation,
    }
    return {
        "extension": [extension],
        "use": "official",
        "text": parts.text,
        "family": parts.family,
        "given": [part for part in (parts.given, parts.middle) if part],
        "prefix": [parts.prefix] if parts.prefix else [],
        "suffix": [parts.suffix] if parts.suffix else [],
    }


def _practitioner(identifier: str, name: str) -> Resource:
    return {"resourceType": "Practitioner", "id": identifier, "name": [{"text": name}]}


def _imaging_study(report: ExportedReport) -> Resource:
    series: dict[str, Resource] = {}
    for image in report.images:
        modality = image.technique.split(" ")[0]
        one = series.setdefault(
            image.series_instance_uid,
            {
                "uid": image.series_instance_uid,
                "modality": {"system": _SYSTEM_DCM, "code": modality},
                "instance": [],
            },
        )
        one["instance"].append(
            {
                "uid": image.sop_instance_uid,
                "sopClass": {
                    "system": "urn:ietf:rfc:3986",
                    "code": f"urn:oid:{image.sop_class_uid}",
                },
            }
        )
    return {
        "resourceType": "ImagingStudy",
        "id": "study",
        "identifier": [_uid_identifier(report.study.study_instance_uid), *_accession(report)],
        "status": "available",
        "subject": {"reference": "#patient"},
        "started": _study_moment(report),
        "description": report.study.study_description,
        "series": list(series.values()),
    }


_SYSTEM_DCM = "http://dicom.nema.org/resources/ontology/DCM"


def _sentence_observations(
    report: ExportedReport, section: Section, sentence: Sentence, number: int
) -> list[Resource]:
    """The sentence, and below it what it states."""
    statements = report.statements(section).get(sentence.id, [])
    members = [
        _statement(report, each, f"sentence-{number}-finding-{index}")
        for index, each in enumerate(statements, start=1)
    ]
    extensions: list[Resource] = [
        {
            "url": EXTENSION + coded.PROVENANCE.value,
            "valueCode": coded.PROVENANCES[sentence.provenance].value,
        }
    ]
    if sentence.confidence is not None:
        value = round(sentence.confidence, 4)
        extensions.append({"url": EXTENSION + coded.CONFIDENCE.value, "valueDecimal": value})
    extensions += [
        {"url": EXTENSION + code.value, "valueString": value}
        for code, value in sentence_values(sentence)
    ]
    observation = _observation(report, f"sentence-{number}", coded.HEADINGS[section])
    observation |= {
        "extension": extensions,
        "valueString": sentence.text,
        "hasMember": [{"reference": f"#{each['id']}"} for each in members],
    }
    drafted_by = model_of(report, sentence)[1]
    if drafted_by and drafted_by == report.model_sha256:  # else the extensions alone say which
        observation["device"] = {"reference": "#model"}
    if sentence.provenance != "ai" and _is_signed_by_someone(report):
        observation["performer"] = [{"reference": "#signer"}]
    return [observation, *members]


def _statement(report: ExportedReport, statement: Statement, identifier: str) -> Resource:
    observation = _observation(report, identifier, coded.finding_code(statement.concept))
    observation["valueCodeableConcept"] = _codeable(coded.PRESENCES[statement.status])
    said = []
    if statement.side is not None:
        said.append((coded.LATERALITY, coded.LATERALITIES[statement.side]))
    if statement.zone is not None:
        said.append((coded.ZONE, coded.ZONES[statement.zone]))
    if statement.severity is not None:
        said.append((coded.SEVERITY, coded.SEVERITIES[statement.severity]))
    observation["component"] = [
        {"code": _codeable(name), "valueCodeableConcept": _codeable(value)} for name, value in said
    ]
    return observation


def _measurement(report: ExportedReport, measured: ExportedMeasurement, number: int) -> Resource:
    name = coded.MEASUREMENTS[measured.kind]
    observation = _observation(report, f"measurement-{number}", name)
    observation["note"] = [{"text": measured.text}]
    if measured.value is None:
        observation["valueString"] = measured.text
    else:
        observation["valueQuantity"] = {
            "value": measured.value,
            "unit": measured.unit,
            "system": "http://unitsofmeasure.org",
            "code": measured.unit,
        }
    return observation


def _addendum(report: ExportedReport, number: int) -> Resource:
    addendum = report.addenda[number - 1]
    observation = _observation(report, f"addendum-{number}", coded.ADDENDUM)
    return observation | {
        "issued": addendum.added_at,
        "performer": [{"reference": f"#author-{number}"}],
        "valueString": addendum.text,
    }


def _observation(report: ExportedReport, identifier: str, code: CodedConcept) -> Resource:
    return {
        "resourceType": "Observation",
        "id": identifier,
        "status": _OBSERVED[report.status],
        "code": _codeable(code),
        "subject": {"reference": "#patient"},
        "derivedFrom": [{"reference": "#study"}],
    }


def _presented(report: ExportedReport) -> Resource:
    text = write_text(report).encode()
    return {
        "contentType": "text/plain; charset=utf-8",
        "language": report.language,
        "data": base64.b64encode(text).decode(),
        "title": status_words(report),
    }


def _narrative(report: ExportedReport) -> str:
    """XHTML, for whoever can't show the rest."""
    paragraphs = write_text(report).strip().split("\n\n")
    body = "".join(f"<p>{escape(each).replace(chr(10), '<br/>')}</p>" for each in paragraphs)
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'


def _study_moment(report: ExportedReport) -> str:
    """The day of the study: its time says no zone, and a FHIR time would need one."""
    day = report.study.study_date
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else ""


def _uid_identifier(uid: str) -> Resource:
    return {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}


def _accession(report: ExportedReport) -> list[Resource]:
    number = report.study.accession_number
    accession = {
        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
        "code": "ACSN",
    }
    return [{"type": {"coding": [accession]}, "value": number}] if number else []


def _codeable(concept: CodedConcept) -> Resource:
    return {"coding": [_coding(concept)], "text": concept.meaning}


def _coding(concept: CodedConcept) -> Resource:
    return {"system": concept.system, "code": concept.value, "display": concept.meaning}


def _without_blanks(value: Any) -> Any:
    """FHIR has no empty strings, lists or objects."""
    if isinstance(value, dict):
        kept = {key: _without_blanks(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in ("", [], {})}
    if isinstance(value, list):
        kept_items = [_without_blanks(each) for each in value]
        return [each for each in kept_items if each not in ("", [], {})]
    return value
