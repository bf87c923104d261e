"""Against a real server: search, both ways to retrieve, and DICOMweb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event

import pydicom
import pytest
from sqlalchemy import Engine

from tests.workstation.network.conftest import (
    PASSWORD,
    USER,
    Orthanc,
    Reports,
    StartReceiver,
)
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.instance_reader import read_film, read_header
from workstation.network.dicom_query import DicomStudySource
from workstation.network.failures import NetworkFailure, Stopped
from workstation.network.instance_store import InstanceStore
from workstation.network.settings import DicomServer, WebServer
from workstation.network.study_query import StudyQuery, StudySource
from workstation.network.study_sources import open_source

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def filled(orthanc: Orthanc, phantom_films: list[Path]) -> Orthanc:
    for film in phantom_films:
        orthanc.upload(film)
    return orthanc


@pytest.fixture
def pacs(filled: Orthanc) -> DicomServer:
    return DicomServer("Orthanc", "127.0.0.1", "ORTHANC", filled.dicom_port)


@pytest.fixture
def web(filled: Orthanc) -> WebServer:
    return WebServer("Orthanc web", filled.web_url, "basic", USER)


@pytest.fixture(params=["dimse", "web"])
def source(request: pytest.FixtureRequest, pacs: DicomServer, web: WebServer) -> StudySource:
    server = pacs if request.param == "dimse" else web
    return open_source(server, "ECHO", secret=PASSWORD)


def _films_in(engine: Engine) -> set[str]:
    catalog = StudyCatalog(engine)
    rows = catalog.list_studies()
    return {f.sop_instance_uid for row in rows for f in catalog.instances(row.study_instance_uid)}


def test_the_server_answers(source: StudySource) -> None:
    assert "answers" in source.check()


def test_a_search_by_each_field_finds_the_study(
    source: StudySource, phantom_films: list[Path]
) -> None:
    wanted = read_header(phantom_films[0])
    family = wanted.patient_name.split(",")[0]
    for query in (
        StudyQuery(patient_name=family.lower()),
        StudyQuery(patient_id=wanted.patient_id),
        StudyQuery(patient_id=wanted.patient_id, modality="DX"),
        StudyQuery(date_from=wanted.study_date, date_to=wanted.study_date),
        StudyQuery(accession_number=wanted.accession_number),
    ):
        found = {study.study_instance_uid: study for study in source.find_studies(query, Event())}
        assert wanted.study_instance_uid in found, query
        study = found[wanted.study_instance_uid]
        assert study.patient_name == wanted.patient_name
        assert study.patient_id == wanted.patient_id
        assert study.patient_birth_date == wanted.patient_birth_date
        assert study.study_date == wanted.study_date
        assert study.modalities == ("DX",)
        assert study.instance_count == 1
    assert source.find_studies(StudyQuery(patient_id="NOBODY"), Event()) == []


def test_a_retrieved_film_is_the_one_that_was_stored(
    source: StudySource,
    store: InstanceStore,
    reports: Reports,
    catalog_engine: Engine,
    phantom_films: list[Path],
) -> None:
    wanted = read_film(phantom_films[0])
    query = StudyQuery(patient_id=wanted.header.patient_id)
    (study,) = source.find_studies(query, Event())
    progress: list[tuple[int, int]] = []
    for expected in ("stored", "known"):  # the second time nothing changes
        outcome = source.retrieve(study, store, reports, lambda *at: progress.append(at), Event())
        assert getattr(outcome, expected) == 1
        assert outcome.failed == outcome.refused == 0
        assert reports.events[-1].kind == expected
    assert progress[-1] == (1, 1)
    catalog = StudyCatalog(catalog_engine)
    (film,) = catalog.instances(wanted.header.study_instance_uid)
    assert (read_film(film.path).stored == wanted.stored).all()


def test_moved_films_arrive_at_our_receiver(
    pacs: DicomServer,
    filled: Orthanc,
    store: InstanceStore,
    reports: Reports,
    start_receiver: StartReceiver,
    catalog_engine: Engine,
    phantom_films: list[Path],
) -> None:
    wanted = read_header(phantom_films[1])
    server = replace(pacs, retrieve_by="move")
    source = DicomStudySource(server, "ECHO", can_receive=True)
    (study,) = source.find_studies(StudyQuery(patient_id=wanted.patient_id), Event())
    start_receiver(port=filled.own_port, allowed_ae_titles=("ORTHANC",))
    outcome = source.retrieve(study, store, reports, lambda *_: None, Event())
    assert outcome.stored == 1
    assert reports.wait_for("stored")[0].peer == "ORTHANC@127.0.0.1"
    assert _films_in(catalog_engine) == {wanted.sop_instance_uid}


def test_a_move_without_a_receiver_is_not_even_asked_for(
    pacs: DicomServer, store: InstanceStore, reports: Reports
) -> None:
    source = DicomStudySource(replace(pacs, retrieve_by="move"), "ECHO")
    (study, *_) = source.find_studies(StudyQuery(modality="DX"), Event())
    with pytest.raises(NetworkFailure, match="switched off"):
        source.retrieve(study, store, reports, lambda *_: None, Event())


def test_a_move_to_a_title_the_server_does_not_know_says_so(
    pacs: DicomServer, store: InstanceStore, reports: Reports
) -> None:
    source = DicomStudySource(replace(pacs, retrieve_by="move"), "NOBODY", can_receive=True)
    (study, *_) = source.find_studies(StudyQuery(modality="DX"), Event())
    with pytest.raises(NetworkFailure, match="Orthanc"):
        source.retrieve(study, store, reports, lambda *_: None, Event())


def test_compressed_and_refused_instances_in_one_study(
    filled: Orthanc,
    source: StudySource,
    store: InstanceStore,
    reports: Reports,
    catalog_engine: Engine,
    shared_data: Path,
) -> None:
    chest = shared_data / "dicom" / "01_chest_cr_dx"
    jpeg = chest / "rsna_cr_sc_jpeg.dcm"
    filled.upload(jpeg)
    header = read_header(jpeg)
    found = source.find_studies(StudyQuery(patient_id=header.patient_id), Event())
    (study,) = [each for each in found if each.study_instance_uid == header.study_instance_uid]
    outcome = source.retrieve(study, store, reports, lambda *_: None, Event())
    assert outcome.stored == 1
    (film,) = StudyCatalog(catalog_engine).instances(header.study_instance_uid)
    assert pydicom.dcmread(film.path).PixelData == pydicom.dcmread(jpeg).PixelData


def test_a_stopped_retrieval_is_stopped(
    source: StudySource, store: InstanceStore, reports: Reports
) -> None:
    (study, *_) = source.find_studies(StudyQuery(modality="DX"), Event())
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        source.retrieve(study, store, reports, lambda *_: None, stop)


def test_a_wrong_password_is_said(web: WebServer) -> None:
    with pytest.raises(NetworkFailure, match="login is missing or wrong"):
        open_source(web, "ECHO", secret="wrong").check()


def test_an_address_without_dicomweb_is_said(web: WebServer) -> None:
    elsewhere = replace(web, url=web.url.replace("dicom-web", "nothing-here"))
    with pytest.raises(NetworkFailure, match="no DICOMweb service"):
        open_source(elsewhere, "ECHO", secret=PASSWORD).check()
