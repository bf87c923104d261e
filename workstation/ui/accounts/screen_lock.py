"""The locked screen: every window blank, nothing lost, until the password or PIN is given again."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QPainter, QPaintEvent, QWindow
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from workstation.accounts.account import Account
from workstation.ui.accounts.secret_prompt import SecretPrompt
from workstation.ui.theme import COLOURS, ui_font

DEFAULT_MINUTES = 10
MINUTES = (0, 1, 2, 5, 10, 15, 30)  # 0: never by itself
_SIGNS_OF_LIFE = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseMove,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletPress,
    }
)


class LockCover(QWidget):
    """Lies over all of one window; what is below stays as it is."""

    def __init__(self, window: QWidget, text: str) -> None:
        super().__init__(window)
        self.setObjectName("lock_cover")
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._text = text
        window.installEventFilter(self)
        self.setGeometry(window.rect())
        self.raise_()
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        window = self.parentWidget()
        if watched is window and window is not None:
            if event.type() == QEvent.Type.Resize:
                self.setGeometry(window.rect())
            elif event.type() == QEvent.Type.ChildAdded:
                QTimer.singleShot(0, self, self.raise_)
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(COLOURS.ground))
        painter.setPen(QColor(COLOURS.faint_text))
        painter.setFont(ui_font(12))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()


class LockDialog(QDialog):
    """Over every other window, and closed by nothing but the right password or PIN, or by leaving
    to another user. Signals: unlocked(), switch_requested()."""

    unlocked = Signal()
    switch_requested = Signal()

    def __init__(
        self, account: Account, unlock: Callable[[str, str], Account], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("lock_dialog")
        self.setWindowTitle(self.tr("Locked"))
        self.setWindowModality(Qt.WindowModality.ApplicationModal)
        self.setWindowFlag(Qt.WindowType.WindowCloseButtonHint, False)
        self.setMinimumWidth(400)
        self._account, self._unlock = account, unlock
        self._may_close = False
        heading = QLabel(self.tr("Locked"), self)
        heading.setProperty("role", "heading")
        heading.setFont(ui_font(16, bold=True))
        who = QLabel(self.tr("{0}\nYour draft is as you left it.").format(account.full_name), self)
        who.setProperty("role", "muted")
        self.prompt = SecretPrompt(self)
        self.prompt.name_kind(account.secret_kind)
        self.unlock_button = QPushButton(self.tr("Unlock"), self)
        self.unlock_button.setProperty("role", "primary")
        self.unlock_button.setDefault(True)
        self.switch_button = QPushButton(self.tr("Another user…"), self)
        self.switch_button.setProperty("role", "quiet")
        self.switch_button.setAutoDefault(False)
        row = QHBoxLayout()
        row.addWidget(self.switch_button)
        row.addStretch(1)
        row.addWidget(self.unlock_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(28, 24, 28, 20)
        layout.setSpacing(10)
        for widget in (heading, who, self.prompt):
            layout.addWidget(widget)
        layout.addLayout(row)
        self.unlock_button.clicked.connect(self._check)
        self.switch_button.clicked.connect(self.switch_requested)
        self.prompt.changed.connect(self._show_button)
        self.prompt.passed.connect(self._on_passed)
        self._show_button()
        self.prompt.setFocus()

    def _check(self) -> None:
        name = self._account.name
        self.prompt.check(lambda secret: self._unlock(name, secret))

    def _show_button(self) -> None:
        self.unlock_button.setEnabled(self.prompt.can_check)

    def _on_passed(self, _account: Account) -> None:
        self.unlocked.emit()

    def finish(self) -> None:
        """Close for good."""
        self._may_close = True
        self.prompt.wait()
        self.accept()
        self.deleteLater()

    def reject(self) -> None:
        """Esc does not open the lock."""

    def closeEvent(self, event: QCloseEvent) -> None:
        event.setAccepted(self._may_close)


class ScreenLock(QObject):
    """Locks every window of the app by hand or after a time without a key or a mouse.

    unlock: `AccountStore.unlock`; record(is_idle): the audit row. Signals: locked(), unlocked(),
    switch_requested().
    """

    locked = Signal()
    unlocked = Signal()
    switch_requested = Signal()

    def __init__(
        self,
        account: Account,
        unlock: Callable[[str, str], Account],
        record: Callable[[bool], None],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._account, self._unlock, self._record = account, unlock, record
        self._window = window
        self._covers: list[LockCover] = []
        self.dialog: LockDialog | None = None
        self._idle_s = 0.0
        self._last_sign = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_time)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._application = application
        application.focusWindowChanged.connect(self._watch)

    @property
    def is_locked(self) -> bool:
        return self.dialog is not None

    def set_idle_time(self, seconds: float) -> None:
        """After how long without a sign of life the screen locks itself; 0: never."""
        self._idle_s = seconds
        self._note_life()
        self._watch(self._window.windowHandle())
        if seconds > 0:
            self._timer.start(int(seconds * 1000))
        else:
            self._timer.stop()

    def lock(self, *, is_idle: bool = False) -> None:
        """Blank every window and ask for the password or PIN."""
        if self.is_locked:
            return
        while (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        QToolTip.hideText()
        self._record(is_idle)
        self.dialog = LockDialog(self._account, self._unlock, self._window)
        self.dialog.unlocked.connect(self._open)
        self.dialog.switch_requested.connect(self.switch_requested)
        for window in QApplication.topLevelWidgets():
            self._cover(window)
        self._application.installEventFilter(self)
        self.dialog.show()  # open() would make it modal to one window only
        self.locked.emit()

    def release(self) -> None:
        """Take the cover away without a password: the window is about to go."""
        if self.dialog is None:
            return
        self._application.removeEventFilter(self)
        self.dialog.finish()
        self.dialog = None
        for cover in self._covers:
            cover.hide()
            cover.deleteLater()
        self._covers.clear()
        self._note_life()
        if self._idle_s > 0:
            self._timer.start(int(self._idle_s * 1000))

    def _open(self) -> None:
        self.release()
        self.unlocked.emit()

    def _cover(self, window: QWidget) -> None:
        is_ours = window is self.dialog or window.parent() is self.dialog
        is_plain = window.windowType() in (Qt.WindowType.Window, Qt.WindowType.Dialog)
        if is_ours or not is_plain or not window.isVisible():
            return
        if all(cover.parentWidget() is not window for cover in self._covers):
            self._covers.append(LockCover(window, self.tr("Locked")))

    def _watch(self, window: QWindow | None) -> None:
        """Input reaches a window's handle before any widget: few events, and all that count."""
        if window is not None:
            window.installEventFilter(self)  # once more changes nothing

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in _SIGNS_OF_LIFE:
            self._note_life()
        elif kind == QEvent.Type.Show and isinstance(watched, QWidget):
            self._cover_new(watched)
        return False

    def _cover_new(self, widget: QWidget) -> None:
        if self.is_locked and widget.isWindow():
            self._cover(widget)

    def _note_life(self) -> None:
        self._last_sign = time.monotonic()

    def _on_time(self) -> None:
        left = self._idle_s - (time.monotonic() - self._last_sign)
        if self._idle_s <= 0 or self.is_locked:
            return
        if left > 0:
            self._timer.start(int(left * 1000) + 1)
        else:
            self.lock(is_idle=True)
