from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from workstation.audit.audit_chain import canonical_json, find_break, hash_row
from workstation.audit.audit_log import EVENTS, AuditLog
from workstation.catalog.database import DATABASE_NAME, open_database, write_transaction
from workstation.catalog.schema import GENESIS_HASH


@pytest.fixture
def audit(catalog_engine: Engine) -> AuditLog:
    return AuditLog(catalog_engine)


def test_rows_are_chained_from_the_first(audit: AuditLog) -> None:
    first = audit.append("import", user="ann", study_instance_uid="1.2", details={"b": 1, "a": "é"})
    second = audit.append("settings", user="ann")
    assert (first.row, first.previous_hash) == (1, GENESIS_HASH)
    assert (second.row, second.previous_hash) == (2, first.hash)
    assert audit.entries() == [first, second]
    assert audit.head() == second.hash
    result = audit.verify()
    assert (result.ok, result.entries, result.head) == (True, 2, second.hash)


def test_hash_is_the_documented_one(audit: AuditLog) -> None:
    entry = audit.append("edit", user="ann", study_instance_uid="1", details={"b": "é", "a": [1]})
    columns = ["echo-audit-1", 1, entry.recorded_at, "edit", "ann", "1", '{"a":[1],"b":"é"}']
    text = json.dumps([*columns, GENESIS_HASH], separators=(",", ":"), ensure_ascii=False)
    assert entry.hash == hashlib.sha256(text.encode()).hexdigest()


def test_empty_log_is_whole(audit: AuditLog) -> None:
    assert audit.verify().ok
    assert audit.head() == GENESIS_HASH


def test_entries_of_one_study_and_the_newest_only(audit: AuditLog) -> None:
    for number in range(6):
        audit.append("edit", user="u", study_instance_uid=str(number % 2))
    assert [entry.row for entry in audit.entries("1")] == [2, 4, 6]
    assert [entry.row for entry in audit.entries(limit=2)] == [5, 6]


def test_times_are_utc(catalog_engine: Engine) -> None:
    clock = AuditLog(catalog_engine, now=lambda: datetime(2026, 4, 12, 8, 30, tzinfo=UTC))
    assert clock.append("verify", user="u").recorded_at == "2026-04-12T08:30:00+00:00"


@pytest.mark.parametrize("details", [{"x": float("nan")}, {"x": object()}, {"x": b"bytes"}])
def test_details_that_are_not_json_are_refused(audit: AuditLog, details: dict) -> None:
    with pytest.raises(ValueError, match="JSON"):
        audit.append("edit", user="u", details=details)
    assert audit.entries() == []


def test_unknown_event_is_refused(audit: AuditLog) -> None:
    with pytest.raises(ValueError, match="unknown audit event 'login2'"):
        audit.append("login2", user="u")


def test_every_event_of_the_contract_can_be_kept(audit: AuditLog) -> None:
    for event in EVENTS:
        audit.append(event, user="u")
    assert [entry.event for entry in audit.entries()] == list(EVENTS)


def test_undecodable_text_does_not_stop_the_log(audit: AuditLog) -> None:
    audit.append("import", user="u\udc80", details={"path": "/films/\udcc9.dcm"})
    assert audit.entries()[0].details == {"path": "/films/?.dcm"}
    assert audit.verify().ok


def test_verification_can_be_recorded(audit: AuditLog) -> None:
    audit.append("settings", user="u")
    entry = audit.record_verification(audit.verify(), "ann")
    assert audit.entries()[-1] == entry
    assert (entry.event, entry.user, entry.details["ok"]) == ("verify", "ann", True)


def test_append_joins_the_transaction_of_its_caller(
    audit: AuditLog, catalog_engine: Engine
) -> None:
    with write_transaction(catalog_engine) as connection:
        audit.append("edit", user="u", connection=connection)
        audit.append("edit", user="u", connection=connection)
    assert audit.verify().entries == 2


def test_two_writers_never_fork_the_chain(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    failures: list[BaseException] = []

    def write(name: str) -> None:
        engine = open_database(tmp_path, busy_timeout_s=30)
        try:
            for number in range(25):
                AuditLog(engine).append("edit", user=name, details={"number": number})
        except BaseException as error:
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=write, args=(name,)) for name in ("ann", "bob", "cho")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    engine = open_database(tmp_path)
    result = AuditLog(engine).verify()
    assert (result.ok, result.entries) == (True, 75)
    for name in ("ann", "bob", "cho"):
        numbers = [e.details["number"] for e in AuditLog(engine).entries() if e.user == name]
        assert numbers == list(range(25))
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET user = 'x' WHERE row = 2",
        "DELETE FROM audit_entry WHERE row = 3",
        "INSERT OR REPLACE INTO audit_entry SELECT row, recorded_at, event, 'x',"
        " study_instance_uid, details, previous_hash, hash FROM audit_entry WHERE row = 2",
        "REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE row = 3",
        "INSERT INTO audit_entry SELECT 9, recorded_at, event, user, study_instance_uid,"
        " details, previous_hash, hash FROM audit_entry WHERE row = 3",
        "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE row = 2"
        " ON CONFLICT(row) DO UPDATE SET user = 'x'",
        "UPDATE audit_head SET row = 2, hash = (SELECT hash FROM audit_entry WHERE row = 2)",
        "DELETE FROM audit_head",
        "REPLACE INTO audit_head SELECT 1, row, hash FROM audit_entry WHERE row = 2",
        "INSERT INTO audit_head VALUES (2, 1, '')",
    ],
)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])  # OFF is what other tools come with
def test_triggers_forbid_changes(
    audit: AuditLog, tmp_path: Path, statement: str, recursive: str
) -> None:
    for _ in range(3):
        audit.append("edit", user="u")
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    raw.execute(f"PRAGMA recursive_triggers={recursive}")
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(statement)
    raw.close()
    assert audit.verify().ok


_DETAILS = st.dictionaries(
    st.text(max_size=5),
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.integers()),
    max_size=4,
)


# "sign" and "addendum" rows must have their signature beside them; SignOff writes both.
_LONE_EVENTS = [event for event in EVENTS if event not in ("sign", "addendum")]


@given(
    st.lists(st.tuples(st.sampled_from(_LONE_EVENTS), st.text(max_size=8), _DETAILS), max_size=8)
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_appended_comes_back_and_verifies(
    tmp_path_factory: pytest.TempPathFactory, appended: list[tuple[str, str, dict]]
) -> None:
    engine = open_database(tmp_path_factory.mktemp("chain"))
    audit = AuditLog(engine)
    with write_transaction(engine) as connection:
        for event, user, details in appended:
            audit.append(event, user=user, details=details, connection=connection)
    kept = [(entry.event, entry.user, entry.details) for entry in audit.entries()]
    assert kept == appended
    result = audit.verify()
    assert result.ok, result
    engine.dispose()


def _chain(length: int) -> list[tuple]:
    rows, head = [], GENESIS_HASH
    for row in range(1, length + 1):
        columns = (row, "2026-04-12", "edit", "u", "", canonical_json({"row": row}), head)
        head = hash_row(*columns)
        rows.append((*columns, head))
    return rows


@given(st.integers(2, 12), st.data())
@settings(deadline=None)
def test_any_change_of_a_chain_is_found_where_it_begins(length: int, data: st.DataObject) -> None:
    rows = _chain(length)
    anchors = {length: rows[-1][7]}
    assert find_break(rows, anchors) is None
    at = data.draw(st.integers(0, length - 1))
    match data.draw(st.sampled_from(["edit", "delete", "swap", "replace", "truncate"])):
        case "edit":
            column = data.draw(st.integers(1, 7))
            rows[at] = (*rows[at][:column], rows[at][column] + "x", *rows[at][column + 1 :])
        case "delete":
            del rows[at]
        case "swap":
            at = min(at, length - 2)
            rows[at], rows[at + 1] = (
                (rows[at][0], *rows[at + 1][1:]),
                (rows[at + 1][0], *rows[at][1:]),
            )
        case "replace":
            forged = (*rows[at][:3], "mallory", *rows[at][4:7])
            rows[at] = (*forged, hash_row(*forged))
        case "truncate":
            del rows[at:]
    broken = find_break(rows, anchors)
    assert broken is not None
    assert broken.row == at + 1
