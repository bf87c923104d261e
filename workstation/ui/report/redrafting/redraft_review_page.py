"""The difference between the report and its redraft, decided sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from workstation.reporting.redrafting.redraft_review import ReviewPiece
from workstation.ui.report.redrafting.redraft_piece import ChangeRow, UnchangedRow


class RedraftReviewPage(QWidget):
    """Nothing enters the report before closed(frozenset of accepted indices), told once.

    It is told when the last piece is decided, by "Take over", and by Esc with none accepted.
    """

    closed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("redraft_review")
        self.rows: list[ChangeRow] = []
        self._is_open = False
        self.summary_label = QLabel(self)
        self.summary_label.setObjectName("redraft_summary")
        self.summary_label.setWordWrap(True)
        self.scroll_area = QScrollArea(self)
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.accept_all_button = self._button(
            "accept_all", self.tr("Accept all"), self.tr("Take every piece over (Shift+A)")
        )
        self.keep_all_button = self._button(
            "keep_all", self.tr("Keep all"), self.tr("Leave the report as it is (Esc)")
        )
        self.done_button = self._button(
            "redraft_done", "", self.tr("What is open stays as it was (Ctrl+Enter)")
        )
        self.done_button.setProperty("role", "primary")
        self.done_button.setAccessibleName(self.tr("Take over what was accepted"))
        self.accept_all_button.clicked.connect(self.accept_all)
        self.keep_all_button.clicked.connect(self.keep_all)
        self.done_button.clicked.connect(self.close_review)
        self._lay_out()

    def _button(self, name: str, text: str, tool_tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setToolTip(tool_tip)
        return button

    def _lay_out(self) -> None:
        self.keys_label = QLabel(
            self.tr("A accepts, K keeps, ↑ ↓ go on, Esc keeps the report as it is"), self
        )
        self.keys_label.setProperty("role", "muted")
        self.keys_label.setWordWrap(True)
        foot = QHBoxLayout()
        foot.addWidget(self.accept_all_button)
        foot.addWidget(self.keep_all_button)
        foot.addStretch(1)
        foot.addWidget(self.done_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.summary_label)
        layout.addWidget(self.scroll_area, 1)
        layout.addWidget(self.keys_label)
        layout.addLayout(foot)

    # -- what is compared --------------------------------------------------------------------

    def show_pieces(self, pieces: Sequence[ReviewPiece]) -> None:
        """Begin a review; focus_open then gives the first change the keyboard."""
        self._is_open = True
        listing = QWidget()
        column = QVBoxLayout(listing)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(5)
        self.rows = []
        titles = {"findings": self.tr("Findings"), "impression": self.tr("Impression")}
        shown = ""
        for index, piece in enumerate(pieces):
            if piece.section != shown:
                shown = piece.section
                title = QLabel(titles[piece.section], listing)
                title.setProperty("role", "heading")
                column.addWidget(title)
            if piece.is_change:
                row = ChangeRow(index, piece, listing)
                row.decided.connect(self._on_decided)
                row.step_requested.connect(self._step)
                self.rows.append(row)
                column.addWidget(row)
            else:
                column.addWidget(UnchangedRow(piece, listing))
        column.addStretch(1)
        self.scroll_area.setWidget(listing)
        self._show_summary()

    def clear(self) -> None:
        """The study was left: nothing is decided any more."""
        self._is_open = False
        self.rows = []
        self.scroll_area.setWidget(QWidget())

    @property
    def accepted(self) -> frozenset[int]:
        return frozenset(row.index for row in self.rows if row.decision == "accepted")

    # -- deciding ----------------------------------------------------------------------------

    def accept_all(self) -> None:
        for row in self.rows:
            row.decision = "accepted"
        self.close_review()

    def keep_all(self) -> None:
        """The report stays what it is, and so does every edit in it."""
        for row in self.rows:
            row.decision = "kept"
        self.close_review()

    def close_review(self) -> None:
        """What is still open is kept."""
        if self._is_open:
            self._is_open = False
            self.closed.emit(self.accepted)

    def _on_decided(self) -> None:
        if all(row.decision != "open" for row in self.rows):
            self.close_review()
            return
        self._show_summary()
        self.focus_open()

    def focus_open(self) -> None:
        """The keyboard to the next piece that is open, from the one that has it on."""
        here = next((at for at, row in enumerate(self.rows) if row.hasFocus()), 0)
        order = [*self.rows[here:], *self.rows[:here]]
        for row in order:
            if row.decision == "open":
                self._go_to(row)
                return

    def _go_to(self, row: ChangeRow) -> None:
        row.setFocus(Qt.FocusReason.OtherFocusReason)
        self.scroll_area.ensureWidgetVisible(row, 0, 60)

    def _step(self, step: int) -> None:
        here = next((at for at, row in enumerate(self.rows) if row.hasFocus()), None)
        if here is None:
            self.focus_open()
        elif 0 <= here + step < len(self.rows):
            self._go_to(self.rows[here + step])

    def _show_summary(self) -> None:
        count, taken = len(self.rows), len(self.accepted)
        self.summary_label.setText(
            self.tr("The redraft differs in 1 place. Only what you accept enters the report.")
            if count == 1
            else self.tr(
                "The redraft differs in {0} places. Only what you accept enters the report."
            ).format(count)
        )
        self.done_button.setText(self.tr("Take over {0} of {1}").format(taken, count))
        self.done_button.setEnabled(taken > 0)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_open()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        is_control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if event.key() == Qt.Key.Key_Escape:
            self.keep_all()
        elif event.key() == Qt.Key.Key_A and is_shift:
            self.accept_all()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and is_control:
            self.close_review()
        else:
            super().keyPressEvent(event)
