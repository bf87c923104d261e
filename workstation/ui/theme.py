"""The look of the reading room: neutral greys, a cool blue accent, amber for doubt, red for errors.

The film is to be the brightest thing on screen, so every grey here is dark and without hue.
Custom-painted widgets take their colours from `COLOURS`; everything else follows from
`apply_theme`, which sets a palette (what Fusion draws) and a style sheet (what we shape).
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QAbstractItemView, QApplication, QStyleFactory

UI_POINT_SIZE = 10.5
"""Labels, lists, buttons [pt]."""

REPORT_POINT_SIZE = 12.5
"""Report text [pt]; never below 12."""

FONT_SCALES = (0.85, 1.0, 1.15, 1.3, 1.5, 1.75)
"""Sizes of all text that can be chosen, 1 as delivered."""

UI_FAMILIES = (
    "Inter",
    "Segoe UI Variable Text",
    "Segoe UI",
    "SF Pro Text",
    "Helvetica Neue",
    "Noto Sans",
    "DejaVu Sans",
    "Noto Sans CJK SC",
)


@dataclass(frozen=True)
class Colours:
    """Named colours as "#rrggbb"; a state shown by one of them also has a shape or a word."""

    film_ground: str = "#000000"
    ground: str = "#0e0f11"
    panel: str = "#17191c"
    raised: str = "#1f2226"
    hover: str = "#262a2f"
    line: str = "#2a2d31"
    strong_line: str = "#3a3e44"
    text: str = "#d8dadd"
    bright_text: str = "#f1f2f4"
    muted_text: str = "#9aa0a7"
    faint_text: str = "#757b83"
    accent: str = "#5aa2e6"
    accent_dim: str = "#223a52"
    on_accent: str = "#0b1016"
    amber: str = "#d9a441"
    amber_dim: str = "#3a2f1a"
    error: str = "#e5635c"
    error_dim: str = "#3b1f1f"
    placeholder: str = "#2d3136"


COLOURS = Colours()

_THEMES = {"dark": COLOURS}


_font_scale = 1.0


def font_scale() -> float:
    """What every font of the app is multiplied by."""
    return _font_scale


def set_font_scale(app: QApplication, scale: float) -> None:
    """Make all text larger or smaller, also what is painted; raises ValueError for other sizes
    than those of FONT_SCALES."""
    global _font_scale
    if scale not in FONT_SCALES:
        raise ValueError(f"no text size {scale}; there is {FONT_SCALES}")
    growth, _font_scale = scale / _font_scale, scale
    sizes = [(widget, widget.font().pointSizeF()) for widget in app.allWidgets()]
    app.setFont(ui_font())
    app.setStyleSheet(style_sheet())
    for widget, size in sizes:
        font = widget.font()
        if font.pointSizeF() == size != ui_font().pointSizeF():  # a size of its own
            font.setPointSizeF(size * growth)
            widget.setFont(font)
        if isinstance(widget, QAbstractItemView):
            widget.doItemsLayout()  # their rows are as high as their text
        widget.updateGeometry()
        widget.update()


def colour(value: str, alpha: int = 255) -> QColor:
    """A QColor from one of the `Colours` fields, with opacity 0-255."""
    made = QColor(value)
    made.setAlpha(alpha)
    return made


def ui_font(point_size: float = UI_POINT_SIZE, *, bold: bool = False) -> QFont:
    """The interface font; families fall back in order, so that Chinese names have glyphs."""
    font = QFont()
    font.setFamilies(list(UI_FAMILIES))
    font.setPointSizeF(point_size * _font_scale)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font


def report_font() -> QFont:
    """The font of findings and impression."""
    return ui_font(REPORT_POINT_SIZE)


def apply_theme(app: QApplication, name: str = "dark") -> None:
    """Give the whole application one look; raises ValueError for a theme that does not exist."""
    if name not in _THEMES:
        raise ValueError(f"unknown theme {name!r}; there is {', '.join(sorted(_THEMES))}")
    colours = _THEMES[name]
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(_palette(colours))
    app.setFont(ui_font())
    app.setStyleSheet(style_sheet(colours))


def _palette(colours: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for each, value in (
        (role.Window, colours.ground),
        (role.WindowText, colours.text),
        (role.Base, colours.panel),
        (role.AlternateBase, colours.raised),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.faint_text),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.bright_text),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.Accent, colours.accent),
        (role.Link, colours.accent),
        (role.LinkVisited, colours.accent),
        (role.Light, colours.strong_line),
        (role.Midlight, colours.hover),
        (role.Mid, colours.line),
        (role.Dark, colours.ground),
        (role.Shadow, colours.film_ground),
    ):
        palette.setColor(each, QColor(value))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(colours.faint_text))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(colours.strong_line))
    return palette


def style_sheet(colours: Colours = COLOURS) -> str:
    """The Qt style sheet made of one set of colours.

    Properties a widget may set: role="primary" | "quiet" | "danger" on a QPushButton,
    role="panel" on a frame, role="heading" | "muted" | "error" | "warning" on a QLabel,
    role="report" on a text editor (12 pt and up).
    """
    parts = (_base_rules, _field_rules, _button_rules, _item_view_rules, _bar_rules)
    return "\n".join(rules(colours) for rules in parts)


def _base_rules(c: Colours) -> str:
    return f"""
QMainWindow, QDialog {{ background: {c.ground}; }}
QFrame[role="panel"] {{ background: {c.panel}; border: 1px solid {c.line}; border-radius: 6px; }}
QLabel {{ background: transparent; }}
QLabel[role="heading"] {{ color: {c.bright_text}; font-weight: 600; }}
QLabel[role="muted"] {{ color: {c.muted_text}; }}
QLabel[role="error"] {{ color: {c.error}; }}
QLabel[role="warning"] {{ color: {c.amber}; }}
QToolTip {{ background: {c.raised}; color: {c.text}; border: 1px solid {c.strong_line};
    padding: 5px 7px; }}
QCheckBox::indicator:unchecked {{ border: 1px solid {c.muted_text}; border-radius: 3px;
    background: {c.panel}; width: 11px; height: 11px; }}
QCheckBox:focus {{ text-decoration: underline; }}
QCheckBox::indicator:unchecked:disabled {{ border-color: {c.strong_line}; }}
QSplitter::handle {{ background: {c.line}; }}
QSplitter::handle:horizontal {{ width: 3px; }}
QSplitter::handle:vertical {{ height: 3px; }}
QSplitter::handle:hover {{ background: {c.accent}; }}
QMenu {{ background: {c.raised}; border: 1px solid {c.strong_line}; padding: 4px; }}
QMenu::item {{ padding: 5px 22px 5px 14px; border-radius: 4px; }}
QMenu::item:selected {{ background: {c.accent_dim}; color: {c.bright_text}; }}
QMenu::item:disabled {{ color: {c.faint_text}; }}
QMenu::separator {{ height: 1px; background: {c.line}; margin: 4px 8px; }}
QMenuBar {{ background: {c.ground}; color: {c.text}; border-bottom: 1px solid {c.line}; }}
QMenuBar::item {{ padding: 5px 10px; background: transparent; }}
QMenuBar::item:selected {{ background: {c.hover}; }}
"""


def _field_rules(c: Colours) -> str:
    return f"""
QLineEdit, QPlainTextEdit, QTextEdit {{ background: {c.panel}; color: {c.text};
    border: 1px solid {c.line}; border-radius: 5px; padding: 5px 7px;
    selection-background-color: {c.accent}; selection-color: {c.on_accent}; }}
QLineEdit:hover, QPlainTextEdit:hover, QTextEdit:hover {{ border-color: {c.strong_line}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus {{ border: 2px solid {c.accent};
    padding: 4px 6px; }}
QComboBox, QAbstractSpinBox {{ min-height: 26px; }}
QLineEdit:read-only, QPlainTextEdit[readOnly="true"], QTextEdit[readOnly="true"] {{
    background: {c.ground}; }}
QLineEdit:disabled, QPlainTextEdit:disabled, QTextEdit:disabled {{ color: {c.faint_text}; }}
QPlainTextEdit[role="report"], QTextEdit[role="report"] {{
    font-size: {REPORT_POINT_SIZE * _font_scale}pt; }}
"""


def _button_rules(c: Colours) -> str:
    return f"""
QPushButton, QToolButton {{ background: {c.raised}; color: {c.text};
    border: 1px solid {c.strong_line}; border-radius: 5px; padding: 5px 13px;
    min-height: 18px; }}
QToolButton {{ padding: 4px 7px; }}
QPushButton:hover, QToolButton:hover {{ background: {c.hover}; color: {c.bright_text}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {c.line}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {c.accent}; padding: 4px 12px; }}
QToolButton:focus {{ padding: 3px 6px; }}
QPushButton:disabled, QToolButton:disabled {{ background: {c.panel}; color: {c.faint_text};
    border-color: {c.line}; }}
QPushButton[role="primary"] {{ background: {c.accent}; color: {c.on_accent};
    border-color: {c.accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: #74b3ee; border-color: #74b3ee; }}
QPushButton[role="primary"]:pressed {{ background: #4a8cca; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {c.bright_text}; }}
QPushButton[role="primary"]:disabled {{ background: {c.accent_dim}; color: {c.faint_text};
    border-color: {c.accent_dim}; }}
QPushButton[role="quiet"], QToolButton[role="quiet"] {{ background: transparent;
    border-color: transparent; color: {c.muted_text}; }}
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover {{ background: {c.hover};
    color: {c.bright_text}; }}
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus {{
    border: 2px solid {c.accent}; }}
QPushButton[role="danger"] {{ color: {c.error}; border-color: {c.error}; }}
QPushButton[role="danger"]:hover {{ background: {c.error_dim}; color: {c.error}; }}
"""


def _item_view_rules(c: Colours) -> str:
    return f"""
QListView, QTableView, QTreeView {{ background: {c.panel}; color: {c.text};
    border: 1px solid {c.line}; border-radius: 5px; gridline-color: {c.line};
    alternate-background-color: {c.raised}; outline: 0; }}
QListView:focus, QTableView:focus, QTreeView:focus {{ border: 2px solid {c.accent}; }}
QListView::item:hover, QTableView::item:hover, QTreeView::item:hover {{
    background: {c.hover}; }}
QListView::item:selected, QTableView::item:selected, QTreeView::item:selected {{
    background: {c.accent_dim}; color: {c.bright_text}; }}
QHeaderView::section {{ background: {c.ground}; color: {c.muted_text}; border: 0;
    border-bottom: 1px solid {c.line}; padding: 5px 8px; }}
QTabBar::tab {{ background: transparent; color: {c.muted_text}; padding: 6px 12px;
    border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {c.bright_text}; border-bottom-color: {c.accent}; }}
QTabBar::scroller {{ width: 44px; }}
QTabBar QToolButton, QTabBar QToolButton:focus {{ padding: 0; }}
QTabWidget::pane {{ border: 0; border-top: 1px solid {c.line}; }}
"""


def _bar_rules(c: Colours) -> str:
    return f"""
QScrollBar {{ background: transparent; border: 0; margin: 0; }}
QScrollBar:vertical {{ width: 11px; }}
QScrollBar:horizontal {{ height: 11px; }}
QScrollBar::handle {{ background: {c.strong_line}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {c.faint_text}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QScrollArea {{ border: 0; background: transparent; }}
QProgressBar {{ background: {c.panel}; border: 1px solid {c.line}; border-radius: 4px;
    color: {c.text}; text-align: center; min-height: 14px; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: 3px; }}
QStatusBar {{ background: {c.ground}; color: {c.muted_text}; border-top: 1px solid {c.line}; }}
QStatusBar::item {{ border: 0; }}
QStatusBar QPushButton, QStatusBar QToolButton {{ padding: 1px 9px; min-height: 16px; }}
QStatusBar QPushButton:focus, QStatusBar QToolButton:focus {{ padding: 0 8px; }}
QToolBar {{ background: {c.ground}; border: 0; border-bottom: 1px solid {c.line};
    spacing: 4px; padding: 4px 6px; }}
QToolBar::separator {{ background: {c.line}; width: 1px; margin: 4px 6px; }}
"""
