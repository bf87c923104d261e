"""The load of a model as a calm line: in the status bar, and in words for the report column."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QWidget

from inference import EngineDescription, LoadProgress
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.theme import ui_font

_STEPS = 1000
_BAR_WIDTH = 130


def word_progress(progress: LoadProgress) -> str:
    """For instance "The model is still loading: checking its files, 40 %."."""
    translate = QCoreApplication.translate
    steps = {
        "checking": translate("model", "checking its files"),
        "loading": translate("model", "reading its weights"),
    }
    share = 100 * progress.done_bytes // max(1, progress.total_bytes)
    text = translate("model", "The model is still loading: {0}, {1} %.")
    return text.format(steps[progress.step], share)


class ModelProgress(QWidget):
    """Hidden but while a model is loaded."""

    def __init__(self, drafting: DraftingService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("model_progress")
        self.label = QLabel(self)
        self.label.setFont(ui_font(9.5))
        self.label.setProperty("role", "muted")
        self.bar = QProgressBar(self)
        self.bar.setObjectName("model_progress_bar")
        self.bar.setAccessibleName(self.tr("Progress of loading the model"))
        self.bar.setTextVisible(False)
        self.bar.setStyleSheet("QProgressBar { min-height: 4px; max-height: 4px; }")
        self.bar.setFixedWidth(_BAR_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 14, 0)
        row.setSpacing(10)
        row.addWidget(self.label)
        row.addWidget(self.bar)
        drafting.engine_loading.connect(self._on_loading)
        drafting.load_progressed.connect(self._on_progressed)
        drafting.engine_ready.connect(self._on_ready)
        drafting.engine_failed.connect(self._on_failed)
        self.hide()

    def _on_loading(self, model: str) -> None:
        self.label.setText(self.tr("Loading model “{0}”").format(model))
        self.label.setToolTip("")
        self.bar.setRange(0, 0)  # how much there is isn't known yet: the bar runs to and fro
        self.show()

    def _on_progressed(self, progress: LoadProgress) -> None:
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(_STEPS * progress.done_bytes // max(1, progress.total_bytes))
        self.label.setToolTip(word_progress(progress))

    def _on_ready(self, _description: EngineDescription) -> None:
        self.hide()

    def _on_failed(self, _message: str) -> None:
        self.hide()
