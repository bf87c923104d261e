"""Which folder is watched, and whether."""

from __future__ import annotations

import os

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)


class WatchDialog(QDialog):
    """Folder and switch; `watched_folder` is None for off."""

    def __init__(
        self, folder: str, *, is_on: bool, trouble: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("watch_dialog")
        self.setWindowTitle(self.tr("Watched folder"))
        self.setModal(True)
        self.setMinimumWidth(480)
        heading = QLabel(self.tr("Import films from a folder as they arrive"), self)
        heading.setProperty("role", "heading")
        self.folder_field = QLineEdit(folder, self)
        self.folder_field.setObjectName("watch_folder")
        self.folder_field.setAccessibleName(self.tr("Folder"))
        self.folder_field.setPlaceholderText(self.tr("Folder"))
        self.folder_field.textChanged.connect(self._check)
        choose = QPushButton(self.tr("Choose…"), self)
        choose.clicked.connect(self._choose)
        self.on_box = QCheckBox(self.tr("Watch this folder and the folders in it"), self)
        self.on_box.setObjectName("watch_on")
        self.on_box.setChecked(is_on)
        self.on_box.toggled.connect(self._check)
        note = QLabel(
            self.tr(
                "A file is imported when it has not changed for three seconds. Files stay where "
                "they are; one that can't be read is listed once, with its reason."
            ),
            self,
        )
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        self.trouble_label = QLabel(trouble, self)
        self.trouble_label.setProperty("role", "warning")
        self.trouble_label.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.folder_field, 1)
        row.addWidget(choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(heading)
        layout.addLayout(row)
        layout.addWidget(self.on_box)
        layout.addWidget(note)
        layout.addWidget(self.trouble_label)
        layout.addWidget(self.buttons)
        self._check()

    @property
    def chosen_folder(self) -> str:
        return self.folder_field.text().strip()

    @property
    def is_on(self) -> bool:
        return self.on_box.isChecked() and bool(self.chosen_folder)

    def _choose(self) -> None:
        title = self.tr("Folder to watch")
        folder = QFileDialog.getExistingDirectory(self, title, self.chosen_folder)
        if folder:
            self.folder_field.setText(folder)
            self.on_box.setChecked(True)

    def _check(self) -> None:
        """On needs a folder that is there; off can always be chosen."""
        is_wrong = self.on_box.isChecked() and not os.path.isdir(self.chosen_folder or "?")
        if is_wrong:
            self.trouble_label.setText(self.tr("▲ There is no such folder."))
        elif self.trouble_label.text() == self.tr("▲ There is no such folder."):
            self.trouble_label.clear()
        self.trouble_label.setVisible(bool(self.trouble_label.text()))
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not is_wrong)
