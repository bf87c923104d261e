"""Signals said on the drafting thread and heard on the main one, whoever listens."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot


class MainThreadTeller(QObject):
    """Made on the main thread; tell(), called on any, has a signal of its own emitted there.

    A listener that is no QObject would otherwise run on the thread that emits.
    """

    _told = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._told.connect(self._emit, Qt.ConnectionType.QueuedConnection)

    def tell(self, signal_name: str, *arguments: object) -> None:
        self._told.emit(signal_name, arguments)

    @Slot(str, object)
    def _emit(self, signal_name: str, arguments: tuple[object, ...]) -> None:
        getattr(self, signal_name).emit(*arguments)
