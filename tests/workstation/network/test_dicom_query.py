"""The query client against pynetdicom's own SCP, so that it is tested wherever the tests run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.workstation.network.conftest import Reports, StartReceiver, free_port
from tests.workstation.network.loopback_pacs import LoopbackPacs, read_films
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.instance_reader import read_header
from workstation.network.dicom_query import DicomStudySource
from workstation.network.failures import InvalidSettings, NetworkFailure, Stopped
from workstation.network.instance_store import InstanceStore
from workstation.network.settings import DicomServer
from workstation.network.study_query import (
    FoundStudy,
    StudyQuery,
    check_query,
    choose_priors,
)


@pytest.fixture
def pacs(phantom_films: list[Path]) -> Iterator[LoopbackPacs]:
    server = LoopbackPacs(free_port(), read_films(phantom_films))
    server.start()
    yield server
    server.stop()


def _source(pacs: LoopbackPacs, **changes: object) -> DicomStudySource:
    server = DicomServer("Loopback", "127.0.0.1", pacs.ae_title, pacs.port)
    return DicomStudySource(replace(server, **changes), "ECHO")  # type: ignore[arg-type]


def _nothing(*_: object) -> None:
    return None


def test_a_server_answers_or_says_why_not(pacs: LoopbackPacs) -> None:
    assert "PACS answers" in _source(pacs).check()
    with pytest.raises(NetworkFailure, match=r"rejects the connection.*check both AE titles"):
        _source(pacs, ae_title="OTHER").check()


# pynetdicom leaves a socket that could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_is_not_there_is_said(pacs: LoopbackPacs) -> None:
    with pytest.raises(NetworkFailure, match=r"no answer from 127\.0\.0\.1"):
        _source(pacs, port=free_port()).check()


def test_only_what_was_typed_is_asked(pacs: LoopbackPacs, phantom_films: list[Path]) -> None:
    wanted = read_header(phantom_films[0])
    (study,) = _source(pacs).find_studies(
        StudyQuery(patient_id=wanted.patient_id), threading.Event()
    )
    assert study.study_instance_uid == wanted.study_instance_uid
    assert study.patient_name == wanted.patient_name
    (asked,) = pacs.asked
    valued = {each.keyword: str(each.value) for each in asked if each.value not in ("", None)}
    assert valued == {"QueryRetrieveLevel": "STUDY", "PatientID": wanted.patient_id}


def test_a_search_that_finds_too_much_ends_at_the_limit(
    pacs: LoopbackPacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.network.dicom_query.MAX_STUDIES", 3)
    pacs.repeats = 20
    found = _source(pacs).find_studies(StudyQuery(modality="DX"), threading.Event())
    assert len(found) == 3


def test_films_are_fetched_by_get(
    pacs: LoopbackPacs,
    store: InstanceStore,
    reports: Reports,
    catalog_engine: Engine,
    phantom_films: list[Path],
) -> None:
    wanted = read_header(phantom_films[0])
    progress: list[tuple[int, int]] = []
    outcome = _source(pacs).retrieve(
        FoundStudy(wanted.study_instance_uid, instance_count=1),
        store,
        reports,
        lambda *at: progress.append(at),
        threading.Event(),
    )
    assert (outcome.stored, outcome.failed, outcome.reason) == (1, 0, "")
    assert progress == [(1, 1)]
    (film,) = StudyCatalog(catalog_engine).instances(wanted.study_instance_uid)
    assert film.sop_instance_uid == wanted.sop_instance_uid
    assert reports.events[0].peer == "PACS@127.0.0.1"


def test_films_we_refuse_are_counted_as_refused(
    pacs: LoopbackPacs, store: InstanceStore, reports: Reports
) -> None:
    film = pacs.films[0]
    film.SamplesPerPixel, film.PhotometricInterpretation = 3, "RGB"
    outcome = _source(pacs).retrieve(
        FoundStudy(film.StudyInstanceUID), store, reports, _nothing, threading.Event()
    )
    assert (outcome.stored, outcome.refused, outcome.failed) == (0, 1, 0)
    assert "colour" in reports.of_kind("refused")[0].reason


def test_moved_films_arrive_at_the_receiver(
    pacs: LoopbackPacs,
    store: InstanceStore,
    reports: Reports,
    start_receiver: StartReceiver,
) -> None:
    settings = start_receiver(allowed_ae_titles=("PACS",))
    pacs.destinations["ECHO"] = settings.port
    source = replace(_source(pacs, retrieve_by="move"), can_receive=True)
    study = FoundStudy(pacs.films[0].StudyInstanceUID)
    outcome = source.retrieve(study, store, reports, _nothing, threading.Event())
    assert outcome.stored == 1
    reports.wait_for("stored")


def test_a_move_to_an_unknown_destination_says_what_to_do(
    pacs: LoopbackPacs, store: InstanceStore, reports: Reports
) -> None:
    source = replace(_source(pacs, retrieve_by="move"), can_receive=True)
    study = FoundStudy(pacs.films[0].StudyInstanceUID)
    with pytest.raises(NetworkFailure, match="does not know our AE title"):
        source.retrieve(study, store, reports, _nothing, threading.Event())


def test_a_stop_cancels_at_the_server(
    pacs: LoopbackPacs, store: InstanceStore, reports: Reports
) -> None:
    pacs.held.set()
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    study = FoundStudy(pacs.films[0].StudyInstanceUID)
    with pytest.raises(Stopped):
        _source(pacs).retrieve(study, store, reports, _nothing, stop)
    assert pacs.was_cancelled.wait(10)
    timer.join()
    assert reports.events == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (StudyQuery(), "query"),
        (StudyQuery(patient_name="*"), "patient_name"),
        (StudyQuery(patient_id="A\\B"), "patient_id"),
        (StudyQuery(date_from="april"), "date_from"),
        (StudyQuery(date_from="20260102", date_to="20260101"), "date_to"),
    ],
)
def test_searches_for_everybody_or_for_nonsense_are_not_sent(query: StudyQuery, field: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        check_query(query)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [
        ("doe", "doe*"),
        ("Doe, Jane", "Doe^Jane*"),
        ("d?e", "d?e"),
        ("", ""),
    ],
)
def test_names_as_people_type_them(typed: str, pattern: str) -> None:
    assert StudyQuery(patient_name=typed).name_pattern == pattern


@pytest.mark.parametrize(
    ("first", "last", "asked"),
    [
        ("20260101", "20260131", "20260101-20260131"),
        ("20260101", "", "20260101-"),
        ("", "20260131", "-20260131"),
        ("20260101", "20260101", "20260101"),
        ("", "", ""),
    ],
)
def test_date_ranges(first: str, last: str, asked: str) -> None:
    assert StudyQuery(date_from=first, date_to=last).date_range == asked


def test_priors_are_plain_films_of_the_same_patient_not_here_yet() -> None:
    wanted = FoundStudy("1.1", patient_id="P", patient_birth_date="19700101", modalities=("DX",))
    others = [
        replace(wanted, study_instance_uid="1.2"),  # here already
        replace(wanted, study_instance_uid="1.3", patient_id="p"),
        replace(wanted, study_instance_uid="1.4", patient_birth_date="19700102"),
        replace(wanted, study_instance_uid="1.5", modalities=("CT",)),
    ]
    undated = replace(wanted, study_instance_uid="1.6", patient_birth_date="", modalities=())
    chosen = choose_priors(
        [*others, wanted, undated],
        patient_id="P",
        patient_birth_date="19700101",
        known_uids=frozenset({"1.2"}),
    )
    assert chosen == [wanted, undated]
