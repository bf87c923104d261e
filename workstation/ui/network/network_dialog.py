"""Network settings: the receiver, and the servers that may be asked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from workstation.network.failures import InvalidSettings
from workstation.network.settings import (
    DicomServer,
    NetworkSettings,
    Server,
    check_receiver,
    check_server,
)
from workstation.ui.network.network_jobs import NetworkJobs, OpenSource
from workstation.ui.network.receiver_form import ReceiverForm
from workstation.ui.network.server_form import ServerForm

MakeSource = Callable[[Server, str], OpenSource | None]
"""(server, our AE title) -> how to reach it; None where the user gave no password."""


class NetworkDialog(QDialog):
    """Accepted only with settings that can work; ``settings`` are then to be applied."""

    def __init__(
        self,
        settings: NetworkSettings,
        jobs: NetworkJobs,
        make_source: MakeSource,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("network_dialog")
        self.setWindowTitle(self.tr("Network"))
        self.resize(760, 640)
        self._jobs, self._make_source = jobs, make_source
        self._servers: list[Server] = list(settings.servers)
        self._build_widgets()
        self._lay_out()
        self._connect()
        self.receiver_form.show_settings(settings.receiver)
        self._refill(0)

    @property
    def settings(self) -> NetworkSettings:
        return NetworkSettings(self.receiver_form.settings, tuple(self._servers))

    # -- making ------------------------------------------------------------------------------

    def _build_widgets(self) -> None:
        self.receiver_form = ReceiverForm(self)
        self.server_list = QListWidget(self)
        self.server_list.setObjectName("server_list")
        self.server_list.setAccessibleName(self.tr("Servers"))
        self.server_list.setSpacing(2)
        self.server_form = ServerForm(self)
        self.add_button = QPushButton(self.tr("&Add"), self)
        self.remove_button = QPushButton(self.tr("Re&move"), self)
        self.first_button = QPushButton(self.tr("&First"), self)
        self.first_button.setToolTip(self.tr("The first server is asked for priors"))
        self.test_button = QPushButton(self.tr("T&est"), self)
        self.test_button.setObjectName("test_server")
        self.test_button.setToolTip(self.tr("Ask the server whether it is there (C-ECHO)"))
        self.test_label = self._label("test_result", "muted")
        self.trouble_label = self._label("network_trouble", "error")
        self.buttons = QDialogButtonBox(self)
        self.save_button = QPushButton(self.tr("Save"), self)
        self.save_button.setObjectName("save_network")
        self.save_button.setProperty("role", "primary")
        self.buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)

    def _label(self, name: str, role: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _lay_out(self) -> None:
        note = self._label("network_note", "muted")
        note.setText(
            self.tr(
                "Nothing listens and nothing is asked unless you say so here. A search sends only "
                "what you typed; passwords and tokens are kept in memory until ECHO closes and are "
                "never written to the disk."
            )
        )
        self.tabs = QTabWidget(self)
        self.tabs.addTab(self.receiver_form, self.tr("Receiver"))
        self.tabs.addTab(self._servers_page(), self.tr("Servers"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(note)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.trouble_label)
        layout.addWidget(self.buttons)

    def _servers_page(self) -> QWidget:
        page = QWidget(self)
        left = QVBoxLayout()
        left.addWidget(self.server_list, 1)
        row = QHBoxLayout()
        for button in (self.add_button, self.remove_button, self.first_button):
            button.setProperty("role", "quiet")
            row.addWidget(button)
        left.addLayout(row)
        right = QVBoxLayout()
        right.addWidget(self.server_form, 1)
        test = QHBoxLayout()
        test.addWidget(self.test_button)
        test.addWidget(self.test_label, 1)
        right.addLayout(test)
        columns = QHBoxLayout(page)
        columns.setContentsMargins(14, 14, 14, 8)
        columns.setSpacing(18)
        columns.addLayout(left, 2)
        columns.addLayout(right, 3)
        return page

    def _connect(self) -> None:
        self.receiver_form.changed.connect(self._refresh)
        self.server_list.currentRowChanged.connect(self._on_row_changed)
        self.server_form.edited.connect(self._on_server_edited)
        self.add_button.clicked.connect(self._on_add)
        self.remove_button.clicked.connect(self._on_remove)
        self.first_button.clicked.connect(self._on_first)
        self.test_button.clicked.connect(self._on_test)
        self._jobs.checked.connect(self._on_checked)
        self._jobs.failed.connect(self._on_check_failed)
        self._jobs.finished.connect(self._refresh)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    # -- servers -----------------------------------------------------------------------------

    def _on_add(self) -> None:
        names = {server.name for server in self._servers}
        name = next(f"PACS {n}" for n in range(1, len(names) + 2) if f"PACS {n}" not in names)
        self._servers.append(DicomServer(name, "", ""))
        self._refill(len(self._servers) - 1)
        self.server_form.host_field.setFocus()

    def _on_remove(self) -> None:
        row = self.server_list.currentRow()
        if row >= 0:
            del self._servers[row]
            self._refill(min(row, len(self._servers) - 1))

    def _on_first(self) -> None:
        row = self.server_list.currentRow()
        if row > 0:
            self._servers.insert(0, self._servers.pop(row))
            self._refill(0)

    def _refill(self, row: int) -> None:
        self.server_list.clear()
        self.server_list.addItems([server.name for server in self._servers])
        self.server_list.setCurrentRow(row)
        self._refresh()

    def _on_row_changed(self, row: int) -> None:
        self.test_label.clear()
        if row >= 0:
            self.server_form.show_server(self._servers[row])
        self._refresh()

    def _on_server_edited(self) -> None:
        row = self.server_list.currentRow()
        item = self.server_list.currentItem()
        if row >= 0 and item is not None:
            self._servers[row] = self.server_form.server
            item.setText(self._servers[row].name)
        self.test_label.clear()
        self._refresh()

    # -- testing and checking ----------------------------------------------------------------

    def _on_test(self) -> None:
        server = self.server_form.server
        source = self._make_source(server, self.receiver_form.settings.ae_title)
        if source is not None and self._jobs.check(source):
            self._say(self.tr("Asking {0} …").format(server.name), "muted")
            self._refresh()

    def _on_checked(self, words: str) -> None:
        self._say(f"✓ {words}", "muted")

    def _on_check_failed(self, reason: str) -> None:
        self._say(f"▲ {reason}", "error")

    def _say(self, words: str, role: str) -> None:
        self.test_label.setProperty("role", role)
        self.test_label.style().polish(self.test_label)
        self.test_label.setText(words)

    def _refresh(self, _value: object = None) -> None:
        has_server = self.server_list.currentRow() >= 0
        self.server_form.setVisible(has_server)
        self.test_button.setVisible(has_server)
        self.remove_button.setEnabled(has_server)
        self.first_button.setEnabled(self.server_list.currentRow() > 0)
        self.test_button.setEnabled(not self._jobs.is_running)
        trouble = self._find_trouble()
        self.trouble_label.setText(trouble)
        self.save_button.setEnabled(not trouble)

    def _find_trouble(self) -> str:
        """The first thing that keeps these settings from working; "" if nothing does."""
        receiver = self.receiver_form.settings
        try:
            if receiver.is_on:
                check_receiver(receiver)
        except InvalidSettings as error:
            return self.tr("Receiver: {0}").format(error.reason)
        names = [server.name for server in self._servers]
        for server in self._servers:
            try:
                check_server(server)
            except InvalidSettings as error:
                return f"{server.name or '?'}: {error.reason}"
            if names.count(server.name) > 1:
                return self.tr("{0}: two servers have this name").format(server.name)
        return ""
