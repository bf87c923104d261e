"""A path with a button to choose it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget


class FileField(QWidget):
    """Of a PEM file; "" for none. title: of the file dialog."""

    changed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.line = QLineEdit(self)
        self.line.setPlaceholderText(self.tr("none"))
        self.line.setClearButtonEnabled(True)
        self.button = QPushButton(self.tr("Choose…"), self)
        self.button.setProperty("role", "quiet")
        self.setFocusProxy(self.line)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.line, 1)
        row.addWidget(self.button)
        self.line.textChanged.connect(self._on_text_changed)
        self.button.clicked.connect(self._choose)

    @property
    def path(self) -> str:
        return self.line.text().strip()

    @path.setter
    def path(self, path: str) -> None:
        self.line.setText(path)

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.line.setAccessibleName(name)
        self.button.setAccessibleName(self.tr("Choose: {0}").format(name))

    def _choose(self) -> None:
        kinds = self.tr("Certificates and keys (*.pem *.crt *.cer *.key);;All files (*)")
        path, _ = QFileDialog.getOpenFileName(self, self._title, self.path, kinds)
        if path:
            self.path = path

    def _on_text_changed(self, _text: str) -> None:
        self.changed.emit()
