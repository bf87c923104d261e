"""The receiver's settings: who may send, and where we listen."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from workstation.network.settings import LOOPBACK, ReceiverSettings
from workstation.ui.network.file_field import FileField

_ALL_INTERFACES = "0.0.0.0"


class ReceiverForm(QWidget):
    """``changed`` after every edit. What stands in it may be wrong; check_receiver says so."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("receiver_form")
        self.on_box = QCheckBox(self.tr("Receive films over the network (C-STORE)"), self)
        self.on_box.setObjectName("receiver_on")
        self.title_field = QLineEdit(self)
        self.title_field.setMaxLength(16)
        self.host_box = QComboBox(self)
        self.host_box.setEditable(True)
        self.host_box.addItems([LOOPBACK, _ALL_INTERFACES])
        self.port_box = QSpinBox(self)
        self.port_box.setRange(1, 65535)
        self.allowed_field = QPlainTextEdit(self)
        self.allowed_field.setTabChangesFocus(True)
        self.allowed_field.setFixedHeight(78)
        self.allowed_field.setPlaceholderText(self.tr("one AE title a line"))
        self.certificate_field = FileField(self.tr("Certificate"), self)
        self.key_field = FileField(self.tr("Its key"), self)
        self.client_ca_field = FileField(self.tr("Senders' authority"), self)
        self.warning = QLabel(self)
        self.warning.setObjectName("receiver_warning")
        self.warning.setProperty("role", "warning")
        self.warning.setWordWrap(True)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(8)
        for box in (self.host_box, self.port_box):
            box.setMinimumHeight(30)
        for label, widget in (
            (self.tr("Our AE &title"), self.title_field),
            (self.tr("&Listen on"), self.host_box),
            (self.tr("&Port"), self.port_box),
            (self.tr("&May send"), self.allowed_field),
            (self.tr("TLS &certificate"), self.certificate_field),
            (self.tr("TLS &key"), self.key_field),
            (self.tr("Senders' &authority"), self.client_ca_field),
        ):
            form.addRow(label, widget)
            widget.setAccessibleName(label.replace("&", ""))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 8)
        layout.setSpacing(12)
        layout.addWidget(self.on_box)
        layout.addLayout(form)
        layout.addWidget(self.warning)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.on_box.toggled.connect(self._on_edited)
        self.title_field.textChanged.connect(self._on_edited)
        self.host_box.currentTextChanged.connect(self._on_edited)
        self.port_box.valueChanged.connect(self._on_edited)
        self.allowed_field.textChanged.connect(self._on_edited)
        for field in (self.certificate_field, self.key_field, self.client_ca_field):
            field.changed.connect(self._on_edited)

    @property
    def settings(self) -> ReceiverSettings:
        """As they stand in the form."""
        lines = self.allowed_field.toPlainText().replace(",", "\n").split("\n")
        return ReceiverSettings(
            is_on=self.on_box.isChecked(),
            host=self.host_box.currentText().strip(),
            port=self.port_box.value(),
            ae_title=self.title_field.text().strip(),
            allowed_ae_titles=tuple(dict.fromkeys(each.strip() for each in lines if each.strip())),
            certificate_file=self.certificate_field.path,
            key_file=self.key_field.path,
            client_ca_file=self.client_ca_field.path,
        )

    def show_settings(self, settings: ReceiverSettings) -> None:
        self.on_box.setChecked(settings.is_on)
        self.title_field.setText(settings.ae_title)
        self.host_box.setCurrentText(settings.host)
        self.port_box.setValue(settings.port)
        self.allowed_field.setPlainText("\n".join(settings.allowed_ae_titles))
        self.certificate_field.path = settings.certificate_file
        self.key_field.path = settings.key_file
        self.client_ca_field.path = settings.client_ca_file
        self._on_edited()

    def _on_edited(self, _value: object = None) -> None:
        settings = self.settings
        warning = ""
        if not settings.is_loopback_only and not settings.uses_tls:
            warning = self.tr(
                "▲ Other computers can connect, and films and names travel unencrypted: "
                "name a TLS certificate, or listen on {0}."
            ).format(LOOPBACK)
        self.warning.setText(warning)
        self.changed.emit()
