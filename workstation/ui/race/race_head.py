"""The head of the race view: what happens, under which conditions, and who runs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from inference import DecodingMode
from workstation.ui.race.race_wording import name_strategy
from workstation.ui.theme import ui_font


class RaceHead(QWidget):
    """Large, to be read by a room. The choice of strategies makes way for the race."""

    start_asked = Signal()
    stop_asked = Signal()
    choice_changed = Signal()

    def __init__(
        self,
        strategies: Sequence[DecodingMode],
        first: Sequence[DecodingMode],
        parent: QWidget | None = None,
    ) -> None:
        """first: of the strategies, those chosen at first."""
        super().__init__(parent)
        self.setObjectName("race_head")
        self.phase_label = QLabel(self)
        self.phase_label.setObjectName("race_phase")
        self.phase_label.setFont(ui_font(17, bold=True))
        self.phase_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.conditions_label = QLabel(self)
        self.conditions_label.setObjectName("race_conditions")
        self.conditions_label.setFont(ui_font(11))
        self.conditions_label.setWordWrap(True)
        self.choices = {mode: self._make_choice(mode, mode in first) for mode in strategies}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._build_phase())
        layout.addWidget(self.conditions_label)
        layout.addWidget(self._build_choices())

    def _make_choice(self, mode: DecodingMode, is_chosen: bool) -> QCheckBox:
        box = QCheckBox(name_strategy(mode), self)
        box.setObjectName(f"race_choice_{mode}")
        box.setChecked(is_chosen)
        box.toggled.connect(self.choice_changed)
        return box

    def _build_phase(self) -> QHBoxLayout:
        self.choose_button = QPushButton(self.tr("Hide strategies"), self)
        self.choose_button.setObjectName("race_choose")
        self.choose_button.setCheckable(True)
        self.choose_button.setChecked(True)
        self.choose_button.setAutoDefault(False)
        self.start_button = QPushButton(self.tr("Start"), self)
        self.start_button.setObjectName("race_start")
        self.start_button.setProperty("role", "primary")
        self.start_button.clicked.connect(self.start_asked)
        self.stop_button = QPushButton(self.tr("Stop"), self)
        self.stop_button.setObjectName("race_stop")
        self.stop_button.setToolTip(self.tr("Stop (Esc)"))
        self.stop_button.setEnabled(False)
        self.stop_button.setAutoDefault(False)
        self.stop_button.clicked.connect(self.stop_asked)
        row = QHBoxLayout()
        row.setSpacing(14)
        row.addWidget(self.phase_label, 1)
        for button in (self.choose_button, self.start_button, self.stop_button):
            row.addWidget(button)
        return row

    def _build_choices(self) -> QWidget:
        row = QWidget(self)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.setSpacing(14)
        for box in self.choices.values():
            layout.addWidget(box)
        layout.addStretch(1)
        self._choice_row = row
        self.choose_button.toggled.connect(self._show_choices)
        return row

    def _show_choices(self, is_shown: bool) -> None:
        self._choice_row.setVisible(is_shown)
        text = self.tr("Hide strategies") if is_shown else self.tr("Strategies…")
        self.choose_button.setText(text)

    @property
    def chosen(self) -> tuple[DecodingMode, ...]:
        return tuple(mode for mode, box in self.choices.items() if box.isChecked())

    def show_phase(self, text: str) -> None:
        """One line; its tooltip has it whole where the window is narrow."""
        if text != self.phase_label.text():
            self.phase_label.setText(text)
            self.phase_label.setToolTip(text)

    def show_whether_running(self, *, is_running: bool, can_start: bool) -> None:
        """While it runs nothing is chosen."""
        for box in self.choices.values():
            box.setEnabled(not is_running)
        if is_running:
            self.choose_button.setChecked(False)
        self.choose_button.setEnabled(not is_running)
        self.start_button.setEnabled(not is_running and can_start)
        self.stop_button.setEnabled(is_running)
