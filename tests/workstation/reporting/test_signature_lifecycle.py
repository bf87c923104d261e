"""Draft, preliminary, final, corrected: who may, what stays readable, and what verify finds."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from workstation.accounts.account import NotAuthenticated, RoleMissing
from workstation.accounts.account_store import AccountStore
from workstation.accounts.secrets import SecretHasher
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME
from workstation.catalog.study_catalog import StudyCatalog
from workstation.catalog.study_removal import remove_study
from workstation.reporting.check_override import CheckOverride
from workstation.reporting.checks.report_checks import check_report
from workstation.reporting.report_state import ReportSigned, ReportState, Sentence
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.signing.signature import (
    MEANINGS,
    ChecksOpen,
    CorrectionOpen,
    NothingToSign,
    NotSigned,
)
from workstation.reporting.versions.report_store import ReportStore
from workstation.reporting.versions.report_version import DraftOrigin

ORIGIN = DraftOrigin("ab" * 32, {"mode": "one-step"}, "No mass.", "Normal.", "embedded", ("f",))
DRAFTED = ReportState(findings=(Sentence(1, "No mass.", "ai", 0.7),))
WRITTEN = ReportState(findings=(Sentence(1, "Mass on the left.", "edited"),))
CORRECTED = ReportState(findings=(Sentence(1, "Mass on the right.", "edited"),))
CONTRARY = ReportState(
    findings=(Sentence(1, "Left pleural effusion.", "human"),),
    impression=(Sentence(2, "Right pleural effusion.", "human"),),
)
SECRET = "correct horse 7"


@pytest.fixture
def audit(catalog_engine: Engine) -> AuditLog:
    return AuditLog(catalog_engine)


@pytest.fixture
def accounts(catalog_engine: Engine, audit: AuditLog) -> AccountStore:
    cheap = SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return AccountStore(catalog_engine, audit, cheap)


@pytest.fixture
def store(catalog_engine: Engine, audit: AuditLog, study_uid: str) -> ReportStore:
    store = ReportStore(catalog_engine, audit, "ann")
    store.save_draft(study_uid, DRAFTED, [], origin=ORIGIN)
    store.save_draft(study_uid, WRITTEN, [])
    return store


@pytest.fixture
def sign_off(catalog_engine: Engine, audit: AuditLog, accounts: AccountStore) -> SignOff:
    return SignOff(catalog_engine, audit, accounts)


def _kinds(store: ReportStore, study_uid: str) -> list[str]:
    return [version.kind for version in store.versions(study_uid)]


def test_a_preliminary_report_is_marked_and_can_still_be_edited(
    catalog_engine: Engine, store: ReportStore, sign_off: SignOff, audit: AuditLog, study_uid: str
) -> None:
    signature = sign_off.sign_preliminary(study_uid, "Dr. Bo", seen=WRITTEN)
    entry = audit.entries()[-1]
    assert (signature.kind, signature.meaning) == ("preliminary", MEANINGS["preliminary"])
    assert (signature.audit_row, signature.audit_head) == (entry.row, audit.head())
    assert (entry.event, entry.details["version"]) == ("sign-preliminary", "preliminary")
    assert sign_off.signature(study_uid) is None  # not final
    assert StudyCatalog(catalog_engine).study(study_uid).status == "preliminary"
    stored = store.load(study_uid)
    assert stored is not None
    assert (stored.status, stored.stage, stored.is_edited_since) == ("draft", "preliminary", False)
    assert stored.preliminary is not None
    assert stored.preliminary.author == "Dr. Bo"

    store.save_draft(study_uid, CORRECTED, [])
    stored = store.load(study_uid)
    assert stored is not None
    assert stored.is_edited_since
    assert stored.preliminary is not None
    assert stored.preliminary.state == WRITTEN
    sign_off.sign(study_uid, "Dr. Roe")
    assert _kinds(store, study_uid) == ["ai-draft", "preliminary", "final"]
    with pytest.raises(ReportSigned):
        sign_off.sign_preliminary(study_uid, "Dr. Bo")
    assert audit.verify().ok


def test_versions_keep_what_was_drafted_and_what_was_signed(
    store: ReportStore, sign_off: SignOff, study_uid: str
) -> None:
    sign_off.sign(study_uid, "Dr. Roe")
    drafted, signed = store.versions(study_uid)
    assert (drafted.number, drafted.state, drafted.origin) == (1, DRAFTED, ORIGIN)
    assert (signed.number, signed.state, signed.author) == (2, WRITTEN, "Dr. Roe")
    assert signed.origin == ORIGIN


def test_a_corrected_version_stands_beside_the_final_one(
    catalog_engine: Engine, store: ReportStore, sign_off: SignOff, audit: AuditLog, study_uid: str
) -> None:
    with pytest.raises(NotSigned):
        sign_off.start_correction(study_uid, "Dr. Roe", "wrong side")
    final = sign_off.sign(study_uid, "Dr. Roe")
    with pytest.raises(ValueError, match="needs a reason"):
        sign_off.start_correction(study_uid, "Dr. Roe", " ")
    assert sign_off.start_correction(study_uid, "Dr. Roe", "wrong side") == WRITTEN
    with pytest.raises(CorrectionOpen):
        sign_off.start_correction(study_uid, "Dr. Roe", "again")
    with pytest.raises(NothingToSign, match="says the same"):
        sign_off.sign(study_uid, "Dr. Roe")
    store.save_draft(study_uid, CORRECTED, [])
    stored = store.load(study_uid)
    assert stored is not None
    assert (stored.state, stored.stage) == (WRITTEN, "final")  # nothing counts before it is signed
    assert stored.correction is not None
    assert stored.correction.state == CORRECTED

    corrected = sign_off.sign(study_uid, "Dr. Doe", seen=CORRECTED)
    assert (corrected.kind, corrected.reason) == ("corrected", "wrong side")
    assert corrected.audit_head == audit.head()
    assert sign_off.signature(study_uid) == corrected
    stored = store.load(study_uid)
    assert stored is not None
    assert (stored.state, stored.stage, stored.signed_by) == (CORRECTED, "corrected", "Dr. Doe")
    assert (stored.correction, stored.correction_reason) == (None, "wrong side")
    assert StudyCatalog(catalog_engine).study(study_uid).status == "corrected"
    original = store.versions(study_uid)[1]
    assert (original.state, original.audit_head) == (WRITTEN, final.audit_head)
    with pytest.raises(ReportSigned):
        store.save_draft(study_uid, WRITTEN, [])
    assert audit.verify().ok


def test_a_redraft_in_a_correction_is_its_origin_alone(
    store: ReportStore, sign_off: SignOff, study_uid: str
) -> None:
    sign_off.sign(study_uid, "Dr. Roe")
    sign_off.start_correction(study_uid, "Dr. Roe", "wrong side")
    other = replace(ORIGIN, model_sha256="cd" * 32)
    store.save_draft(study_uid, CORRECTED, [], origin=other)
    sign_off.sign(study_uid, "Dr. Roe")
    stored = store.load(study_uid)
    assert stored is not None
    assert stored.model_sha256 == "cd" * 32
    shas = [version.origin.model_sha256[:2] for version in store.versions(study_uid)]
    assert shas == ["ab", "ab", "cd", "cd"]


def test_a_correction_given_up_leaves_the_signed_report(
    store: ReportStore, sign_off: SignOff, audit: AuditLog, study_uid: str
) -> None:
    sign_off.sign(study_uid, "Dr. Roe")
    before = store.load(study_uid)
    sign_off.start_correction(study_uid, "Dr. Roe", "wrong side")
    store.save_draft(study_uid, CORRECTED, [])
    sign_off.abandon_correction(study_uid, "Dr. Roe")
    assert store.load(study_uid) == before
    assert "Mass on the right." in audit.entries()[-1].details["text"]
    with pytest.raises(NotSigned):
        sign_off.abandon_correction(study_uid, "Dr. Roe")
    assert audit.verify().ok


def test_a_blocking_check_is_solved_or_set_aside_with_a_reason(
    store: ReportStore, sign_off: SignOff, audit: AuditLog, study_uid: str
) -> None:
    store.save_draft(study_uid, CONTRARY, [])
    with pytest.raises(ChecksOpen) as refused:
        sign_off.sign(study_uid, "Dr. Roe")
    blocking = [check for check in check_report(CONTRARY) if check.is_blocking]
    assert refused.value.checks == tuple(blocking)
    assert blocking[0].message in str(refused.value)
    assert sign_off.signature(study_uid) is None
    assert sign_off.sign_preliminary(study_uid, "Dr. Bo").kind == "preliminary"
    assert audit.entries()[-1].details["open_checks"]
    reasons = tuple(
        CheckOverride(check.key, check.rule, check.message, "both sides, seen on CT")
        for check in blocking
    )
    store.save_draft(study_uid, replace(CONTRARY, overrides=reasons), [])
    sign_off.sign(study_uid, "Dr. Roe")
    written = audit.entries()[-1].details["overrides"]
    assert [each["reason"] for each in written] == ["both sides, seen on CT"] * len(blocking)


def test_with_accounts_only_a_signer_who_gives_the_secret_again_signs(
    store: ReportStore,
    sign_off: SignOff,
    accounts: AccountStore,
    audit: AuditLog,
    study_uid: str,
) -> None:
    admin = accounts.create("ann", "Dr. Ann Roe", ["signer"], SECRET)
    reader = accounts.create("bo", "Dr. Bo", [], SECRET, by=admin)
    with pytest.raises(NotAuthenticated):
        sign_off.sign(study_uid, "Dr. Ann Roe")
    with pytest.raises(RoleMissing, match="needs an account that may sign"):
        sign_off.sign(study_uid, authentication=accounts.prove("bo", SECRET))
    given = sign_off.sign_preliminary(study_uid, authentication=accounts.prove("bo", SECRET))
    assert (given.signer, given.role) == ("Dr. Bo", "reader")
    proof = accounts.prove("ann", SECRET)
    signature = sign_off.sign(study_uid, "somebody else", authentication=proof)
    assert (signature.signer, signature.role) == ("Dr. Ann Roe", "signer")
    details = audit.entries()[-1].details
    assert (details["account"], details["reauthenticated"]) == ("ann", True)
    with pytest.raises(NotAuthenticated):  # a proof is good once
        sign_off.add_addendum(study_uid, "", "Late.", authentication=proof)
    with pytest.raises(RoleMissing):
        sign_off.start_correction(study_uid, "Dr. Bo", "wrong side", account=reader)
    addendum = sign_off.add_addendum(
        study_uid, "", "Late.", authentication=accounts.prove("ann", SECRET)
    )
    assert addendum.author == "Dr. Ann Roe"
    assert audit.verify().ok


def test_a_removed_draft_starts_anew_and_a_preliminary_report_is_kept(
    catalog_engine: Engine, store: ReportStore, sign_off: SignOff, make_header, study_uid: str
) -> None:
    with catalog_engine.begin() as connection:
        assert not remove_study(connection, study_uid).keeps_report
    StudyCatalog(catalog_engine).add_instance(make_header(), Path("/films/jane.dcm"))
    assert store.versions(study_uid) == ()
    store.save_draft(study_uid, WRITTEN, [])
    assert _kinds(store, study_uid) == []  # the versions of the removed report are not its own
    sign_off.sign_preliminary(study_uid, "Dr. Bo")
    assert _kinds(store, study_uid) == ["preliminary"]
    with catalog_engine.begin() as connection:
        assert remove_study(connection, study_uid).keeps_report
    assert store.load(study_uid) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE report_version SET author = 'x'",
        "DELETE FROM report_version",
        "REPLACE INTO report_version SELECT * FROM report_version",
    ],
)
def test_triggers_keep_versions(
    store: ReportStore, study_uid: str, tmp_path: Path, statement: str
) -> None:
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    with pytest.raises(sqlite3.IntegrityError, match="version of a report can not be changed"):
        raw.execute(statement)
    raw.close()


@pytest.mark.parametrize(
    ("statement", "kind", "reason"),
    [
        ("UPDATE report_version SET author='x' WHERE kind=?", "preliminary", "not the audited"),
        ("UPDATE report_version SET kind='final' WHERE kind=?", "preliminary", "not the audited"),
        ("UPDATE report_version SET reason='x' WHERE kind=?", "corrected", "not the audited"),
        ("UPDATE report_version SET reason='' WHERE kind=?", "corrected", "not the audited"),
        ("UPDATE report_version SET role='x' WHERE kind=?", "final", "not the audited"),
        ("UPDATE report_version SET state='{}' WHERE kind=?", "ai-draft", "was changed"),
        ("UPDATE report_version SET origin='{}' WHERE kind=?", "ai-draft", "was changed"),
        ("UPDATE report_version SET audit_head='x' WHERE kind=?", "corrected", "signed"),
        ("DELETE FROM report_version WHERE kind=?", "corrected", "is gone"),
        ("DELETE FROM report_version WHERE kind=?", "ai-draft", "is gone"),
    ],
)
def test_tampered_versions_are_found(
    store: ReportStore,
    sign_off: SignOff,
    audit: AuditLog,
    study_uid: str,
    tmp_path: Path,
    statement: str,
    kind: str,
    reason: str,
) -> None:
    sign_off.sign_preliminary(study_uid, "Dr. Bo")
    sign_off.sign(study_uid, "Dr. Roe")
    sign_off.start_correction(study_uid, "Dr. Roe", "wrong side")
    store.save_draft(study_uid, CORRECTED, [])
    sign_off.sign(study_uid, "Dr. Roe")
    assert audit.verify().ok
    row = next(v.audit_row for v in store.versions(study_uid) if v.kind == kind)
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute(statement, (kind,))
    raw.commit()
    raw.close()
    result = audit.verify()
    assert (result.ok, result.first_broken_row) == (False, row)
    assert reason in result.reason
