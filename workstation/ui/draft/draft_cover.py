"""The page over a draft that is not to be read yet: read the film first, then reveal."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.section_editor import SectionEditor
from workstation.ui.theme import ui_font

REVEAL_KEYS = "Ctrl+E"


class DraftCover(QWidget):
    """Says that a draft is made or ready, and takes the reader's own impression meanwhile.

    What is jotted goes into the report at once, so that it is saved as any typing is.
    """

    reveal_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("draft_cover")
        self._report: DraftReport | None = None
        self._make_labels()
        self.impression_editor = SectionEditor("impression", self)
        self.impression_editor.setObjectName("own_impression")
        self.impression_editor.setAccessibleName(self.tr("Your own impression"))
        self.impression_editor.setPlaceholderText(self.tr("What do you see?"))
        self.impression_editor.setToolTip(
            self.tr("Stays in the report as yours, beside what the model says")
        )
        self.impression_editor.setMaximumHeight(150)
        self.impression_editor.typed.connect(self._on_typed)
        self.impression_editor.undo_requested.connect(self._undo)
        self.impression_editor.redo_requested.connect(self._redo)
        self.reveal_button = QPushButton(self.tr("Reveal the draft"), self)
        self.reveal_button.setObjectName("reveal_button")
        self.reveal_button.setProperty("role", "primary")
        self.reveal_button.setToolTip(
            self.tr("Show what the model wrote ({0})").format(REVEAL_KEYS)
        )
        self.reveal_button.clicked.connect(self.reveal_requested)
        self._lay_out()
        self.show_progress(is_ready=False)

    def _make_labels(self) -> None:
        self.title_label = QLabel(self)
        self.title_label.setObjectName("cover_title")
        self.title_label.setFont(ui_font(13, bold=True))
        self.text_label = QLabel(self)
        self.text_label.setObjectName("cover_text")
        self.text_label.setProperty("role", "muted")
        for label in (self.title_label, self.text_label):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
        self.own_label = QLabel(self.tr("Your impression (optional)"), self)
        self.own_label.setProperty("role", "heading")

    def _lay_out(self) -> None:
        self.own_label.setBuddy(self.impression_editor)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.reveal_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(10)
        layout.addStretch(2)
        layout.addWidget(self.title_label)
        layout.addWidget(self.text_label)
        layout.addSpacing(14)
        layout.addWidget(self.own_label)
        layout.addWidget(self.impression_editor)
        layout.addSpacing(8)
        layout.addLayout(buttons)
        layout.addStretch(3)

    def show_report(self, report: DraftReport | None) -> None:
        """Whose impression is jotted from now on; what was typed before is handed over first."""
        self.flush_typing()
        self._report = report
        self.impression_editor.show_sentences(report.state.impression if report else ())

    def show_progress(self, *, is_ready: bool) -> None:
        if is_ready:
            self.title_label.setText(self.tr("A draft is ready"))
            self.text_label.setText(
                self.tr("It stays covered until you have read the film. {0} reveals it.").format(
                    REVEAL_KEYS
                )
            )
        else:
            self.title_label.setText(self.tr("Read first"))
            self.text_label.setText(
                self.tr("The model drafts in the background; nothing of it is shown.")
            )
        self.reveal_button.setEnabled(is_ready)

    @property
    def own_impression(self) -> str:
        """What was jotted, as it stands in the report."""
        return self._report.state.impression_text if self._report is not None else ""

    def flush_typing(self) -> None:
        self.impression_editor.flush_typing()

    def _on_typed(self, text: str) -> None:
        if self._report is not None and not self._report.is_signed:
            self._report.set_section_text("impression", text, merge=True)

    def _undo(self) -> None:
        if self._report is not None:
            self._report.undo()
            self.impression_editor.show_sentences(self._report.state.impression)

    def _redo(self) -> None:
        if self._report is not None:
            self._report.redo()
            self.impression_editor.show_sentences(self._report.state.impression)
