"""Who works here: an account, its roles, and why a login fails. Never holds a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["reader", "signer", "admin"]
ROLES: tuple[Role, ...] = ("reader", "signer", "admin")
SecretKind = Literal["password", "pin"]
PASSWORD_LENGTH = 8
"""Least characters of a password (NIST SP 800-63B, 5.1.1)."""
PIN_LENGTHS = (6, 12)
"""Least and most digits of a PIN."""


@dataclass(frozen=True)
class Account:
    """name: typed to log in, folded. full_name: what a signature shows.

    roles: everybody reads and drafts ("reader"); "signer" signs finally; "admin" keeps accounts.
    deactivated_at: UTC, ISO 8601, "" while it may log in. must_change: the secret was set by
    somebody else and is to be replaced at the next login.
    """

    name: str
    full_name: str
    roles: frozenset[Role]
    secret_kind: SecretKind = "password"
    must_change: bool = False
    created_at: str = ""
    deactivated_at: str = ""
    locked_until: str = ""

    @property
    def can_sign(self) -> bool:
        return "signer" in self.roles

    @property
    def can_administer(self) -> bool:
        return "admin" in self.roles

    @property
    def is_active(self) -> bool:
        return not self.deactivated_at

    @property
    def signing_role(self) -> Role:
        """The role a signature of this account is given in."""
        return "signer" if self.can_sign else "reader"


class AccountError(Exception):
    """Something about accounts that the person at the screen can put right."""


class LoginRefused(AccountError):
    """Name and secret do not fit, or the account is deactivated; which of these is not said."""


class AccountLocked(AccountError):
    """Too many failures: seconds is how long to wait from now."""

    def __init__(self, seconds: int) -> None:
        minutes = f"{seconds // 60}:{seconds % 60:02d}"
        super().__init__(f"Too many wrong attempts. Try again in {minutes} minutes.")
        self.seconds = seconds


class NotAuthenticated(AccountError):
    """What was asked for needs the password or PIN once more."""


class RoleMissing(AccountError):
    """The account's roles do not allow what was asked for."""


class WeakSecret(AccountError):
    """The new password or PIN is too short, too common or not made of what it should be."""


class AccountExists(AccountError):
    """There is an account of this name already."""


class UnknownAccount(AccountError):
    """There is no account of this name."""


class LastAdmin(AccountError):
    """Somebody has to be able to keep the accounts."""
