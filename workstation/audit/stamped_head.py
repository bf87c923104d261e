"""A head of the log to be carried away: the one proof against rows cut off its end.

Rows after the last signature can be cut off, and the stored head rewritten, without a trace in
the file. A stamped head kept elsewhere (with the auditor, on another machine, on paper) names a
row and its hash that must still be there.

The stamp is an HMAC-SHA256 under a key that lies in the data folder (`audit-head.key`, readable
by its owner only). It shows that this installation wrote the head and that nobody altered it on
its way. It does not bind somebody who can read the data folder: he can stamp heads too. What
he can't do is change the one that was carried away. Without the key, row and hash can still be
compared with the log or an export of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from workstation.audit.audit_chain import canonical_json
from workstation.audit.audit_log import VerifyResult

KEY_NAME = "audit-head.key"
_KEY_BYTES = 32
_FORMAT = "echo-audit-head-1"


class HeadRefused(Exception):
    """A head file that can't be used; the reason is for the person who gave it.

    was_altered: it was a head once, and somebody changed it.
    """

    def __init__(self, path: Path, reason: str, *, was_altered: bool = False) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.was_altered = was_altered


@dataclass(frozen=True)
class StampedHead:
    """row 0: the log was empty. is_whole, reason: what the check found when it was stamped.
    key_id tells keys apart without giving one away."""

    row: int
    hash: str
    stamped_at: str  # UTC, ISO 8601
    user: str
    is_whole: bool
    reason: str
    key_id: str
    hmac_sha256: str


class HeadStamp:
    """Stamps and checks heads with the key of one data folder. now: the clock, for tests."""

    def __init__(self, data_folder: Path, now: Callable[[], datetime] | None = None) -> None:
        self._key_path = data_folder / KEY_NAME
        self._now = now or (lambda: datetime.now(UTC))

    def stamp(self, result: VerifyResult, user: str) -> StampedHead:
        """The head of the log as it was checked; makes the key at the first one.

        Raises OSError where the key can't be read or written.
        """
        key = self._read_key() or self._make_key()
        head = StampedHead(
            row=result.newest_row,
            hash=result.head,
            stamped_at=self._now().astimezone(UTC).isoformat(),
            user=user,
            is_whole=result.ok,
            reason=result.reason,
            key_id=_key_id(key),
            hmac_sha256="",
        )
        return StampedHead(**{**asdict(head), "hmac_sha256": _stamp_of(head, key)})

    def check(self, head: StampedHead, path: Path) -> str:
        """ "" if this installation stamped it, else what could not be checked, in words.

        Raises HeadRefused if it was altered.
        """
        key = self._read_key()
        if key is None:
            return "its stamp was not checked: this data folder has no key"
        if head.key_id != _key_id(key):
            return "its stamp was not checked: another installation's key made it"
        if not hmac.compare_digest(_stamp_of(head, key), head.hmac_sha256):
            raise HeadRefused(path, "it was altered after it was stamped", was_altered=True)
        return ""

    def _read_key(self) -> bytes | None:
        try:
            return bytes.fromhex(self._key_path.read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _make_key(self) -> bytes:
        key = secrets.token_bytes(_KEY_BYTES)
        if self._key_path.exists():  # damaged: heads of old can't be checked by it any more
            self._key_path.replace(self._key_path.with_suffix(".damaged"))
        handle = os.open(self._key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="ascii") as file:
            file.write(key.hex())
        return key


def write_head(head: StampedHead, path: Path) -> None:
    """As JSON, over what was there. Raises OSError."""
    values = {"format": _FORMAT, **asdict(head)}
    text = json.dumps(values, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_head(path: Path) -> StampedHead:
    """Raises HeadRefused for what isn't one."""
    try:
        values = json.loads(path.read_text("utf-8"))
        if values.pop("format") != _FORMAT:
            raise ValueError("another format")
        head = StampedHead(**values)
    except OSError as error:
        raise HeadRefused(path, error.strerror or str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise HeadRefused(path, "it is not a stamped head of an audit log") from error
    if type(head.row) is not int or not isinstance(head.hash, str):
        raise HeadRefused(path, "it is not a stamped head of an audit log")
    return head


def _stamp_of(head: StampedHead, key: bytes) -> str:
    stamped = {**asdict(head), "format": _FORMAT}
    del stamped["hmac_sha256"]
    return hmac.new(key, canonical_json(stamped).encode("utf-8"), hashlib.sha256).hexdigest()


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"echo-audit-head-key" + key).hexdigest()[:16]
