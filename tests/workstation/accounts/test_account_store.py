"""Accounts: logging in, waiting after failures, roles, and that no secret is left anywhere."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from workstation.accounts.account import (
    Account,
    AccountExists,
    AccountLocked,
    LastAdmin,
    LoginRefused,
    NotAuthenticated,
    RoleMissing,
    UnknownAccount,
    WeakSecret,
)
from workstation.accounts.account_store import AccountStore
from workstation.accounts.lockout import wait_after
from workstation.accounts.secrets import SecretHasher, check_strength
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME

SECRET = "correct horse 7"
OTHER = "battery staple 9"


@pytest.fixture
def admin(store: AccountStore) -> Account:
    return store.create("Ann", "Dr. Ann Roe", ["signer"], SECRET)


def _events(audit: AuditLog) -> list[tuple[str, str]]:
    return [(entry.event, entry.user) for entry in audit.entries()]


def test_without_accounts_nobody_has_to_log_in(store: AccountStore) -> None:
    assert not store.are_in_use
    assert store.accounts() == []


def test_the_first_account_keeps_accounts_and_logs_in(
    store: AccountStore, admin: Account, audit: AuditLog
) -> None:
    assert store.are_in_use
    assert admin.roles == {"reader", "signer", "admin"}
    assert store.log_in(" ＡNN ", SECRET) == admin  # case, width and spaces don't count
    assert _events(audit) == [("account-created", "ann"), ("login", "ann")]
    store.log_out(admin)
    store.record_lock(admin, is_idle=True)
    assert _events(audit)[2:] == [("logout", "ann"), ("locked", "ann")]
    assert audit.entries()[0].details == {
        "account": "ann",
        "full_name": "Dr. Ann Roe",
        "roles": ["admin", "reader", "signer"],
        "secret": "password",
    }


def test_hashes_are_argon2id_at_the_defaults_of_argon2_cffi(tmp_path: Path) -> None:
    made = SecretHasher().hash(SECRET)
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert SecretHasher().is_right(made, SECRET)
    assert not SecretHasher().is_right(made, OTHER)


def test_a_cheap_hash_is_renewed_at_the_next_login(
    catalog_engine: Engine, audit: AuditLog, store: AccountStore, admin: Account, tmp_path: Path
) -> None:
    dearer = SecretHasher(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    assert AccountStore(catalog_engine, audit, dearer).log_in("ann", SECRET).name == "ann"
    with sqlite3.connect(tmp_path / "records" / DATABASE_NAME) as raw:
        (stored,) = raw.execute("SELECT secret_hash FROM account").fetchone()
    raw.close()
    assert "t=2" in stored


def test_five_failures_make_wait_and_the_wait_doubles(
    store: AccountStore, admin: Account, audit: AuditLog, clock
) -> None:
    for _ in range(4):
        with pytest.raises(LoginRefused, match="do not fit"):
            store.log_in("ann", OTHER)
    with pytest.raises(AccountLocked, match="5:00 minutes") as locked:
        store.log_in("ann", OTHER)
    assert locked.value.seconds == 300
    clock.advance(299)
    with pytest.raises(AccountLocked, match="0:01"):
        store.log_in("ann", SECRET)  # even the right one
    clock.advance(1)
    for _ in range(4):
        with pytest.raises(LoginRefused):
            store.log_in("ann", OTHER)
    with pytest.raises(AccountLocked, match="10:00"):
        store.log_in("ann", OTHER)
    clock.advance(600)
    assert store.log_in("ann", SECRET).locked_until == ""
    with pytest.raises(LoginRefused):  # counted from the start again
        store.log_in("ann", OTHER)
    failed = [entry.details for entry in audit.entries() if entry.event == "login-failed"]
    assert [each.get("locked_s") for each in failed if "locked_s" in each] == [300, 600]
    assert [wait_after(n).seconds for n in (0, 1, 5, 10, 50, 10_000)] == [
        0, 0, 300, 600, 3600, 3600,
    ]  # fmt: skip


def test_a_clock_set_back_locks_nobody_out_for_a_year_and_keeps_no_proof(
    store: AccountStore, admin: Account, clock
) -> None:
    proof = store.prove("ann", SECRET)
    for _ in range(4):
        with pytest.raises(LoginRefused):
            store.log_in("ann", OTHER)
    with pytest.raises(AccountLocked):
        store.log_in("ann", OTHER)
    clock.advance(-365 * 86_400)
    assert store.log_in("ann", SECRET).name == "ann"
    with pytest.raises(NotAuthenticated):
        store.redeem(proof)


def test_an_unknown_name_is_refused_in_the_same_words_and_not_written_down(
    store: AccountStore, admin: Account, audit: AuditLog
) -> None:
    with pytest.raises(LoginRefused) as unknown:
        store.log_in("hunter2-typed-into-the-name", "x")
    with pytest.raises(LoginRefused) as wrong:
        store.log_in("ann", OTHER)
    assert str(unknown.value) == str(wrong.value)
    assert audit.entries()[1].details == {"known": False}
    assert audit.entries()[1].user == ""


def test_a_deactivated_account_stays_and_does_not_log_in(
    store: AccountStore, admin: Account, tmp_path: Path
) -> None:
    store.create("bo", "Dr. Bo", [], OTHER, by=admin)
    store.set_active("bo", False, by=admin)
    with pytest.raises(LoginRefused, match="do not fit"):
        store.log_in("bo", OTHER)
    assert [each.is_active for each in store.accounts()] == [True, False]
    store.set_active("bo", True, by=admin)
    assert store.log_in("bo", OTHER).roles == {"reader"}
    raw = sqlite3.connect(tmp_path / "records" / DATABASE_NAME)
    for statement in ("DELETE FROM account", "REPLACE INTO account SELECT * FROM account"):
        with pytest.raises(sqlite3.IntegrityError, match="only be deactivated"):
            raw.execute(statement)
    raw.close()


def test_only_admins_keep_accounts_and_one_is_always_left(
    store: AccountStore, admin: Account
) -> None:
    reader = store.create("bo", "Dr. Bo", ["signer"], OTHER, by=admin)
    for refused in (
        lambda: store.create("eve", "Eve", [], OTHER, by=reader),
        lambda: store.create("eve", "Eve", [], OTHER),
        lambda: store.set_roles("bo", ["admin"], by=reader),
        lambda: store.reset_secret("ann", OTHER, by=reader),
    ):
        with pytest.raises(RoleMissing):
            refused()
    with pytest.raises(LastAdmin):
        store.set_roles("ann", ["signer"], by=admin)
    with pytest.raises(LastAdmin):
        store.set_active("ann", False, by=admin)
    assert store.account("ann").can_administer
    store.set_roles("bo", ["admin"], by=admin)
    assert not store.set_active("ann", False, by=admin).is_active
    with pytest.raises(RoleMissing):  # what the account was allowed at login counts no more
        store.reset_secret("bo", OTHER, by=admin)
    with pytest.raises(AccountExists):
        store.create("BO", "Another", [], OTHER, by=store.account("bo"))
    with pytest.raises(UnknownAccount):
        store.account("eve")


def test_a_reset_secret_is_changed_at_the_next_login(store: AccountStore, admin: Account) -> None:
    store.create("bo", "Dr. Bo", [], OTHER, by=admin)
    store.reset_secret("bo", "given by ann 3", by=admin)
    assert store.log_in("bo", "given by ann 3").must_change
    with pytest.raises(LoginRefused):
        store.change_secret("bo", "wrong old one", SECRET)
    with pytest.raises(WeakSecret):
        store.change_secret("bo", "given by ann 3", "short")
    assert not store.change_secret("bo", "given by ann 3", SECRET).must_change
    assert store.log_in("bo", SECRET).name == "bo"


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        ("short", "password"), ("aaaaaaaaaa", "password"), ("Dr. Ann Roe", "password"),
        ("12345", "pin"), ("123456", "pin"), ("111111", "pin"), ("987654", "pin"),
        ("12a456", "pin"), ("１２８９４５", "pin"), ("1" * 2000 + "23", "password"),
    ],
)  # fmt: skip
def test_weak_secrets_are_refused_without_being_repeated(secret: str, kind) -> None:
    with pytest.raises(WeakSecret) as refused:
        check_strength(secret, kind, names=("ann", "Dr. Ann Roe"))
    assert secret not in str(refused.value)


def test_a_proof_is_good_once_and_for_two_minutes(
    store: AccountStore, admin: Account, clock
) -> None:
    proof = store.prove("ann", SECRET)
    assert store.redeem(proof) == admin
    for spent in (proof, None):
        with pytest.raises(NotAuthenticated):
            store.redeem(spent)
    late = store.prove("ann", SECRET)
    clock.advance(121)
    with pytest.raises(NotAuthenticated):
        store.redeem(late)
    early = store.prove("ann", SECRET)
    store.create("bo", "Dr. Bo", ["admin"], OTHER, by=admin)
    store.set_active("ann", False, by=store.account("bo"))
    with pytest.raises(NotAuthenticated, match="deactivated"):
        store.redeem(early)


def test_no_secret_is_left_in_the_file_the_log_or_an_error(
    store: AccountStore, admin: Account, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pin = "285714"
    store.create("bo", "Dr. Bo", [], pin, kind="pin", by=admin)
    said = []
    for call in (
        lambda: store.log_in("bo", SECRET),
        lambda: store.log_in(OTHER, pin),
        lambda: store.change_secret("bo", pin, "13"),
        lambda: store.reset_secret("bo", "tiny", by=admin),
    ):
        with pytest.raises((LoginRefused, WeakSecret)) as raised:
            call()
        said.append(f"{raised.value!r} {raised.value} {raised.value.__dict__}")
    store.prove("bo", pin)
    content = (tmp_path / "records" / DATABASE_NAME).read_bytes()
    for secret in (SECRET, OTHER, pin):
        assert secret.encode() not in content
        assert secret not in "".join(said) + caplog.text
