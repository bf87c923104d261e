from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME, open_database
from workstation.commands.audit import run_audit_verify


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    engine = open_database(tmp_path)
    for number in range(5):
        AuditLog(engine).append("settings", user="ann", details={"number": number})
    engine.dispose()
    return tmp_path


def _events(data_dir: Path) -> list[str]:
    engine = open_database(data_dir, read_only=True)
    events = [entry.event for entry in AuditLog(engine).entries()]
    engine.dispose()
    return events


def test_whole_log_exits_0_and_the_check_is_recorded(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_audit_verify(data_dir) == 0
    assert "whole: 5 rows, head " in capsys.readouterr().out
    assert _events(data_dir)[-1] == "verify"
    assert run_audit_verify(data_dir) == 0


def test_broken_log_exits_1_and_names_the_first_broken_row(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = sqlite3.connect(data_dir / DATABASE_NAME)
    raw.execute("DROP TRIGGER audit_entry_no_update")
    raw.execute("UPDATE audit_entry SET user='bob' WHERE row=3")
    raw.commit()
    raw.close()
    assert run_audit_verify(data_dir) == 1
    out = capsys.readouterr().out
    assert "BROKEN at row 3: row 3 was changed after it was written" in out


def test_log_that_takes_no_more_rows_still_exits_1(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = sqlite3.connect(data_dir / DATABASE_NAME)
    raw.execute("DROP TRIGGER audit_head_no_delete")
    raw.execute("DELETE FROM audit_head")
    raw.commit()
    raw.close()
    assert run_audit_verify(data_dir) == 1
    captured = capsys.readouterr()
    assert "head of the log was removed" in captured.out
    assert "not recorded" in captured.err


@pytest.mark.parametrize("content", [None, b"no database " * 100])
def test_catalog_that_can_not_be_opened_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / DATABASE_NAME).write_bytes(content)
    assert run_audit_verify(tmp_path) == 2
    assert str(tmp_path / DATABASE_NAME) in capsys.readouterr().err
    assert (tmp_path / DATABASE_NAME).exists() == (content is not None)
