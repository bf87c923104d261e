"""A report as it leaves the house: one frozen value that every format is written from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from inference.report_language import Language, Statement
from workstation.audit.audit_chain import canonical_json
from workstation.dicom.header_text import derive_uid
from workstation.reading.measurements import MeasurementKind
from workstation.reporting.report_state import SECTIONS, ReportState, Section, Sentence
from workstation.reporting.sentences.sentence_statements import list_statements
from workstation.reporting.versions.stored_report import Addendum

ReportStatus = Literal["draft", "preliminary", "final", "addended", "corrected"]
SIGNED_STATUSES: frozenset[ReportStatus] = frozenset({"final", "addended", "corrected"})


class NothingToExport(Exception):
    """The study has no report, or one without text."""


class ExportFailed(Exception):
    """A report that can't be written or sent. path: the file in question; reason: for people."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class StudyHeader:
    """Patient and study as the films say (PS3.3 C.7.1.1, C.7.2.1); "" where they don't.

    Person names are in DICOM's form, "Wang^XiaoDong=王^小东" (PS3.5 6.2.1), dates YYYYMMDD,
    times HHMMSS.
    """

    study_instance_uid: str
    patient_name: str
    patient_id: str
    issuer_of_patient_id: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    study_id: str = ""
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    accession_number: str = ""
    referring_physician: str = ""
    institution: str = ""


@dataclass(frozen=True)
class ExportedImage:
    """A film the report is about. technique: modality and view, e.g. "DX PA"."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    technique: str
    path: Path


@dataclass(frozen=True)
class ExportedSignature:
    """signed_at: UTC, ISO 8601. audit_head: of the audit chain with the signature's own row."""

    signer: str
    signed_at: str
    meaning: str
    text_sha256: str
    state_sha256: str
    audit_row: int
    audit_head: str
    role: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ExportedMeasurement:
    """One figure on a film. text: a sentence of the report's language; value, unit: of its first
    number, in UCUM ("mm", "deg", "mm2", "1"), None where there is none to hand on."""

    sop_instance_uid: str
    kind: MeasurementKind
    text: str
    value: float | None = None
    unit: str = "1"


@dataclass(frozen=True)
class ExportedReport:
    """audit_head: of the chain when a report that isn't signed left, else the signature's.
    issued_at: UTC, ISO 8601, when its text became what it is. predecessor: the issue of the
    report that this one takes the place of, as it was handed on or could have been.
    """

    study: StudyHeader
    images: tuple[ExportedImage, ...]
    status: ReportStatus
    state: ReportState
    issued_at: str
    audit_head: str
    signature: ExportedSignature | None = None
    addenda: tuple[Addendum, ...] = ()
    measurements: tuple[ExportedMeasurement, ...] = ()
    model_name: str = ""
    model_sha256: str = ""
    decoding: Mapping[str, Any] = field(default_factory=dict)
    image_sha256: tuple[str, ...] = ()
    issue_number: int = 1
    predecessor: ExportedReport | None = None

    @property
    def language(self) -> Language:
        return self.state.language

    @property
    def is_signed(self) -> bool:
        """Whether somebody answers for it as final."""
        return self.status in SIGNED_STATUSES

    @property
    def sentences(self) -> tuple[tuple[Section, Sentence], ...]:
        """Every sentence with its section, in the order of the report."""
        return tuple(
            (section, sentence)
            for section in SECTIONS
            for sentence in self.state.sentences(section)
        )

    def statements(self, section: Section) -> dict[int, list[Statement]]:
        """What is stated, by the id of the sentence that states it: as the screen shows it."""
        found: dict[int, list[Statement]] = {}
        for sentence, statement in list_statements(self.state, section):
            found.setdefault(sentence.id, []).append(statement)
        return found

    def document_uid(self, form: str) -> str:
        """The UID of this report in one form ("sr", "pdf" ...): the same report always gets the
        same one, and whatever differs gets another."""
        return derive_uid(hashlib.sha256(f"{form}:{self._content()}".encode()).digest())

    def _content(self) -> str:
        values = asdict(self)
        values["predecessor"] = self.predecessor._content() if self.predecessor else ""
        for image in values["images"]:
            del image["path"]
        for section in SECTIONS:  # reports older than these keep the UIDs they were sent with
            for sentence in values["state"][section]:
                for mark in ("origin", "touched_by", "touched_at"):
                    if not sentence[mark]:
                        del sentence[mark]
        return hashlib.sha256(canonical_json(values).encode()).hexdigest()
