"""What another SQLite tool does to the file after removing the triggers, and what verify says."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from workstation.audit.audit_chain import hash_row
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME
from workstation.catalog.schema import GENESIS_HASH
from workstation.reporting.report_state import ReportState, Sentence
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.report_store import ReportStore

STATE = ReportState(findings=(Sentence(1, "No pleural effusion.", "ai", 0.9),))
SIGN_ROW = 6


@pytest.fixture
def audit(catalog_engine: Engine, study_uid: str) -> AuditLog:
    """Rows 1-4 settings, 5 the draft's text, 6 the signature, 7 an addendum, 8-9 settings."""
    audit = AuditLog(catalog_engine)
    for number in range(4):
        audit.append("settings", user="ann", details={"number": number})
    ReportStore(catalog_engine, audit, "ann").save_draft(study_uid, STATE, [])
    sign_off = SignOff(catalog_engine, audit)
    assert sign_off.sign(study_uid, "Dr. Roe").audit_row == SIGN_ROW
    sign_off.add_addendum(study_uid, "Dr. Roe", "Clinical history received.")
    for number in range(2):
        audit.append("settings", user="ann", details={"number": number})
    assert audit.verify().ok
    return audit


@pytest.fixture
def tamper(tmp_path: Path) -> Callable[..., None]:
    """Run statements on the file with the triggers gone, then put the triggers back."""

    def run(*statements: str) -> None:
        raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
        triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
        triggers = triggers.fetchall()
        for name, _ in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
        for _, sql in triggers:
            raw.execute(sql)
        raw.commit()
        raw.close()

    return run


_LAST = "(SELECT max(row) FROM audit_entry)"
_HEAD_TO_LAST = (
    f"UPDATE audit_head SET row = {_LAST},"
    f" hash = (SELECT hash FROM audit_entry WHERE row = {_LAST})"
)


@pytest.mark.parametrize(
    ("statements", "broken_row", "reason"),
    [
        (["UPDATE audit_entry SET details='{}' WHERE row=3"], 3, "was changed"),
        (["UPDATE audit_entry SET user='bob' WHERE row=1"], 1, "was changed"),
        (["UPDATE audit_entry SET recorded_at='2020' WHERE row=9"], 9, "was changed"),
        (["UPDATE audit_entry SET hash='0' WHERE row=4"], 4, "was changed"),
        (["UPDATE audit_entry SET event=x'00ff' WHERE row=4"], 4, "unreadable"),
        (["UPDATE audit_entry SET user=CAST(x'ff' AS TEXT) WHERE row=4"], 4, "was changed"),
        (["DELETE FROM audit_entry WHERE row=2"], 2, "row 2 is missing"),
        (["DELETE FROM audit_entry WHERE row=1"], 1, "row 1 is missing"),
        (["DELETE FROM audit_entry WHERE row=9"], 9, "missing"),
        (["DELETE FROM audit_entry WHERE row>=8", _HEAD_TO_LAST], None, None),  # see below
        (["DELETE FROM audit_entry WHERE row>=6", _HEAD_TO_LAST], 6, "missing"),
        (["DELETE FROM audit_entry", "UPDATE audit_head SET row=0"], 1, "missing up to row 7"),
        (
            [
                "UPDATE audit_entry SET row=-3 WHERE row=3",
                "UPDATE audit_entry SET row=3 WHERE row=4",
                "UPDATE audit_entry SET row=4 WHERE row=-3",
            ],
            3,
            "was changed",
        ),
        (["UPDATE audit_entry SET row=0 WHERE row=1"], 0, "before the first"),
        (
            ["INSERT INTO audit_entry SELECT 10,'t','edit','u','','{}',hash,'x' FROM audit_entry"
             " WHERE row=9"],
            10,
            "was changed",
        ),
        (["UPDATE audit_head SET hash='x'"], 9, "recorded as newest"),
        (["UPDATE audit_head SET row=8"], 8, "recorded as newest"),
        (["DELETE FROM audit_head"], 9, "head of the log was removed"),
        (["UPDATE signature SET signer='Dr. No'"], SIGN_ROW, "signature of study"),
        (["UPDATE signature SET audit_head='x'"], SIGN_ROW, "signed"),
        (["UPDATE signature SET text_sha256='x'"], SIGN_ROW, "signature of study"),
        (["DELETE FROM addendum", "DELETE FROM signature"], SIGN_ROW, "is gone"),
        (["UPDATE report SET state=replace(state,'No p','P')"], SIGN_ROW, "report of study"),
        (["UPDATE addendum SET text='x'"], 7, "addendum of study"),
        (["DELETE FROM addendum"], 7, "is gone"),
    ],
)  # fmt: skip
def test_tampering_is_found_and_its_first_row_named(
    audit: AuditLog,
    tamper: Callable[..., None],
    statements: list[str],
    broken_row: int | None,
    reason: str | None,
) -> None:
    tamper(*statements)
    result = audit.verify()
    if "row>=8" in statements[0]:
        # Rows 8 and 9 have no signature after them, and the intruder rewrote the stored head:
        # what is left is the addendum's row, and nothing in the file can tell.
        assert result.ok
        return
    assert not result.ok
    assert result.first_broken_row == broken_row
    assert reason is not None
    assert reason in result.reason


def _forge_from(path: Path, first: int, last: int) -> None:
    """Rewrite the chain from row ``first`` to ``last`` with right hashes, for another user."""
    raw = sqlite3.connect(path)
    rows = raw.execute("SELECT * FROM audit_entry ORDER BY row").fetchall()
    head = rows[first - 2][7] if first > 1 else GENESIS_HASH
    for row in rows[first - 1 : last]:
        user = "mallory" if row[0] == first else row[3]
        columns = (*row[:3], user, *row[4:6], head)
        head = hash_row(*columns)
        raw.execute(
            "UPDATE audit_entry SET user=?, previous_hash=?, hash=? WHERE row=?",
            (user, columns[6], head, row[0]),
        )
    raw.commit()
    raw.close()


@pytest.mark.parametrize(
    ("first", "last", "broken_row"),
    [(3, 3, 3), (2, 4, 4), (2, 9, SIGN_ROW), (SIGN_ROW, 9, SIGN_ROW), (8, 9, 9)],
)
def test_rewritten_chain_is_found(
    audit: AuditLog,
    tmp_path: Path,
    first: int,
    last: int,
    broken_row: int,
) -> None:
    """Right hashes all along: found at the seam, at the signature, or at the stored head."""
    path = tmp_path / "records" / DATABASE_NAME
    raw = sqlite3.connect(path)
    triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'").fetchall()
    for name, _ in triggers:
        raw.execute(f"DROP TRIGGER {name}")
    raw.commit()
    _forge_from(path, first, last)
    for _, sql in triggers:
        raw.execute(sql)
    raw.commit()
    raw.close()
    result = audit.verify()
    assert (result.ok, result.first_broken_row) == (False, broken_row)


def test_rows_cut_off_the_end_stay_missed_after_more_are_written(
    audit: AuditLog, tamper: Callable[..., None]
) -> None:
    tamper("DELETE FROM audit_entry WHERE row>=8")
    audit.append("settings", user="ann")
    result = audit.verify()
    assert (result.ok, result.first_broken_row) == (False, 8)


def test_removed_triggers_are_reported(audit: AuditLog, tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    raw.execute("DROP TRIGGER audit_entry_no_delete")
    raw.close()
    result = audit.verify()
    assert (result.ok, result.first_broken_row) == (False, None)
    assert "audit_entry_no_delete" in result.reason


def test_signed_text_hash_is_of_the_text(audit: AuditLog, catalog_engine: Engine) -> None:
    signature = SignOff(catalog_engine, audit).signature("1.2.3")
    assert signature is not None
    text = "Findings: No pleural effusion.\nImpression: "
    assert signature.text_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert audit.entries()[SIGN_ROW - 1].details["text"] == text
