"""Versions, stages and times in the reader's words."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QCoreApplication

from workstation.reporting.versions.report_version import ReportVersion, VersionKind
from workstation.reporting.versions.stored_report import StoredReport


def format_utc(timestamp: str) -> str:
    """An ISO 8601 UTC time as local time to the minute; the text itself if it isn't one."""
    try:
        local = datetime.fromisoformat(timestamp).astimezone()
    except ValueError:
        return timestamp
    return local.strftime("%Y-%m-%d %H:%M %Z").strip()


def _tr(text: str) -> str:
    return QCoreApplication.translate("Versions", text)


def name_kind(kind: VersionKind) -> str:
    return {
        "ai-draft": _tr("AI draft"),
        "preliminary": _tr("Preliminary"),
        "final": _tr("Final"),
        "corrected": _tr("Corrected"),
        "set-aside": _tr("Set aside"),
    }[kind]


def name_version(version: ReportVersion) -> str:
    """For instance "3 · Final · Dr. Roe · 2026-04-12 10:15 UTC"."""
    who = version.origin.model_name if version.kind == "ai-draft" else version.author
    parts = (str(version.number), name_kind(version.kind), who, format_utc(version.created_at))
    return " · ".join(part for part in parts if part)


def name_stage(stored: StoredReport | None) -> str:
    """What the report on the desk is, in a word or two: for the head of the column."""
    if stored is None:
        return _tr("draft")
    if stored.correction is not None:
        return _tr("correction, not signed")
    if stored.preliminary is not None:
        edited = _tr("preliminary, edited since")
        return edited if stored.is_edited_since else _tr("preliminary")
    signed = {"final": _tr("✓ final"), "corrected": _tr("✓✓ corrected")}.get(stored.stage, "")
    if signed and stored.addenda:
        return _tr("{0}, with addendum").format(signed)
    return signed or _tr("draft")


def describe_stage(stored: StoredReport) -> str:
    """What an unsigned report, or a correction under way, is; "" for a plain draft."""
    if stored.correction is not None:
        return _tr("CORRECTION of the report of {0}. Reason: {1}").format(
            format_utc(stored.signed_at), stored.correction.reason
        )
    if stored.preliminary is None:
        return ""
    text = _tr("PRELIMINARY — signed off by {0} on {1}").format(
        stored.preliminary.author, format_utc(stored.preliminary.created_at)
    )
    return text + (_tr("; edited since") if stored.is_edited_since else "")
