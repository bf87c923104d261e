"""Writing, sending and auditing of exports, and what can go wrong with them."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workstation.foreign_programs import find_tool
from tests.workstation.reported_studies import MakeStudy, ReportedStudy
from workstation.catalog.database import CatalogUnavailable, database_path
from workstation.dicom.unreadable import UnreadableInstance
from workstation.exports.export_formats import DICOM_FORMATS, FORMATS
from workstation.exports.exported_report import ExportFailed, NothingToExport


def _exports(study: ReportedStudy) -> list[dict[str, object]]:
    entries = study.sources.audit.entries(study.uid)
    return [dict(entry.details) for entry in entries if entry.event == "export"]


def test_every_format_is_written_and_audited(study: ReportedStudy, tmp_path: Path) -> None:
    report = study.bring_to("final")
    out = tmp_path / "out" / "deeper"
    for form in FORMATS:
        document = study.exporter.make(report, form)
        path = study.exporter.write(document, out)
        assert path.read_bytes() == document.content
        row = _exports(study)[-1]
        assert row["format"] == form
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert row["destination"] == str(path)
        assert row["status"] == "final"
        assert row["audit_head"] == report.audit_head
    assert len(list(out.iterdir())) == len(FORMATS)
    assert study.sources.audit.verify().ok


def test_file_names_hold_nothing_a_file_system_minds(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study("en", PatientID="../..\\:*?<>|")
    path = study.exporter.write(study.exporter.make(study.read(), "text"), tmp_path / "out")
    assert path.parent == tmp_path / "out"
    assert not set(path.name) & set('/\\:*?<>|"')


def test_a_film_that_says_nothing_of_its_patient_can_be_reported(
    make_study: MakeStudy, tmp_path: Path
) -> None:
    said = ("PatientName", "PatientID", "PatientSex", "PatientBirthDate", "AccessionNumber")
    study = ("StudyDate", "StudyTime", "StudyID", "StudyDescription", "InstitutionName")
    blank = make_study("en", **dict.fromkeys((*said, *study, "ReferringPhysicianName"), ""))
    report = blank.bring_to("addended")
    for form in FORMATS:
        assert blank.exporter.make(report, form).content
    hl7apy = pytest.importorskip("hl7apy.parser")
    message = blank.exporter.make(report, "hl7").content.decode()
    assert hl7apy.parse_message(message, find_groups=True).validate()
    resource = json.loads(blank.exporter.make(report, "fhir").content)
    fhirclient = pytest.importorskip("fhirclient.models.diagnosticreport")
    assert fhirclient.DiagnosticReport(resource, strict=True).status == "appended"
    checker = find_tool("dciodvfy", "dicom3tools")
    for form in DICOM_FORMATS:
        path = tmp_path / form
        path.write_bytes(blank.exporter.make(report, form).content)
        checked = subprocess.run([checker, path], capture_output=True, text=True, check=False)
        assert "Error" not in checked.stderr


def test_what_is_not_signed_carries_the_head_of_the_log(study: ReportedStudy) -> None:
    report = study.read()
    assert report.audit_head == study.sources.audit.head()
    assert report.signature is None


def test_a_study_without_a_report_has_nothing_to_export(
    make_study: MakeStudy, study: ReportedStudy
) -> None:
    other = make_study("en")
    blank = study.read().state.with_section("findings", ()).with_section("impression", ())
    other.sources.reports.save_draft(other.uid, blank, [])
    with pytest.raises(NothingToExport):
        other.read()


def test_a_missing_film_is_named(study: ReportedStudy) -> None:
    study.film.unlink()
    with pytest.raises(UnreadableInstance, match=r"film-1\.dcm: no such file"):
        study.read()


def test_a_file_that_became_another_film_is_refused(
    make_study: MakeStudy, study: ReportedStudy
) -> None:
    other = make_study("en", PatientID="SOMEBODY ELSE")
    study.film.write_bytes(other.film.read_bytes())
    with pytest.raises(UnreadableInstance, match="not the film any more"):
        study.read()


def test_a_destination_that_is_no_folder_is_named(study: ReportedStudy, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    document = study.exporter.make(study.read(), "text")
    with pytest.raises(ExportFailed, match="file/sub: not a directory"):
        study.exporter.write(document, tmp_path / "file" / "sub")
    assert _exports(study) == []


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk does to a write, for this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_nothing_half_written(study: ReportedStudy, tmp_path: Path) -> None:
    document = study.exporter.make(study.bring_to("final"), "pdf")
    older = tmp_path / document.name
    older.write_text("an older file")
    with _files_of_at_most(1000), pytest.raises(ExportFailed, match="file too large"):
        study.exporter.write(document, tmp_path)
    assert older.read_text() == "an older file"
    assert not list(tmp_path.glob(".*.part"))
    assert _exports(study) == []


def test_nothing_leaves_that_could_not_be_audited(study: ReportedStudy, tmp_path: Path) -> None:
    document = study.exporter.make(study.read(), "text")
    sent: list[bytes] = []
    database = sqlite3.connect(database_path(study.sources.catalog.engine))
    database.execute("DROP TRIGGER audit_entry_no_update")
    database.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    database.commit()
    database.close()
    with pytest.raises(CatalogUnavailable):
        study.exporter.write(document, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(CatalogUnavailable):
        study.exporter.send(study.exporter.make(study.read(), "sr"), "PACS", sent.append)
    assert sent == []


def test_what_was_sent_is_audited_before_and_after(study: ReportedStudy) -> None:
    document = study.exporter.make(study.bring_to("final"), "sr")
    sent: list[bytes] = []
    study.exporter.send(document, "PACS (AE@host:104)", sent.append)
    assert sent == [document.content]
    assert [row["outcome"] for row in _exports(study)] == ["sending", "stored"]

    def refuse(content: bytes) -> None:
        raise OSError("it is out of resources")

    with pytest.raises(OSError, match="out of resources"):
        study.exporter.send(document, "PACS", refuse)
    assert _exports(study)[-1]["outcome"] == "failed: it is out of resources"


def test_only_dicom_goes_to_a_pacs(study: ReportedStudy) -> None:
    document = study.exporter.make(study.read(), "text")
    with pytest.raises(ValueError, match="no DICOM document"):
        study.exporter.send(document, "PACS", lambda content: None)


def test_control_characters_leave_in_no_format(make_study: MakeStudy) -> None:
    """FHIR's servers refuse a whole report for one of them."""
    study = make_study("en")
    state = study.read().state
    pasted = replace(state.findings[0], text="Heart\x00is\x1bnormal\x0c.")
    changed = state.with_section("findings", (pasted, *state.findings[1:]))
    study.sources.reports.save_draft(study.uid, changed, [])
    study.sign_off.sign(study.uid, "Dr. Roe")
    study.sign_off.add_addendum(study.uid, "Dr. Roe", "No\x07 change.\nTold.")
    report = study.read()
    for form in ("text", "fhir", "hl7", "sr"):
        content = study.exporter.make(report, form).content
        assert b"Heart is normal" in content, form
        assert b"No  change." in content, form
        assert b"\\u00" not in content, form
        assert b"\\X00\\" not in content, form
    assert study.sources.audit.verify().ok
