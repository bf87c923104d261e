"""The bars over and under the report: patient and state, undo and redo; stop, redraft, sign."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from workstation.reporting.draft_report import DraftReport
from workstation.ui.film.header_wording import join_present
from workstation.ui.report.patient_line import ReportPatient
from workstation.ui.report.signing.signed_page import count_provenance
from workstation.ui.report.signing.version_wording import name_stage

PanelState = Literal[
    "no-study", "not-drafted", "drafting", "covered", "editing", "reviewing", "signed"
]


class ReportHead(QWidget):
    """Whose report it is, its state in words, undo and redo. Where the room is short the name
    gives way: all of it is in the tooltip, in the study list and on the film."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state_label = QLabel(self)
        self.state_label.setObjectName("report_state")
        self.state_label.setProperty("role", "muted")
        self.state_label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._stage = name_stage(None)
        self._shown: tuple[PanelState, DraftReport | None] = ("no-study", None)
        self.undo_button = self._tool("undo_button", "↶", self.tr("Undo (Ctrl+Z)"))
        self.redo_button = self._tool("redo_button", "↷", self.tr("Redo (Ctrl+Y)"))
        self.patient: ReportPatient | None = None
        self.patient_label = QLabel(self)
        self.patient_label.setObjectName("report_patient")
        self.patient_label.setProperty("role", "heading")
        self.patient_label.setTextFormat(Qt.TextFormat.PlainText)
        self.patient_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.patient_label, 1)
        row.addSpacing(6)
        row.addWidget(self.state_label)
        row.addSpacing(2)
        row.addWidget(self.undo_button)
        row.addWidget(self.redo_button)

    def show_state(self, state: PanelState, report: DraftReport | None) -> None:
        """Undo and redo are there while the report can be edited."""
        self._shown = state, report
        editable = report if state == "editing" else None
        for button in (self.undo_button, self.redo_button):
            button.setVisible(editable is not None)
        self.undo_button.setEnabled(editable is not None and editable.can_undo)
        self.redo_button.setEnabled(editable is not None and editable.can_redo)
        self._fit_name()

    def show_patient(self, patient: ReportPatient | None) -> None:
        """None: no study is open."""
        self.patient = patient
        self.patient_label.setToolTip(patient.line if patient is not None else "")
        self._fit_name()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_name()

    def _fit_name(self) -> None:
        """The patient's name whole, if need be beside the stage alone; its tooltip says more."""
        state, report = self._shown
        said = self._state_text(state, report if state == "editing" else None)
        for words in (said, self._stage if state == "editing" else said, said):
            self.state_label.setText(words)
            self.state_label.setToolTip(said if words != said else "")
            if self._show_name():
                break

    def _show_name(self) -> bool:
        """False where it had to be cut off."""
        name = self.patient.name if self.patient is not None else self.tr("Report")
        layout = self.layout()
        assert layout is not None
        layout.activate()
        font = self.patient_label.font()
        font.setBold(True)  # as the heading's role draws it
        room = self.patient_label.width()
        metrics = QFontMetrics(font)
        self.patient_label.setText(metrics.elidedText(name, Qt.TextElideMode.ElideRight, room))
        self.patient_label.setAccessibleName(self.patient.line if self.patient else name)
        return self.patient_label.text() == name

    def show_stage(self, stage: str) -> None:
        """What the report is: draft, preliminary, final ... (`name_stage`)."""
        self._stage = stage
        self.show_state(*self._shown)

    def _state_text(self, state: PanelState, report: DraftReport | None) -> str:
        if report is not None:
            sentences = report.state.findings + report.state.impression
            return join_present(self._stage, count_provenance(self, sentences))
        words: dict[PanelState, str] = {
            "not-drafted": self.tr("not drafted"),
            "drafting": self.tr("drafting…"),
            "covered": self.tr("covered"),
            "reviewing": self.tr("redraft to review"),
            "signed": self._stage,
        }
        return words.get(state, "")

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
            "redraft_button",
            self.tr("Redraft"),
            self.tr("Draft again around what is locked (Ctrl+D)"),
        )
        self.redraft_more = QToolButton(self)
        self.redraft_more.setObjectName("redraft_more")
        self.redraft_more.setText("▾")
        self.redraft_more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.redraft_more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.redraft_more.setToolTip(self.tr("Redraft a part, or change the language"))
        self.redraft_more.setAccessibleName(self.redraft_more.toolTip())
        self.sign_button = self._button(
            "sign_button", self.tr("Sign…"), self.tr("Review and sign (Ctrl+Enter)")
        )
        self.sign_button.setProperty("role", "primary")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.stop_button)
        row.addWidget(self.redraft_button)
        row.addWidget(self.redraft_more)
        row.addStretch(1)
        row.addWidget(self.sign_button)

    def show_state(
        self, state: PanelState, *, can_draft: bool, is_blank: bool, is_running: bool
    ) -> None:
        """is_running: behind the cover, the model still writes."""
        is_editing = state == "editing"
        self.stop_button.setVisible(state == "drafting" or (state == "covered" and is_running))
        for button in (self.redraft_button, self.redraft_more):
            button.setVisible(is_editing)
            button.setEnabled(can_draft)
        self.sign_button.setVisible(is_editing)
        self.sign_button.setEnabled(is_editing and not is_blank)

    def offer_redrafts(self, actions: Iterable[QAction]) -> None:
        """What the small button beside Redraft unfolds."""
        menu = QMenu(self.redraft_more)
        menu.addActions(list(actions))
        self.redraft_more.setMenu(menu)

    def _button(self, name: str, text: str, tool_tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setToolTip(tool_tip)
        return button
