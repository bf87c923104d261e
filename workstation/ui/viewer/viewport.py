"""One place for a film: the viewer with a caption over it that says what hangs there."""

from __future__ import annotations

from html import escape
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from workstation.ui.theme import COLOURS
from workstation.ui.viewer.film_dragging import DraggedFilm, dragged_film
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.shortcuts import Shortcuts

FilmRole = Literal["current", "prior", "later"]
"""prior, later: of another study of the same patient, taken before or after the one being read."""

_BORDER = 3
_MOST_CAPTION_LINES = 6
_LEAST_FILM = (150, 130)
"""So that four of them still fit a small screen (logical pixels)."""
_USUAL_SIZE = (400, 400)


class Viewport(QWidget):
    """Signals: film_dropped(DraggedFilm); activated() when it is clicked or gets the focus;
    caption_changed()."""

    film_dropped = Signal(object)
    caption_changed = Signal()
    activated = Signal()

    def __init__(self, number: int, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"viewport_{number}")
        self.number = number
        self.role: FilmRole = "current"
        self._is_active = self._is_framed = self._is_drop_target = False
        self._details = ""
        self.viewer = ImageViewer(self, shortcuts)
        self.viewer.setMinimumSize(*_LEAST_FILM)
        self.viewer.activated.connect(self.activated)
        self.caption = _Caption(self)
        self.caption.clicked.connect(self.viewer.setFocus)
        self.setAcceptDrops(True)
        self._column = QVBoxLayout(self)
        self._column.setSpacing(0)
        self._column.addWidget(self.caption)
        self._column.addWidget(self.viewer, 1)
        self._show_state()

    def sizeHint(self) -> QSize:
        """The same whatever hangs here: viewports share the room evenly."""
        return QSize(*_USUAL_SIZE)

    def hasHeightForWidth(self) -> bool:
        """A caption's lines must not make one row of films higher than the other."""
        return False

    @property
    def is_active(self) -> bool:
        return self._is_active

    def set_active(self, active: bool, *, is_framed: bool) -> None:
        """is_framed: there are others beside it, so that which one is active has to be seen."""
        self._is_active, self._is_framed = active, is_framed
        self._show_state()

    def set_caption(self, role: FilmRole, details: str = "") -> None:
        """What hangs here: its role, and date, view and match in words; all are on screen."""
        self.role, self._details = role, details
        self._show_state()
        self.caption_changed.emit()

    def role_word(self) -> str:
        words = {
            "current": self.tr("Current"),
            "prior": self.tr("PRIOR"),
            "later": self.tr("LATER STUDY"),
        }
        return words[self.role]

    def _show_state(self) -> None:
        is_other = self.role != "current"
        self.viewer.set_mark(self.role_word() if is_other else "")
        self.caption.show_words(
            self.role_word() if self._details else "",
            self._details,
            is_other=is_other,
            is_active=self._is_active and self._is_framed,
        )
        self.caption.setVisible(bool(self._details) and (self._is_framed or is_other))
        margin = _BORDER if self._is_framed or is_other else 0
        self._column.setContentsMargins(margin, margin, margin, margin)
        place = self.tr("Viewport {0}").format(self.number)
        state = self.tr("active") if self._is_active else ""
        words = [place, state, self.role_word() if self._details else "", self._details]
        self.setAccessibleName(", ".join(word for word in words if word))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame: thick and blue where it is active, amber dashes around another study."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(COLOURS.ground))
        if self._is_drop_target:
            self._frame(painter, QPen(QColor(COLOURS.bright_text), _BORDER, Qt.PenStyle.DotLine))
        elif self._is_active and self._is_framed:
            self._frame(painter, QPen(QColor(COLOURS.accent), _BORDER))
        elif self.role != "current":
            self._frame(painter, QPen(QColor(COLOURS.amber), 1, Qt.PenStyle.DashLine))
        elif self._is_framed:
            self._frame(painter, QPen(QColor(COLOURS.line), 1))

    def _frame(self, painter: QPainter, pen: QPen) -> None:
        inset = pen.widthF() / 2
        painter.setPen(pen)
        painter.drawRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset))

    # Dropping: a film or a study of this app; files are left to the window around

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._answer_drag(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._answer_drag(event)

    def dragLeaveEvent(self, event: object) -> None:
        self._set_drop_target(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._set_drop_target(False)
        dragged = dragged_film(event.mimeData())
        if dragged is None:
            event.ignore()
            return
        event.acceptProposedAction()
        self.film_dropped.emit(dragged)

    def _answer_drag(self, event: QDragMoveEvent) -> None:
        dragged: DraggedFilm | None = dragged_film(event.mimeData())
        self._set_drop_target(dragged is not None)
        if dragged is not None:
            event.acceptProposedAction()
        else:
            event.ignore()

    def _set_drop_target(self, is_target: bool) -> None:
        if is_target != self._is_drop_target:
            self._is_drop_target = is_target
            self.update()


class _Caption(QLabel):
    """The role in bold, then the details, on as many lines as they need: what hangs here and how
    its patient was matched is not cut off."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setContentsMargins(8, 3, 8, 3)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.words = ""

    def wanted_height(self, viewport_width: int) -> int:
        """For all lines, up to six, in a viewport of this width."""
        self.setMinimumHeight(0)  # or Qt takes it for the least the text needs
        most = _MOST_CAPTION_LINES * self.fontMetrics().lineSpacing() + 6
        return min(self.heightForWidth(max(viewport_width - 2 * _BORDER, 40)), most)

    def show_words(self, role: str, details: str, *, is_other: bool, is_active: bool) -> None:
        role = f"▸ {role}" if is_active else role
        self.words = f"{role}  {details}"
        ink = COLOURS.amber if is_other else COLOURS.bright_text
        text_ink = COLOURS.bright_text if is_other else COLOURS.text
        ground = COLOURS.amber_dim if is_other else COLOURS.panel
        if is_active and not is_other:
            ground = COLOURS.accent_dim
        self.setStyleSheet(f"_Caption {{ background: {ground}; color: {text_ink}; }}")
        self.setText(f'<b style="color: {ink}">{escape(role)}</b>&nbsp; {escape(details)}')
        self.setToolTip(self.words)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()
