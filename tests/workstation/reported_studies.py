"""A study with a real film, a Chinese name and a report of every provenance, and who signs it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom.dataset import Dataset
from sqlalchemy import Engine

from inference.report_language import Language
from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.instance_reader import read_header
from workstation.exports.export_formats import ExportOptions
from workstation.exports.exported_report import ExportedReport, ReportStatus
from workstation.exports.report_exporter import ReportExporter
from workstation.exports.report_reading import ReportSources
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import Measurement
from workstation.reporting.report_state import (
    JOINERS,
    Provenance,
    ReportState,
    Sentence,
    SentenceOrigin,
)
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.report_store import ReportStore
from workstation.reporting.versions.report_version import DraftOrigin

MODEL_SHA256 = "ab" * 32
IMAGE_SHA256 = "cd" * 32
MODEL_NAME = "ECHO phantom 1.1.0"
DRAFTED_AT, TOUCHED_AT = "2026-04-12T10:00:00+00:00", "2026-04-12T10:05:00+00:00"
DRAFTED_WORDS = "No pleural effusion | left or right."
SIGNERS: dict[Language, str] = {"en": "Dr. Jane O'Neill", "zh": "李明"}
ADDENDA: dict[Language, str] = {
    "en": "Compared with 2026-03-01: unchanged.\nThe ward was told by telephone.",
    "zh": "与2026年3月1日胸片比较无变化。\n已电话告知病房。",
}
FINDINGS: dict[Language, tuple[tuple[str, Provenance], ...]] = {
    "en": (
        ("The thorax is symmetric bilaterally.", "ai"),
        ("The mediastinum and trachea are midline.", "ai"),
        ("Small left pleural effusion.", "edited"),
        ("No pneumothorax.", "ai"),
        ("Cardiac silhouette is within normal limits.", "ai"),
        ("No osseous abnormalities are identified in the imaged areas.", "human"),
    ),
    "zh": (
        ("两侧胸廓对称，纵隔及气管居中。", "ai"),
        ("左侧少量胸腔积液。", "edited"),
        ("未见气胸。", "ai"),
        ("心影尚可，两肺门影不大。", "ai"),
        ("所见范围内各骨性结构未见明显异常。", "human"),
    ),
}
IMPRESSIONS: dict[Language, str] = {
    "en": "Small left pleural effusion.",
    "zh": "左侧少量胸腔积液。",
}


def write_state(language: Language, impression: str = "") -> ReportState:
    joiner = JOINERS[language]
    findings = tuple(
        _sentence(number, text, provenance, joiner)
        for number, (text, provenance) in enumerate(FINDINGS[language], start=1)
    )
    concluded = Sentence(50, impression or IMPRESSIONS[language], "edited", None, joiner)
    return ReportState(findings, (concluded,), language)


def _sentence(number: int, text: str, provenance: Provenance, joiner: str) -> Sentence:
    """With all that a sentence keeps of where it comes from."""
    sentence = Sentence(number, text, provenance, 0.93 if provenance == "ai" else None, joiner)
    if provenance != "human":
        own_words = DRAFTED_WORDS if provenance == "edited" else ""
        origin = SentenceOrigin(MODEL_NAME, MODEL_SHA256, DRAFTED_AT, 0.93, own_words)
        sentence = replace(sentence, origin=origin)
    if provenance != "ai":
        sentence = replace(sentence, touched_by="Dr. Roe", touched_at=TOUCHED_AT)
    return sentence


@dataclass
class ReportedStudy:
    """One study with a draft of the model, and the services to sign and export it."""

    language: Language
    uid: str
    film: Path
    sources: ReportSources
    sign_off: SignOff
    exporter: ReportExporter

    def bring_to(self, status: ReportStatus) -> ExportedReport:
        """Sign, add and correct until the report has this status; what is then exported."""
        signer = SIGNERS[self.language]
        if status == "preliminary":
            self.sign_off.sign_preliminary(self.uid, signer)
        elif status != "draft":
            self.sign_off.sign(self.uid, signer)
        if status in ("addended", "corrected"):
            self.sign_off.add_addendum(self.uid, signer, ADDENDA[self.language])
        if status == "corrected":
            self.correct()
        return self.read()

    def correct(self) -> None:
        signer = SIGNERS[self.language]
        self.sign_off.start_correction(self.uid, signer, "wrong size")
        larger = {"en": "Moderate left pleural effusion.", "zh": "左侧中等量胸腔积液。"}
        state = write_state(self.language, larger[self.language])
        self.sources.reports.save_draft(self.uid, state, [])
        self.sign_off.sign(self.uid, signer)

    def read(self, *, with_measurements: bool = True) -> ExportedReport:
        return self.exporter.read(self.uid, ExportOptions(with_measurements=with_measurements))


MakeStudy = Callable[..., ReportedStudy]


def add_study(
    engine: Engine,
    film_dataset: Dataset,
    folder: Path,
    number: int,
    language: Language = "en",
    **elements: object,
) -> ReportedStudy:
    """A study whose report the model drafted, in the catalog; its film, with these elements, in the
    folder. number: makes its UIDs its own."""
    dataset = deepcopy(film_dataset)
    dataset.StudyInstanceUID += f".{number}"
    dataset.SOPInstanceUID += f".{number}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "Wang^XiaoDong=王^小东"
    dataset.PatientID, dataset.AccessionNumber = "P-17|a", "ACC&17"
    dataset.ReferringPhysicianName = "Müller^Ågot"
    dataset.InstitutionName = "市立医院放射科" if language == "zh" else "St. Mary's"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    film = folder / f"film-{number}.dcm"
    dataset.save_as(film, enforce_file_format=True)
    header = read_header(film)
    audit = AuditLog(engine)
    sources = ReportSources(
        StudyCatalog(engine),
        ReportStore(engine, audit, "ann"),
        audit,
        MeasurementStore(engine),
    )
    sources.catalog.add_instance(header, film)
    origin = DraftOrigin(MODEL_SHA256, {"mode": "one-step"}, "", "", "echo-chest", (IMAGE_SHA256,))
    uid = header.study_instance_uid
    sources.reports.save_draft(uid, write_state(language), [], origin=origin)
    drawn = (
        Measurement("length", ((20.0, 60.0), (90.0, 60.0))),
        Measurement("cardiothoracic", ((50.0, 80.0), (90.0, 80.0), (20.0, 90.0), (110.0, 90.0))),
        Measurement("arrow", ((10.0, 10.0), (30.0, 30.0))),
    )
    sources.measurements.save(header.sop_instance_uid, drawn)
    sign_off = SignOff(engine, audit)
    exporter = ReportExporter(sources, "ann")
    return ReportedStudy(language, uid, film, sources, sign_off, exporter)
