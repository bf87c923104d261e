"""Exports of the log, and the stamped head that goes with them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from workstation.audit.audit_chain import canonical_json, find_break
from workstation.audit.audit_export import COLUMNS, AuditExport
from workstation.audit.audit_log import AuditLog
from workstation.audit.stamped_head import (
    KEY_NAME,
    HeadRefused,
    HeadStamp,
    read_head,
    write_head,
)


@pytest.fixture
def audit(catalog_engine: Engine) -> AuditLog:
    audit = AuditLog(catalog_engine)
    audit.append("study-opened", user="ann", study_instance_uid="1.2", details={"films": 2})
    audit.append(
        "edit",
        user="李医生",
        study_instance_uid="1.2",
        details={"kind": "edit", "before": 'a "quoted",\nword', "after": "两肺未见异常。"},
    )
    audit.append("settings", user="=cmd", details={"model": "embedded"})
    return audit


def _chain_of(rows: list[dict[str, str]]) -> list[tuple]:
    hashed = ("recorded_at", "event", "user", "study_instance_uid", "details", "previous_hash")
    return [(int(row["row"]), *(row[name] for name in hashed), row["hash"]) for row in rows]


def test_csv_holds_every_row_and_its_chain_can_be_checked_from_it(
    audit: AuditLog, tmp_path: Path
) -> None:
    outcome = AuditExport(audit, "ann").write(tmp_path / "log.csv", "csv")
    with open(outcome.path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["user"] for row in rows] == ["ann", "李医生", "=cmd"]
    assert (rows[0]["dicom_event_code"], rows[0]["dicom_event_meaning"]) == (
        "110103",
        "DICOM Instances Accessed",
    )
    assert (rows[2]["dicom_event_type_code"], rows[2]["dicom_action"]) == ("110131", "U")
    head = read_head(outcome.head_path)
    assert find_break(_chain_of(rows), {head.row: head.hash}) is None
    rows[1]["user"] = "bob"
    broken = find_break(_chain_of(rows), {})
    assert broken is not None
    assert broken.row == 2


def test_json_lines_hold_the_details_as_they_were_hashed(audit: AuditLog, tmp_path: Path) -> None:
    outcome = AuditExport(audit, "ann").write(tmp_path / "log.jsonl", "jsonl")
    lines = outcome.path.read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["row"] for row in rows] == [1, 2, 3]
    assert rows[1]["details"]["after"] == "两肺未见异常。"
    for row in rows:
        row["details"] = canonical_json(row["details"])
    assert find_break(_chain_of(rows), {}) is None


def test_export_is_audited_and_its_head_is_of_the_log_before_it(
    audit: AuditLog, tmp_path: Path
) -> None:
    outcome = AuditExport(audit, "ann").write(tmp_path / "log.csv", "csv")
    entry = audit.entries()[-1]
    assert (entry.event, entry.user, entry.row) == ("audit-exported", "ann", 4)
    assert entry.details["file"] == "log.csv"
    assert (entry.details["rows"], entry.details["whole_log"]) == (3, True)
    assert (entry.details["head_row"], entry.details["head_hash"]) == (3, entry.previous_hash)
    assert (outcome.head.row, outcome.head.hash) == (3, entry.previous_hash)


def test_only_the_rows_asked_for_in_order(audit: AuditLog, tmp_path: Path) -> None:
    outcome = AuditExport(audit, "ann").write(tmp_path / "log.jsonl", "jsonl", rows=[3, 1])
    rows = [json.loads(line)["row"] for line in outcome.path.read_text("utf-8").splitlines()]
    assert rows == [1, 3]
    assert audit.entries()[-1].details["whole_log"] is False


def test_export_that_is_stopped_leaves_no_file_and_the_old_one_whole(
    audit: AuditLog, tmp_path: Path
) -> None:
    path = tmp_path / "exports" / "log.csv"
    path.parent.mkdir()
    path.write_text("older")

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        AuditExport(audit, "ann").write(path, "csv", on_progress=stop)
    assert path.read_text() == "older"
    assert [each.name for each in path.parent.iterdir()] == ["log.csv"]
    assert audit.entries()[-1].event == "settings"


def test_head_is_the_data_folders_own_and_an_altered_one_is_refused(
    audit: AuditLog, tmp_path: Path
) -> None:
    stamp = HeadStamp(audit.data_folder)
    head, path = stamp.stamp(audit.verify(), "ann"), tmp_path / "head.json"
    key_path = audit.data_folder / KEY_NAME
    assert key_path.stat().st_mode & 0o077 == 0
    write_head(head, path)
    assert read_head(path) == head
    assert stamp.check(head, path) == ""
    for change in ({"row": 2}, {"hash": "0" * 64}, {"stamped_at": "2020"}, {"is_whole": False}):
        with pytest.raises(HeadRefused, match=r"head\.json: it was altered"):
            stamp.check(replace(head, **change), path)


def test_head_of_another_installation_is_told_from_an_altered_one(
    audit: AuditLog, tmp_path: Path
) -> None:
    head = HeadStamp(audit.data_folder).stamp(audit.verify(), "ann")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "no key" in HeadStamp(elsewhere).check(head, tmp_path)
    HeadStamp(elsewhere).stamp(audit.verify(), "bob")
    assert "another installation" in HeadStamp(elsewhere).check(head, tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "echo-audit-head-1"}', "\ud800"])
def test_file_that_is_no_head_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "head.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(HeadRefused, match=r"head\.json: it is not a stamped head"):
        read_head(path)


def test_head_of_a_broken_log_says_so(audit: AuditLog, catalog_engine: Engine) -> None:
    raw = catalog_engine.raw_connection()
    raw.driver_connection.execute("DROP TRIGGER audit_entry_no_update")
    raw.driver_connection.execute("UPDATE audit_entry SET user='x' WHERE row=2")
    raw.close()
    head = HeadStamp(audit.data_folder).stamp(audit.verify(), "ann")
    assert not head.is_whole
    assert "row 2 was changed" in head.reason
