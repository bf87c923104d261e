"""The bars over and under the report: title and state, undo and redo; stop, redraft, sign."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget


class ReportHead(QWidget):
    """Title, the report's state in words, undo and redo."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state_label = QLabel(self)
        self.state_label.setObjectName("report_state")
        self.state_label.setProperty("role", "muted")
        self.state_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.undo_button = self._tool("undo_button", "↶", self.tr("Undo (Ctrl+Z)"))
        self.redo_button = self._tool("redo_button", "↷", self.tr("Redo (Ctrl+Y)"))
        title = QLabel(self.tr("Report"), self)
        title.setProperty("role", "heading")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(title)
        row.addSpacing(8)
        row.addWidget(self.state_label, 1)
        row.addWidget(self.undo_button)
        row.addWidget(self.redo_button)

    def _tool(self, name: str, text: str, tool_tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setText(text)
        button.setToolTip(tool_tip)
        button.setAccessibleName(tool_tip)
        return button


class ReportFoot(QWidget):
    """What is done with the report as a whole."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stop_button = self._button("stop_button", self.tr("Stop"), self.tr("Stop (Esc)"))
        self.redraft_button = self._button(
            "redraft_button", self.tr("Redraft"), self.tr("Draft again (Ctrl+D)")
        )
        self.sign_button = self._button(
            "sign_button", self.tr("Sign…"), self.tr("Review and sign (Ctrl+Enter)")
        )
        self.sign_button.setProperty("role", "primary")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.stop_button)
        row.addWidget(self.redraft_button)
        row.addStretch(1)
        row.addWidget(self.sign_button)

    def _button(self, name: str, text: str, tool_tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setToolTip(tool_tip)
        return button
