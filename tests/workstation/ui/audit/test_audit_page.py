"""The audit window: rows, filters, before and after, checks that name the row, exports."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditEntry, AuditLog
from workstation.audit.stamped_head import read_head
from workstation.catalog.database import DATABASE_NAME, write_transaction
from workstation.catalog.schema import TRIGGERS
from workstation.ui.audit.audit_details import AuditDetails, mark_difference
from workstation.ui.audit.audit_page import AuditPage
from workstation.ui.audit.audit_table_model import DETAILS, ROW, STUDY, WHAT, WHO
from workstation.ui.audit.audit_window import AuditOpener

WAIT_MS = 60_000
EDIT = {
    "kind": "edit",
    "section": "findings",
    "before": "No pleural effusion is seen.",
    "after": "Small left pleural effusion is seen.",
}


@pytest.fixture
def audit(catalog_engine: Engine, study_uid: str) -> AuditLog:
    """1 opened by ann, 2 edit by bob (both on Jane's study), 3 settings by ann, 4-303 by cho."""
    audit = AuditLog(catalog_engine)
    audit.append("study-opened", user="ann", study_instance_uid=study_uid, details={"films": 1})
    audit.append("edit", user="bob", study_instance_uid=study_uid, details=EDIT)
    audit.append("settings", user="ann", details={"model": {"name": "embedded"}})
    with write_transaction(catalog_engine) as connection:
        for number in range(300):
            details = {"server": f"PACS{number}"}
            audit.append("query", user="cho", details=details, connection=connection)
    return audit


@pytest.fixture
def page(audit: AuditLog, qtbot: QtBot) -> Iterator[AuditPage]:
    opened = AuditPage(audit, lambda: "ann")
    qtbot.addWidget(opened)
    opened.resize(1200, 700)
    opened.show()
    with qtbot.waitSignal(opened.listing.succeeded, timeout=WAIT_MS):
        opened.reload()
    yield opened
    opened.shutdown()


def _cell(page: AuditPage, row: int, column: int) -> str:
    place = page.model.place_of(row)
    assert place is not None
    return str(page.model.index(place, column).data())


def test_rows_stand_newest_first_in_plain_words(page: AuditPage) -> None:
    assert page.model.rowCount() == 303
    assert page.model.index(0, ROW).data() == "303"
    assert page.status_label.text() == "303 rows"
    assert _cell(page, 1, WHAT) == "Study opened"
    assert _cell(page, 1, STUDY) == "DOE, JANE  P-1  2026-04-12"
    assert (_cell(page, 2, WHO), _cell(page, 2, WHAT)) == ("bob", "Report edited")
    assert _cell(page, 2, DETAILS) == "findings, sentence changed: “No” → “Small left”"


def test_chosen_row_shows_before_and_after_with_its_dicom_code(page: AuditPage) -> None:
    page.jump_to(2)
    text = page.details.toPlainText()
    assert "Row 2: Report edited" in text
    assert EDIT["before"] in text
    assert EDIT["after"] in text
    assert "110110 Patient Record" in text
    html = page.details.toHtml()
    assert "line-through" in html
    assert "underline" in html


def test_only_pages_that_are_looked_at_are_read(page: AuditPage) -> None:
    page.model.set_rows(range(303, 0, -1), {})
    assert page.model.index(302, WHO).data() == "ann"
    assert list(page.model._pages) == [1]


def test_filters_narrow_and_one_button_shows_all_again(page: AuditPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.listing.succeeded, timeout=WAIT_MS):
        page.filter_bar.choose_event("edit")
    assert page.model.row_numbers == [2]
    assert page.status_label.text() == "1 rows answer the filter"
    with qtbot.waitSignal(page.listing.succeeded, timeout=WAIT_MS):
        qtbot.mouseClick(page.filter_bar.clear_button, Qt.MouseButton.LeftButton)
    assert page.model.rowCount() == 303
    with qtbot.waitSignal(page.listing.succeeded, timeout=WAIT_MS):
        qtbot.keyClicks(page.filter_bar.study_field, "doe jane")
    assert page.model.row_numbers == [2, 1]
    with qtbot.waitSignal(page.listing.succeeded, timeout=WAIT_MS):
        qtbot.keyClicks(page.filter_bar.text_field, "effusion")
    assert page.model.row_numbers == [2]
    users = [page.filter_bar.user_box.itemText(i) for i in range(page.filter_bar.user_box.count())]
    assert users == ["Anybody", "ann", "bob", "cho"]


def test_whole_log_is_said_to_be_and_the_check_is_audited(
    page: AuditPage, audit: AuditLog, qtbot: QtBot
) -> None:
    told: list[tuple[int, int]] = []
    page.job.progressed.connect(lambda done, total: told.append((done, total)))
    with qtbot.waitSignal(page.job.succeeded, timeout=WAIT_MS):
        qtbot.mouseClick(page.verify_button, Qt.MouseButton.LeftButton)
    assert page.status_label.text() == "✓ The log is intact: 303 rows."
    assert told[0] == (0, 303)
    assert told[-1] == (303, 303)
    entry = audit.entries(limit=1)[0]
    assert (entry.event, entry.user, entry.details["ok"]) == ("verify", "ann", True)


def test_check_names_the_broken_row_and_jumps_to_it_through_the_filter(
    page: AuditPage, tmp_path: Path, qtbot: QtBot
) -> None:
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    raw.execute("DROP TRIGGER audit_entry_no_update")
    raw.execute("UPDATE audit_entry SET user='mallory' WHERE row=2")
    raw.execute(TRIGGERS["audit_entry_no_update"])
    raw.commit()
    raw.close()
    with qtbot.waitSignal(page.listing.succeeded, timeout=WAIT_MS):
        page.filter_bar.choose_event("settings")
    with qtbot.waitSignals([page.job.succeeded, page.listing.succeeded], timeout=WAIT_MS):
        page.verify()
    assert page.status_label.text().startswith("▲ The log is broken at row 2: row 2 was changed")
    assert page.model.entry_at(page.table.currentIndex().row()).row == 2
    assert _cell(page, 2, ROW) == "▲ 2"
    assert _cell(page, 2, WHO) == "mallory"


def test_rows_cut_off_are_found_by_the_head_written_before(
    page: AuditPage, tmp_path: Path, qtbot: QtBot
) -> None:
    head = tmp_path / "head.json"
    with qtbot.waitSignal(page.job.succeeded, timeout=WAIT_MS):
        page.export(head, None)
    assert page.status_label.text() == "✓ The head of row 303 was written."
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    for name in TRIGGERS:
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("DELETE FROM audit_entry WHERE row > 300")
    raw.execute("UPDATE audit_head SET row=300, hash=(SELECT hash FROM audit_entry WHERE row=300)")
    for sql in TRIGGERS.values():
        raw.execute(sql)
    raw.commit()
    raw.close()
    with qtbot.waitSignal(page.job.succeeded, timeout=WAIT_MS):
        page.verify(head)
    assert "broken at row 301" in page.status_label.text()


def test_rows_shown_are_exported_with_their_head(
    page: AuditPage, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(page.listing.succeeded, timeout=WAIT_MS):
        page.filter_bar.choose_event("edit")
    path = tmp_path / "edits.csv"
    with qtbot.waitSignal(page.job.succeeded, timeout=WAIT_MS):
        page.export(path, "csv", page.model.row_numbers)
    with open(path, encoding="utf-8-sig", newline="") as file:
        assert [row["row"] for row in csv.DictReader(file)] == ["2"]
    assert read_head(tmp_path / "edits.csv.head.json").row == 303
    assert "1 rows written" in page.status_label.text()


def test_export_that_fails_says_why(page: AuditPage, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.job.failed, timeout=WAIT_MS):
        page.export(tmp_path / "nowhere" / "log.csv", "csv")
    assert page.status_label.text().startswith("▲ ")
    assert page.verify_button.isEnabled()


def test_check_can_be_stopped(page: AuditPage, qtbot: QtBot) -> None:
    page.job.progressed.connect(page.job.stop, Qt.ConnectionType.DirectConnection)
    with qtbot.waitSignal(page.job.stopped, timeout=WAIT_MS):
        page.job.start(_tell_for_ever(page))
    assert page.status_label.text() == "Stopped."


def _tell_for_ever(page: AuditPage) -> Callable[[], None]:
    def call() -> None:
        while True:
            page.job.tell_progress(0, 1)

    return call


def test_opening_the_log_is_audited_and_closing_waits_for_its_threads(
    audit: AuditLog, qtbot: QtBot
) -> None:
    parent = AuditPage(audit, lambda: "x")
    qtbot.addWidget(parent)
    opener = AuditOpener(audit, lambda: "ann", parent)
    window = opener.open()
    entry = audit.entries(limit=1)[0]
    assert (entry.event, entry.user) == ("audit-opened", "ann")
    opener.shutdown()
    assert not window.isVisible()
    assert not window.page.listing.is_running


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        ("a b", "a c", "a <s>b</s>", "a <u>c</u>"),
        ("", "x", "", "<u>x</u>"),
        ("两肺清晰", "两肺浑浊", "两肺<s>清晰</s>", "两肺<u>浑浊</u>"),
        ("<b>", "<b> c", "&lt;b&gt;", "&lt;b&gt;<u> c</u>"),
    ],
)
def test_difference_is_marked_by_words(before: str, after: str, old: str, new: str) -> None:
    styles = re.compile(r" style='[^']*'")
    assert [styles.sub("", text) for text in mark_difference(before, after)] == [old, new]


def test_origins_of_signed_sentences_stand_a_line_each(qtbot: QtBot) -> None:
    view = AuditDetails()
    qtbot.addWidget(view)
    sentences = [
        {"id": 1, "provenance": "ai", "model_name": "ECHO <1>", "confidence": 0.93},
        {"id": 2, "provenance": "human", "by": "Dr. Roe"},
    ]
    at = "2026-04-12T10:15:00+00:00"
    view.show_entry(AuditEntry(7, at, "sign", "ann", "", {"sentences": sentences}, "", ""), "")
    lines = view.toPlainText().splitlines()
    assert any("provenance ai · model name ECHO <1> · confidence 0.93" in line for line in lines)
    assert any("provenance human · by Dr. Roe" in line for line in lines)
