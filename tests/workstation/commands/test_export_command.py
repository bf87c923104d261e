from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from tests.workstation.reported_studies import (
    MakeStudy,
)
from workstation.__main__ import main
from workstation.catalog.database import DATABASE_NAME
from workstation.network.settings import DicomServer, NetworkSettings, settings_as_text


@pytest.fixture
def data_dir(tmp_path: Path) -> str:
    """Where make_study keeps its catalog."""
    return str(tmp_path / "records")


def test_all_reports_in_two_formats(
    make_study: MakeStudy,
    data_dir: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    signed, drafted = make_study("zh"), make_study("en")
    signed.bring_to("final")
    out = tmp_path / "out"
    formats = ["--format", "text", "--format", "fhir"]
    arguments = ["export", "--all", *formats, "--out", str(out), "--data-dir", data_dir]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""
    names = sorted(path.name for path in out.iterdir())
    assert len(names) == 4
    for path in out.iterdir():
        assert str(path) in said.out
        if path.suffix == ".json":
            status = json.loads(path.read_text("utf-8"))["status"]
            assert status == ("final" if "-final-" in path.name else "partial")
        else:
            is_draft = "DRAFT — not signed" in path.read_text("utf-8")
            assert is_draft == ("-draft-" in path.name)
    assert "Wang" not in said.out  # it may go into a log
    for each in (signed, drafted):
        events = [entry.event for entry in each.sources.audit.entries(each.uid)]
        assert events.count("export") == 2


def test_one_failure_does_not_keep_the_others(
    make_study: MakeStudy,
    data_dir: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken, whole = make_study("en"), make_study("en", AccessionNumber="WHOLE")
    broken.film.unlink()
    out = tmp_path / "out"
    studies = [broken.uid, "NOWHERE", "WHOLE"]
    given = [*studies, "--format", "hl7", "--out", str(out), "--data-dir", data_dir]
    assert main(["export", *given]) == 1
    said = capsys.readouterr()
    assert f"{broken.film}: no such file or directory" in said.err
    assert "NOWHERE: no study has this UID or accession number" in said.err
    assert len(list(out.iterdir())) == 1
    assert whole.uid in next(out.iterdir()).read_text("utf-8")


def test_one_damaged_report_does_not_keep_the_others(
    make_study: MakeStudy,
    data_dir: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damaged, whole = make_study("en"), make_study("en")
    raw = sqlite3.connect(Path(data_dir) / DATABASE_NAME)
    with raw:
        raw.execute("UPDATE report SET state = '{' WHERE study_instance_uid = ?", (damaged.uid,))
    raw.close()
    out = tmp_path / "out"
    given = ["export", "--all", "--format", "hl7", "--out", str(out), "--data-dir", data_dir]
    assert main(given) == 1
    assert f"the saved report of study {damaged.uid} is damaged" in capsys.readouterr().err
    (path,) = out.iterdir()
    assert whole.uid in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["--format", "sr", "--out", "x"], "name studies, or --all"),
        (["1.2", "--all", "--format", "sr", "--out", "x"], "name studies, or --all"),
        (["--all", "--format", "sr"], "say where to"),
        (["--all", "--format", "pdf", "--send", "PACS"], "--send takes sr and dicom-pdf only"),
        (["--all", "--format", "sr", "--send", "PACS"], "no DICOM server of the network settings"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    given: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *given, "--data-dir", str(tmp_path / "none")]) == 2
    assert reason in capsys.readouterr().err


# pynetdicom leaves a socket that could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("by_name", [True, False])
def test_a_server_that_is_not_there_is_told(
    make_study: MakeStudy,
    data_dir: str,
    capsys: pytest.CaptureFixture[str],
    by_name: bool,
) -> None:
    study = make_study("en")
    settings = NetworkSettings(servers=(DicomServer("Archive", "127.0.0.1", "ARCHIVE", 1),))
    stored = QSettings(f"{data_dir}/window.ini", QSettings.Format.IniFormat)
    stored.setValue("network", settings_as_text(settings))
    stored.sync()
    where = "Archive" if by_name else "ARCHIVE@127.0.0.1:1"
    given = [study.uid, "--format", "sr", "--send", where, "--data-dir", data_dir]
    assert main(["export", *given]) == 1
    assert "no answer from 127.0.0.1:1" in capsys.readouterr().err
    last = study.sources.audit.entries(study.uid)[-1]
    assert last.details["outcome"].startswith("failed: ")
