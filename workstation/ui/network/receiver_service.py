"""The receiver for the window: on and off, and its events on the main thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot

from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.instance_store import InstanceStore
from workstation.network.receiver import StorageReceiver
from workstation.network.settings import ReceiverSettings
from workstation.network.storage_service import IntakeEvent


class ReceiverService(QObject):
    """Signals: arrived(IntakeEvent) of every film and everybody kept out; state_changed() after
    the receiver came on, went off or could not. ``report`` may be called from any thread."""

    arrived = Signal(object)
    state_changed = Signal()
    _reported = Signal(object)

    def __init__(self, store: InstanceStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._receiver: StorageReceiver | None = None
        self._reported.connect(self._on_reported, Qt.ConnectionType.QueuedConnection)
        self.settings = ReceiverSettings()
        self.trouble = ""
        self.stored_count = 0

    @property
    def is_listening(self) -> bool:
        return self._receiver is not None

    def apply(self, settings: ReceiverSettings) -> None:
        """Listen as the settings say; what is wrong with them is in ``trouble``."""
        if settings == self.settings and self.is_listening == settings.is_on:
            return
        self.stop()
        self.settings, self.trouble, self.stored_count = settings, "", 0
        if settings.is_on:
            try:
                receiver = StorageReceiver(settings, self._store, self.report)
                receiver.start()
                self._receiver = receiver
            except InvalidSettings as error:
                self.trouble = error.reason
            except NetworkFailure as error:
                self.trouble = str(error)
        self.state_changed.emit()

    def stop(self) -> None:
        """Close the port; takes up to half a second."""
        if self._receiver is not None:
            self._receiver.stop()
            self._receiver = None
            self.state_changed.emit()

    def report(self, event: IntakeEvent) -> None:
        self._reported.emit(event)

    @Slot(object)
    def _on_reported(self, event: IntakeEvent) -> None:
        if event.kind == "stored":
            self.stored_count += 1
        self.arrived.emit(event)
