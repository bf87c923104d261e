"""The report column's keys that work in the whole window, and its own undo and redo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut

from workstation.ui.draft.draft_cover import REVEAL_KEYS
from workstation.ui.report.report_bars import PanelState

if TYPE_CHECKING:
    from workstation.ui.report.report_panel import ReportPanel


class PanelKeys(QObject):
    """Actions of one panel; each is enabled where it means something."""

    def __init__(self, panel: ReportPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self.draft = self._action(self.tr("Draft"), "Ctrl+D")
        self.redraft_from_here = self._action(self.tr("Redraft from here on"), "Ctrl+Shift+D")
        self.redraft_sentence = self._action(self.tr("Redraft this sentence"), "Ctrl+Shift+S")
        self.redraft_region = self._action(self.tr("Redraft this region"), "Ctrl+Shift+R")
        words = self.tr("Rewrite the impression from the findings")
        self.rewrite_impression = self._action(words, "Ctrl+Shift+I")
        self.offer_regions(False)
        self.other_language = self._action(self.tr("Report in the other language"), "")
        self.prior = self._action(self.tr("Compare with the prior report"), "F8")
        self.reveal = self._action(self.tr("Reveal the draft"), REVEAL_KEYS)
        self.stop = self._action(self.tr("Stop"), "Esc")
        self.sign = self._action(self.tr("Sign…"), "Ctrl+Return")
        inside = Qt.ShortcutContext.WidgetWithChildrenShortcut
        self.undo = QShortcut(QKeySequence("Ctrl+Z"), panel, context=inside)
        self.redos = [
            QShortcut(QKeySequence(keys), panel, context=inside)
            for keys in ("Ctrl+Y", "Ctrl+Shift+Z")
        ]
        self._connect(panel)

    def _connect(self, panel: ReportPanel) -> None:
        self.draft.triggered.connect(panel.request_draft)
        self.redraft_from_here.triggered.connect(self._redraft_from_here)
        self.redraft_sentence.triggered.connect(self._redraft_sentence)
        self.redraft_region.triggered.connect(self._redraft_region)
        self.rewrite_impression.triggered.connect(panel.rewrite_impression)
        self.other_language.triggered.connect(panel.switch_language)
        self.prior.triggered.connect(panel.prior_pane.unfold)
        self.reveal.triggered.connect(panel.reveal_requested)
        self.stop.triggered.connect(panel.stop_requested)
        self.sign.triggered.connect(panel.request_sign)
        self.undo.activated.connect(panel.editor.undo)
        for redo in self.redos:
            redo.activated.connect(panel.editor.redo)

    def _redraft_from_here(self) -> None:
        self._panel.redraft_at_cursor("from-here")

    def _redraft_sentence(self) -> None:
        self._panel.redraft_at_cursor("sentence")

    def _redraft_region(self) -> None:
        self._panel.redraft_at_cursor("region")

    def offer_regions(self, is_offered: bool) -> None:
        """Shown only where the model can do it."""
        for action in (self.redraft_region, self.rewrite_impression):
            action.setVisible(is_offered)

    @property
    def window_actions(self) -> list[QAction]:
        """For any other window whose keyboard should reach them."""
        redrafts = [
            self.redraft_from_here, self.redraft_sentence,
            self.redraft_region, self.rewrite_impression,
        ]  # fmt: skip
        return [self.draft, *redrafts, self.prior, self.reveal, self.stop, self.sign]

    @property
    def partial_redrafts(self) -> list[QAction]:
        """What stands beside the plain redraft."""
        return [
            self.redraft_from_here, self.redraft_sentence, self.redraft_region,
            self.rewrite_impression, self.other_language,
        ]  # fmt: skip

    def enable(self, state: PanelState, *, is_running: bool) -> None:
        """For the panel's state; is_running: behind the cover, the model still writes."""
        is_editing = state == "editing"
        self.draft.setEnabled(state in ("not-drafted", "editing"))
        for action in self.partial_redrafts:
            action.setEnabled(is_editing)
        self.reveal.setEnabled(state == "covered" and not is_running)
        self.stop.setEnabled(state == "drafting" or (state == "covered" and is_running))
        self.sign.setEnabled(is_editing)
        for shortcut in (self.undo, *self.redos):
            shortcut.setEnabled(is_editing)

    def _action(self, text: str, keys: str) -> QAction:
        action = QAction(text, self._panel)
        action.setShortcut(QKeySequence(keys))
        self._panel.addAction(action)
        return action
