"""A thousand random tampers by another SQLite program, each against a stamped head."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from workstation.audit.audit_chain import hash_row
from workstation.audit.audit_log import AuditLog, VerifyResult
from workstation.audit.stamped_head import HeadStamp, StampedHead, read_head, write_head
from workstation.catalog.database import DATABASE_NAME
from workstation.catalog.schema import GENESIS_HASH, TRIGGERS
from workstation.reporting.report_state import ReportState, Sentence
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.report_store import ReportStore

ROWS = 40
KINDS = ("edit", "delete", "reorder", "replace", "truncate")
COLUMNS = ("recorded_at", "event", "user", "study_instance_uid", "details", "previous_hash", "hash")


class Intruder:
    """Another program with the file open: no triggers, no mercy, and the hash recipe."""

    def __init__(self, path: Path, seed: int) -> None:
        self.raw = sqlite3.connect(path, isolation_level=None)
        self.raw.execute("PRAGMA synchronous=OFF")
        self.pristine = sqlite3.connect(":memory:")
        self.raw.backup(self.pristine)
        self.rng = random.Random(seed)

    def restore(self) -> None:
        self.pristine.backup(self.raw)

    def tamper(self, kind: str) -> str:
        """One tamper of that kind, often with the hashes made right after it. Says what."""
        self.raw.execute("BEGIN")
        for name in TRIGGERS:
            self.raw.execute(f"DROP TRIGGER {name}")
        done = getattr(self, f"_{kind}")()
        for sql in TRIGGERS.values():
            self.raw.execute(sql)
        self.raw.execute("COMMIT")
        return f"{kind}: {done}"

    def _any_row(self) -> int:
        return self.rng.randint(1, ROWS)

    def _edit(self) -> str:
        row, column = self._any_row(), self.rng.choice(COLUMNS)
        old = self.raw.execute(f"SELECT {column} FROM audit_entry WHERE row=?", (row,)).fetchone()
        at = self.rng.randint(0, len(old[0]))
        new = old[0][:at] + self.rng.choice("0aZ é") + old[0][at:]
        self.raw.execute(f"UPDATE audit_entry SET {column}=? WHERE row=?", (new, row))
        rehashed = column not in ("previous_hash", "hash") and self._maybe_rehash(row)
        return f"{column} of row {row}, rehashed: {rehashed}"

    def _delete(self) -> str:
        first = self._any_row()
        last = min(ROWS, first + self.rng.choice((0, 0, 0, 1, 5)))
        self.raw.execute("DELETE FROM audit_entry WHERE row BETWEEN ? AND ?", (first, last))
        closes = self.rng.random() < 0.5
        if closes:  # close the gap, so that the numbers run on
            gap = last - first + 1
            moved = "UPDATE audit_entry SET row=-(row-?) WHERE row>?"
            self.raw.execute(moved, (gap, last))
            self.raw.execute("UPDATE audit_entry SET row=-row WHERE row<0")
            self._rehash_from(first, keeps_stored_head=self.rng.random() < 0.5)
        return f"rows {first} to {last}, gap closed: {closes}"

    def _reorder(self) -> str:
        one, other = self.rng.sample(range(1, ROWS + 1), 2)
        self.raw.execute("UPDATE audit_entry SET row=-1 WHERE row=?", (one,))
        self.raw.execute("UPDATE audit_entry SET row=? WHERE row=?", (one, other))
        self.raw.execute("UPDATE audit_entry SET row=? WHERE row=-1", (other,))
        return f"rows {one} and {other}, rehashed: {self._maybe_rehash(min(one, other))}"

    def _replace(self) -> str:
        row = self._any_row()
        source = self.raw.execute("SELECT * FROM audit_entry WHERE row=?", (row,)).fetchone()
        forged = [*source[:3], "mallory", *source[4:7]]
        self.raw.execute(
            "INSERT OR REPLACE INTO audit_entry VALUES (?,?,?,?,?,?,?,?)",
            (*forged, hash_row(*forged)),
        )
        return f"row {row}, chain rewritten: {self._maybe_rehash(row)}"

    def _truncate(self) -> str:
        first = self._any_row()
        self.raw.execute("DELETE FROM audit_entry WHERE row>=?", (first,))
        moves_head = self.rng.random() < 0.7
        if moves_head:
            self._point_head_at_newest()
        return f"from row {first}, stored head rewritten: {moves_head}"

    def _maybe_rehash(self, first: int) -> bool:
        if self.rng.random() < 0.5:
            return False
        self._rehash_from(first, keeps_stored_head=self.rng.random() < 0.3)
        return True

    def _rehash_from(self, first: int, *, keeps_stored_head: bool) -> None:
        """Right hashes from there to the end: the chain alone has nothing to say any more."""
        rows = self.raw.execute("SELECT * FROM audit_entry ORDER BY row").fetchall()
        head = next((row[7] for row in reversed(rows) if row[0] < first), GENESIS_HASH)
        for row in rows:
            if row[0] >= first:
                columns = (*row[:6], head)
                head = hash_row(*columns)
                self.raw.execute(
                    "UPDATE audit_entry SET previous_hash=?, hash=? WHERE row=?",
                    (columns[6], head, row[0]),
                )
        if not keeps_stored_head:
            self._point_head_at_newest()

    def _point_head_at_newest(self) -> None:
        newest = self.raw.execute("SELECT row, hash FROM audit_entry ORDER BY row DESC LIMIT 1")
        self.raw.execute("UPDATE audit_head SET row=?, hash=?", newest.fetchone() or (0, "0" * 64))


@pytest.fixture
def audit(catalog_engine: Engine, study_uid: str) -> AuditLog:
    """Rows 1 to 40: a draft's text in row 11, its signature in row 12, edits and openings."""
    audit = AuditLog(catalog_engine)
    for number in range(10):
        audit.append("study-opened", user="ann", study_instance_uid=study_uid,
                     details={"films": number})  # fmt: skip
    state = ReportState(findings=(Sentence(1, "No pleural effusion.", "ai", 0.9),))
    ReportStore(catalog_engine, audit, "ann").save_draft(study_uid, state, [])
    SignOff(catalog_engine, audit).sign(study_uid, "ann")
    while (newest := audit.entries(limit=1)[0].row) < ROWS:
        audit.append("edit", user="bob", details={"kind": "text", "after": f"word {newest}"})
    return audit


@pytest.fixture
def intruder(audit: AuditLog, tmp_path: Path) -> Iterator[Intruder]:
    opened = Intruder(tmp_path / "records" / DATABASE_NAME, seed=1)
    yield opened
    opened.raw.close()
    opened.pristine.close()


def _carry_away(audit: AuditLog, folder: Path) -> StampedHead:
    """The head as it comes back from a file kept elsewhere."""
    path = folder / "head.json"
    write_head(HeadStamp(audit.data_folder).stamp(audit.verify(), "ann"), path)
    return read_head(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_random_tampers_of_a_kind_are_all_found(
    audit: AuditLog, intruder: Intruder, tmp_path: Path, kind: str
) -> None:
    head = _carry_away(audit, tmp_path)
    assert head.row == ROWS
    missed: list[str] = []
    for number in range(200):
        intruder.rng.seed(f"{kind} {number}")
        done = intruder.tamper(kind)
        result = audit.verify({head.row: head.hash})
        if result.ok or result.first_broken_row is None:
            missed.append(f"{number} {done}")
        intruder.restore()
    assert missed == []
    assert audit.verify({head.row: head.hash}).ok


def test_without_the_head_a_whole_rewrite_after_the_signature_goes_unseen(
    audit: AuditLog, intruder: Intruder, tmp_path: Path
) -> None:
    """What the stamped head is for: the same file, checked without it and with it."""
    head = _carry_away(audit, tmp_path)
    intruder.raw.execute("BEGIN")
    for name in TRIGGERS:
        intruder.raw.execute(f"DROP TRIGGER {name}")
    intruder.raw.execute("DELETE FROM audit_entry WHERE row > 20")
    intruder._point_head_at_newest()
    for sql in TRIGGERS.values():
        intruder.raw.execute(sql)
    intruder.raw.execute("COMMIT")
    assert audit.verify().ok
    found: VerifyResult = audit.verify({head.row: head.hash})
    assert (found.ok, found.first_broken_row) == (False, 21)
    assert "missing up to row 40" in found.reason
