"""Accounts in the window: lock, switch user, change one's password, keep accounts, set them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from workstation.accounts.account import Account, AccountError
from workstation.accounts.account_store import AccountStore
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.ui.accounts.account_form import AccountForm
from workstation.ui.accounts.accounts_dialog import AccountsDialog
from workstation.ui.accounts.screen_lock import DEFAULT_MINUTES, MINUTES, ScreenLock
from workstation.ui.accounts.secret_dialogs import ChangeSecretDialog

_MINUTES_KEY = "lock_minutes"


class AccountRecords(Protocol):
    """What of the services is needed here."""

    @property
    def accounts(self) -> AccountStore | None: ...
    @property
    def account(self) -> Account | None: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def user(self) -> str: ...


class AccountDesk(QObject):
    """Signals: leave_requested() to start anew with another user; lock_requested() just before
    the screen is locked; trouble(text)."""

    leave_requested = Signal()
    locking = Signal()
    trouble = Signal(str)

    def __init__(
        self, records: AccountRecords, settings: QSettings | None, window: QWidget
    ) -> None:
        super().__init__(window)
        self._store, self._account = records.accounts, records.account
        self._audit, self._user = records.audit, records.user
        self._settings, self._window = settings, window
        self.screen_lock: ScreenLock | None = None
        if self._store is not None and self._account is not None:
            self.screen_lock = ScreenLock(
                self._account, self._store.unlock, self._record_lock, window
            )
            self.screen_lock.switch_requested.connect(self.switch_user)
            self.screen_lock.set_idle_time(self.minutes * 60)

    @property
    def minutes(self) -> int:
        """Without a sign of life, until the screen locks itself; 0: never."""
        stored = self._settings.value(_MINUTES_KEY) if self._settings is not None else None
        try:
            chosen = int(str(stored))
        except ValueError:
            return DEFAULT_MINUTES
        return chosen if chosen in MINUTES else DEFAULT_MINUTES

    def fill_menu(self, menu: QMenu) -> None:
        """The lines of the File menu that are about accounts."""
        if self._store is None:
            return
        if self._account is None:
            self._add(menu, self.tr("Set up accounts or a &PIN…"), "", self.set_up)
            return
        self._add(menu, self.tr("&Lock now"), "Ctrl+L", self.lock)
        self._add(menu, self.tr("&Switch user…"), "", self.switch_user)
        self._add(menu, self.tr("Change pass&word or PIN…"), "", self.change_secret)
        if self._account.can_administer:
            self._add(menu, self.tr("&Accounts…"), "", self.show_accounts)

    def _add(self, menu: QMenu, text: str, keys: str, slot: Callable[[], object]) -> None:
        action = QAction(text, self._window)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _checked=False: slot())
        menu.addAction(action)

    def lock(self) -> None:
        """Blank every window now."""
        if self.screen_lock is not None:
            self.screen_lock.lock()

    def switch_user(self) -> None:
        """Save, close and ask who is there."""
        self.leave_requested.emit()

    def log_out(self) -> None:
        """The window is closing: let go of the screen, and write it down."""
        if self.screen_lock is not None:
            self.screen_lock.set_idle_time(0)
            self.screen_lock.release()
        if self._store is not None and self._account is not None:
            try:
                self._store.log_out(self._account)
            except CatalogUnavailable as error:
                self.trouble.emit(str(error))

    def change_secret(self) -> None:
        if self._store is None or self._account is None:
            return
        dialog = ChangeSecretDialog(self._store, self._account, self._window)
        if dialog.exec():
            self.trouble.emit(self.tr("Changed. Use the new one from now on."))
        dialog.deleteLater()

    def show_accounts(self) -> None:
        """Keep the accounts."""
        if self._store is None or self._account is None:
            return
        dialog = AccountsDialog(self._store, self._account, self.minutes, self._window)
        dialog.minutes_chosen.connect(self.choose_minutes)
        dialog.exec()
        dialog.deleteLater()

    def choose_minutes(self, minutes: int) -> None:
        """After how long without a sign of life the screen locks itself."""
        try:
            details = {"lock_minutes": minutes}
            self._audit.append("settings", user=self._user, details=details)
        except CatalogUnavailable as error:
            self.trouble.emit(str(error))
            return
        if self._settings is not None:
            self._settings.setValue(_MINUTES_KEY, minutes)
        if self.screen_lock is not None:
            self.screen_lock.set_idle_time(minutes * 60)

    def set_up(self) -> None:
        """Make the first account; then log in with it."""
        if self._store is None or self._account is not None:
            return
        form = AccountForm(self._window, is_first=True, name=self._user)
        while form.exec():
            fields = form.secret_fields
            try:
                self._store.create(
                    form.name_field.text(), form.full_name_field.text(), form.roles,
                    fields.secret, kind=fields.kind,
                )  # fmt: skip
            except (AccountError, CatalogUnavailable, ValueError) as error:
                form.show_problem(str(error))
                continue
            self.leave_requested.emit()
            break
        form.deleteLater()

    def _record_lock(self, is_idle: bool) -> None:
        self.locking.emit()
        if self._store is None or self._account is None:
            return
        try:
            self._store.record_lock(self._account, is_idle=is_idle)
        except CatalogUnavailable as error:
            self.trouble.emit(str(error))  # it locks all the same
