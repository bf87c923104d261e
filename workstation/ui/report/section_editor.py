"""The text of one report section, with each sentence's provenance marked in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QMenu, QTextEdit, QToolTip, QWidget

from inference import Calibration
from workstation.reporting.checks.spelling import Speller, UnknownWord
from workstation.reporting.report_state import Section, Sentence, join_sentences, sentence_spans
from workstation.ui.draft.draft_transcript import LOW_CONFIDENCE
from workstation.ui.report.sentence_provenance import describe_provenance
from workstation.ui.report.statements.chip_painter import SIGN_SIZE, paint_warning
from workstation.ui.theme import COLOURS, colour, report_font

TYPING_PAUSE_MS = 300
LINE_HEIGHT_PERCENT = 125.0


class SectionEditor(QTextEdit):
    """Plain text with marks. Undo belongs to the report, not to this widget.

    typed(text) is emitted TYPING_PAUSE_MS after the last key, or at once by flush_typing.
    AI sentences carry a tint and a solid bar (a thin one, and no tint, once accepted), edited ones
    a broken bar, human ones nothing. Sentences a check speaks of have a wavy line and a triangle;
    words nobody knows a dotted line.
    """

    typed = Signal(str)
    text_hovered = Signal(int)  # offset into the section's text, -1 for none
    text_clicked = Signal(int)  # the same
    word_added = Signal(str)
    undo_requested = Signal()
    redo_requested = Signal()

    def __init__(self, section: Section, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section = section
        self.setObjectName(f"{section}_editor")
        self.setProperty("role", "report")
        self.setFont(_spaced_font())
        self.setAcceptRichText(False)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(9)
        self.setMouseTracking(True)
        self._set_line_height()
        self._marks: list[tuple[QTextCursor, Sentence]] = []
        self._lit: tuple[int, int] | None = None
        self._blocking: dict[int, bool] = {}
        self._messages: dict[int, str] = {}
        self._speller: Speller | None = None
        self.calibration: Calibration | None = None
        """How the confidences in tooltips are read; None: as the model gives them."""
        self._unknown: tuple[UnknownWord, ...] = ()
        self._is_showing_state = False
        self._typing_timer = QTimer(self)
        self._typing_timer.setSingleShot(True)
        self._typing_timer.setInterval(TYPING_PAUSE_MS)
        self._typing_timer.timeout.connect(self._emit_typed)
        self.textChanged.connect(self._on_text_changed)

    # -- in step with the report ---------------------------------------------------------

    def show_sentences(self, sentences: Sequence[Sentence]) -> None:
        """Show the report's text; only what differs is replaced, so the cursor stays.

        White space the user has just typed at either end is left alone while the editor has
        focus; the report does not keep it.
        """
        if self._typing_timer.isActive():
            return  # newer than the report; shown again once it is handed over
        shown, text = self.toPlainText(), join_sentences(sentences)
        if not (self.hasFocus() and shown.strip() == text.strip()) and shown != text:
            self._replace_difference(shown, text)
            if not shown:  # a report just shown is read from its beginning
                self.moveCursor(QTextCursor.MoveOperation.Start)
        start_of_text = self._start_of_text()
        self._marks = [
            (self._cursor_over(start + start_of_text, end + start_of_text), sentence)
            for (start, end), sentence in zip(sentence_spans(sentences), sentences, strict=True)
        ]
        self._check_spelling()
        self._show_tints()

    def show_checks(self, blocking: Mapping[int, bool], messages: Mapping[int, str]) -> None:
        """Mark the sentences checks speak of. blocking: sentence id -> whether signing waits for
        it; messages: what their tooltips say."""
        self._blocking, self._messages = dict(blocking), dict(messages)
        self._show_tints()

    def set_speller(self, speller: Speller | None) -> None:
        """Who knows the words; None: no word is marked."""
        self._speller = speller
        self._check_spelling()
        self._show_tints()

    @property
    def unknown_words(self) -> tuple[UnknownWord, ...]:
        """The words marked, offsets into the document's text."""
        return self._unknown

    def flush_typing(self) -> None:
        """Hand over what was typed without waiting for the pause."""
        if self._typing_timer.isActive():
            self._typing_timer.stop()
            self._emit_typed()

    def light_words(self, start: int, end: int) -> None:
        """Highlight a span of the section's text (the row under the pointer)."""
        self._lit = (start, end)
        self._show_tints()

    def unlight_words(self) -> None:
        if self._lit is not None:
            self._lit = None
            self._show_tints()

    def jump_to(self, start: int, end: int) -> None:
        """Put the cursor before a span of the section's text and scroll there."""
        cursor = self.textCursor()
        cursor.setPosition(self._position(start + self._start_of_text()))
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def sentence_at(self, position: int) -> Sentence | None:
        """The sentence at a position of the document (Qt's count)."""
        for cursor, sentence in self._marks:
            if cursor.selectionStart() <= position < cursor.selectionEnd():
                return sentence
        return None

    @property
    def lit_text(self) -> str:
        """The words highlighted now."""
        if self._lit is None:
            return ""
        offset = self._start_of_text()
        return self.toPlainText()[self._lit[0] + offset : self._lit[1] + offset]

    def _set_line_height(self) -> None:
        """Once: whatever is typed or shown later inherits the first block's format."""
        spacing = QTextBlockFormat()
        spacing.setLineHeight(
            LINE_HEIGHT_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
        )
        cursor = self.textCursor()
        cursor.setBlockFormat(spacing)

    def _start_of_text(self) -> int:
        text = self.toPlainText()
        return len(text) - len(text.lstrip())

    def _cursor_over(self, start: int, end: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._position(start))
        cursor.setPosition(self._position(end), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _position(self, offset: int) -> int:
        """Qt's position of a Python offset: Qt counts UTF-16 units, Python code points."""
        return len(self.toPlainText()[:offset].encode("utf-16-le")) // 2

    def _replace_difference(self, shown: str, text: str) -> None:
        head = _common_prefix(shown, text)
        tail = _common_prefix(shown[head:][::-1], text[head:][::-1])
        self._is_showing_state = True
        cursor = self._cursor_over(head, len(shown) - tail)
        cursor.insertText(text[head : len(text) - tail])
        self._is_showing_state = False
        self._typing_timer.stop()

    def _on_text_changed(self) -> None:
        if not self._is_showing_state:
            self._typing_timer.start()

    def _emit_typed(self) -> None:
        self.typed.emit(self.toPlainText())

    # -- spelling ------------------------------------------------------------------------

    def _check_spelling(self) -> None:
        checks = self._speller is not None and not self.isReadOnly()
        self._unknown = (
            self._speller.unknown_words(self.toPlainText()) if checks and self._speller else ()
        )

    def unknown_word_at(self, position: int) -> UnknownWord | None:
        """The marked word at a position of the document (Qt's count)."""
        for word in self._unknown:
            if self._position(word.start) <= position <= self._position(word.end):
                return word
        return None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.make_context_menu(event.pos()).popup(event.globalPos())

    def make_context_menu(self, at: QPoint) -> QMenu:
        """The usual menu, with suggestions first where a marked word is under the pointer."""
        menu = self.createStandardContextMenu(at)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        word = self.unknown_word_at(self.cursorForPosition(at).position())
        if word is None or self._speller is None:
            return menu
        first = menu.actions()[0] if menu.actions() else None
        for suggestion in self._speller.suggestions(word.word):
            action = menu.addAction(suggestion)
            action.setData((word, suggestion))
            action.triggered.connect(self._on_suggestion)
            menu.insertAction(first, action)  # type: ignore[arg-type]
        if self._speller.site_words is not None:
            action = menu.addAction(self.tr("Add “{0}” to the site's words").format(word.word))
            action.setData((word, ""))
            action.triggered.connect(self._on_word_added)
            menu.insertAction(first, action)  # type: ignore[arg-type]
        if first is not None:
            menu.insertSeparator(first)
        return menu

    def _on_suggestion(self) -> None:
        word, suggestion = self.sender().data()  # type: ignore[attr-defined]
        cursor = self._cursor_over(word.start, word.end)
        if cursor.selectedText() == word.word:
            cursor.insertText(suggestion)
            self.flush_typing()

    def _on_word_added(self) -> None:
        word, _ = self.sender().data()  # type: ignore[attr-defined]
        self.word_added.emit(word.word)

    # -- pointer -------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self.text_hovered.emit(self._offset_at(event.position().toPoint()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            self.text_clicked.emit(self._offset_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self.text_hovered.emit(-1)
        super().leaveEvent(event)

    def _offset_at(self, at: QPoint) -> int:
        """The offset into the section's text below a point of the viewport, -1 beside it."""
        position = self.cursorForPosition(at).position()
        if self.sentence_at(position) is None:
            return -1
        text = self.toPlainText()
        before = text.encode("utf-16-le")[: 2 * position].decode("utf-16-le", "ignore")
        return len(before) - self._start_of_text()

    # -- marks ---------------------------------------------------------------------------

    def _show_tints(self) -> None:
        selections = []
        for cursor, sentence in self._marks:
            is_untouched = sentence.provenance == "ai" and not sentence.accepted
            if is_untouched and not self.isReadOnly():
                selections.append(_selection(cursor, colour(COLOURS.accent, 22)))
            if sentence.id in self._blocking:
                wave = QTextCharFormat.UnderlineStyle.WaveUnderline
                selections.append(_underline(cursor, COLOURS.amber, wave))
        for word in self._unknown:
            cursor = self._cursor_over(word.start, word.end)
            dots = QTextCharFormat.UnderlineStyle.DotLine
            selections.append(_underline(cursor, COLOURS.muted_text, dots))
        if self._lit is not None:
            offset = self._start_of_text()
            lit = self._cursor_over(self._lit[0] + offset, self._lit[1] + offset)
            selections.append(_selection(lit, colour(COLOURS.accent, 90)))
        self.setExtraSelections(selections)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        for cursor, sentence in self._marks:
            if sentence.provenance != "human" and cursor.hasSelection():
                self._paint_mark(painter, self._rect_of(cursor.selectionStart()), sentence)
            if sentence.id in self._blocking and cursor.hasSelection():
                self._paint_warning(painter, cursor.selectionStart(), sentence)
        painter.end()

    def _paint_warning(self, painter: QPainter, position: int, sentence: Sentence) -> None:
        """The triangle stands over the first letter, where no word is hidden by it."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = self._rect_of(position)
        at = QPointF(max(0.0, rect.left() - SIGN_SIZE / 2 - 3), rect.top() - SIGN_SIZE + 3)
        paint_warning(painter, at, self._blocking[sentence.id])

    def _rect_of(self, position: int) -> QRectF:
        cursor = QTextCursor(self.document())
        cursor.setPosition(position)
        return QRectF(self.cursorRect(cursor))

    def _paint_mark(self, painter: QPainter, rect: QRectF, sentence: Sentence) -> None:
        is_doubtful = sentence.confidence is not None and sentence.confidence < LOW_CONFIDENCE
        pen = QPen(QColor(COLOURS.amber if is_doubtful else COLOURS.accent), 2)
        if sentence.accepted:
            pen = QPen(QColor(COLOURS.muted_text), 1)
        if sentence.provenance == "edited":
            pen.setColor(QColor(COLOURS.muted_text))
            pen.setDashPattern([1.5, 1.5])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        x = rect.left() - 3.5
        painter.drawLine(QPointF(x, rect.top() + 2), QPointF(x, rect.bottom() - 1))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            sentence = self.sentence_at(self.cursorForPosition(event.pos()).position())
            if sentence is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self.describe_sentence(sentence), self)
            return True
        return super().viewportEvent(event)

    def describe_sentence(self, sentence: Sentence) -> str:
        """The tooltip of a sentence: where it comes from, and what checks say of it."""
        lines = [
            *describe_provenance(sentence, self.calibration),
            self._messages.get(sentence.id, ""),
        ]
        return "\n".join(line for line in lines if line)

    # -- keys ----------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Undo):
            self.flush_typing()
            self.undo_requested.emit()
        elif event.matches(QKeySequence.StandardKey.Redo) or (
            event.key() == Qt.Key.Key_Y and event.modifiers() == Qt.KeyboardModifier.ControlModifier
        ):
            self.flush_typing()
            self.redo_requested.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.flush_typing()
        super().focusOutEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.insertPlainText(source.text())


def _selection(cursor: QTextCursor, background: QColor) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    selection.cursor = cursor
    selection.format.setBackground(background)
    return selection


def _underline(
    cursor: QTextCursor, ink: str, style: QTextCharFormat.UnderlineStyle
) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    selection.cursor = cursor
    selection.format.setUnderlineStyle(style)
    selection.format.setUnderlineColor(QColor(ink))
    return selection


def _spaced_font() -> QFont:
    """The report font with room for a mark between two sentences."""
    font = report_font()
    font.setWordSpacing(2.0)
    return font


def _common_prefix(a: str, b: str) -> int:
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return length
