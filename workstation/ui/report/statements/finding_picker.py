"""Adds a finding: pick a concept and its slots, or type a sentence of one's own."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from inference.report_language import (
    CONCEPTS,
    Language,
    Severity,
    Side,
    Status,
    Zone,
    word_statement,
)


class FindingPicker(QFrame):
    """Emits sentence_added(text). The sentence field shows the canonical wording of what is
    picked, in ``language``, and stays editable: what stands there is what is added.
    """

    sentence_added = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("finding_picker")
        self.setProperty("role", "panel")
        self.language: Language = "en"
        self.concept_box = self._make_concept_box()
        self.status_box = self._make_box("status", self.tr("Status"), get_args(Status))
        self.side_box = self._make_box("side", self.tr("Side"), ("", *get_args(Side)))
        self.zone_box = self._make_box("zone", self.tr("Zone"), ("", *get_args(Zone)))
        self.severity_box = self._make_box(
            "severity", self.tr("Severity"), ("", *get_args(Severity))
        )
        self.sentence_field = QLineEdit(self)
        self.sentence_field.setObjectName("picker_sentence")
        self.sentence_field.setAccessibleName(self.tr("Sentence to add"))
        self.sentence_field.setPlaceholderText(self.tr("or type a sentence"))
        self.sentence_field.textChanged.connect(self._on_sentence_changed)
        self.add_button = QPushButton(self.tr("Add"), self)
        self.add_button.setObjectName("picker_add")
        self.close_button = QPushButton(self.tr("Close"), self)
        self.close_button.setObjectName("picker_close")
        self.close_button.setProperty("role", "quiet")
        self.add_button.clicked.connect(self._add)
        self.close_button.clicked.connect(self.close_picker)
        self._lay_out()
        self._on_picked()

    def open_picker(self) -> None:
        """Show an empty picker, ready for typing a concept."""
        for row, concept in enumerate(CONCEPTS):
            label = concept.label_zh if self.language == "zh" else concept.label
            self.concept_box.setItemText(row, label)
        self.concept_box.setCurrentIndex(-1)
        self.concept_box.clearEditText()
        for box in (self.status_box, self.side_box, self.zone_box, self.severity_box):
            box.setCurrentIndex(0)
        self.sentence_field.clear()
        self._on_picked()
        self.show()
        self.concept_box.setFocus()

    def close_picker(self) -> None:
        """Hide without adding."""
        self.hide()
        self.closed.emit()

    @property
    def concept(self) -> str | None:
        """The name of the concept picked, or None."""
        picked = self.concept_box.currentData()
        typed = self.concept_box.currentText()
        return picked if picked and self.concept_box.itemText(self._row()) == typed else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_picker()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._add()
        else:
            super().keyPressEvent(event)

    def _row(self) -> int:
        return self.concept_box.currentIndex()

    def _make_concept_box(self) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName("picker_concept")
        box.setAccessibleName(self.tr("Finding or device"))
        box.setEditable(True)
        box.setMinimumWidth(80)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        for concept in CONCEPTS:
            box.addItem(concept.label, concept.name)
        box.setCurrentIndex(-1)
        field = box.lineEdit()
        assert field is not None
        field.setPlaceholderText(self.tr("finding or device"))
        completer = box.completer() or QCompleter(box.model(), box)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        box.currentIndexChanged.connect(self._on_picked)
        return box

    def _make_box(self, name: str, label: str, values: tuple[str, ...]) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(f"picker_{name}")
        box.setAccessibleName(label)
        box.setToolTip(label)
        box.setMinimumWidth(60)  # the column stays as wide as the reader has made it
        for value in values:
            box.addItem(value or f"({label.lower()})", value or None)
        box.currentIndexChanged.connect(self._on_picked)
        return box

    def _lay_out(self) -> None:
        slots = QHBoxLayout()
        for box in (self.side_box, self.zone_box, self.severity_box):
            slots.addWidget(box, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.sentence_field, 1)
        buttons.addWidget(self.add_button)
        buttons.addWidget(self.close_button)
        layout = QGridLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(6)
        layout.addWidget(self.concept_box, 0, 0)
        layout.addWidget(self.status_box, 0, 1)
        layout.addLayout(slots, 1, 0, 1, 2)
        layout.addLayout(buttons, 2, 0, 1, 2)
        layout.setColumnStretch(0, 1)

    def _on_picked(self) -> None:
        if not hasattr(self, "add_button"):
            return  # boxes emit while they are filled
        concept = self.concept
        if concept is None:
            for box in (self.side_box, self.zone_box, self.severity_box):
                box.setEnabled(False)
            return
        status: Status = self.status_box.currentData()
        plain = word_statement(concept, status)  # the slots are the same in every language
        self.side_box.setEnabled(word_statement(concept, status, side="left") != plain)
        self.zone_box.setEnabled(word_statement(concept, status, zone="mid") != plain)
        self.severity_box.setEnabled(word_statement(concept, status, severity="marked") != plain)
        self.sentence_field.setText(
            word_statement(
                concept,
                status,
                self.side_box.currentData(),
                self.zone_box.currentData(),
                self.severity_box.currentData(),
                self.language,
            )
        )

    def _on_sentence_changed(self, text: str) -> None:
        self.add_button.setEnabled(bool(text.strip()))

    def _add(self) -> None:
        text = self.sentence_field.text().strip()
        if not text:
            return
        self.sentence_added.emit(text)
        self.open_picker()
