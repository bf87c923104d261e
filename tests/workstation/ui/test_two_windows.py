"""Two windows on one catalog: neither overwrites the other, and neither is locked in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.app import build_records, build_window
from workstation.catalog.database import open_database, write_transaction
from workstation.catalog.study_catalog import StudyCatalog
from workstation.catalog.study_removal import remove_study
from workstation.dicom.instance_reader import read_header
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow

GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)


class OpenWindow:
    """One of them, with the study on its desk."""

    def __init__(self, folder: Path, name: str, study_uid: str, qtbot: QtBot) -> None:
        self.database: Engine = open_database(folder)
        self.records = build_records(self.database)
        self.drafting = DraftingService()
        settings = QSettings(str(folder / f"{name}.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, self.drafting, settings)
        qtbot.addWidget(self.window)
        self.window.show()
        self.desk, self.panel = self.window.desk, self.window.report_panel
        with qtbot.waitSignal(self.window.loader.film_loaded, timeout=30_000):
            self.desk.open_study(study_uid)

    def write(self, findings: str) -> None:
        report = self.panel.report
        assert report is not None
        report.set_section_text("findings", findings)

    @property
    def findings(self) -> str:
        report = self.panel.report
        assert report is not None
        return report.state.findings_text

    def close(self) -> None:
        self.window.close()
        assert not self.window.isVisible()
        assert self.drafting.shutdown(10_000)
        self.database.dispose()


@pytest.fixture
def windows(tmp_path: Path, write_film, qtbot: QtBot) -> Iterator[tuple[OpenWindow, OpenWindow]]:  # type: ignore[no-untyped-def]
    film = write_film("a.dcm", GREY)
    engine = open_database(tmp_path / "data")
    StudyCatalog(engine).add_instance(read_header(film), film)
    engine.dispose()
    uid = read_header(film).study_instance_uid
    first, second = (OpenWindow(tmp_path / "data", name, uid, qtbot) for name in "ab")
    yield first, second
    first.close()
    second.close()


def test_what_the_other_window_saved_is_shown_and_the_own_words_are_kept(
    windows: tuple[OpenWindow, OpenWindow],
) -> None:
    first, second = windows
    first.write("Small left effusion.")
    assert first.desk.save()
    second.write("No effusion.")
    said: list[str] = []
    second.desk.trouble.connect(said.append)
    assert not second.desk.save()
    assert second.findings == "Small left effusion."
    assert "changed in another window" in said[0]
    assert "changed in another window" in second.panel.notice.text
    versions = second.records.reports.versions(second.desk.study_instance_uid)
    assert [(each.kind, each.state.findings_text) for each in versions] == [
        ("set-aside", "No effusion.")
    ]
    second.write("Small left effusion. Scoliosis.")
    assert second.desk.save()
    assert second.desk.leave_study()


def test_closing_shows_first_what_was_set_aside(
    windows: tuple[OpenWindow, OpenWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = windows
    first.write("Small left effusion.")
    assert first.desk.save()
    second.write("No effusion.")
    monkeypatch.setattr(second.window, "_confirm_losing_edits", lambda: pytest.fail("asked"))
    second.window.close()
    assert second.window.isVisible()
    assert "changed in another window" in second.panel.notice.text


def test_a_study_removed_in_the_other_window_leaves_the_desk(
    windows: tuple[OpenWindow, OpenWindow],
) -> None:
    first, second = windows
    second.write("No effusion.")
    uid = second.desk.study_instance_uid
    with write_transaction(first.database) as connection:
        remove_study(connection, uid)
    said: list[str] = []
    second.desk.trouble.connect(said.append)
    assert not second.desk.save()
    assert second.desk.study_instance_uid == ""
    assert said == ["The study was removed meanwhile. What you wrote is in the audit log."]
    row = first.records.audit.entries(uid)[-1]
    assert row.event == "report-set-aside"
    assert "No effusion." in row.details["text"]


def test_a_report_signed_in_the_other_window_locks_nobody_in(
    windows: tuple[OpenWindow, OpenWindow],
) -> None:
    first, second = windows
    second.write("No effusion.")
    first.write("Small left effusion.")
    assert first.desk.save()
    uid = first.desk.study_instance_uid
    first.records.sign_off.sign(uid, "Ann")
    assert not second.desk.leave_study()  # it is shown first
    assert second.panel.report is None or second.panel.report.is_signed
    assert "signed" in second.panel.notice.text
    kinds = [version.kind for version in second.records.reports.versions(uid)]
    assert kinds == ["final", "set-aside"]
    assert second.desk.leave_study()
    assert first.records.audit.verify().ok
