"""Codes of what a report says: headings of LOINC, findings of SNOMED CT and RadLex, answers of
DICOM's own lists. What has no verified code gets one of the app's own scheme, 99ECHO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inference.report_language import CONCEPT_BY_NAME, Language, Severity, Side, Status, Zone
from workstation.reading.measurements import MeasurementKind
from workstation.reporting.report_state import Provenance, Section

Scheme = Literal["LN", "SCT", "RADLEX", "DCM", "UCUM", "RFC5646", "99ECHO"]

_SYSTEMS: dict[Scheme, str] = {  # as FHIR names code systems
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "RADLEX": "http://radlex.org",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "UCUM": "http://unitsofmeasure.org",
    "RFC5646": "urn:ietf:bcp:47",
    "99ECHO": "urn:echo-workstation:codes",
}
_HL7_SYSTEMS: dict[Scheme, str] = {"LN": "LN", "SCT": "SCT", "RADLEX": "RADLEX", "DCM": "DCM"}


@dataclass(frozen=True)
class CodedConcept:
    """A code, the scheme's designator in DICOM (PS3.16 8), and its meaning in English."""

    value: str
    scheme: Scheme
    meaning: str

    @property
    def system(self) -> str:
        """The scheme as FHIR names it."""
        return _SYSTEMS[self.scheme]

    @property
    def hl7_system(self) -> str:
        """The scheme as HL7 v2 names it (table 0396)."""
        return _HL7_SYSTEMS.get(self.scheme, "99ECHO" if self.scheme == "99ECHO" else self.scheme)


# CID 7000, 7001 and 7002: document titles, headings and elements of TID 2000
XRAY_REPORT = CodedConcept("43468-8", "LN", "X-Ray Report")
HEADINGS: dict[Section, CodedConcept] = {
    "findings": CodedConcept("59776-5", "LN", "Findings"),
    "impression": CodedConcept("19005-8", "LN", "Impressions"),
}
ELEMENTS: dict[Section, CodedConcept] = {
    "findings": CodedConcept("121071", "DCM", "Finding"),
    "impression": CodedConcept("121073", "DCM", "Impression"),
}
ADDENDUM = CodedConcept("55107-7", "LN", "Addendum")
KEY_IMAGES = CodedConcept("55113-5", "LN", "Key Images")
PROCEDURES = CodedConcept("55111-9", "LN", "Current Procedure Descriptions")
PROCEDURE = CodedConcept("121065", "DCM", "Procedure Description")
SUMMARY = CodedConcept("55112-7", "LN", "Summary")
COMMENT = CodedConcept("121106", "DCM", "Comment")
FINDING = ELEMENTS["findings"]

PRESENCE = CodedConcept("121052", "DCM", "Presence of property")
PRESENCES: dict[Status, CodedConcept] = {
    "present": CodedConcept("52101004", "SCT", "Present"),  # CID 240
    "absent": CodedConcept("272519000", "SCT", "Absent"),
    "uncertain": CodedConcept("373068000", "SCT", "Undetermined"),
}
LATERALITY = CodedConcept("272741003", "SCT", "Laterality")
LATERALITIES: dict[Side, CodedConcept] = {  # CID 244
    "left": CodedConcept("7771000", "SCT", "Left"),
    "right": CodedConcept("24028007", "SCT", "Right"),
    "bilateral": CodedConcept("51440002", "SCT", "Bilateral"),
}
ZONE = CodedConcept("zone", "99ECHO", "Zone of the lung")
ZONES: dict[Zone, CodedConcept] = {
    "upper": CodedConcept("zone-upper", "99ECHO", "Upper zone"),
    "mid": CodedConcept("zone-mid", "99ECHO", "Middle zone"),
    "lower": CodedConcept("zone-lower", "99ECHO", "Lower zone"),
}
SEVERITY = CodedConcept("246112005", "SCT", "Severity")
SEVERITIES: dict[Severity, CodedConcept] = {
    "small": CodedConcept("255507004", "SCT", "Small"),
    "mild": CodedConcept("255604002", "SCT", "Mild"),
    "moderate": CodedConcept("6736007", "SCT", "Moderate"),
    "large": CodedConcept("255509001", "SCT", "Large"),
    "marked": CodedConcept("marked", "99ECHO", "Marked"),
}
MEASUREMENTS: dict[MeasurementKind, CodedConcept] = {
    "length": CodedConcept("410668003", "SCT", "Length"),
    "angle": CodedConcept("1483009", "SCT", "Angle"),
    "rectangle": CodedConcept("42798000", "SCT", "Area"),
    "ellipse": CodedConcept("42798000", "SCT", "Area"),
    "cardiothoracic": CodedConcept("cardiothoracic-ratio", "99ECHO", "Cardiothoracic ratio"),
}
LANGUAGES: dict[Language, CodedConcept] = {
    "en": CodedConcept("en", "RFC5646", "English"),
    "zh": CodedConcept("zh", "RFC5646", "Chinese"),
}

PROVENANCE = CodedConcept("provenance", "99ECHO", "Provenance of the sentence")
PROVENANCES: dict[Provenance, CodedConcept] = {
    "ai": CodedConcept("ai", "99ECHO", "Written by the model, unchanged"),
    "edited": CodedConcept("edited", "99ECHO", "Written by the model, edited"),
    "human": CodedConcept("human", "99ECHO", "Written by a person"),
}
CONFIDENCE = CodedConcept("token-confidence", "99ECHO", "Mean confidence of the model's tokens")
SENTENCE_DETAILS: dict[str, CodedConcept] = {
    "model": CodedConcept("sentence-model", "99ECHO", "Model that drafted the sentence"),
    "weights": CodedConcept("sentence-model-sha256", "99ECHO", "SHA-256 of that model's weights"),
    "drafted": CodedConcept("sentence-drafted-at", "99ECHO", "When the sentence was drafted"),
    "confidence": CodedConcept(
        "sentence-confidence", "99ECHO", "Mean token confidence of the sentence as drafted"
    ),
    "words": CodedConcept("sentence-drafted-text", "99ECHO", "What the model wrote"),
    "hand": CodedConcept("sentence-touched-by", "99ECHO", "Who wrote, changed or accepted it"),
    "touched": CodedConcept("sentence-touched-at", "99ECHO", "When that was"),
}
RESEARCH = CodedConcept("research-use", "99ECHO", "Intended use")
REPORT_STATUS = CodedConcept("report-status", "99ECHO", "Status of the report")
SIGNATURE_MEANING = CodedConcept("signature-meaning", "99ECHO", "Meaning of the signature")
CORRECTION_REASON = CodedConcept("correction-reason", "99ECHO", "Reason of the correction")
PROVENANCE_DETAILS: dict[str, CodedConcept] = {
    "model": CodedConcept("model-name", "99ECHO", "Model"),
    "weights": CodedConcept("model-sha256", "99ECHO", "SHA-256 of the model's weights"),
    "decoding": CodedConcept("decoding", "99ECHO", "Decoding settings"),
    "images": CodedConcept("image-sha256", "99ECHO", "SHA-256 of the images the model saw"),
    "text": CodedConcept("text-sha256", "99ECHO", "SHA-256 of the signed text"),
    "state": CodedConcept("state-sha256", "99ECHO", "SHA-256 of the signed report with provenance"),
    "audit": CodedConcept("audit-head", "99ECHO", "Head of the audit chain"),
}


def finding_code(name: str) -> CodedConcept:
    """The best code of a concept of the vocabulary: SNOMED CT, else RadLex or DICOM, else the
    app's own. A concept of two RadLex codes (granuloma or calcification) is neither's."""
    concept = CONCEPT_BY_NAME[name]
    snomed = [code for code in concept.codes if code.isdigit()]
    radlex = [code for code in concept.codes if code.startswith("RID")]
    dicom = [code.removeprefix("DCM ") for code in concept.codes if code.startswith("DCM ")]
    if snomed:
        return CodedConcept(snomed[0], "SCT", concept.label)
    if len(radlex) == 1:
        return CodedConcept(radlex[0], "RADLEX", concept.label)
    if dicom:
        return CodedConcept(dicom[0], "DCM", concept.label)
    return CodedConcept(name, "99ECHO", concept.label)
