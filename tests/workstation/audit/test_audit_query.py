"""Which rows answer a filter, and what DICOM calls their events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydicom.sr._concepts_dict import concepts
from sqlalchemy import Engine

from workstation.audit.audit_codes import audit_code
from workstation.audit.audit_log import EVENTS, AuditLog
from workstation.audit.audit_query import AuditFilter, AuditReader
from workstation.catalog.study_catalog import StudyCatalog

DAYS = (
    datetime(2026, 4, 12, 9, 0, tzinfo=UTC),
    datetime(2026, 4, 12, 23, 30, tzinfo=UTC),  # already the 13th in China
    datetime(2026, 4, 14, 9, 0, tzinfo=UTC),
    datetime(2026, 4, 15, 9, 0, tzinfo=UTC),
)


@pytest.fixture
def reader(catalog_engine: Engine, make_header: Callable[..., Any]) -> AuditReader:
    """1 ann opens Jane's study, 2 bob edits it, 3 ann edits another's, 4 bob changes settings."""
    catalog = StudyCatalog(catalog_engine)
    catalog.add_instance(make_header(), Path("/films/jane.dcm"))
    richard = {
        "study_instance_uid": "9.9",
        "sop_instance_uid": "9.9.1",
        "series_instance_uid": "9.9.2",
        "patient_name": "ROE, RICHARD",
        "patient_id": "P-2",
        "accession_number": "B-1",
    }
    catalog.add_instance(make_header(**richard), Path("/films/richard.dcm"))
    clock: Iterator[datetime] = iter(DAYS)
    audit = AuditLog(catalog_engine, now=lambda: next(clock))
    audit.append("study-opened", user="ann", study_instance_uid="1.2.3")
    edit = {"kind": "edit", "before": "No effusion.", "after": 'Effusion "small" 100%.'}
    audit.append("edit", user="bob", study_instance_uid="1.2.3", details=edit)
    audit.append("edit", user="ann", study_instance_uid="9.9", details={"after": "两肺清晰。"})
    audit.append("settings", user="bob", details={"model": "embedded"})
    return AuditReader(catalog_engine, zone=UTC)


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (AuditFilter(), [4, 3, 2, 1]),
        (AuditFilter(events=("edit",)), [3, 2]),
        (AuditFilter(events=("edit", "settings")), [4, 3, 2]),
        (AuditFilter(user="bob"), [4, 2]),
        (AuditFilter(user="bo"), []),
        (AuditFilter(study="1.2.3"), [2, 1]),
        (AuditFilter(study="doe jane"), [2, 1]),
        (AuditFilter(study="p-2"), [3]),
        (AuditFilter(study="nobody"), []),
        (AuditFilter(text="effusion"), [2]),
        (AuditFilter(text="small effusion"), [2]),
        (AuditFilter(text='"small"'), [2]),
        (AuditFilter(text="100%"), [2]),
        (AuditFilter(text="%"), [2]),
        (AuditFilter(text="两肺"), [3]),
        (AuditFilter(text="settings"), [4]),
        (AuditFilter(first_day=date(2026, 4, 14)), [4, 3]),
        (AuditFilter(last_day=date(2026, 4, 12)), [2, 1]),
        (AuditFilter(first_day=date(2026, 4, 14), last_day=date(2026, 4, 14)), [3]),
        (AuditFilter(events=("edit",), user="ann", study="roe"), [3]),
    ],
)
def test_filter_finds_its_rows_newest_first(
    reader: AuditReader, wanted: AuditFilter, rows: list[int]
) -> None:
    assert reader.row_numbers(wanted) == rows


def test_days_are_those_of_the_readers_clock(reader: AuditReader, catalog_engine: Engine) -> None:
    in_china = AuditReader(catalog_engine, zone=timezone(timedelta(hours=8)))
    assert in_china.row_numbers(AuditFilter(last_day=date(2026, 4, 12))) == [1]
    assert in_china.row_numbers(AuditFilter(first_day=date(2026, 4, 13))) == [4, 3, 2]


def test_entries_of_some_rows_only(reader: AuditReader) -> None:
    found = reader.entries([2, 4, 77])
    assert sorted(found) == [2, 4]
    assert found[2].details["before"] == "No effusion."
    assert reader.entries([]) == {}


def test_users_and_studies_are_listed(reader: AuditReader) -> None:
    assert reader.users() == ["ann", "bob"]
    labels = reader.study_labels()
    assert (labels["1.2.3"].patient_name, labels["9.9"].patient_id) == ("DOE, JANE", "P-2")


def test_tampered_text_is_shown_and_not_refused(
    reader: AuditReader, catalog_engine: Engine
) -> None:
    raw = catalog_engine.raw_connection()
    raw.driver_connection.execute("DROP TRIGGER audit_entry_no_update")
    tamper = "UPDATE audit_entry SET details=CAST(x'7bff' AS TEXT), user=CAST(x'ff' AS TEXT)"
    raw.driver_connection.execute(f"{tamper} WHERE row=2")
    raw.close()
    assert reader.row_numbers() == [4, 3, 2, 1]
    assert reader.entries([2])[2].details == {"unreadable": "{\ufffd"}


def test_every_code_is_dicoms_own() -> None:
    """pydicom's table of PS3.16 as the witness."""
    dicom = {
        code: meaning
        for keyword in concepts["DCM"].values()
        for code, (meaning, *_) in keyword.items()
    }
    for event in EVENTS:
        code = audit_code(event)
        assert dicom[code.value] == code.meaning, event
        if code.type_value:
            assert dicom[code.type_value] == code.type_meaning, event


def test_every_event_has_chosen_its_code() -> None:
    last_resort = audit_code("not an event of this log")
    assert [event for event in EVENTS if audit_code(event) == last_resort] == []
