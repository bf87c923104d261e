"""One place of the report in the review of a redraft: what stands there, what the redraft says."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workstation.reporting.redrafting.redraft_review import ReviewPiece
from workstation.ui.theme import COLOURS, report_font, ui_font

Decision = Literal["open", "accepted", "kept"]


class UnchangedRow(QLabel):
    """A sentence that is the same in both; said where the reader locked it."""

    def __init__(self, piece: ReviewPiece, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        assert piece.old is not None
        self.setText(piece.old.text + (self.tr("  · locked") if piece.old.locked else ""))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(report_font())
        self.setWordWrap(True)
        self.setContentsMargins(15, 1, 10, 1)
        self.setStyleSheet(f"color: {COLOURS.muted_text};")


class ChangeRow(QFrame):
    """The old sentence struck through, the new one under it, and the choice between them.

    Keys: A accepts, K keeps; the other choice takes it back. decided() follows each choice.
    """

    decided = Signal()
    step_requested = Signal(int)  # 1: to the next row; before the scroll area takes the key

    def __init__(self, index: int, piece: ReviewPiece, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.index, self.piece = index, piece
        self.decision: Decision = "open"
        self.setObjectName("redraft_change")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.old_label = self._sentence_label(piece.old.text if piece.old else "", struck=True)
        self.new_label = self._sentence_label(piece.new.text if piece.new else "", struck=False)
        self.state_label = QLabel(self)
        self.state_label.setProperty("role", "muted")
        self.state_label.setFont(ui_font(9.5))
        self.accept_button = self._button(
            "accept_piece", self.tr("Accept"), self.tr("Take this over (A)")
        )
        self.keep_button = self._button(
            "keep_piece", self.tr("Keep"), self.tr("Leave the report as it is here (K)")
        )
        self.accept_button.clicked.connect(self.accept)
        self.keep_button.clicked.connect(self.keep)
        self._lay_out()
        self._show_decision()

    def _sentence_label(self, text: str, *, struck: bool) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        font = report_font()
        font.setStrikeOut(struck)
        label.setFont(font)
        label.setWordWrap(True)
        label.setVisible(bool(text))
        return label

    def _button(self, name: str, text: str, tool_tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setToolTip(tool_tip)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the row has it, and its keys
        return button

    def _lay_out(self) -> None:
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.old_label)
        texts.addWidget(self.new_label)
        texts.addWidget(self.state_label)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 8, 7)
        row.setSpacing(8)
        row.addLayout(texts, 1)
        for button in (self.accept_button, self.keep_button):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)

    @property
    def kind_text(self) -> str:
        """What the redraft does here, in a word."""
        if self.piece.old is None:
            return self.tr("new")
        return self.tr("left out") if self.piece.new is None else self.tr("changed")

    def accept(self) -> None:
        self._decide("accepted")

    def keep(self) -> None:
        self._decide("kept")

    def _decide(self, decision: Decision) -> None:
        self.decision = decision
        self._show_decision()
        self.decided.emit()

    def _show_decision(self) -> None:
        is_accepted, is_kept = self.decision == "accepted", self.decision == "kept"
        self.accept_button.setChecked(is_accepted)
        self.keep_button.setChecked(is_kept)
        decided = {
            "open": "",
            "accepted": self.tr("✓ accepted"),
            "kept": self.tr("– kept as it was"),
        }
        confidence = self.piece.new.confidence if self.piece.new is not None else None
        said = [self.kind_text]
        if confidence is not None:
            said.append(self.tr("AI, confidence {0}").format(f"{confidence:.2f}"))
        said.append(decided[self.decision])
        self.state_label.setText(" · ".join(word for word in said if word))
        self.old_label.setStyleSheet(f"color: {COLOURS.faint_text};")
        shade = COLOURS.faint_text if is_kept else COLOURS.bright_text
        self.new_label.setStyleSheet(f"color: {shade};")
        bar = {"open": COLOURS.accent, "accepted": COLOURS.accent, "kept": COLOURS.strong_line}
        fill = COLOURS.accent_dim if is_accepted else COLOURS.raised
        self.setStyleSheet(
            f"QFrame#redraft_change {{ background: {fill}; border: 1px solid {COLOURS.line};"
            f" border-left: 3px solid {bar[self.decision]}; border-radius: 4px; }}"
            f"QFrame#redraft_change:focus {{ border: 2px solid {COLOURS.accent};"
            f" border-left: 4px solid {COLOURS.accent}; }}"
            f"QPushButton:checked {{ background: {COLOURS.accent}; color: {COLOURS.on_accent}; }}"
        )
        self.setAccessibleName(self._spoken())

    def _spoken(self) -> str:
        old = self.piece.old.text if self.piece.old else self.tr("nothing")
        new = self.piece.new.text if self.piece.new else self.tr("nothing")
        text = self.tr("{0}. Report: {1} Redraft: {2}").format(self.state_label.text(), old, new)
        return text

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_A and not event.modifiers():
            self.accept()
        elif event.key() == Qt.Key.Key_K and not event.modifiers():
            self.keep()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.step_requested.emit(1 if event.key() == Qt.Key.Key_Down else -1)
        else:
            super().keyPressEvent(event)
