from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME
from workstation.catalog.study_catalog import StudyCatalog
from workstation.reporting.report_state import ReportSigned, ReportState, Sentence
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.signing.signature import (
    MEANING,
    NothingToSign,
    NotSigned,
    SignerMissing,
    UnsavedEdits,
)
from workstation.reporting.versions.report_store import ReportStore
from workstation.reporting.versions.stored_report import Addendum

STATE = ReportState(
    findings=(Sentence(1, "No mass.", "ai", 0.7), Sentence(2, "Clips.", "human")),
    impression=(Sentence(3, "Normal.", "edited"),),
)


@pytest.fixture
def audit(catalog_engine: Engine) -> AuditLog:
    return AuditLog(catalog_engine)


@pytest.fixture
def store(catalog_engine: Engine, audit: AuditLog, study_uid: str) -> ReportStore:
    store = ReportStore(catalog_engine, audit, "ann")
    store.save_draft(study_uid, STATE, [])
    return store


@pytest.fixture
def sign_off(catalog_engine: Engine, audit: AuditLog) -> SignOff:
    return SignOff(catalog_engine, audit)


def test_signature_shows_name_time_meaning_and_head(
    store: ReportStore, sign_off: SignOff, audit: AuditLog, study_uid: str
) -> None:
    signature = sign_off.sign(study_uid, " Dr. Roe ", seen=STATE)
    entry = audit.entries()[-1]
    assert (signature.signer, signature.meaning) == ("Dr. Roe", MEANING)
    assert signature.signed_at == entry.recorded_at
    assert signature.signed_at.endswith("+00:00")
    assert (signature.audit_row, signature.audit_head) == (entry.row, audit.head())
    assert (entry.event, entry.user) == ("sign", "Dr. Roe")
    assert entry.details["provenance"] == {"ai": 1, "human": 1, "edited": 1}
    assert sign_off.signature(study_uid) == signature
    stored = store.load(study_uid)
    assert stored is not None
    assert (stored.status, stored.signed_by) == ("signed", "Dr. Roe")
    assert (stored.signed_at, stored.state) == (signature.signed_at, STATE)


def test_signed_report_is_never_saved_or_signed_again(
    store: ReportStore, sign_off: SignOff, audit: AuditLog, study_uid: str
) -> None:
    sign_off.sign(study_uid, "Dr. Roe")
    head = audit.head()
    with pytest.raises(ReportSigned, match=study_uid):
        store.save_draft(study_uid, ReportState(), [])
    with pytest.raises(ReportSigned):
        sign_off.sign(study_uid, "Dr. Doe")
    assert audit.head() == head


def test_nothing_to_sign_is_said(
    catalog_engine: Engine, sign_off: SignOff, audit: AuditLog, study_uid: str
) -> None:
    with pytest.raises(NothingToSign, match="no report"):
        sign_off.sign(study_uid, "Dr. Roe")
    store = ReportStore(catalog_engine, audit, "ann")
    store.save_draft(study_uid, STATE, [])
    store.save_draft(study_uid, ReportState(), [])
    with pytest.raises(NothingToSign, match="no text"):
        sign_off.sign(study_uid, "Dr. Roe")
    assert sign_off.signature(study_uid) is None


def test_only_what_was_seen_is_signed(
    store: ReportStore, sign_off: SignOff, study_uid: str
) -> None:
    with pytest.raises(UnsavedEdits):
        sign_off.sign(study_uid, "Dr. Roe", seen=ReportState(findings=STATE.findings))
    with pytest.raises(SignerMissing):
        sign_off.sign(study_uid, "  ")
    stored = store.load(study_uid)
    assert stored is not None
    assert stored.status == "draft"


def test_addenda_follow_a_signature_with_author_and_time(
    store: ReportStore, sign_off: SignOff, audit: AuditLog, study_uid: str
) -> None:
    with pytest.raises(NotSigned):
        sign_off.add_addendum(study_uid, "Dr. Roe", "Late.")
    sign_off.sign(study_uid, "Dr. Roe")
    first = sign_off.add_addendum(study_uid, "Dr. Roe", " Prior now seen. ")
    second = sign_off.add_addendum(study_uid, "Dr. Doe", "Agreed.")
    stored = store.load(study_uid)
    assert stored is not None
    assert stored.addenda == (first, second)
    assert StudyCatalog(store._engine).study(study_uid).status == "addended"
    assert first == Addendum("Dr. Roe", audit.entries()[-2].recorded_at, "Prior now seen.")
    assert audit.entries()[-1].details == {"author": "Dr. Doe", "text": "Agreed."}
    with pytest.raises(ValueError, match="no text"):
        sign_off.add_addendum(study_uid, "Dr. Roe", " ")
    with pytest.raises(SignerMissing):
        sign_off.add_addendum(study_uid, "", "x")
    assert audit.verify().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE report SET state = 'x'",
        "UPDATE report SET ai_findings = 'x'",
        "DELETE FROM report",
        "REPLACE INTO report SELECT * FROM report",
        "UPDATE signature SET signer = 'x'",
        "DELETE FROM signature",
        "REPLACE INTO signature SELECT * FROM signature",
        "UPDATE addendum SET text = 'x'",
        "DELETE FROM addendum",
        "REPLACE INTO addendum SELECT * FROM addendum",
    ],
)
def test_triggers_keep_the_signed_report(
    store: ReportStore, sign_off: SignOff, study_uid: str, tmp_path: Path, statement: str
) -> None:
    sign_off.sign(study_uid, "Dr. Roe")
    sign_off.add_addendum(study_uid, "Dr. Roe", "Late.")
    before = store.load(study_uid)
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    with pytest.raises(sqlite3.IntegrityError, match="can not be changed"):
        raw.execute(statement)
    raw.close()
    assert store.load(study_uid) == before


def test_signature_and_audit_row_commit_together(
    store: ReportStore, sign_off: SignOff, audit: AuditLog, study_uid: str, tmp_path: Path
) -> None:
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    raw.execute(
        "CREATE TRIGGER fail BEFORE INSERT ON signature BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    raw.close()
    with pytest.raises(IntegrityError, match="no"):
        sign_off.sign(study_uid, "Dr. Roe")
    assert [entry.event for entry in audit.entries()] == ["edit", "edit"]
