"""The hash chain: canonical JSON, the hash of a row, and where a chain is broken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workstation.catalog.schema import GENESIS_HASH
from workstation.catalog.storable_text import storable_text

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode

ChainRow = tuple[int, str, str, str, str, str, str, str]  # the columns of audit_entry, in order


@dataclass(frozen=True)
class ChainBreak:
    """The first row that does not follow from the one before, and why."""

    row: int
    reason: str


def canonical_json(details: Mapping[str, Any]) -> str:
    """Sorted keys, no white space, UTF-8. Raises ValueError for what JSON can't hold."""
    try:
        return storable_text(_encode(dict(details)))
    except TypeError as error:
        raise ValueError(f"audit details are not JSON: {error}") from error


def hash_row(
    row: int,
    recorded_at: str,
    event: str,
    user: str,
    study_instance_uid: str,
    details: str,
    previous_hash: str,
) -> str:
    """sha256 over the canonical JSON array of a format tag and every column but the hash."""
    columns = [row, recorded_at, event, user, study_instance_uid, details, previous_hash]
    return hashlib.sha256(_encode(["echo-audit-1", *columns]).encode("utf-8")).hexdigest()


def find_break(rows: Iterable[ChainRow], anchors: Mapping[int, str]) -> ChainBreak | None:
    """The first row that isn't what was appended; None if the chain holds.

    rows: in order. anchors: hashes known from elsewhere (stored head, signatures) by row number.
    """
    expected_row, head = 1, GENESIS_HASH
    for row in rows:
        broken = _check_row(row, expected_row, head, anchors.get(row[0]))
        if broken:
            return broken
        expected_row, head = row[0] + 1, row[7]
    beyond = [number for number in anchors if number >= expected_row]
    if beyond:
        return ChainBreak(
            expected_row, f"row {expected_row} and later are missing up to row {max(beyond)}"
        )
    return None


def _check_row(
    row: ChainRow, expected_row: int, head: str, anchor: str | None
) -> ChainBreak | None:
    number, previous_hash, own_hash = row[0], row[6], row[7]
    if number != expected_row:
        if number < expected_row:  # 0 or negative: never given out
            return ChainBreak(number, f"row {number} was put in before the first row")
        return ChainBreak(expected_row, f"row {expected_row} is missing")
    try:
        computed = hash_row(*row[:7])
    except (TypeError, ValueError) as error:
        return ChainBreak(number, f"row {number} is unreadable ({error})")
    if computed != own_hash:
        return ChainBreak(number, f"row {number} was changed after it was written")
    if previous_hash != head:
        # The row is whole and follows another predecessor than the one that stands there.
        replaced = max(number - 1, 1)
        return ChainBreak(replaced, f"row {replaced} was replaced, or one before it")
    if anchor is not None and anchor != own_hash:
        return ChainBreak(
            number, f"row {number} is not the one that was signed or recorded as newest"
        )
    return None
