"""Everything of the network in one place: settings, receiver, searches, and their windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from PySide6.QtWidgets import QInputDialog, QLineEdit, QWidget

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import UnknownStudy
from workstation.catalog.study_rows import StudyRow
from workstation.network.failures import InvalidSettings
from workstation.network.instance_store import InstanceStore
from workstation.network.settings import (
    NetworkSettings,
    Server,
    WebServer,
    settings_as_text,
    settings_from_text,
)
from workstation.network.storage_service import IntakeEvent
from workstation.network.study_query import FoundStudy, StudyQuery, choose_priors
from workstation.network.study_sources import open_source
from workstation.ui.network.network_dialog import NetworkDialog
from workstation.ui.network.network_jobs import NetworkJobs, OpenSource
from workstation.ui.network.query_window import QueryWindow
from workstation.ui.network.receiver_service import ReceiverService
from workstation.ui.network.status_light import StatusLight
from workstation.ui.reading_desk import Records

_SETTINGS_KEY = "network"
_REFRESH_MS = 400  # a study's films come in a row; the list is read once for all of them


class NetworkDesk(QObject):
    """Signals: films_arrived() some time after one did; refused(who, reason) for each film or
    caller kept out; trouble(text). settings: where the app keeps its choices; None remembers
    nothing. ask_secret(server name) -> password or token, None if the user declined; for tests.
    """

    films_arrived = Signal()
    refused = Signal(str, str)
    trouble = Signal(str)

    def __init__(
        self,
        records: Records,
        settings: QSettings | None,
        window: QWidget,
        ask_secret: Callable[[str], str | None] | None = None,
    ) -> None:
        super().__init__(window)
        self._records, self._stored_settings, self._window = records, settings, window
        self._ask_secret = ask_secret or self._ask_secret_in_dialog
        self._secrets: dict[Server, str] = {}
        store = InstanceStore(records.catalog, records.audit, records.user)
        self.receiver = ReceiverService(store, self)
        self.jobs = NetworkJobs(store, self.receiver.report, self)
        self.light = StatusLight(self.receiver, window)
        self.light.clicked.connect(self.show_settings)
        self._query_window: QueryWindow | None = None
        self._priors_of: StudyRow | None = None
        self._is_fetching_priors = False
        self._arrivals = QTimer(self)
        self._arrivals.setSingleShot(True)
        self._arrivals.setInterval(_REFRESH_MS)
        self._arrivals.timeout.connect(self.films_arrived)
        self.receiver.arrived.connect(self._on_arrived)
        self.jobs.login_refused.connect(self._secrets.clear)
        self.settings = NetworkSettings()

    def restore(self) -> None:
        """Take up the stored settings, and the receiver if it was on. Emits trouble."""
        stored = self._stored_settings
        text = str(stored.value(_SETTINGS_KEY) or "") if stored is not None else ""
        try:
            self.settings = settings_from_text(text)
        except InvalidSettings as error:
            self.trouble.emit(self.tr("Network is off: {0}").format(error.reason))
            return
        self._apply_receiver()

    def shutdown(self) -> None:
        """Close the port, stop what is under way; waits for it."""
        if self._query_window is not None:
            self._query_window.close()
        self.receiver.stop()
        self.jobs.shutdown()

    # -- settings ----------------------------------------------------------------------------

    def show_settings(self) -> None:
        dialog = NetworkDialog(self.settings, self.jobs, self._source_for, self._window)
        if dialog.exec():
            self.change_settings(dialog.settings)
        dialog.deleteLater()

    def change_settings(self, settings: NetworkSettings) -> None:
        """Apply, remember and audit; old values are kept in the audit log."""
        if settings == self.settings:
            return
        details = {
            "setting": "network",
            "before": dataclasses.asdict(self.settings),
            "after": dataclasses.asdict(settings),
        }
        try:
            self._records.audit.append("settings", user=self._records.user, details=details)
        except CatalogUnavailable as error:
            self.trouble.emit(self.tr("The network was not changed: {0}").format(error.reason))
            return
        self.settings = settings
        if self._stored_settings is not None:
            self._stored_settings.setValue(_SETTINGS_KEY, settings_as_text(settings))
        if self._query_window is not None:
            self._query_window.set_servers(settings.servers)
        self._apply_receiver()

    def _apply_receiver(self) -> None:
        self.receiver.apply(self.settings.receiver)
        if self.receiver.trouble:
            self.trouble.emit(self.tr("The receiver is off: {0}").format(self.receiver.trouble))

    # -- searching ---------------------------------------------------------------------------

    def show_query(self) -> QueryWindow:
        """The window to search and fetch with; the same one each time."""
        if self._query_window is None:
            window = QueryWindow(self.jobs, self._source_of, self._known_uids, self._window)
            window.set_servers(self.settings.servers)
            window.query_sent.connect(self._on_query_sent)
            window.found.connect(self._on_found)
            window.ended.connect(self._on_ended)
            self._query_window = window
        self._query_window.show()
        self._query_window.raise_()
        self._query_window.activateWindow()
        return self._query_window

    def fetch_priors(self, study_instance_uid: str) -> None:
        """Ask the first server for the patient's other films and fetch those not here yet."""
        study = self._study(study_instance_uid)
        if study is None or not study.patient_id:
            self.trouble.emit(self.tr("Open a study of a patient with an ID first."))
            return
        if not self.settings.servers:
            self.trouble.emit(self.tr("No server is set up: File → Network…"))
            return
        window = self.show_query()
        window.server_box.setCurrentIndex(0)
        window.show_query(StudyQuery(patient_id=study.patient_id))
        self._priors_of = study if window.search() else None

    def _on_found(self, found: tuple[FoundStudy, ...]) -> None:
        study, self._priors_of = self._priors_of, None
        window = self._query_window
        if study is None or window is None:
            return
        priors = choose_priors(
            found,
            patient_id=study.patient_id,
            patient_birth_date=study.patient_birth_date,
            known_uids=self._known_uids(),
        )
        window.select(priors)
        self._is_fetching_priors = bool(priors)

    def _on_ended(self) -> None:
        """A search or fetch is over; priors that a search found can be fetched now."""
        self._priors_of = None
        if self._is_fetching_priors and self._query_window is not None:
            self._is_fetching_priors = False
            self._query_window.retrieve_selected()

    def _on_query_sent(self, server: Server, query: StudyQuery) -> None:
        asked = {key: value for key, value in dataclasses.asdict(query).items() if value}
        details = {"server": server.name, "asked": asked}
        try:
            self._records.audit.append("query", user=self._records.user, details=details)
        except CatalogUnavailable as error:
            self.trouble.emit(error.reason)

    def _study(self, study_instance_uid: str) -> StudyRow | None:
        if not study_instance_uid:
            return None
        try:
            return self._records.catalog.study(study_instance_uid)
        except (UnknownStudy, CatalogUnavailable):
            return None

    def _known_uids(self) -> frozenset[str]:
        try:
            rows = self._records.catalog.list_studies()
        except CatalogUnavailable as error:
            self.trouble.emit(error.reason)
            return frozenset()
        return frozenset(row.study_instance_uid for row in rows)

    # -- servers -----------------------------------------------------------------------------

    def _source_of(self, server: Server) -> OpenSource | None:
        return self._source_for(server, self.settings.receiver.ae_title)

    def _source_for(self, server: Server, own_ae_title: str) -> OpenSource | None:
        secret = self._secret_for(server)
        if secret is None:
            return None
        return partial(
            open_source,
            server,
            own_ae_title,
            can_receive=self.receiver.is_listening,
            secret=secret,
        )

    def _secret_for(self, server: Server) -> str | None:
        """Asked for once and kept in memory; asked again where the server has changed."""
        if not isinstance(server, WebServer) or server.login == "none":
            return ""
        if server not in self._secrets:
            secret = self._ask_secret(server.name)
            if secret is None:
                return None
            self._secrets[server] = secret
        return self._secrets[server]

    def _ask_secret_in_dialog(self, server_name: str) -> str | None:
        secret, is_given = QInputDialog.getText(
            self._window,
            self.tr("Log in"),
            self.tr("Password or token for {0}").format(server_name),
            QLineEdit.EchoMode.Password,
        )
        return secret if is_given else None

    # -- arrivals ----------------------------------------------------------------------------

    def _on_arrived(self, event: IntakeEvent) -> None:
        if event.kind in ("stored", "known"):
            if not self._arrivals.isActive():
                self._arrivals.start()
            return
        who = " ".join(part for part in (event.peer, event.sop_instance_uid) if part)
        self.refused.emit(who, event.reason)
