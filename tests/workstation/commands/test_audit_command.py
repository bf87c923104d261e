from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from workstation.__main__ import main
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME, open_database
from workstation.commands.audit import run_audit_export, run_audit_head, run_audit_verify


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


def _cut_off(data_dir: Path, keep: int) -> None:
    """Rows after ``keep`` deleted and the stored head moved back, triggers put back."""
    raw = sqlite3.connect(data_dir / DATABASE_NAME)
    triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'").fetchall()
    for name, _ in triggers:
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("DELETE FROM audit_entry WHERE row > ?", (keep,))
    raw.execute(
        "UPDATE audit_head SET row=?, hash=(SELECT hash FROM audit_entry WHERE row=?)", (keep, keep)
    )
    for _, sql in triggers:
        raw.execute(sql)
    raw.commit()
    raw.close()


def test_rows_cut_off_are_missed_by_the_head_kept_elsewhere(
    data_dir: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path_factory.mktemp("kept") / "head.json"
    arguments = ["audit", "head", "--out", str(kept), "--data-dir", str(data_dir)]
    assert main(arguments) == 0
    verify = ["audit", "verify", "--data-dir", str(data_dir)]
    assert main([*verify, "--head", str(kept)]) == 0
    assert "row 5" in capsys.readouterr().out
    _cut_off(data_dir, keep=3)
    assert main([*verify, "--head", str(kept)]) == 1
    out = capsys.readouterr().out
    assert "BROKEN at row 4: row 4 and later are missing up to row 5" in out
    assert main(verify) == 0  # nothing in the file itself can tell


def test_altered_head_exits_1_and_no_head_2(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "head.json"
    assert run_audit_head(data_dir, path) == 0
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"row": 4}))
    assert run_audit_verify(data_dir, path) == 1
    assert "it was altered" in capsys.readouterr().err
    path.write_text("{}")
    assert run_audit_verify(data_dir, path) == 2
    assert run_audit_verify(data_dir, tmp_path / "nowhere.json") == 2


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_export_writes_rows_and_head(
    data_dir: Path, file_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = data_dir / f"log.{file_format}"
    arguments = ["audit", "export", "--format", file_format, "--out", str(out)]
    assert main([*arguments, "--data-dir", str(data_dir)]) == 0
    assert "5 rows" in capsys.readouterr().out
    assert len(out.read_text("utf-8-sig").splitlines()) == 5 + (file_format == "csv")
    head = json.loads((data_dir / f"{out.name}.head.json").read_text())
    assert (head["row"], head["is_whole"]) == (5, True)
    assert _events(data_dir)[-1] == "audit-exported"


def test_export_of_a_broken_log_is_written_and_exits_1(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = sqlite3.connect(data_dir / DATABASE_NAME)
    raw.execute("DROP TRIGGER audit_entry_no_update")
    raw.execute("UPDATE audit_entry SET user='bob' WHERE row=3")
    raw.commit()
    raw.close()
    assert run_audit_export(data_dir, data_dir / "log.csv", "csv") == 1
    assert "BROKEN: row 3 was changed" in capsys.readouterr().err


def test_export_that_can_not_be_written_exits_2(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_audit_export(data_dir, data_dir / "no folder" / "log.csv", "csv") == 2
    assert "no folder" in capsys.readouterr().err


def test_no_export_takes_the_place_of_the_catalog(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = data_dir / DATABASE_NAME
    assert run_audit_export(data_dir, catalog, "csv") == 2
    assert run_audit_head(data_dir, catalog) == 2
    said = capsys.readouterr().err.splitlines()
    assert all(f"{catalog}: is a file of the data folder" in line for line in said)
    assert len(said) == 2
    assert _events(data_dir) == ["settings"] * 5
    assert run_audit_verify(data_dir) == 0


def test_a_mistyped_folder_is_no_empty_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "mistyped"
    out = str(tmp_path / "out")
    for command in (
        ["audit", "export", "--out", out],
        ["audit", "head", "--out", out],
        ["export", "--all", "--format", "text", "--out", out],
    ):
        assert main([*command, "--data-dir", str(missing)]) == 2
        assert f"{missing / DATABASE_NAME}: there is no catalog here" in capsys.readouterr().err
    assert not missing.exists()
