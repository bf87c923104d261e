"""The size of all text, as chosen and kept in the settings."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QApplication

from workstation.ui.theme import FONT_SCALES, font_scale, set_font_scale

_KEY = "text_size"


class TextSize(QObject):
    """Signal: changed(scale), 1 as delivered."""

    changed = Signal(float)

    def __init__(self, settings: QSettings | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings

    def choose(self, scale: float) -> None:
        """Make all text larger or smaller, now and from now on."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        set_font_scale(app, scale)
        if self._settings is not None:
            self._settings.setValue(_KEY, str(scale))
        self.changed.emit(scale)

    def step(self, by: int) -> None:
        """One size up (1) or down (-1); nothing beyond the last."""
        at = FONT_SCALES.index(font_scale()) + by
        if 0 <= at < len(FONT_SCALES):
            self.choose(FONT_SCALES[at])

    def restore(self) -> None:
        """As chosen last."""
        kept = str(self._settings.value(_KEY)) if self._settings is not None else ""
        scale = next((each for each in FONT_SCALES if str(each) == kept), None)
        if scale is not None and scale != font_scale():
            self.choose(scale)
        else:
            self.changed.emit(font_scale())
