"""One row of the audit log in full: what happened, before and after, codes and hashes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from html import escape
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTextBrowser, QWidget

from workstation.audit.audit_codes import audit_code
from workstation.audit.audit_log import AuditEntry
from workstation.ui.audit.audit_wording import name_edit, name_event, name_section, word_time
from workstation.ui.theme import COLOURS

_PIECES = re.compile(r"\s+|[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")
_ACTIONS = {"C": "create", "R": "read", "U": "update", "D": "delete", "E": "execute"}


class AuditDetails(QTextBrowser):
    """Shows one entry. Removed words are struck through, new ones underlined."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("audit_details")
        self.setAccessibleName(self.tr("The chosen row in full"))
        self.setOpenLinks(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clear_entry()

    def clear_entry(self) -> None:
        self.setHtml(f"<p style='color:{COLOURS.muted_text}'>{self.tr('No row is chosen.')}</p>")

    def show_entry(self, entry: AuditEntry, study_words: str) -> None:
        details = dict(entry.details)
        left = self._heading(entry, study_words)
        if "before" in details and "after" in details:
            left += self._change(details)
        left += self._table(details)
        self.setHtml(
            "<table width='100%' cellspacing='0'><tr>"
            f"<td width='64%' valign='top'>{left}</td>"
            f"<td width='3%'></td><td valign='top'>{self._codes(entry)}</td></tr></table>"
        )

    def _heading(self, entry: AuditEntry, study_words: str) -> str:
        title = self.tr("Row {0}: {1}").format(entry.row, name_event(str(entry.event)))
        facts = [word_time(entry.recorded_at), str(entry.user), study_words]
        said = escape(" · ".join(fact for fact in facts if fact))
        return f"<p><b style='color:{COLOURS.bright_text}'>{escape(title)}</b><br>{said}</p>"

    def _change(self, details: dict[str, Any]) -> str:
        """Before and after, one under the other; takes what it shows out of the details."""
        before, after = str(details.pop("before")), str(details.pop("after"))
        old, new = mark_difference(before, after)
        kind, section = str(details.pop("kind", "")), str(details.pop("section", ""))
        what = f"{name_section(section)}, {name_edit(kind)}".strip(", ")
        nothing = f"<i style='color:{COLOURS.muted_text}'>{self.tr('nothing')}</i>"
        return (
            f"<p>{escape(what)}</p><table width='100%' cellspacing='0'><tr>"
            f"<td width='49%' valign='top'>{_text_box(self.tr('Before'), old or nothing)}</td>"
            "<td width='2%'></td>"
            f"<td valign='top'>{_text_box(self.tr('After'), new or nothing)}</td></tr></table>"
        )

    def _table(self, details: Mapping[str, Any]) -> str:
        rows = [
            f"<tr><td style='color:{COLOURS.muted_text}' valign='top'>"
            f"{escape(name.replace('_', ' '))}&nbsp;&nbsp;</td><td>{_value(value)}</td></tr>"
            for name, value in details.items()
        ]
        return f"<p></p><table cellspacing='3'>{''.join(rows)}</table>" if rows else ""

    def _codes(self, entry: AuditEntry) -> str:
        code = audit_code(str(entry.event))
        dicom = f"{code.value} {code.meaning}"
        if code.type_value:
            dicom += f", {code.type_value} {code.type_meaning}"
        dicom += f"; {_ACTIONS[code.action]}, outcome {code.outcome}"
        lines = (
            (self.tr("DICOM PS3.15"), dicom),
            (self.tr("Time (UTC)"), str(entry.recorded_at)),
            (self.tr("Study"), str(entry.study_instance_uid)),
            (self.tr("Hash"), str(entry.hash)),
            (self.tr("Follows"), str(entry.previous_hash)),
        )
        rows = "".join(
            f"<tr><td>{escape(name)}&nbsp;&nbsp;</td><td>{escape(text)}</td></tr>"
            for name, text in lines
            if text
        )
        style = f"color:{COLOURS.muted_text};font-size:small"
        return f"<p></p><table cellspacing='2' style='{style}'>{rows}</table>"


def _text_box(title: str, marked: str) -> str:
    return (
        f"<p style='color:{COLOURS.muted_text};margin-bottom:2px'>{escape(title)}</p>"
        f"<table width='100%' cellpadding='7' bgcolor='{COLOURS.raised}'><tr><td>{marked}"
        "</td></tr></table>"
    )


def mark_difference(before: str, after: str) -> tuple[str, str]:
    """Both texts as HTML: what went is struck through in the first, what came is underlined in
    the second. Words are compared whole, Han characters one by one."""
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    old_marked: list[str] = []
    new_marked: list[str] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        went, came = "".join(old[i:j]), "".join(new[k:m])
        if tag == "equal":
            old_marked.append(_html(went))
            new_marked.append(_html(came))
            continue
        if went:
            old_marked.append(f"<s style='color:{COLOURS.amber}'>{_html(went)}</s>")
        if came:
            new_marked.append(f"<u style='color:{COLOURS.accent}'>{_html(came)}</u>")
    return "".join(old_marked), "".join(new_marked)


def _html(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _value(value: object) -> str:
    if isinstance(value, str):
        return _html(value)
    if isinstance(value, dict):
        return "<br>".join(f"{escape(str(k))}: {_inline(v)}" for k, v in value.items())
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return "<br>".join(map(escape, value))
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return "<br>".join(
            " · ".join(
                f"{escape(str(key).replace('_', ' '))} {_inline(said)}"
                for key, said in each.items()
            )
            for each in value
        )
    return _inline(value)


def _inline(value: object) -> str:
    if isinstance(value, str):
        return _html(value)
    return escape(json.dumps(value, ensure_ascii=False, default=str))
