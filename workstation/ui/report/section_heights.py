"""How high list, findings and impression are: the impression is read whole, wherever it fits."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QTextEdit, QWidget

from workstation.ui.report.statements.statement_pages import StatementPages

_MOST_OF_IMPRESSION = 0.4
_MOST_OF_FINDINGS = 0.5  # of what the impression leaves, where the list does not fit either
_ROUNDING = 2  # px


class SectionSplitter(QSplitter):
    """Signal: resized(), its children already."""

    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.setObjectName("report_splitter")
        self.setChildrenCollapsible(False)

    def sizeHint(self) -> QSize:
        """It takes what there is; asking for more would squeeze the checks below it."""
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()


class SectionHeights(QObject):
    """Shares when there is more or less room, and when the impression grows out of its own; `share`
    is called when another report is shown. Never otherwise, since nothing is to move under the
    reader's eyes. From the first pull at the splitter on, the reader's heights count."""

    def __init__(
        self,
        splitter: SectionSplitter,
        pages: StatementPages,
        findings: QTextEdit,
        impression: QTextEdit,
    ) -> None:
        super().__init__(splitter)
        self._splitter, self._pages = splitter, pages
        self._findings, self._impression = findings, impression
        self.are_chosen = False
        splitter.splitterMoved.connect(self._on_moved)
        splitter.resized.connect(self.share)
        layout = impression.document().documentLayout()
        layout.documentSizeChanged.connect(self._on_impression_changed)

    def share(self) -> None:
        """As their texts ask, the impression first."""
        total = sum(self._splitter.sizes())
        if self.are_chosen or not self._splitter.isVisible() or total <= 0:
            return
        above = self._splitter.widget(0)
        assert above is not None
        around = above.height() - self._pages.statements.viewport().height()
        listed = around + self._pages.wanted_height() + _ROUNDING
        found, concluded = _wanted_height(self._findings), _wanted_height(self._impression)
        concluded = max(concluded, _box_of(self._impression).minimumHeight())
        concluded = min(concluded, int(_MOST_OF_IMPRESSION * total))
        left = total - concluded
        spare = left - listed - found
        if spare >= 0:
            concluded += spare // 4
            found += spare // 4
        else:
            found = min(found, max(int(_MOST_OF_FINDINGS * left), left - listed))
        self._splitter.setSizes([total - concluded - found, found, concluded])

    def _on_moved(self) -> None:
        self.are_chosen = True

    def _on_impression_changed(self) -> None:
        if _wanted_height(self._impression) > _box_of(self._impression).height():
            self.share()


def _box_of(editor: QTextEdit) -> QWidget:
    """The splitter's child: an editor below its heading."""
    box = editor.parentWidget()
    assert box is not None
    return box


def _wanted_height(editor: QTextEdit) -> int:
    """Of the whole box, so that all of the text is seen."""
    around = _box_of(editor).height() - editor.viewport().height()
    return around + int(editor.document().size().height()) + _ROUNDING
