"""The window of the audit log."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QTabWidget, QVBoxLayout, QWidget

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.ui.audit.audit_page import AuditPage
from workstation.ui.audit.productivity_page import ProductivityPage


class AuditWindow(QDialog):
    """Beside the main window, and closed with it."""

    def __init__(
        self, audit: AuditLog, user: Callable[[], str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("audit_window")
        self.setWindowTitle(self.tr("Audit log"))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.resize(1320, 760)
        self.page = AuditPage(audit, user, self)
        self.productivity_page = ProductivityPage(audit, self)
        self.tabs = QTabWidget(self)
        self.tabs.tabBar().setAccessibleName(self.tr("Log or figures"))
        self.tabs.addTab(self.page, self.tr("&Log"))
        self.tabs.addTab(self.productivity_page, self.tr("&Productivity"))
        self.tabs.currentChanged.connect(self._on_tab_changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.tabs)

    def _on_tab_changed(self) -> None:
        if self.tabs.currentWidget() is self.productivity_page:
            self.productivity_page.reload()

    def reject(self) -> None:
        """Esc and the cross: nothing runs on behind a window that is gone."""
        self.page.shutdown()
        self.productivity_page.shutdown()
        super().reject()


class AuditOpener(QObject):
    """Opens the one window of the log. trouble(text): that it was opened could not be audited."""

    trouble = Signal(str)

    def __init__(self, audit: AuditLog, user: Callable[[], str], parent: QWidget) -> None:
        super().__init__(parent)
        self._audit, self._user, self._parent = audit, user, parent
        self.window: AuditWindow | None = None

    def open(self) -> AuditWindow:
        """Show the log; that somebody looks at it is audited."""
        try:
            self._audit.append("audit-opened", user=self._user())
        except CatalogUnavailable as error:
            # A log that takes no more rows is just the one to be looked at.
            self.trouble.emit(str(error))
        if self.window is None:
            self.window = AuditWindow(self._audit, self._user, self._parent)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        self.window.page.reload()
        return self.window

    def open_and_verify(self) -> None:
        """Show the log and check it."""
        self.open().page.verify()

    def shutdown(self) -> None:
        """Before the main window goes."""
        if self.window is not None:
            self.window.close()
