"""Above the studies: what to sort by, always there; what to show only, when asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from workstation.catalog.study_index import SortKey, StudyFilter

_DESCENDING_FIRST: frozenset[SortKey] = frozenset({"date"})


class SortBar(QWidget):
    """A button a column; pressed again it turns the order round. sort_changed(key, descending)."""

    sort_changed = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("studySort")
        self.setAccessibleName(self.tr("Sort studies"))
        # The names alone say how narrow the column may be.
        self.setStyleSheet("QToolButton { padding: 4px 0; } QToolButton:focus { padding: 3px 0; }")
        self._names: dict[SortKey, str] = {
            "date": self.tr("Date"),
            "name": self.tr("Name"),
            "id": self.tr("ID"),
            "modality": self.tr("Type"),
            "status": self.tr("Status"),
        }
        self._key: SortKey = "date"
        self._is_descending = True
        self.buttons: dict[SortKey, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for key in get_args(SortKey):
            button = QToolButton(self)
            button.setObjectName(f"sort_{key}")
            button.setProperty("role", "quiet")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setProperty("sort_key", key)
            button.clicked.connect(self._on_clicked)
            self.buttons[key] = button
            row.addWidget(button)
        self._show_order()

    @property
    def order(self) -> tuple[SortKey, bool]:
        return self._key, self._is_descending

    def set_order(self, key: SortKey, *, is_descending: bool) -> None:
        """As if it had been chosen."""
        self._key, self._is_descending = key, is_descending
        self._show_order()
        self.sort_changed.emit(key, is_descending)

    def _on_clicked(self) -> None:
        key: SortKey = self.sender().property("sort_key")
        is_descending = key in _DESCENDING_FIRST
        if key == self._key:
            is_descending = not self._is_descending
        self.set_order(key, is_descending=is_descending)

    def _show_order(self) -> None:
        for key, button in self.buttons.items():
            name, is_chosen = self._names[key], key == self._key
            arrow = (" ↓" if self._is_descending else " ↑") if is_chosen else ""
            button.setText(name + arrow)
            font = button.font()
            font.setBold(is_chosen)
            button.setFont(font)
            words = self.tr("Sort by {0}").format(name.lower())
            if is_chosen:
                order = self.tr("descending") if self._is_descending else self.tr("ascending")
                words = self.tr("Sorted by {0}, {1}").format(name.lower(), order)
            button.setAccessibleName(words)
            button.setToolTip(words)


class FilterBar(QWidget):
    """Three choices and a way back. filter_changed(): read `apply_to`."""

    filter_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("studyFilter")
        self.status_box = self._make_box(self.tr("Show studies of this status"))
        for words, value in (
            (self.tr("Any status"), ""),
            (self.tr("New"), "new"),
            (self.tr("Draft"), "draft"),
            (self.tr("Preliminary"), "preliminary"),
            (self.tr("Signed"), "signed"),
            (self.tr("Addended"), "addended"),
            (self.tr("Corrected"), "corrected"),
            (self.tr("Removed, report kept"), "removed"),
        ):
            self.status_box.addItem(words, value)
        self.date_box = self._make_box(self.tr("Show studies taken since"))
        for words, days in (
            (self.tr("Any date"), -1),
            (self.tr("Today"), 0),
            (self.tr("7 days"), 7),
            (self.tr("30 days"), 30),
            (self.tr("1 year"), 365),
        ):
            self.date_box.addItem(words, days)
        self.film_box = self._make_box(self.tr("Show studies with this view or modality"))
        self.offer_modalities([])
        self.clear_button = QToolButton(self)
        self.clear_button.setText("×")
        self.clear_button.setAccessibleName(self.tr("Clear the filter"))
        self.clear_button.setProperty("role", "quiet")
        self.clear_button.setToolTip(self.tr("Show all studies"))
        self.clear_button.clicked.connect(self.clear)
        grid = QGridLayout(self)  # in one row their words would be cut off
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.addWidget(self.status_box, 0, 0)
        grid.addWidget(self.date_box, 0, 1, 1, 2)
        grid.addWidget(self.film_box, 1, 0)
        grid.addWidget(self.clear_button, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        for box in (self.status_box, self.date_box, self.film_box):
            box.currentIndexChanged.connect(self.filter_changed)

    @property
    def is_active(self) -> bool:
        boxes = (self.status_box, self.date_box, self.film_box)
        return any(box.currentIndex() > 0 for box in boxes)

    def apply_to(self, search: str, today: date | None = None) -> StudyFilter:
        """What is chosen, with the words searched for."""
        status, days = self.status_box.currentData(), self.date_box.currentData()
        film: tuple[str, str] = self.film_box.currentData() or ("", "")
        since = ""
        if days >= 0:
            since = ((today or date.today()) - timedelta(days=days)).strftime("%Y%m%d")
        return StudyFilter(
            search=search,
            status=status if status not in ("", "removed") else None,
            since=since,
            modality=film[1] if film[0] == "modality" else "",
            view=film[1] if film[0] == "view" else None,  # type: ignore[arg-type]
            is_removed=status == "removed",
        )

    def offer_modalities(self, modalities: list[str]) -> None:
        """Those there are; the choice stays."""
        chosen = self.film_box.currentData()
        self.film_box.blockSignals(True)
        self.film_box.clear()
        self.film_box.addItem(self.tr("Any film"), None)
        self.film_box.addItem(self.tr("Frontal"), ("view", "frontal"))
        self.film_box.addItem(self.tr("Lateral"), ("view", "lateral"))
        for modality in modalities:
            self.film_box.addItem(modality, ("modality", modality))
            if chosen == ("modality", modality):
                self.film_box.setCurrentIndex(self.film_box.count() - 1)
        if chosen is not None and chosen[0] == "view":
            self.film_box.setCurrentIndex(1 if chosen[1] == "frontal" else 2)
        self.film_box.blockSignals(False)

    def clear(self) -> None:
        """Show everything again."""
        for box in (self.status_box, self.date_box, self.film_box):
            box.setCurrentIndex(0)

    def _make_box(self, words: str) -> QComboBox:
        box = QComboBox(self)
        box.setToolTip(words)
        box.setAccessibleName(words)
        box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        box.setMinimumWidth(56)  # the column stays as narrow as the reader has made it
        box.view().setMinimumWidth(160)
        return box
