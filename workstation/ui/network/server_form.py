"""One server's settings: a PACS by DICOM, or a DICOMweb address."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from workstation.network.settings import DICOM_PORT, DicomServer, Server, WebServer
from workstation.ui.network.file_field import FileField

_DICOM_ROWS = ("host", "port", "ae_title", "retrieve", "tls")
_WEB_ROWS = ("url", "login", "user")


class ServerForm(QWidget):
    """``edited`` after every edit by the user."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("server_form")
        self._is_showing = False
        self.name_field = QLineEdit(self)
        self.kind_box = self._box((("DICOM", "dicom"), ("DICOMweb", "web")))
        self.host_field = QLineEdit(self)
        self.port_box = QSpinBox(self)
        self.port_box.setRange(1, 65535)
        self.title_field = QLineEdit(self)
        self.title_field.setMaxLength(16)
        by_get = self.tr("C-GET: over this connection")
        by_move = self.tr("C-MOVE: to our receiver")
        self.retrieve_box = self._box(((by_get, "get"), (by_move, "move")))
        self.tls_box = QCheckBox(self.tr("Encrypted (TLS)"), self)
        self.url_field = QLineEdit(self)
        self.url_field.setPlaceholderText("https://pacs.example/dicom-web")
        self.login_box = self._box(
            (
                (self.tr("None"), "none"),
                (self.tr("User and password"), "basic"),
                (self.tr("Token"), "bearer"),
            )
        )
        self.user_field = QLineEdit(self)
        self.ca_field = FileField(self.tr("Authority"), self)
        self.certificate_field = FileField(self.tr("Our certificate"), self)
        self.key_field = FileField(self.tr("Key of our certificate"), self)
        self._lay_out()
        self._connect()

    def _box(self, choices: tuple[tuple[str, str], ...]) -> QComboBox:
        box = QComboBox(self)
        for words, value in choices:
            box.addItem(words, value)
        return box

    def _lay_out(self) -> None:
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(14)
        self._form.setVerticalSpacing(8)
        for box in (self.kind_box, self.port_box, self.retrieve_box, self.login_box):
            box.setMinimumHeight(30)
        self._rows: dict[str, QWidget] = {}
        for key, label, widget in (
            ("name", self.tr("&Name"), self.name_field),
            ("kind", self.tr("&Kind"), self.kind_box),
            ("host", self.tr("A&ddress"), self.host_field),
            ("port", self.tr("&Port"), self.port_box),
            ("ae_title", self.tr("Its AE &title"), self.title_field),
            ("retrieve", self.tr("&Retrieve by"), self.retrieve_box),
            ("tls", "", self.tls_box),
            ("url", self.tr("A&ddress"), self.url_field),
            ("login", self.tr("&Login"), self.login_box),
            ("user", self.tr("&User"), self.user_field),
            ("ca", self.tr("Trusted &authority"), self.ca_field),
            ("certificate", self.tr("Our &certificate"), self.certificate_field),
            ("key", self.tr("Its ke&y"), self.key_field),
        ):
            self._form.addRow(label, widget)
            self._rows[key] = widget
            if label:
                widget.setAccessibleName(label.replace("&", ""))
        self.ca_field.line.setPlaceholderText(self.tr("this computer's"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._form)
        layout.addStretch(1)

    def _connect(self) -> None:
        for field in (
            self.name_field,
            self.host_field,
            self.title_field,
            self.url_field,
            self.user_field,
        ):
            field.textEdited.connect(self._on_edited)
        for box in (self.kind_box, self.retrieve_box, self.login_box):
            box.currentIndexChanged.connect(self._on_edited)
        self.port_box.valueChanged.connect(self._on_edited)
        self.tls_box.toggled.connect(self._on_edited)
        for file_field in (self.ca_field, self.certificate_field, self.key_field):
            file_field.changed.connect(self._on_edited)

    @property
    def server(self) -> Server:
        """As it stands in the form; check_server says what is wrong with it."""
        name = self.name_field.text().strip()
        files = (self.ca_field.path, self.certificate_field.path, self.key_field.path)
        if self.kind_box.currentData() == "web":
            login = self.login_box.currentData()
            user = self.user_field.text().strip() if login == "basic" else ""
            return WebServer(name, self.url_field.text().strip(), login, user, *files)
        return DicomServer(
            name,
            self.host_field.text().strip(),
            self.title_field.text().strip(),
            self.port_box.value(),
            self.retrieve_box.currentData(),
            self.tls_box.isChecked(),
            *files,
        )

    def show_server(self, server: Server) -> None:
        self._is_showing = True
        dicom = server if isinstance(server, DicomServer) else DicomServer("", "", "")
        web = server if isinstance(server, WebServer) else WebServer("", "")
        self.name_field.setText(server.name)
        self.kind_box.setCurrentIndex(self.kind_box.findData(server.kind))
        self.host_field.setText(dicom.host)
        self.port_box.setValue(dicom.port or DICOM_PORT)
        self.title_field.setText(dicom.ae_title)
        self.retrieve_box.setCurrentIndex(self.retrieve_box.findData(dicom.retrieve_by))
        self.tls_box.setChecked(dicom.uses_tls)
        self.url_field.setText(web.url)
        self.url_field.setCursorPosition(0)
        self.login_box.setCurrentIndex(self.login_box.findData(web.login))
        self.user_field.setText(web.user)
        self.ca_field.path = server.ca_file
        self.certificate_field.path = server.certificate_file
        self.key_field.path = server.key_file
        self._is_showing = False
        self._show_rows()

    def _show_rows(self) -> None:
        is_web = self.kind_box.currentData() == "web"
        for key in _DICOM_ROWS:
            self._form.setRowVisible(self._rows[key], not is_web)
        for key in _WEB_ROWS:
            self._form.setRowVisible(self._rows[key], is_web)
        if is_web:
            needs_user = self.login_box.currentData() == "basic"
            self._form.setRowVisible(self.user_field, needs_user)
        for field in (self.ca_field, self.certificate_field, self.key_field):
            self._form.setRowVisible(field, is_web or self.tls_box.isChecked())

    def _on_edited(self, _value: object = None) -> None:
        if not self._is_showing:
            self._show_rows()
            self.edited.emit()
