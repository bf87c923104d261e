"""The network in the whole window: menus, light, a film that arrives, priors of the open study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from tests.workstation.network.conftest import connect, free_port
from workstation.app import build_window
from workstation.dicom.instance_reader import read_header
from workstation.drafting.drafting_service import DraftingService
from workstation.network.settings import NetworkSettings, ReceiverSettings, settings_as_text
from workstation.ui.main_window import MainWindow


@pytest.fixture
def receiver() -> ReceiverSettings:
    return ReceiverSettings(is_on=True, port=free_port(), allowed_ae_titles=("SENDER",))


@pytest.fixture
def window(
    qtbot: QtBot, catalog_engine: Engine, tmp_path: Path, receiver: ReceiverSettings
) -> Iterator[MainWindow]:
    """With a receiver that was on when the app was last closed."""
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    settings.setValue("network", settings_as_text(NetworkSettings(receiver)))
    made = build_window(catalog_engine, DraftingService(), settings)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def test_a_received_film_joins_the_list_and_opens_nothing(
    qtbot: QtBot, window: MainWindow, receiver: ReceiverSettings, phantom_films: list[Path]
) -> None:
    assert window.network.light.isVisible()
    with qtbot.waitSignal(window.network.films_arrived, timeout=10_000):
        association = connect(receiver)
        assert association.send_c_store(phantom_films[0]).Status == 0x0000
        association.release()
    uid = read_header(phantom_films[0]).study_instance_uid
    assert [row.study_instance_uid for row in window.study_list.model.rows] == [uid]
    assert window.desk.study_instance_uid == ""


def test_who_was_kept_out_is_listed_with_the_reason(
    qtbot: QtBot, window: MainWindow, receiver: ReceiverSettings
) -> None:
    with qtbot.waitSignal(window.network.refused, timeout=10_000):
        connect(receiver, "STRANGER")
    assert window.refused_panel.isVisible()
    assert window.refused_panel.files[0].path.name == "STRANGER@127.0.0.1"


def test_the_menus_offer_settings_search_and_priors(qtbot: QtBot, window: MainWindow) -> None:
    actions = {action.text().replace("&", ""): action for action in window.menus.actions()}
    actions["Get studies from a server…"].trigger()
    assert window.network.show_query().isVisible()
    with qtbot.waitSignal(window.network.trouble) as trouble:
        actions["Fetch priors"].trigger()
    assert "Open a study" in trouble.args[0]
    assert "Network…" in actions


# pynetdicom leaves a socket that could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_closing_the_window_closes_the_port(
    qtbot: QtBot, window: MainWindow, receiver: ReceiverSettings
) -> None:
    window.close()
    assert not window.network.receiver.is_listening
    assert not connect(receiver).is_established
