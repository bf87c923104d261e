"""Passwords and PINs: what is asked of them, and their argon2id hashes."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workstation.accounts.account import PASSWORD_LENGTH, PIN_LENGTHS, SecretKind, WeakSecret

LONGEST = 1024  # characters: hashing must not be made to take for ever

_RISING = "01234567890123456789"


class SecretHasher:
    """argon2id with argon2-cffi 25.1's defaults (RFC 9106, second recommendation: 64 MiB, 3
    passes, 4 lanes). hasher: another cost, for tests."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody: str | None = None

    def hash(self, secret: str) -> str:
        """The PHC string, salted anew each time."""
        return self._hasher.hash(_normalize(secret))

    def is_right(self, stored_hash: str, secret: str) -> bool:
        if len(secret) > LONGEST:
            return False
        try:
            return self._hasher.verify(stored_hash, _normalize(secret))
        except (VerificationError, InvalidHashError):
            return False

    def waste_time(self, secret: str) -> None:
        """As long as a check takes: an unknown name must not answer sooner than a known one."""
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody")
        self.is_right(self._nobody, secret)

    def is_outdated(self, stored_hash: str) -> bool:
        """Whether it was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored_hash)


def check_strength(secret: str, kind: SecretKind, *, names: tuple[str, ...] = ()) -> None:
    """Raises WeakSecret; its message never holds the secret. names: what it must not be."""
    if kind == "pin":
        least, most = PIN_LENGTHS
        if not (secret.isascii() and secret.isdigit() and least <= len(secret) <= most):
            raise WeakSecret(f"A PIN has {least} to {most} digits.")
        if (
            len(set(secret)) == 1
            or secret in "01234567890123456789"
            or secret in "98765432109876543210"
        ):
            raise WeakSecret("A row of equal or consecutive digits is guessed first.")
        return
    if not PASSWORD_LENGTH <= len(secret) <= LONGEST:
        raise WeakSecret(f"A password has at least {PASSWORD_LENGTH} characters.")
    folded = _normalize(secret).casefold()
    if len(set(folded)) < 3 or folded in {_normalize(name).casefold() for name in names}:
        raise WeakSecret("Choose a password that is not your name or one letter repeated.")


def _normalize(secret: str) -> str:
    """The same password on every keyboard and input method (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", secret).encode("utf-8", "replace").decode("utf-8")
