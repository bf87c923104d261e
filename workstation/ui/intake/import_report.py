"""The files that were not imported, each with its reason, until the reader puts them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workstation.ui.theme import COLOURS, ui_font

_SHOWN_ROWS = 4

AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class RefusedFile:
    """A file, or a folder, and why it was not imported."""

    path: Path
    reason: str


_REFUSED_ROLE = Qt.ItemDataRole.UserRole + 1


class _RefusedFilesModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.files: list[RefusedFile] = []

    def add(self, refused: RefusedFile) -> None:
        self.beginInsertRows(QModelIndex(), len(self.files), len(self.files))
        self.files.append(refused)
        self.endInsertRows()

    def clear(self) -> None:
        self.beginResetModel()
        self.files.clear()
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.files)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.files):
            return None
        refused = self.files[index.row()]
        if role == _REFUSED_ROLE:
            return refused
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{refused.path.name}: {refused.reason}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{refused.path}\n{refused.reason}"
        return None


class _RefusedFileDelegate(QStyledItemDelegate):
    """Name above, reason below, both elided: the tooltip and the copy have everything."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(120, 2 * QFontMetrics(ui_font()).height() + 12)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        refused = index.data(_REFUSED_ROLE)
        if not isinstance(refused, RefusedFile):
            return
        area: QRect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(COLOURS.hover))
        inner = area.adjusted(10, 5, -10, -5)
        half = inner.height() // 2
        for text, font, ink, top, mode in (
            (refused.path.name, ui_font(), COLOURS.text, 0, Qt.TextElideMode.ElideMiddle),
            (
                refused.reason,
                ui_font(9.5),
                COLOURS.muted_text,
                half,
                Qt.TextElideMode.ElideRight,
            ),
        ):
            painter.setFont(font)
            painter.setPen(QColor(ink))
            line = QRect(inner.left(), inner.top() + top, inner.width(), half)
            shown = QFontMetrics(font).elidedText(text, mode, inner.width())
            painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), shown)


class RefusedFilesPanel(QFrame):
    """A line "3 files were not imported" that opens to the list; hidden while there are none."""

    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("refusedFilesPanel")
        self.setProperty("role", "panel")
        self.setAccessibleName(self.tr("Files that were not imported"))
        self._model = _RefusedFilesModel(self)
        self._listed: set[RefusedFile] = set()
        self._build_widgets()
        self.toggle.toggled.connect(self._on_toggled)
        self.copy_button.clicked.connect(self.copy)
        self.dismiss_button.clicked.connect(self._on_dismissed)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._on_toggled(False)
        self.hide()

    def _build_widgets(self) -> None:
        self.toggle = QToolButton(self)
        self.toggle.setObjectName("refusedFilesToggle")
        self.toggle.setAccessibleName(self.tr("Show the files and reasons"))
        self.toggle.setProperty("role", "quiet")
        self.toggle.setCheckable(True)
        self.title = QLabel(self)
        self.title.setObjectName("refusedFilesTitle")
        self.title.setProperty("role", "warning")
        self.copy_button = QPushButton(self.tr("Copy"), self)
        self.copy_button.setObjectName("refusedFilesCopy")
        self.copy_button.setToolTip(self.tr("Copy every path and reason as text"))
        self.dismiss_button = QPushButton(self.tr("Dismiss"), self)
        self.dismiss_button.setObjectName("refusedFilesDismiss")
        self.dismiss_button.setToolTip(self.tr("Put the list away"))
        for button in (self.copy_button, self.dismiss_button):
            button.setProperty("role", "quiet")
        self.view = QListView(self)
        self.view.setObjectName("refusedFilesView")
        self.view.setAccessibleName(self.tr("Files that were not imported"))
        self.view.setModel(self._model)
        self.view.setItemDelegate(_RefusedFileDelegate(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        row_height = 2 * QFontMetrics(ui_font()).height() + 12
        self.view.setMaximumHeight(_SHOWN_ROWS * row_height + 4)
        upper = QHBoxLayout()
        upper.setSpacing(2)
        upper.addWidget(self.toggle)
        upper.addWidget(self.title, 1)
        upper.addWidget(self.copy_button)
        upper.addWidget(self.dismiss_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(4)
        column.addLayout(upper)
        column.addWidget(self.view)

    @property
    def files(self) -> Sequence[RefusedFile]:
        return tuple(self._model.files)

    def add(self, path: str, reason: str) -> None:
        """One more refused file; the panel appears with the first. The same file with the same
        reason, from an import repeated, is listed once."""
        refused = RefusedFile(Path(path), reason)
        if refused in self._listed:
            return
        self._listed.add(refused)
        self._model.add(refused)
        count = len(self._model.files)
        self.title.setText(
            self.tr("▲ 1 file was not imported")
            if count == 1
            else self.tr("▲ {0} files were not imported").format(count)
        )
        self.show()

    def clear(self) -> None:
        """Forget the files and disappear."""
        self._model.clear()
        self._listed.clear()
        self.toggle.setChecked(False)
        self.hide()

    def copy(self) -> None:
        """All paths and reasons, a line each, tab between, to the clipboard."""
        QGuiApplication.clipboard().setText(
            "\n".join(f"{refused.path}\t{refused.reason}" for refused in self._model.files)
        )

    def _on_toggled(self, is_open: bool) -> None:
        self.view.setVisible(is_open)
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.toggle.setToolTip(
            self.tr("Hide the files") if is_open else self.tr("Show the files and reasons")
        )

    def _on_dismissed(self) -> None:
        self.clear()
        self.dismissed.emit()
