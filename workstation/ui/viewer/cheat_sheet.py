"""All keys on one page, made from the viewer's action table and the window's menus; a key of the
viewer is changed here too."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workstation.ui.report.report_keys import all_report_keys
from workstation.ui.screen_fit import resize_on_screen
from workstation.ui.viewer.actions import GROUPS, ViewerAction
from workstation.ui.viewer.shortcuts import KeyTaken, Shortcuts

_ACTION_ROLE = Qt.ItemDataRole.UserRole


class CheatSheet(QDialog):
    """Keys by group. menu_actions: those of the window, listed as they are."""

    def __init__(
        self, shortcuts: Shortcuts, menu_actions: list[QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("cheat_sheet")
        self.setWindowTitle(self.tr("Keys"))
        resize_on_screen(self, 560, 720)
        self._shortcuts, self._menu_actions = shortcuts, menu_actions
        self.list = QTreeWidget(self)
        self.list.setAccessibleName(self.tr("Keys and what they do"))
        self.list.setColumnCount(2)
        self.list.setHeaderLabels([self.tr("What"), self.tr("Key")])
        self.list.setRootIsDecorated(False)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.currentItemChanged.connect(self._on_chosen)
        self.key_field = QKeySequenceEdit(self)
        self.key_field.setMaximumSequenceLength(1)
        self.key_field.setAccessibleName(self.tr("New key for the chosen line"))
        self.assign_button = QPushButton(self.tr("Use this key"), self)
        self.assign_button.clicked.connect(self._assign)
        self.restore_button = QPushButton(self.tr("All as delivered"), self)
        self.restore_button.clicked.connect(self._shortcuts.restore_all)
        self.message = QLabel(self)
        self.message.setProperty("role", "warning")
        self._lay_out()
        shortcuts.changed.connect(self._fill)
        self._fill()

    def choose(self, action_id: str) -> None:
        """Select an action of the table."""
        for top in range(self.list.topLevelItemCount()):
            group = self.list.topLevelItem(top)
            for row in range(group.childCount() if group is not None else 0):
                item = group.child(row) if group is not None else None
                if item is not None and item.data(0, _ACTION_ROLE) == action_id:
                    self.list.setCurrentItem(item)

    def _lay_out(self) -> None:
        change = QHBoxLayout()
        change.addWidget(self.key_field, 1)
        change.addWidget(self.assign_button)
        change.addWidget(self.restore_button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.list, 1)
        layout.addLayout(change)
        layout.addWidget(self.message)

    def _fill(self) -> None:
        chosen = self.list.currentItem()
        chosen_id = chosen.data(0, _ACTION_ROLE) if chosen is not None else None
        self.list.clear()
        for group in GROUPS:
            actions = [each for each in self._shortcuts.actions if each.group == group]
            if actions:
                title = QCoreApplication.translate("ViewerActionGroup", group)
                self._add_group(title, [self._item(action) for action in actions])
        self._add_group(self.tr("Report"), [QTreeWidgetItem([t, k]) for k, t in all_report_keys()])
        named = [each for each in self._menu_actions if not each.shortcut().isEmpty()]
        native = QKeySequence.SequenceFormat.NativeText
        items = [
            QTreeWidgetItem([each.text().replace("&", ""), each.shortcut().toString(native)])
            for each in named
        ]
        self._add_group(self.tr("Window"), items)
        self.choose(chosen_id or "")
        self._on_chosen()

    def _item(self, action: ViewerAction) -> QTreeWidgetItem:
        item = QTreeWidgetItem([action.text, self._shortcuts.shown_keys(action.id)])
        item.setData(0, _ACTION_ROLE, action.id)
        return item

    def _add_group(self, title: str, items: list[QTreeWidgetItem]) -> None:
        group = QTreeWidgetItem([title])
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.list.addTopLevelItem(group)
        group.addChildren(items)
        group.setExpanded(True)

    def _chosen_id(self) -> str:
        item = self.list.currentItem()
        return (item.data(0, _ACTION_ROLE) or "") if item is not None else ""

    def _on_chosen(self) -> None:
        for widget in (self.key_field, self.assign_button):
            widget.setEnabled(bool(self._chosen_id()))

    def _assign(self) -> None:
        key = self.key_field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        try:
            self._shortcuts.assign(self._chosen_id(), key)
        except KeyTaken as taken:
            text = self.tr("This key already does something: {0}.")
            self.message.setText(text.format(taken.args[0]))
        else:
            self.message.setText("")
            self.key_field.clear()
