"""HL7 v2.5.1 ORU^R01: the report as an unsolicited observation (HL7 chapter 7), UTF-8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from inference.report_language import Statement
from workstation.exports import coded_concepts as coded
from workstation.exports.coded_concepts import CodedConcept
from workstation.exports.exported_report import ExportedReport, ReportStatus
from workstation.exports.person_names import NameParts, name_groups
from workstation.exports.report_provenance import model_of, provenance_values, sentence_values
from workstation.reporting.report_state import Section, Sentence

APPLICATION = "ECHO Workstation"
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
_RESULT_STATUS: Mapping[ReportStatus, str] = {  # table 0123
    "draft": "R",  # results stored; not yet verified
    "preliminary": "P",
    "final": "F",
    "addended": "C",  # the whole report again, which takes the place of the one before
    "corrected": "C",
}
_OBSERVATION_STATUS = _RESULT_STATUS  # table 0085 has the same letters for these
_NO_NAME = "^^^^^^U"  # PID-5 is required; table 0200: of unspecified kind
_NAME_FORMS = ("A", "I")  # table 4000: alphabetic, ideographic


def write_hl7(report: ExportedReport) -> bytes:
    """Segments ended by CR (2.5.1, 2.6); the same report always gives the same bytes."""
    segments = [_header(report), _patient(report), _order(report), *_Observations(report).all()]
    return ("\r".join(segments) + "\r").encode("utf-8")


def escape_text(text: str) -> str:
    """A value without any delimiter of the message (2.7): line breaks become \\.br\\, other
    control characters spaces."""
    parts = []
    for character in text.replace("\r\n", "\n"):
        if character == "\n":
            parts.append("\\.br\\")
        elif character in _ESCAPES:
            parts.append(_ESCAPES[character])
        else:
            parts.append(character if character.isprintable() or character == " " else " ")
    return "".join(parts)


def _segment(name: str, fields: Mapping[int, str]) -> str:
    """Fields by their number in the standard, already escaped."""
    values = [fields.get(number, "") for number in range(1, max(fields) + 1)]
    return "|".join([name, *values])


def _header(report: ExportedReport) -> str:
    # MSH-1 is the separator itself, so that MSH-2 is the first value after it.
    fields = {
        2: "^~\\&", 3: escape_text(APPLICATION), 4: escape_text(report.study.institution),
        7: _time(report.issued_at), 9: "ORU^R01^ORU_R01",
        10: report.document_uid("hl7")[-20:], 11: "P", 12: "2.5.1", 18: "UNICODE UTF-8",
    }  # fmt: skip
    values = [fields.get(number, "") for number in range(2, 19)]
    return "|".join(["MSH", *values])


def _patient(report: ExportedReport) -> str:
    study = report.study
    names = [
        _name(parts, form)
        for parts, form in zip(name_groups(study.patient_name), _NAME_FORMS, strict=True)
        if parts is not None
    ]
    identifier = _components(study.patient_id, "", "", study.issuer_of_patient_id, "PI")
    sex = study.patient_sex or "U"
    fields = {
        1: "1",
        3: identifier,
        5: "~".join(names) or _NO_NAME,
        7: study.patient_birth_date,
        8: sex,
    }
    return _segment("PID", fields)


def _name(parts: NameParts, form: str) -> str:
    """XPN: family, given, middle, suffix, prefix, degree, type, representation."""
    return _components(
        parts.family, parts.given, parts.middle, parts.suffix, parts.prefix, "", "L", form
    )


def _order(report: ExportedReport) -> str:
    study, signature = report.study, report.signature
    signer = ""
    if signature is not None and report.status != "draft":
        signer = f"&{escape_text(signature.signer)}"  # CNN: id, family name
    performed = study.study_date + (study.study_time if len(study.study_time) >= 4 else "")
    referring = name_groups(study.referring_physician)[0]
    fields = {
        1: "1",
        3: escape_text(report.document_uid("hl7")),
        4: _coded(coded.XRAY_REPORT),
        7: performed,
        16: _components("", referring.family, referring.given) if referring else "",
        18: escape_text(study.accession_number),
        22: _time(report.issued_at),
        24: "RAD",
        25: _RESULT_STATUS[report.status],
        32: signer,
    }
    return _segment("OBR", fields)


class _Observations:
    """The OBX segments, numbered as they come, each sentence with notes of its origin (NTE)."""

    def __init__(self, report: ExportedReport) -> None:
        self._report = report
        self._segments: list[str] = []
        self._count = 0  # of OBX alone: a note belongs to the one before it

    def all(self) -> Sequence[str]:
        report = self._report
        for code, value in provenance_values(report):
            self._add("ST", code, escape_text(value))
        uids = [image.sop_instance_uid for image in report.images]
        study_uid = CodedConcept("113014", "DCM", "Study Instance UID")
        self._add("ST", study_uid, report.study.study_instance_uid)
        for uid in uids:
            self._add("ST", CodedConcept("110181", "DCM", "SOP Instance UID"), uid)
        for number, (section, sentence) in enumerate(report.sentences, start=1):
            self._add_sentence(section, sentence, number)
        for number, measured in enumerate(report.measurements, start=1):
            name = coded.MEASUREMENTS[measured.kind]
            sub_id = f"M{number}"
            if measured.value is not None:
                unit = f"{measured.unit}^{measured.unit}^UCUM"
                self._add("NM", name, f"{measured.value:g}", sub_id, {6: unit})
            self._add("FT", coded.COMMENT, escape_text(measured.text), sub_id)
        for number, addendum in enumerate(report.addenda, start=1):
            more = {14: _time(addendum.added_at), 16: _person(addendum.author)}
            self._add("FT", coded.ADDENDUM, escape_text(addendum.text), f"A{number}", more)
        if report.predecessor is not None:
            replaced = CodedConcept("replaces", "99ECHO", "Replaces the report")
            self._add("ST", replaced, report.predecessor.document_uid("hl7"))
        return self._segments

    def _add_sentence(self, section: Section, sentence: Sentence, number: int) -> None:
        report = self._report
        more = {17: _coded(coded.PROVENANCES[sentence.provenance])}
        name, sha256 = model_of(report, sentence)
        if sha256:
            more[18] = _components(sha256, name)
        signature = report.signature
        if sentence.provenance != "ai" and signature is not None and report.status != "draft":
            more[16] = _person(signature.signer)
        code = coded.HEADINGS[section]
        self._add("FT", code, escape_text(sentence.text), str(number), more)
        for note, (named, value) in enumerate(sentence_values(sentence), start=1):
            text = escape_text(f"{named.meaning}: {value}")
            self._segments.append(_segment("NTE", {1: str(note), 3: text}))
        for statement in report.statements(section).get(sentence.id, []):
            self._add_statement(statement, number)

    def _add_statement(self, statement: Statement, number: int) -> None:
        """Presence, and side, zone and severity as repetitions."""
        said = [coded.PRESENCES[statement.status]]
        if statement.side is not None:
            said.append(coded.LATERALITIES[statement.side])
        if statement.zone is not None:
            said.append(coded.ZONES[statement.zone])
        if statement.severity is not None:
            said.append(coded.SEVERITIES[statement.severity])
        values = "~".join(_coded(each) for each in said)
        self._add("CE", coded.finding_code(statement.concept), values, str(number))

    def _add(
        self,
        value_type: str,
        code: CodedConcept,
        value: str,
        sub_id: str = "",
        more: Mapping[int, str] | None = None,
    ) -> None:
        self._count += 1
        fields = {
            1: str(self._count),
            2: value_type,
            3: _coded(code),
            4: sub_id,
            5: value,
            11: _OBSERVATION_STATUS[self._report.status],
            **(more or {}),
        }
        self._segments.append(_segment("OBX", fields))


def _coded(concept: CodedConcept) -> str:
    return _components(concept.value, concept.meaning, concept.hl7_system)


def _person(name: str) -> str:
    """XCN: what was typed as a name, as the family's (nobody said which part is which)."""
    return _components("", name)


def _components(*values: str) -> str:
    return "^".join(escape_text(value) for value in values).rstrip("^")


def _time(timestamp: str) -> str:
    """YYYYMMDDHHMMSS+ZZZZ."""
    return datetime.fromisoformat(timestamp).strftime("%Y%m%d%H%M%S%z")
