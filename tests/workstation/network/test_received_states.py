"""Presentation states by C-STORE, C-GET, C-MOVE and WADO: kept with their study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event

import pydicom
import pytest
from pynetdicom import AE
from sqlalchemy import Engine

from tests.workstation.network.conftest import (
    PASSWORD,
    USER,
    Orthanc,
    Reports,
    StartReceiver,
)
from tests.workstation.written_states import write_state
from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.presentation_search import open_as_presented
from workstation.dicom.presentation_state import GRAYSCALE_SOFTCOPY
from workstation.network.connections import ConnectionGuard
from workstation.network.dicom_query import DicomStudySource
from workstation.network.instance_store import AnnouncedOtherwise, InstanceStore
from workstation.network.settings import DicomServer, WebServer
from workstation.network.study_query import StudyQuery
from workstation.network.study_sources import open_source


def shown_label(engine: Engine, study_uid: str) -> str:
    """Of the state the study's only film is shown with."""
    (film,) = StudyCatalog(engine).instances(study_uid)
    shown = open_as_presented(read_film(film.path))
    assert shown.presentation is not None
    return shown.presentation.label


def test_a_state_sent_after_its_film_is_shown_with_it(
    start_receiver: StartReceiver,
    reports: Reports,
    catalog_engine: Engine,
    phantom_films: list[Path],
    tmp_path: Path,
) -> None:
    film = phantom_films[0]
    state = write_state(film, tmp_path / "state.dcm", "SENT")
    settings = start_receiver()
    entity = AE(ae_title="SENDER")
    for sop_class in (GRAYSCALE_SOFTCOPY, pydicom.dcmread(film).SOPClassUID):
        entity.add_requested_context(sop_class)
    handlers = ConnectionGuard().handlers
    peer = entity.associate(settings.host, settings.port, ae_title="ECHO", evt_handlers=handlers)
    answers = [peer.send_c_store(file).Status for file in (film, state, state)]
    peer.release()
    assert answers == [0x0000] * 3
    assert [event.kind for event in reports.events] == ["stored", "stored", "known"]
    assert reports.events[1].summary == "PR"
    study = read_header(film).study_instance_uid
    assert shown_label(catalog_engine, study) == "SENT"
    assert StudyCatalog(catalog_engine).study(study).modalities == ("DX",)
    imports = [e.details for e in AuditLog(catalog_engine).entries() if e.event == "import"]
    assert [each.get("kind") for each in imports] == [None, "presentation state"]
    assert imports[1]["source"] == "C-STORE SENDER@127.0.0.1"


def test_a_state_announced_as_something_else_is_refused(
    store: InstanceStore, phantom_films: list[Path], tmp_path: Path
) -> None:
    content = write_state(phantom_films[0], tmp_path / "state.dcm").read_bytes()
    with pytest.raises(AnnouncedOtherwise, match="SOP Instance UID"):
        store.store([content], "test", announced_uid="1.2.3")
    with pytest.raises(AnnouncedOtherwise, match="SOP Class"):
        store.store([content], "test", announced_class="1.2.3")
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["get", "move", "web"])
def test_orthanc_sends_the_state_with_the_film(
    way: str,
    orthanc: Orthanc,
    store: InstanceStore,
    reports: Reports,
    start_receiver: StartReceiver,
    catalog_engine: Engine,
    phantom_films: list[Path],
    tmp_path: Path,
) -> None:
    film = phantom_films[0]
    orthanc.upload(film)
    orthanc.upload(write_state(film, tmp_path / "state.dcm", "PACS"))
    header = read_header(film)
    dicom = DicomServer("Orthanc", "127.0.0.1", "ORTHANC", orthanc.dicom_port)
    if way == "web":
        server = WebServer("Orthanc web", orthanc.web_url, "basic", USER)
        source = open_source(server, "ECHO", secret=PASSWORD)
    elif way == "get":
        source = open_source(dicom, "ECHO")
    else:
        source = DicomStudySource(replace(dicom, retrieve_by="move"), "ECHO", can_receive=True)
        start_receiver(port=orthanc.own_port, allowed_ae_titles=("ORTHANC",))
    (study,) = source.find_studies(StudyQuery(patient_id=header.patient_id), Event())
    for expected in ("stored", "known"):
        reports.events.clear()
        outcome = source.retrieve(study, store, reports, lambda *_: None, Event())
        assert outcome.failed == outcome.refused == 0
        assert len(reports.wait_for(expected, 2)) == 2
    assert shown_label(catalog_engine, header.study_instance_uid) == "PACS"
