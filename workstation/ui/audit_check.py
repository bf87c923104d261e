"""Whether the audit log is whole, as a reader asks it from the menu."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget

from workstation.audit.audit_log import AuditLog


def show_audit_check(audit: AuditLog, parent: QWidget) -> None:
    """Check the whole chain and say what was found. Raises CatalogUnavailable."""
    result, title = audit.verify(), parent.tr("Audit log")
    if result.ok:
        text = parent.tr("The audit log is intact: {0} entries.").format(result.entries)
        QMessageBox.information(parent, title, text)
        return
    row = result.first_broken_row
    place = parent.tr("row {0}").format(row) if row is not None else parent.tr("the log")
    text = parent.tr("The audit log was changed at {0}: {1}").format(place, result.reason)
    QMessageBox.critical(parent, title, text)
