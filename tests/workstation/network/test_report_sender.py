"""Documents sent by C-STORE: to Orthanc, to ourselves, to who refuses and to nobody."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.uid import EnhancedSRStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt

from tests.workstation.network.conftest import BASIC, Orthanc, StartReceiver, free_port
from tests.workstation.reported_studies import (
    MakeStudy,
    ReportedStudy,
)
from workstation.network.connections import ConnectionGuard
from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.report_sender import ReportSender
from workstation.network.settings import DicomServer


def _ask(server: Orthanc, path: str, body: object = None) -> bytes:
    url = f"http://127.0.0.1:{server.http_port}{path}"
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, sent, {"Authorization": BASIC})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


@pytest.mark.slow
@pytest.mark.parametrize("form", ["sr", "dicom-pdf"])
def test_orthanc_keeps_the_document_as_it_was_sent(
    orthanc: Orthanc,
    make_study: MakeStudy,
    form: Any,
) -> None:
    study = make_study("zh")
    document = study.exporter.make(study.bring_to("addended"), form)
    server = DicomServer("Orthanc", "127.0.0.1", "ORTHANC", orthanc.dicom_port)
    sender = ReportSender(server, "ECHO")
    study.exporter.send(document, sender.destination, sender.store)
    query = {"Level": "Instance", "Query": {"SOPInstanceUID": document.document_uid}}
    (found,) = json.loads(_ask(orthanc, "/tools/find", query))
    kept = pydicom.dcmread(BytesIO(_ask(orthanc, f"/instances/{found}/file")))
    assert kept == pydicom.dcmread(BytesIO(document.content))
    tags = json.loads(_ask(orthanc, f"/instances/{found}/simplified-tags"))
    assert tags["PatientName"] == "Wang^XiaoDong=王^小东"
    rows = [entry for entry in study.sources.audit.entries(study.uid) if entry.event == "export"]
    assert [row.details["outcome"] for row in rows] == ["sending", "stored"]
    assert f"(ORTHANC@127.0.0.1:{orthanc.dicom_port})" in rows[-1].details["destination"]


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """Somebody who takes the connection and then has no room."""
    entity = AE(ae_title="FULL")
    entity.add_supported_context(EnhancedSRStorage, ExplicitVRLittleEndian)
    port = free_port()
    handlers = [(evt.EVT_C_STORE, lambda event: 0xA700), *ConnectionGuard().handlers]
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
    yield port
    server.shutdown()
    server.server_close()


def test_a_refusal_is_told_and_audited(
    refusing_port: int,
    study: ReportedStudy,
) -> None:
    document = study.exporter.make(study.bring_to("final"), "sr")
    sender = ReportSender(DicomServer("Full", "127.0.0.1", "FULL", refusing_port), "ECHO")
    with pytest.raises(NetworkFailure, match=r"Full: it is out of resources \(status A700\)"):
        study.exporter.send(document, sender.destination, sender.store)
    last = study.sources.audit.entries(study.uid)[-1]
    assert last.details["outcome"].startswith("failed: Full: it is out of resources")


def test_who_takes_no_reports_is_told(
    start_receiver: StartReceiver,
    study: ReportedStudy,
) -> None:
    settings = start_receiver()
    server = DicomServer("Films only", settings.host, settings.ae_title, settings.port)
    document = study.exporter.make(study.read(), "sr")
    with pytest.raises(NetworkFailure, match="does not take this kind of document"):
        ReportSender(server, "SENDER").store(document.content)
    with pytest.raises(NetworkFailure, match="check both AE titles"):
        ReportSender(server, "STRANGER").store(document.content)


# pynetdicom leaves a socket that could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nobody_there_is_told(study: ReportedStudy) -> None:
    sender = ReportSender(DicomServer("Gone", "127.0.0.1", "GONE", free_port()), "ECHO")
    document = study.exporter.make(study.read(), "sr")
    with pytest.raises(NetworkFailure, match=r"Gone: no answer from 127\.0\.0\.1"):
        sender.store(document.content)


def test_settings_that_can_not_work_are_refused() -> None:
    with pytest.raises(InvalidSettings, match="longer than 16"):
        ReportSender(DicomServer("X", "127.0.0.1", "X"), "A" * 17)
