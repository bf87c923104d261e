"""Versions of reports against their audit rows: preliminary, final and corrected, both ways."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import Connection, inspect

from workstation.audit.audit_chain import ChainBreak

VERSION_EVENTS = {
    "ai-draft": "draft-taken-over",
    "preliminary": "sign-preliminary",
    "final": "sign",
    "corrected": "correct",
    "set-aside": "report-set-aside",
}
"""The audit event that is written with a version, by the version's kind."""

_SAME = {
    "kind": "version",
    "author": "signer",
    "role": "role",
    "meaning": "meaning",
    "reason": "reason",
    "text_sha256": "text_sha256",
    "state_sha256": "state_sha256",
}
"""Columns of report_version by the key that their audit row has for them; "" where it has none."""


def version_anchor_queries(connection: Connection) -> list[str]:
    """Further (audit row, hash) pairs that must be in the chain; none in files of before."""
    tables = inspect(connection)
    queries = []
    if tables.has_table("report_version"):
        queries.append("SELECT audit_row, audit_head FROM report_version")
    if any(column["name"] == "audit_head" for column in tables.get_columns("addendum")):
        queries.append("SELECT audit_row, audit_head FROM addendum WHERE audit_head <> ''")
    return queries


def find_version_mismatch(connection: Connection) -> ChainBreak | None:
    """The first version that is not the audited one, or audited version that is gone."""
    audited = _audited_versions(connection)
    if inspect(connection).has_table("report_version"):
        versions = connection.exec_driver_sql(
            f"SELECT audit_row, study_instance_uid, state, origin, {', '.join(_SAME)}"
            " FROM report_version ORDER BY audit_row"
        )
        for row, study_uid, state, origin, *stored in versions:
            event, details = audited.pop(row, ("", {}))
            kind = dict(zip(_SAME, stored, strict=True))["kind"]
            same = [details.get(key, "") for key in _SAME.values()] == stored
            if not same or event != VERSION_EVENTS.get(kind):
                return ChainBreak(row, f"a version of study {study_uid} is not the audited one")
            hashes = {"state_sha256": _sha256(state), "origin_sha256": _sha256(origin)}
            if any(details.get(key) != value for key, value in hashes.items()):
                return ChainBreak(row, f"a version of the report of study {study_uid} was changed")
    for row, (event, _) in sorted(audited.items()):
        return ChainBreak(row, f"the version audited as {event!r} in row {row} is gone")
    return None


def _sha256(text: object) -> str:
    return hashlib.sha256(str(text).encode("utf-8", "replace")).hexdigest()


def _audited_versions(connection: Connection) -> dict[int, tuple[str, dict[str, Any]]]:
    """Audit rows that were written with a version; signatures of before name none."""
    found: dict[int, tuple[str, dict[str, Any]]] = {}
    events = ", ".join(f"'{event}'" for event in VERSION_EVENTS.values())
    rows = connection.exec_driver_sql(
        f"SELECT row, event, details FROM audit_entry WHERE event IN ({events})"
    )
    for row, event, details in rows:
        try:
            parsed = json.loads(details)
        except (TypeError, ValueError):
            continue  # the chain itself has told of it
        if isinstance(parsed, dict) and "version" in parsed:
            found[row] = (event, parsed)
    return found
