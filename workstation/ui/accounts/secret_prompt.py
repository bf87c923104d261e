"""The field for a password or PIN: checked on a thread of its own, with the waiting time shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from workstation.accounts.account import AccountError, AccountLocked
from workstation.catalog.database import CatalogUnavailable
from workstation.ui.background_task import BackgroundTask

_SECOND_MS = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Outcome:
    """What a check gave: its result, or why it was refused and for how long [s]."""

    result: object = None
    refusal: str = ""
    wait_s: int = 0


class SecretPrompt(QWidget):
    """Asks for the secret of one account. Signals: passed(result of the check); changed() when
    the field or what may be done with it changed.

    check: called with the secret, not on the main thread; raises AccountError. The secret is
    taken out of the field as soon as it is checked.
    """

    passed = Signal(object)
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = QLineEdit(self)
        self.field.setObjectName("secret_field")
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(self.tr("Password or PIN"))
        self.message = QLabel(self)
        self.message.setObjectName("secret_message")
        self.message.setProperty("role", "warning")
        self.message.setWordWrap(True)
        self.message.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.field)
        layout.addWidget(self.message)
        self.setFocusProxy(self.field)
        self._task: BackgroundTask | None = None
        self._wait_s = 0
        self._countdown = QTimer(self)
        self._countdown.setInterval(_SECOND_MS)
        self._countdown.timeout.connect(self._count_down)
        self.field.textChanged.connect(self._on_typed)

    @property
    def can_check(self) -> bool:
        """Whether there is something to check, nothing is being checked, and no wait runs."""
        return bool(self.field.text()) and not self.is_checking and not self._wait_s

    @property
    def is_checking(self) -> bool:
        return self._task is not None

    def name_kind(self, kind: str) -> None:
        """Call the field what the account has: "pin" or "password"."""
        words = self.tr("PIN") if kind == "pin" else self.tr("Password")
        self.field.setAccessibleName(words)
        self.field.setPlaceholderText(words)

    def check(self, call: Callable[[str], object]) -> None:
        """Check what is in the field; ends in passed, or in a message."""
        if not self.can_check:
            return
        secret = self.field.text()
        self.field.clear()
        self.field.setEnabled(False)
        self._say(self.tr("Checking…"))
        self._task = BackgroundTask(lambda: _attempt(call, secret), self)
        self._task.succeeded.connect(self._on_checked)
        self._task.start()
        self.changed.emit()

    def wait(self) -> None:
        """Until a check under way has ended; before the widget goes."""
        if self._task is not None:
            self._task.wait()

    def say(self, text: str) -> None:
        """Something about the last attempt; "" hides it."""
        self._say(text)

    def _on_checked(self, outcome: _Outcome) -> None:
        self._task = None
        self.field.setEnabled(True)
        if not outcome.refusal:
            self._say("")
            self.changed.emit()
            self.passed.emit(outcome.result)
            return
        self._say(outcome.refusal)
        self._wait_s = outcome.wait_s
        if self._wait_s:
            self._show_wait()
            self._countdown.start()
        self.field.setFocus()
        self.changed.emit()

    def _count_down(self) -> None:
        self._wait_s = max(0, self._wait_s - 1)
        self._show_wait()
        if not self._wait_s:
            self._countdown.stop()
            self.field.setFocus()
            self.changed.emit()

    def _show_wait(self) -> None:
        self.field.setEnabled(not self._wait_s)
        if self._wait_s:
            left = f"{self._wait_s // 60}:{self._wait_s % 60:02d}"
            self._say(self.tr("Too many wrong attempts. Wait {0} minutes.").format(left))
        else:
            self._say(self.tr("You can try again now."))

    def _on_typed(self, text: str) -> None:
        if text:
            self._say("")
        self.changed.emit()

    def _say(self, text: str) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))


def _attempt(call: Callable[[str], object], secret: str) -> _Outcome:
    try:
        return _Outcome(call(secret))
    except AccountLocked as locked:
        return _Outcome(refusal=str(locked), wait_s=locked.seconds)
    except (AccountError, CatalogUnavailable) as refused:
        return _Outcome(refusal=str(refused))
    except Exception as bug:
        _log.exception("checking a password")
        return _Outcome(refusal=f"unexpected error: {type(bug).__name__}")
