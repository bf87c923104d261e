"""The accounts of one catalog: who may log in, who may sign, and all of it audited."""

from __future__ import annotations

import secrets as random_source
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from workstation.accounts.account import (
    ROLES,
    Account,
    AccountExists,
    AccountLocked,
    LastAdmin,
    LoginRefused,
    NotAuthenticated,
    Role,
    RoleMissing,
    SecretKind,
    UnknownAccount,
)
from workstation.accounts.lockout import seconds_left, wait_after
from workstation.accounts.secrets import SecretHasher, check_strength
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import read_transaction, write_transaction
from workstation.catalog.schema import AccountRecord
from workstation.catalog.study_search import fold_text

PROOF_LASTS = timedelta(minutes=2)
_REFUSED = "The name and the password or PIN do not fit."


@dataclass(frozen=True)
class Authentication:
    """Proof that the holder of an account has just given its secret; good for one use."""

    account: Account
    at: datetime
    token: str


class AccountStore:
    """Every method may raise CatalogUnavailable. Without a single account everything is allowed.

    `log_in` and `prove` take some 0.3 s and may be called on a thread of their own; the others
    belong to the main thread. hasher, now: for tests.
    """

    def __init__(
        self,
        engine: Engine,
        audit: AuditLog,
        hasher: SecretHasher | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._engine, self._audit = engine, audit
        self._hasher = hasher or SecretHasher()
        self._now = now or (lambda: datetime.now(UTC))
        self._proofs: dict[str, Authentication] = {}
        self._proofs_lock = threading.Lock()

    # -- asking ------------------------------------------------------------------------------

    @property
    def are_in_use(self) -> bool:
        """Whether anybody has an account: then everybody has to log in."""
        with read_transaction(self._engine) as connection:
            return connection.execute(select(func.count(AccountRecord.name))).scalar_one() > 0

    def accounts(self) -> list[Account]:
        """All, deactivated ones too, by name."""
        query = select(AccountRecord.__table__).order_by(AccountRecord.name)
        with read_transaction(self._engine) as connection:
            return [_account(row) for row in connection.execute(query)]

    def account(self, name: str) -> Account:
        """Raises UnknownAccount."""
        with read_transaction(self._engine) as connection:
            return _account(_require_row(connection, name))

    # -- logging in --------------------------------------------------------------------------

    def log_in(self, name: str, secret: str, *, through: str = "") -> Account:
        """Raises LoginRefused, AccountLocked. Audited either way. through: the command, where it
        is not the window."""
        return self._check(name, secret, "login", _through(through))

    def unlock(self, name: str, secret: str) -> Account:
        """The secret once more, at a locked screen. Raises LoginRefused, AccountLocked."""
        return self._check(name, secret, "unlocked")

    def prove(self, name: str, secret: str) -> Authentication:
        """The secret once more, for a signature. Raises LoginRefused, AccountLocked."""
        account = self._check(name, secret, "")
        proof = Authentication(account, self._now(), random_source.token_hex(16))
        with self._proofs_lock:
            self._proofs[proof.token] = proof
        return proof

    def redeem(self, proof: Authentication | None) -> Account:
        """The account behind a proof that was not used yet. Raises NotAuthenticated."""
        with self._proofs_lock:
            known = self._proofs.pop(proof.token, None) if proof is not None else None
        age = self._now() - known.at if known is not None else PROOF_LASTS
        if known is None or known != proof or not timedelta() <= age <= PROOF_LASTS:
            raise NotAuthenticated("Give your password or PIN once more to sign.")
        account = self.account(known.account.name)  # as it is now: roles may have been taken away
        if not account.is_active:
            raise NotAuthenticated("This account was deactivated.")
        return account

    def log_out(self, account: Account, *, through: str = "") -> None:
        self._audit.append("logout", user=account.name, details=_through(through))

    def record_lock(self, account: Account, *, is_idle: bool) -> None:
        """The screen was locked, by hand or because nobody was there."""
        self._audit.append("locked", user=account.name, details={"idle": is_idle})

    def _check(
        self, name: str, secret: str, event: str, told: Mapping[str, Any] | None = None
    ) -> Account:
        """told: more for the audit rows."""
        told = told or {}
        folded = fold_name(name)
        with read_transaction(self._engine) as connection:
            row = _find_row(connection, folded)
        if row is None:
            self._hasher.waste_time(secret)
            # Not what was typed: people type passwords into the wrong field.
            self._audit.append("login-failed", user="", details={"known": False, **told})
            raise LoginRefused(_REFUSED)
        self._refuse_locked(row)
        is_right = self._hasher.is_right(row.secret_hash, secret)
        with write_transaction(self._engine) as connection:
            # Again: others may have tried, or somebody deactivated the account, meanwhile.
            row = _require_row(connection, folded)
            self._refuse_locked(row)
            if is_right and not row.deactivated_at:
                return self._let_in(connection, row, secret, event, told)
            self._count_failure(connection, row, told)
        raise self._refusal(folded)

    def _refuse_locked(self, row: Row[Any]) -> None:
        left = seconds_left(row.locked_until, self._now())
        if left:
            raise AccountLocked(left)

    def _let_in(
        self,
        connection: Connection,
        row: Row[Any],
        secret: str,
        event: str,
        told: Mapping[str, Any],
    ) -> Account:
        values: dict[str, Any] = {"failures": 0, "locked_until": ""}
        if self._hasher.is_outdated(row.secret_hash):
            values["secret_hash"] = self._hasher.hash(secret)
        _update(connection, row.name, values)
        if event:
            self._audit.append(event, user=row.name, details=told, connection=connection)
        return _account(_require_row(connection, row.name))

    def _count_failure(
        self, connection: Connection, row: Row[Any], told: Mapping[str, Any]
    ) -> None:
        failures = row.failures + 1
        wait = wait_after(failures)
        until = (self._now() + wait).isoformat() if wait else ""
        _update(connection, row.name, {"failures": failures, "locked_until": until})
        details: dict[str, Any] = {"known": True, "failures": failures, **told}
        if wait:
            details["locked_s"] = int(wait.total_seconds())
        self._audit.append("login-failed", user=row.name, details=details, connection=connection)

    def _refusal(self, folded: str) -> Exception:
        left = seconds_left(self.account(folded).locked_until, self._now())
        return AccountLocked(left) if left else LoginRefused(_REFUSED)

    # -- keeping accounts --------------------------------------------------------------------

    def create(
        self,
        name: str,
        full_name: str,
        roles: Iterable[Role],
        secret: str,
        *,
        kind: SecretKind = "password",
        by: Account | None = None,
        must_change: bool = False,
    ) -> Account:
        """by: the admin who makes it; None only for the first one, which becomes an admin too.

        Raises AccountExists, WeakSecret, RoleMissing, ValueError for a blank name.
        """
        folded, full_name = fold_name(name), " ".join(full_name.split())
        wanted = _check_roles(roles)
        if not folded or not full_name:
            raise ValueError("An account needs a name to log in with and a name to sign with.")
        check_strength(secret, kind, names=(folded, full_name))
        secret_hash, now = self._hasher.hash(secret), self._now().isoformat()
        with write_transaction(self._engine) as connection:
            is_first = connection.execute(select(func.count(AccountRecord.name))).scalar_one() == 0
            if is_first:
                wanted |= {"admin"}
            else:
                _require_admin(connection, by)
            if _find_row(connection, folded) is not None:
                raise AccountExists(f"There is an account of the name {folded} already.")
            row = {
                "name": folded,
                "full_name": full_name,
                "roles": _join_roles(wanted),
                "secret_kind": kind,
                "secret_hash": secret_hash,
                "must_change": must_change,
                "created_at": now,
                "changed_at": now,
            }
            connection.execute(insert(AccountRecord).values(row))
            details = {"account": folded, "full_name": full_name, "roles": sorted(wanted)}
            self._record(connection, "account-created", by, folded, {**details, "secret": kind})
            return _account(_require_row(connection, folded))

    def set_roles(self, name: str, roles: Iterable[Role], *, by: Account) -> Account:
        """Raises RoleMissing, UnknownAccount, LastAdmin."""
        wanted = _check_roles(roles)
        return self._change(name, by, {"roles": _join_roles(wanted)}, {"roles": sorted(wanted)})

    def reset_secret(
        self, name: str, secret: str, *, by: Account, kind: SecretKind = "password"
    ) -> Account:
        """Another secret, to be changed at the next login; a waiting time ends.

        Raises RoleMissing, UnknownAccount, WeakSecret.
        """
        check_strength(secret, kind, names=(fold_name(name),))
        values = {
            "secret_hash": self._hasher.hash(secret),
            "secret_kind": kind,
            "must_change": True,
            "failures": 0,
            "locked_until": "",
        }
        return self._change(name, by, values, {"secret": "reset"})

    def set_active(self, name: str, is_active: bool, *, by: Account) -> Account:
        """Deactivated accounts stay for ever: their signatures do. Raises RoleMissing,
        UnknownAccount, LastAdmin."""
        until = "" if is_active else self._now().isoformat()
        return self._change(name, by, {"deactivated_at": until}, {"active": is_active})

    def change_secret(
        self, name: str, old: str, new: str, *, kind: SecretKind = "password"
    ) -> Account:
        """One's own. Raises LoginRefused, AccountLocked (wrong old secret), WeakSecret."""
        account = self._check(name, old, "")
        check_strength(new, kind, names=(account.name, account.full_name))
        values = {
            "secret_hash": self._hasher.hash(new),
            "secret_kind": kind,
            "must_change": False,
            "changed_at": self._now().isoformat(),
        }
        with write_transaction(self._engine) as connection:
            _update(connection, account.name, values)
            details = {"secret": "changed"}
            self._record(connection, "account-changed", account, account.name, details)
            return _account(_require_row(connection, account.name))

    def _change(
        self, name: str, by: Account, values: dict[str, Any], details: dict[str, Any]
    ) -> Account:
        with write_transaction(self._engine) as connection:
            _require_admin(connection, by)
            row = _require_row(connection, name)
            _update(connection, row.name, values | {"changed_at": self._now().isoformat()})
            if not _has_admin(connection):
                raise LastAdmin("Somebody has to keep the accounts; name another admin first.")
            self._record(connection, "account-changed", by, row.name, details)
            return _account(_require_row(connection, row.name))

    def _record(
        self,
        connection: Connection,
        event: str,
        by: Account | None,
        name: str,
        details: dict[str, Any],
    ) -> None:
        user = by.name if by is not None else name
        self._audit.append(
            event, user=user, details={"account": name, **details}, connection=connection
        )


def _through(command: str) -> dict[str, Any]:
    return {"through": command} if command else {}


def fold_name(name: str) -> str:
    """The name as it is kept and compared: case, width and spaces do not count."""
    return " ".join(fold_text(name).split())


def _account(row: Row[Any]) -> Account:
    return Account(
        name=row.name,
        full_name=row.full_name,
        roles=frozenset(role for role in ROLES if role in row.roles.split(",")),
        secret_kind=row.secret_kind,
        must_change=bool(row.must_change),
        created_at=row.created_at,
        deactivated_at=row.deactivated_at,
        locked_until=row.locked_until,
    )


def _check_roles(roles: Iterable[Role]) -> set[Role]:
    wanted = {*roles, ROLES[0]}
    if not wanted <= set(ROLES):
        raise ValueError(f"unknown roles {sorted(wanted - set(ROLES))}")
    return wanted


def _join_roles(roles: Iterable[Role]) -> str:
    return ",".join(sorted(roles))


def _find_row(connection: Connection, folded: str) -> Row[Any] | None:
    table = AccountRecord.__table__
    return connection.execute(select(table).where(table.c.name == folded)).one_or_none()


def _require_row(connection: Connection, name: str) -> Row[Any]:
    row = _find_row(connection, fold_name(name))
    if row is None:
        raise UnknownAccount("There is no such account.")
    return row


def _update(connection: Connection, name: str, values: dict[str, Any]) -> None:
    connection.execute(update(AccountRecord).where(AccountRecord.name == name).values(**values))


def _require_admin(connection: Connection, by: Account | None) -> None:
    row = _find_row(connection, by.name) if by is not None else None
    if row is None or not (_account(row).can_administer and _account(row).is_active):
        raise RoleMissing("Only an account that keeps accounts may do this.")


def _has_admin(connection: Connection) -> bool:
    table = AccountRecord.__table__
    rows = connection.execute(select(table).where(table.c.deactivated_at == ""))
    return any(_account(row).can_administer for row in rows)
