from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME, CatalogUnavailable
from workstation.catalog.study_catalog import UnknownStudy
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import Edit, ReportState, Sentence
from workstation.reporting.versions.autosave import Autosave
from workstation.reporting.versions.report_store import ReportStore
from workstation.reporting.versions.report_version import DraftOrigin

ORIGIN = DraftOrigin("ab" * 32, {"decoding": "one-step"}, "No mass.", "Normal.", "embedded", ("f",))
STATE = ReportState(findings=(Sentence(1, "No mass.", "ai", 0.75),))


@pytest.fixture
def audit(catalog_engine: Engine) -> AuditLog:
    return AuditLog(catalog_engine)


@pytest.fixture
def store(catalog_engine: Engine, audit: AuditLog) -> ReportStore:
    return ReportStore(catalog_engine, audit, "ann")


def _edits(audit: AuditLog) -> list[tuple[str, str, str]]:
    rows = [entry.details for entry in audit.entries() if entry.event == "edit"]
    return [(row["kind"], row["before"], row["after"]) for row in rows]


def test_study_without_report_has_none(store: ReportStore, study_uid: str) -> None:
    assert store.load(study_uid) is None
    assert store.load("9.9") is None


def test_saved_draft_comes_back_whole(store: ReportStore, study_uid: str) -> None:
    store.save_draft(study_uid, STATE, [Edit("draft", "findings", "", "No mass.")], origin=ORIGIN)
    stored = store.load(study_uid)
    assert stored is not None
    assert (stored.state, stored.status, stored.signed_by) == (STATE, "draft", "")
    assert (stored.model_sha256, stored.decoding) == ("ab" * 32, {"decoding": "one-step"})
    assert (stored.ai_findings, stored.ai_impression) == ("No mass.", "Normal.")
    assert (stored.model_name, stored.image_sha256) == ("embedded", ("f",))


def test_origin_stays_when_edits_follow(store: ReportStore, study_uid: str) -> None:
    store.save_draft(study_uid, STATE, [], origin=ORIGIN)
    store.save_draft(study_uid, ReportState(), [])
    stored = store.load(study_uid)
    assert stored is not None
    assert (stored.state, stored.ai_findings) == (ReportState(), "No mass.")


def test_every_edit_is_audited_with_before_and_after(
    store: ReportStore, audit: AuditLog, study_uid: str
) -> None:
    edits = [
        Edit("draft", "findings", "", "No mass."),
        Edit("edit", "findings", "No mass.", "Mass."),
        Edit("undo", "findings", "Mass.", "No mass."),
    ]
    store.save_draft(study_uid, STATE, edits, origin=ORIGIN)
    assert _edits(audit) == [(edit.kind, edit.before, edit.after) for edit in edits]
    entry = audit.entries()[0]
    assert (entry.user, entry.study_instance_uid) == ("ann", study_uid)
    assert entry.details["model_sha256"] == "ab" * 32
    assert entry.details["decoding"] == {"decoding": "one-step"}


def test_unexplained_change_is_audited_all_the_same(
    store: ReportStore, audit: AuditLog, study_uid: str
) -> None:
    store.save_draft(study_uid, STATE, [])
    assert _edits(audit) == [("text", "", "No mass.")]
    store.save_draft(study_uid, STATE, [])  # nothing new: nothing written
    assert audit.verify().entries == 1


def test_unknown_study_is_refused(store: ReportStore, audit: AuditLog) -> None:
    with pytest.raises(UnknownStudy):
        store.save_draft("9.9", STATE, [Edit("add", "findings", "", "x")])
    assert audit.entries() == []


def test_damaged_report_is_named(store: ReportStore, study_uid: str, tmp_path: Path) -> None:
    store.save_draft(study_uid, STATE, [])
    with sqlite3.connect(tmp_path / "records" / DATABASE_NAME) as raw:
        raw.execute("UPDATE report SET state = 'x'")
    raw.close()
    with pytest.raises(CatalogUnavailable, match=r"saved report of study 1\.2\.3 is damaged"):
        store.load(study_uid)
    store.save_draft(study_uid, STATE, [])  # what is on screen can be saved over it
    assert store.load(study_uid) is not None


def test_autosave_saves_typing_as_one_edit(
    store: ReportStore, audit: AuditLog, study_uid: str
) -> None:
    report = DraftReport()
    autosave = Autosave(store, study_uid, report)
    assert not autosave.flush()
    for typed in ("N", "No", "No mass."):
        report.set_section_text("findings", typed, merge=True)
    assert autosave.is_dirty
    assert autosave.flush()
    assert not autosave.is_dirty
    assert _edits(audit) == [("text", "", "No mass.")]
    report.undo()
    autosave.close()
    assert _edits(audit)[1] == ("undo", "No mass.", "")


def test_failed_save_loses_nothing_and_can_be_repeated(
    catalog_engine: Engine, store: ReportStore, audit: AuditLog, study_uid: str
) -> None:
    report = DraftReport()
    autosave = Autosave(store, study_uid, report)
    autosave.set_origin(ORIGIN)
    report.set_from_draft("No mass. " + "word " * 20_000, "Normal.")
    state = report.state
    catalog_engine.dispose()

    @event.listens_for(catalog_engine, "connect")
    def limit_size(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    for _ in range(2):
        with pytest.raises(CatalogUnavailable, match="disk is full"):
            autosave.flush()
        assert report.state == state
        assert autosave.is_dirty
    assert store.load(study_uid) is None
    assert audit.entries() == []
    event.remove(catalog_engine, "connect", limit_size)
    catalog_engine.dispose()
    assert autosave.flush()
    stored = store.load(study_uid)
    assert stored is not None
    assert (stored.state, stored.model_sha256) == (state, ORIGIN.model_sha256)
    assert [kind for kind, _, _ in _edits(audit)] == ["draft", "draft"]
