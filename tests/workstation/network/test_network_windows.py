"""Dialogs, query window, light and desk with real widgets, a real receiver and a loopback PACS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from tests.workstation.network.conftest import connect, free_port
from tests.workstation.network.loopback_pacs import LoopbackPacs, read_films
from workstation.app import build_records
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.instance_reader import read_header
from workstation.network.settings import DicomServer, NetworkSettings, ReceiverSettings, WebServer
from workstation.ui.network.network_desk import NetworkDesk
from workstation.ui.network.network_dialog import NetworkDialog
from workstation.ui.reading_desk import Records


@pytest.fixture
def records(catalog_engine: Engine) -> Records:
    return build_records(catalog_engine)


@pytest.fixture
def stored_settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def desk(qtbot: QtBot, records: Records, stored_settings: QSettings) -> Iterator[NetworkDesk]:
    window = QWidget()
    qtbot.addWidget(window)
    made = NetworkDesk(records, stored_settings, window, ask_secret=lambda _name: None)
    made.restore()
    window.show()
    yield made
    made.shutdown()


@pytest.fixture
def pacs(phantom_films: list[Path]) -> Iterator[LoopbackPacs]:
    server = LoopbackPacs(free_port(), read_films(phantom_films))
    server.start()
    yield server
    server.stop()


def _receiver() -> ReceiverSettings:
    return ReceiverSettings(is_on=True, port=free_port(), allowed_ae_titles=("SENDER",))


def _server(pacs: LoopbackPacs) -> DicomServer:
    return DicomServer("Archive", "127.0.0.1", "PACS", pacs.port)


def _dialog(qtbot: QtBot, desk: NetworkDesk) -> NetworkDialog:
    dialog = NetworkDialog(desk.settings, desk.jobs, desk._source_for)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


# -- receiver --------------------------------------------------------------------------------


def test_it_starts_with_nothing_listening(desk: NetworkDesk) -> None:
    assert not desk.receiver.is_listening
    assert desk.light.isHidden()
    assert desk.settings == NetworkSettings()


def test_a_film_that_arrives_is_listed_and_counted(
    qtbot: QtBot, desk: NetworkDesk, records: Records, phantom_films: list[Path]
) -> None:
    settings = _receiver()
    desk.change_settings(NetworkSettings(settings))
    assert desk.light.text() == "◉ Receiving"
    assert str(settings.port) in desk.light.toolTip()
    with qtbot.waitSignal(desk.films_arrived, timeout=10_000):
        association = connect(settings)
        assert association.send_c_store(phantom_films[0]).Status == 0x0000
        association.release()
    assert len(records.catalog.list_studies()) == 1
    assert desk.light.text() == "◉ Receiving · 1 received"
    with qtbot.waitSignal(desk.refused, timeout=10_000) as refused:
        connect(settings, "STRANGER")
    assert refused.args == [
        "STRANGER@127.0.0.1",
        "this AE title is not on the list of those that may send",
    ]


def test_a_port_in_use_is_said_and_shown(
    qtbot: QtBot, desk: NetworkDesk, pacs: LoopbackPacs
) -> None:
    settings = ReceiverSettings(is_on=True, port=pacs.port, allowed_ae_titles=("SENDER",))
    with qtbot.waitSignal(desk.trouble, timeout=5000) as trouble:
        desk.change_settings(NetworkSettings(settings))
    assert "in use" in trouble.args[0]
    assert desk.light.text() == "▲ Receiver is off"
    assert not desk.light.isHidden()


def test_changes_are_remembered_and_audited_but_no_password(
    qtbot: QtBot, desk: NetworkDesk, records: Records, stored_settings: QSettings
) -> None:
    web = WebServer("Web", "https://pacs.invalid/dicom-web", "basic", "reader")
    desk.change_settings(NetworkSettings(ReceiverSettings(), (web,)))
    (entry,) = [each for each in records.audit.entries() if each.event == "settings"]
    assert entry.details["before"]["servers"] == []
    assert entry.details["after"]["servers"][0]["url"] == web.url
    again = NetworkDesk(records, stored_settings, QWidget(desk._window))
    again.restore()
    assert again.settings == desk.settings
    stored_settings.sync()
    assert "password" not in Path(stored_settings.fileName()).read_text().lower()
    again.shutdown()


def test_damaged_settings_leave_the_network_off(
    qtbot: QtBot, records: Records, stored_settings: QSettings
) -> None:
    stored_settings.setValue("network", "{not json")
    window = QWidget()
    qtbot.addWidget(window)
    desk = NetworkDesk(records, stored_settings, window)
    with qtbot.waitSignal(desk.trouble, timeout=5000) as trouble:
        desk.restore()
    assert "damaged" in trouble.args[0]
    assert not desk.receiver.is_listening
    desk.shutdown()


# -- settings dialog -------------------------------------------------------------------------


def test_the_dialog_saves_only_what_can_work(qtbot: QtBot, desk: NetworkDesk) -> None:
    dialog = _dialog(qtbot, desk)
    assert dialog.save_button.isEnabled()
    dialog.receiver_form.on_box.setChecked(True)
    assert "name the AE titles that may send" in dialog.trouble_label.text()
    assert not dialog.save_button.isEnabled()
    dialog.receiver_form.allowed_field.setPlainText("CR_ROOM1, CR_ROOM2\nCR_ROOM1")
    assert dialog.save_button.isEnabled()
    assert dialog.settings.receiver.allowed_ae_titles == ("CR_ROOM1", "CR_ROOM2")
    assert dialog.receiver_form.warning.text() == ""
    dialog.receiver_form.host_box.setCurrentText("0.0.0.0")
    assert "unencrypted" in dialog.receiver_form.warning.text()


def test_servers_are_added_ordered_and_removed(qtbot: QtBot, desk: NetworkDesk) -> None:
    dialog = _dialog(qtbot, desk)
    dialog.tabs.setCurrentIndex(1)
    assert dialog.server_form.isHidden()
    qtbot.mouseClick(dialog.add_button, Qt.MouseButton.LeftButton)
    assert not dialog.save_button.isEnabled()
    form = dialog.server_form
    qtbot.keyClicks(form.host_field, "10.0.0.5")
    qtbot.keyClicks(form.title_field, "PACS")
    assert dialog.settings.servers == (DicomServer("PACS 1", "10.0.0.5", "PACS"),)
    qtbot.mouseClick(dialog.add_button, Qt.MouseButton.LeftButton)
    form.kind_box.setCurrentIndex(form.kind_box.findData("web"))
    assert form.host_field.isHidden()
    qtbot.keyClicks(form.url_field, "https://pacs.example/dicom-web")
    qtbot.mouseClick(dialog.first_button, Qt.MouseButton.LeftButton)
    assert [server.name for server in dialog.settings.servers] == ["PACS 2", "PACS 1"]
    assert dialog.save_button.isEnabled()
    qtbot.mouseClick(dialog.remove_button, Qt.MouseButton.LeftButton)
    assert [server.name for server in dialog.settings.servers] == ["PACS 1"]
    assert dialog.server_form.host_field.text() == "10.0.0.5"


def test_the_test_button_asks_the_server(
    qtbot: QtBot, desk: NetworkDesk, pacs: LoopbackPacs
) -> None:
    desk.change_settings(NetworkSettings(servers=(_server(pacs),)))
    dialog = _dialog(qtbot, desk)
    dialog.tabs.setCurrentIndex(1)
    with qtbot.waitSignal(desk.jobs.finished, timeout=20_000):
        qtbot.mouseClick(dialog.test_button, Qt.MouseButton.LeftButton)
    assert dialog.test_label.text() == "✓ PACS answers (C-ECHO)."
    dialog.server_form.title_field.clear()
    qtbot.keyClicks(dialog.server_form.title_field, "WRONG")
    with qtbot.waitSignal(desk.jobs.finished, timeout=20_000):
        qtbot.mouseClick(dialog.test_button, Qt.MouseButton.LeftButton)
    assert "check both AE titles" in dialog.test_label.text()


# -- searching and fetching ------------------------------------------------------------------


def test_a_study_is_found_and_fetched(
    qtbot: QtBot, desk: NetworkDesk, records: Records, pacs: LoopbackPacs
) -> None:
    desk.change_settings(NetworkSettings(servers=(_server(pacs),)))
    window = desk.show_query()
    window.name_field.setText("*a*")
    with qtbot.waitSignal(window.ended, timeout=20_000):
        qtbot.mouseClick(window.search_button, Qt.MouseButton.LeftButton)
    assert window.model.rowCount() == 2
    assert window.status_label.text() == "2 studies found."
    assert not window.retrieve_button.isEnabled()
    window.table.selectRow(0)
    assert window.retrieve_button.text() == "&Retrieve 1"
    with qtbot.waitSignals([window.ended, desk.films_arrived], timeout=20_000):
        qtbot.mouseClick(window.retrieve_button, Qt.MouseButton.LeftButton)
    assert window.status_label.text().startswith("1 films added, 0 known")
    assert window.model.index(0, 0).data() == "✓ here"
    fetched = window.model.studies[0].study_instance_uid
    assert [row.study_instance_uid for row in records.catalog.list_studies()] == [fetched]
    (query,) = [entry for entry in records.audit.entries() if entry.event == "query"]
    assert query.details == {"server": "Archive", "asked": {"patient_name": "*a*"}}


def test_an_empty_search_is_not_sent(qtbot: QtBot, desk: NetworkDesk, pacs: LoopbackPacs) -> None:
    desk.change_settings(NetworkSettings(servers=(_server(pacs),)))
    window = desk.show_query()
    assert not window.search()
    assert window.status_label.text() == "▲ say what to search for"
    assert pacs.asked == []


def test_fetching_is_stopped_by_the_button(
    qtbot: QtBot, desk: NetworkDesk, records: Records, pacs: LoopbackPacs
) -> None:
    desk.change_settings(NetworkSettings(servers=(_server(pacs),)))
    window = desk.show_query()
    window.modality_box.setCurrentText("dx")
    with qtbot.waitSignal(window.ended, timeout=20_000):
        window.search()
    pacs.held.set()
    window.table.selectAll()
    window.retrieve_selected()
    assert window.stop_button.isVisible()
    with qtbot.waitSignal(window.ended, timeout=20_000):
        qtbot.mouseClick(window.stop_button, Qt.MouseButton.LeftButton)
    assert "Stopped" in window.status_label.text()
    assert records.catalog.list_studies() == []
    assert {window.model.index(row, 0).data() for row in range(2)} == {""}


def test_priors_of_the_open_patient_come_in_one_action(
    qtbot: QtBot,
    desk: NetworkDesk,
    records: Records,
    pacs: LoopbackPacs,
    phantom_films: list[Path],
    catalog_engine: Engine,
) -> None:
    here = read_header(phantom_films[0])
    records.catalog.add_instance(here, phantom_films[0])
    prior = pacs.films[1]
    prior.PatientID, prior.PatientBirthDate = here.patient_id, here.patient_birth_date
    desk.change_settings(NetworkSettings(servers=(_server(pacs),)))
    with qtbot.waitSignal(desk.films_arrived, timeout=20_000):
        desk.fetch_priors(here.study_instance_uid)
    uids = {row.study_instance_uid for row in StudyCatalog(catalog_engine).list_studies()}
    assert uids == {here.study_instance_uid, prior.StudyInstanceUID}
    assert [str(asked.PatientID) for asked in pacs.asked] == [here.patient_id]


def test_priors_without_a_study_or_a_server_say_what_is_missing(
    qtbot: QtBot, desk: NetworkDesk, records: Records, phantom_films: list[Path]
) -> None:
    with qtbot.waitSignal(desk.trouble) as trouble:
        desk.fetch_priors("")
    assert "Open a study" in trouble.args[0]
    here = read_header(phantom_films[0])
    records.catalog.add_instance(here, phantom_films[0])
    with qtbot.waitSignal(desk.trouble) as trouble:
        desk.fetch_priors(here.study_instance_uid)
    assert "No server is set up" in trouble.args[0]
