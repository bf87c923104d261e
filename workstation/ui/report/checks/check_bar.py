"""Checks of the report: one calm line that opens to a list with jump, fix and override."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workstation.reporting.check_override import CheckOverride
from workstation.reporting.checks.report_check import ReportCheck
from workstation.reporting.checks.report_checks import open_checks
from workstation.ui.report.elided_label import ElidedLabel
from workstation.ui.report.report_keys import CHECKS_KEY
from workstation.ui.report.statements.chip_painter import SIGN_SIZE, paint_warning
from workstation.ui.theme import COLOURS

LIST_HEIGHT = 230
"""At most, of the open list [px]; beyond that it scrolls."""
_LIST_SHARE = 0.3
"""At most, of the height of what is around the bar: the texts are read beside their checks."""
_LEAST_LIST_HEIGHT = 48

_INDENT = 20
"""Of the buttons, below the message beside its sign [px]."""


class CheckSign(QWidget):
    """A triangle for an open check, filled where it blocks; a tick for one set aside."""

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self.setFixedSize(14, 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.kind == "overridden":
            painter.setPen(QPen(QColor(COLOURS.muted_text), 1.4))
            painter.drawPolyline([QPointF(3, 9), QPointF(6, 12), QPointF(11, 5)])
        else:
            top = (self.height() - SIGN_SIZE) / 2
            paint_warning(painter, QPointF(3, top), self.kind == "blocking")


class CheckLine(QFrame):
    """One check: its message, and what can be done about it. Keys: Enter jumps, F fixes,
    O overrides."""

    jump_requested = Signal(object)  # ReportCheck
    fix_requested = Signal(object)  # Fix
    overridden = Signal(object, str)  # ReportCheck, reason

    def __init__(
        self, check: ReportCheck, override: CheckOverride | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.check, self.override = check, override
        self.setObjectName("check_line")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setStyleSheet(
            "QFrame#check_line { border: 1px solid transparent; border-radius: 4px; }"
            f"QFrame#check_line:hover {{ background: {COLOURS.hover}; }}"
            f"QFrame#check_line:focus {{ border-color: {COLOURS.accent}; }}"
        )
        kind = "overridden" if override else "blocking" if check.is_blocking else "open"
        self.sign = CheckSign(kind, self)
        self.message_label = QLabel(self._words(), self)
        self.message_label.setObjectName("check_message")
        self.message_label.setWordWrap(True)
        self.setAccessibleName(self._accessible_words())
        self._make_buttons()
        self._lay_out()

    def _words(self) -> str:
        if self.override is None:
            return self.check.message
        return self.tr("{0} Set aside: {1}").format(self.check.message, self.override.reason)

    def _accessible_words(self) -> str:
        if self.override is not None:
            return self._words()
        weight = self.tr("Before signing") if self.check.is_blocking else self.tr("To consider")
        return f"{weight}: {self.check.message}"

    def _make_buttons(self) -> None:
        self.fix_button = QPushButton(self.check.fix.label if self.check.fix else "", self)
        self.fix_button.setObjectName("check_fix")
        words = self.tr("Make this edit (F); Undo takes it back")
        self.fix_button.setToolTip("\n".join((self.fix_button.text(), words)).strip())
        self.fix_button.setAccessibleName(self.fix_button.text())
        self.fix_button.setVisible(self.check.fix is not None and self.override is None)
        self.fix_button.clicked.connect(self._fix)
        self.override_button = QPushButton(self.tr("Override…"), self)
        self.override_button.setObjectName("check_override")
        self.override_button.setToolTip(self.tr("Set it aside with a reason (O)"))
        self.override_button.setVisible(self.override is None)
        self.override_button.clicked.connect(self.ask_reason)
        for button in (self.fix_button, self.override_button):
            button.setStyleSheet("padding: 2px 9px; min-height: 15px;")
            button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            button.setMinimumWidth(40)  # its words must not hold the column open
        self.override_button.setProperty("role", "quiet")
        self.reason_field = QLineEdit(self)
        self.reason_field.setObjectName("check_reason")
        self.reason_field.setAccessibleName(self.tr("Reason for setting the check aside"))
        self.reason_field.setPlaceholderText(self.tr("Reason, then Enter. Esc leaves the check."))
        self.reason_field.returnPressed.connect(self._give_reason)
        self.reason_field.hide()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.message_label, 1)
        self._buttons = buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        buttons.setContentsMargins(_INDENT, 0, 0, 0)
        buttons.setSpacing(3)
        buttons.addWidget(self.fix_button)
        buttons.addWidget(self.override_button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(3)
        column.addLayout(head)
        if self.override is None:
            column.addLayout(buttons)
            column.addWidget(self.reason_field)

    def fit(self, width: int) -> None:
        """Both buttons in a row where their words have room, else one below the other."""
        if self.override is not None:
            return
        room, button = width - _INDENT - 12, self.fix_button
        words, metrics = self.check.fix.label if self.check.fix else "", button.fontMetrics()
        around = button.sizeHint().width() - metrics.horizontalAdvance(button.text())
        wanted = around + metrics.horizontalAdvance(words)
        beside = wanted + self.override_button.sizeHint().width() + 3 <= room
        directions = QBoxLayout.Direction
        self._buttons.setDirection(directions.LeftToRight if beside else directions.TopToBottom)
        least = max(room - around, 40)
        button.setText(metrics.elidedText(words, Qt.TextElideMode.ElideRight, least))

    def ask_reason(self) -> None:
        """Open the field for the reason."""
        if self.override is None:
            self.reason_field.show()
            self.reason_field.setFocus()

    def _fix(self) -> None:
        if self.check.fix is not None and self.override is None:
            self.fix_requested.emit(self.check.fix)

    def _give_reason(self) -> None:
        reason = self.reason_field.text().strip()
        if reason:
            self.overridden.emit(self.check, reason)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setFocus()
            self.jump_requested.emit(self.check)
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if self.reason_field.hasFocus():
            if key == Qt.Key.Key_Escape:
                self.reason_field.clear()
                self.reason_field.hide()
                self.setFocus()
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.jump_requested.emit(self.check)
        elif key == Qt.Key.Key_F:
            self._fix()
        elif key == Qt.Key.Key_O:
            self.ask_reason()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.focusNextPrevChild(key == Qt.Key.Key_Down)
        else:
            super().keyPressEvent(event)


class CheckList(QScrollArea):
    """As high as its lines ask, lower where there is no room: it must not push the window out of
    the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("check_list")
        self.setAccessibleName(self.tr("Checks"))
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._wanted_height = _LEAST_LIST_HEIGHT

    def want_height(self, height: int) -> None:
        self._wanted_height = max(height, _LEAST_LIST_HEIGHT)
        self.setMaximumHeight(self._wanted_height)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._wanted_height)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), _LEAST_LIST_HEIGHT)


class CheckBar(QFrame):
    """Hidden while there is nothing to say; a line with the number and the first message; the
    list below it where it is open. Reasons being typed survive a new set of checks."""

    jump_requested = Signal(object)  # ReportCheck
    fix_requested = Signal(object)  # Fix
    overridden = Signal(object)  # CheckOverride

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("check_bar")
        self.lines: list[CheckLine] = []
        self._shown: tuple[tuple[ReportCheck, ...], tuple[CheckOverride, ...]] = ((), ())
        self.chip = QToolButton(self)
        self.chip.setObjectName("checks_chip")
        self.chip.setCheckable(True)
        self.chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.chip.toggled.connect(self._on_toggled)
        self.first_label = ElidedLabel(self)
        self.first_label.setObjectName("first_check")
        self.first_label.setProperty("role", "muted")
        self.list_area = CheckList(self)
        self.list_area.hide()
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.chip)
        head.addWidget(self.first_label, 1)
        head.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.list_area)
        column.addLayout(head)
        self.show_checks((), ())

    @property
    def is_open(self) -> bool:
        return self.chip.isChecked()

    @property
    def open_count(self) -> int:
        """Checks that nobody has set aside."""
        return len(open_checks(*self._shown))

    def show_checks(
        self, checks: Sequence[ReportCheck], overrides: Sequence[CheckOverride]
    ) -> None:
        """Show what fails now; what is set aside stands last."""
        shown = tuple(checks), tuple(overrides)
        if shown == self._shown and self.lines:
            return
        self._shown = shown
        waiting = open_checks(*shown)
        self._name_chip(waiting)
        self._fill(waiting)
        self.setVisible(bool(checks))
        if not checks:
            self.chip.setChecked(False)

    def close_list(self) -> None:
        """Its room is needed for something else."""
        self.chip.setChecked(False)

    def show_next(self) -> None:
        """Open the list with its first line current, or go to the next line and jump there."""
        if not self.lines:
            return
        if not self.is_open:
            self.chip.setChecked(True)
            line = self.lines[0]
        else:
            focused = [i for i, each in enumerate(self.lines) if each.hasFocus()]
            line = self.lines[(focused[0] + 1) % len(self.lines) if focused else 0]
        line.setFocus()
        self.list_area.ensureWidgetVisible(line)
        self.jump_requested.emit(line.check)

    def _name_chip(self, waiting: Sequence[ReportCheck]) -> None:
        blocking = sum(check.is_blocking for check in waiting)
        if waiting:
            sign = "▲" if blocking else "△"
            self.chip.setText(self.tr("{0} checks {1}").format(sign, len(waiting)))
            words = self.tr("{0} checks, {1} of them before signing. {2} opens them.")
            self.chip.setToolTip(words.format(len(waiting), blocking, CHECKS_KEY))
            self.first_label.setText(waiting[0].message)
        else:
            self.chip.setText(self.tr("✓ checks"))
            self.chip.setToolTip(self.tr("Every check was set aside with a reason."))
            self.first_label.setText(self.tr("set aside with a reason"))
        self.chip.setAccessibleName(self.chip.toolTip())
        ink = COLOURS.amber if blocking else COLOURS.text
        self.chip.setStyleSheet(f"color: {ink}; padding: 2px 8px;")

    def _fill(self, waiting: Sequence[ReportCheck]) -> None:
        typed = {
            line.check.key: line.reason_field.text()
            for line in self.lines
            if line.reason_field.isVisible()
        }
        had_focus = next((each.check.key for each in self.lines if each.hasFocus()), None)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        given = {override.key: override for override in self._shown[1]}
        waiting_keys = {check.key for check in waiting}
        aside = [check for check in self._shown[0] if check.key not in waiting_keys]
        self.lines = [CheckLine(each, None, inside) for each in waiting]
        self.lines += [CheckLine(each, given[each.key], inside) for each in aside]
        for line in self.lines:
            column.addWidget(line)
            line.jump_requested.connect(self.jump_requested)
            line.fix_requested.connect(self.fix_requested)
            line.overridden.connect(self._on_overridden)
        column.addStretch(1)
        before = self.list_area.takeWidget()
        if before is not None:
            before.deleteLater()  # its line may be the one whose key or click led here
        self.list_area.setWidget(inside)
        for line in self.lines:
            if line.check.key in typed and line.override is None:
                line.reason_field.setText(typed[line.check.key])
                line.ask_reason()
            elif line.check.key == had_focus:
                line.setFocus()
        self._fit_list()

    def _fit_list(self) -> None:
        inside = self.list_area.widget()
        if inside is None:
            return
        scroller = self.list_area.verticalScrollBar().sizeHint().width()
        width = max(200, self.width() - scroller)
        for line in self.lines:
            line.fit(width)
        layout = inside.layout()
        needed = layout.heightForWidth(width) if layout is not None else 0
        around = self.parentWidget()
        most = _LIST_SHARE * around.height() if around is not None else LIST_HEIGHT
        self.list_area.want_height(min(LIST_HEIGHT, int(most), needed + 4))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit_list()

    def _on_toggled(self, is_open: bool) -> None:
        self.list_area.setVisible(is_open)
        self.first_label.setVisible(not is_open)
        self._fit_list()

    def _on_overridden(self, check: ReportCheck, reason: str) -> None:
        self.overridden.emit(CheckOverride(check.key, check.rule, check.message, reason))
