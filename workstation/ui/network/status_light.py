"""The light in the status bar that says the receiver is on, or why it isn't."""

from __future__ import annotations

from PySide6.QtWidgets import QToolButton, QWidget

from workstation.ui.network.receiver_service import ReceiverService
from workstation.ui.theme import COLOURS


class StatusLight(QToolButton):
    """Hidden while the receiver is off; a click is for the network settings."""

    def __init__(self, service: ReceiverService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("receiver_light")
        self.setProperty("role", "quiet")
        self._service = service
        service.state_changed.connect(self.refresh)
        service.arrived.connect(self.refresh)
        self.refresh()

    def refresh(self, _event: object = None) -> None:
        """Say what the receiver does now; a shape and words, not the colour alone."""
        service = self._service
        settings = service.settings
        self.setVisible(service.is_listening or bool(service.trouble))
        if service.trouble:
            self.setText(self.tr("▲ Receiver is off"))
            self.setToolTip(service.trouble)
        elif service.is_listening:
            count = service.stored_count
            films = self.tr(" · {0} received").format(count) if count else ""
            self.setText(self.tr("◉ Receiving{0}").format(films))
            where = f"{settings.ae_title} · {settings.host}:{settings.port}"
            tls = self.tr("TLS") if settings.uses_tls else self.tr("not encrypted")
            self.setToolTip(self.tr("Listening as {0} ({1})").format(where, tls))
        ink = COLOURS.amber if service.trouble else COLOURS.accent
        self.setStyleSheet(f"QToolButton {{ color: {ink}; border: 0; background: transparent; }}")
        self.setAccessibleName(f"{self.text()}: {self.toolTip()}")
