from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from sqlalchemy import Engine

from tests.workstation.network.conftest import Reports, StartReceiver, connect, free_port
from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.instance_reader import read_film
from workstation.network import connections
from workstation.network.failures import NetworkFailure
from workstation.network.instance_store import InstanceStore
from workstation.network.receiver import StorageReceiver
from workstation.network.settings import ReceiverSettings

_SR = "1.2.840.10008.5.1.4.1.1.88.11"


def _send(settings: ReceiverSettings, *files: Path | Dataset) -> list[Dataset]:
    association = connect(settings)
    assert association.is_established
    answers = [association.send_c_store(file) for file in files]
    association.release()
    return answers


def _listed(engine: Engine) -> list[Path]:
    catalog = StudyCatalog(engine)
    studies = catalog.list_studies()
    return [film.path for row in studies for film in catalog.instances(row.study_instance_uid)]


def _parts(store: InstanceStore) -> list[Path]:
    return list(store.folder.rglob("*.part"))


def test_received_films_are_listed_stored_as_sent_and_audited(
    start_receiver: StartReceiver,
    reports: Reports,
    catalog_engine: Engine,
    store: InstanceStore,
    phantom_films: list[Path],
) -> None:
    settings = start_receiver()
    answers = _send(settings, *phantom_films)
    assert [answer.Status for answer in answers] == [0x0000, 0x0000]
    stored = reports.wait_for("stored", 2)
    assert {event.peer for event in stored} == {"SENDER@127.0.0.1"}
    listed = _listed(catalog_engine)
    sent = {pydicom.dcmread(film).SOPInstanceUID: film for film in phantom_films}
    assert len(listed) == 2
    for path in listed:
        film = read_film(path)
        original = sent[film.header.sop_instance_uid]
        assert (film.stored == read_film(original).stored).all()
        assert path.is_relative_to(store.folder)
        assert path.stat().st_mode & 0o077 == 0
    audit = AuditLog(catalog_engine)
    imports = [entry for entry in audit.entries() if entry.event == "import"]
    assert {entry.details["sop_instance_uid"] for entry in imports} == set(sent)
    assert imports[0].details["source"] == "C-STORE SENDER@127.0.0.1"
    assert audit.verify().ok
    assert _parts(store) == []


def test_a_film_sent_again_is_harmless(
    start_receiver: StartReceiver,
    reports: Reports,
    catalog_engine: Engine,
    phantom_films: list[Path],
) -> None:
    settings = start_receiver()
    _send(settings, phantom_films[0])
    (path,) = _listed(catalog_engine)
    before = path.stat().st_mtime_ns
    assert _send(settings, phantom_films[0])[0].Status == 0x0000
    reports.wait_for("known")
    assert _listed(catalog_engine) == [path]
    assert path.stat().st_mtime_ns == before


def test_verification_is_answered(start_receiver: StartReceiver) -> None:
    settings = start_receiver()
    entity = AE(ae_title="SENDER")
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate(settings.host, settings.port, ae_title="ECHO")
    assert association.send_c_echo().Status == 0x0000
    association.release()


@pytest.mark.parametrize(
    ("caller", "called", "diagnostic", "reason"),
    [
        ("STRANGER", "ECHO", 3, "not on the list"),
        ("SENDER", "OTHER", 7, "it called 'OTHER'"),
    ],
)
def test_strangers_are_rejected_and_listed(
    start_receiver: StartReceiver,
    reports: Reports,
    caller: str,
    called: str,
    diagnostic: int,
    reason: str,
) -> None:
    settings = start_receiver()
    association = connect(settings, caller, called)
    assert association.is_rejected
    assert association.acceptor.primitive.diagnostic == diagnostic
    (event,) = reports.wait_for("rejected")
    assert event.peer == f"{caller}@127.0.0.1"
    assert reason in event.reason


def test_a_sop_class_that_is_no_image_is_rejected_and_listed(
    start_receiver: StartReceiver, reports: Reports
) -> None:
    settings = start_receiver()
    entity = AE(ae_title="SENDER")
    entity.add_requested_context(_SR)
    entity.add_requested_context("1.2.840.10008.1.1")
    for _ in range(2):  # and listed once, however often it is offered
        association = entity.associate(settings.host, settings.port, ae_title="ECHO")
        assert [str(each.abstract_syntax) for each in association.rejected_contexts] == [_SR]
        association.release()
    (event,) = reports.wait_for("rejected")
    assert event.reason == "not received here: Basic Text SR Storage"


def test_an_instance_that_is_no_film_is_refused_with_the_reason(
    start_receiver: StartReceiver,
    reports: Reports,
    catalog_engine: Engine,
    phantom_films: list[Path],
) -> None:
    settings = start_receiver()
    colour = pydicom.dcmread(phantom_films[0])
    colour.SamplesPerPixel, colour.PhotometricInterpretation = 3, "RGB"
    truncated = pydicom.dcmread(phantom_films[1])
    truncated.PixelData = truncated.PixelData[:100]
    answers = _send(settings, colour, truncated, phantom_films[0])
    assert [answer.Status for answer in answers] == [0xC000, 0xC000, 0x0000]
    assert answers[0].ErrorComment.startswith("colour image")
    assert [event.reason[:12] for event in reports.wait_for("refused", 2)] == [
        "colour image",
        "image is tru",
    ]
    assert len(_listed(catalog_engine)) == 1


def test_a_data_set_that_is_not_the_announced_one_is_refused(
    reports: Reports,
    start_receiver: StartReceiver,
    phantom_films: list[Path],
    catalog_engine: Engine,
) -> None:
    settings = start_receiver()
    association = connect(settings)
    film = pydicom.dcmread(phantom_films[0])
    original = film.SOPInstanceUID

    def announce(uid: str) -> int:
        # send_c_store announces what the data set says; the wire is rewritten here.
        real = association.dimse.send_msg

        def lying(primitive, context_id):  # type: ignore[no-untyped-def]
            primitive.AffectedSOPInstanceUID = uid
            real(primitive, context_id)

        association.dimse.send_msg = lying
        try:
            return association.send_c_store(film).Status
        finally:
            association.dimse.send_msg = real

    assert announce("1.2.3.4") == 0xA900
    assert announce(original) == 0x0000
    association.release()
    assert "announced" in reports.of_kind("refused")[0].reason
    assert len(_listed(catalog_engine)) == 1


def test_another_patients_study_is_refused(
    start_receiver: StartReceiver, reports: Reports, phantom_films: list[Path]
) -> None:
    settings = start_receiver()
    mixed_up = pydicom.dcmread(phantom_films[0])
    mixed_up.PatientID = "SOMEBODY-ELSE"
    mixed_up.SOPInstanceUID = mixed_up.file_meta.MediaStorageSOPInstanceUID = "1.2.3.99"
    answers = _send(settings, phantom_films[0], mixed_up)
    assert [answer.Status for answer in answers] == [0x0000, 0xA900]
    assert "another patient" in reports.of_kind("refused")[0].reason


class _Cut:
    """A relay on loopback that breaks the connection off after so many bytes from the sender."""

    def __init__(self, port: int, limit: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._target, self._limit = port, limit
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    def _relay(self) -> None:
        left, _ = self._server.accept()
        right = socket.create_connection(("127.0.0.1", self._target))
        back = threading.Thread(target=self._pump, args=(right, left), daemon=True)
        back.start()
        passed = 0
        while passed < self._limit and (piece := left.recv(min(4096, self._limit - passed))):
            right.sendall(piece)
            passed += len(piece)
        for end in (left, right):
            end.shutdown(socket.SHUT_RDWR)
        back.join(10)
        left.close()
        right.close()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(4096):
                target.sendall(piece)
        except OSError:
            return

    def close(self) -> None:
        self._thread.join(10)
        self._server.close()


@contextmanager
def _cut_after(port: int, limit: int) -> Iterator[int]:
    relay = _Cut(port, limit)
    try:
        yield relay.port
    finally:
        relay.close()


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_dropped_association_leaves_nothing_and_a_retry_completes(
    start_receiver: StartReceiver,
    reports: Reports,
    store: InstanceStore,
    catalog_engine: Engine,
    phantom_films: list[Path],
    share: float,
) -> None:
    settings = start_receiver()
    with _cut_after(settings.port, int(phantom_films[0].stat().st_size * share)) as port:
        association = connect(settings, port=port)
        assert "Status" not in association.send_c_store(phantom_films[0])
    assert _listed(catalog_engine) == []
    assert _parts(store) == []
    assert _send(settings, phantom_films[0])[0].Status == 0x0000
    assert len(_listed(catalog_engine)) == 1
    assert len(reports.of_kind("stored")) == 1


def test_an_instance_larger_than_any_film_is_cut_off(
    start_receiver: StartReceiver,
    reports: Reports,
    monkeypatch: pytest.MonkeyPatch,
    phantom_films: list[Path],
    catalog_engine: Engine,
) -> None:
    settings = start_receiver()
    monkeypatch.setattr("workstation.network.receiver.MAX_FILE_BYTES", 50_000)
    association = connect(settings)
    assert "Status" not in association.send_c_store(phantom_films[0])
    assert "cut off" in reports.wait_for("refused")[0].reason
    assert _listed(catalog_engine) == []


def test_a_pdu_larger_than_any_is_cut_off_before_it_is_read(
    start_receiver: StartReceiver, phantom_films: list[Path]
) -> None:
    """4 GB announced by a caller that has not even said who it is."""
    settings = start_receiver()
    with socket.create_connection((settings.host, settings.port), 5) as stranger:
        stranger.sendall(b"\x01\x00\xff\xff\xff\xff")
        with contextlib.suppress(ConnectionResetError):
            assert stranger.recv(1) == b""  # closed at once, not when 4 GB have come
    assert _send(settings, phantom_films[0])[0].Status == 0x0000


def test_senders_that_stop_in_the_middle_of_a_pdu_keep_nobody_out(
    start_receiver: StartReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pulled plug closes no connection; eight of them were all there are."""
    monkeypatch.setattr(connections, "PDU_S", 0.3)
    settings = start_receiver()
    address = (settings.host, settings.port)
    began = (b"\x01\x00", b"\x01\x00\x00\x00\x01\x00" + b"\x00" * 10)
    stalled = [socket.create_connection(address, timeout=60) for _ in range(10)]
    for number, connection in enumerate(stalled):
        connection.sendall(began[number % 2])
    for connection in stalled:
        assert connection.recv(1) == b""
        connection.close()
    for thread in threading.enumerate():
        if thread.name.startswith("AcceptorThread"):
            thread.join(60)
    monkeypatch.setattr(connections, "PDU_S", 60.0)
    assert _send(settings) == []


def test_a_port_in_use_is_said(store: InstanceStore, reports: Reports) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = ReceiverSettings(port=port, allowed_ae_titles=("SENDER",))
        receiver = StorageReceiver(settings, store, reports)
        with pytest.raises(NetworkFailure, match=f"127.0.0.1:{port}.*in use"):
            receiver.start()
        assert not receiver.is_listening


def test_stopping_closes_the_port(store: InstanceStore, reports: Reports) -> None:
    settings = ReceiverSettings(port=free_port(), allowed_ae_titles=("SENDER",))
    receiver = StorageReceiver(settings, store, reports)
    receiver.start()
    socket.create_connection(("127.0.0.1", settings.port), 5).close()
    receiver.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", settings.port), 5)
    receiver.start()  # and may be started again
    receiver.stop()


def test_stopping_hangs_up_on_a_caller_that_says_nothing(
    store: InstanceStore, reports: Reports
) -> None:
    settings = ReceiverSettings(port=free_port(), allowed_ae_titles=("SENDER",))
    receiver = StorageReceiver(settings, store, reports)
    receiver.start()
    with socket.create_connection(("127.0.0.1", settings.port), 5) as silent:
        receiver.stop()
        try:
            said = silent.recv(1)
        except ConnectionResetError:  # it was not even heard
            said = b""
    assert said == b""


def test_compressed_films_arrive_as_they_were_compressed(
    start_receiver: StartReceiver, shared_data: Path, catalog_engine: Engine
) -> None:
    settings = start_receiver()
    jpeg = shared_data / "dicom" / "01_chest_cr_dx" / "rsna_cr_sc_jpeg.dcm"
    assert _send(settings, jpeg)[0].Status == 0x0000
    (path,) = _listed(catalog_engine)
    received, original = pydicom.dcmread(path), pydicom.dcmread(jpeg)
    assert received.PixelData == original.PixelData
    assert received.file_meta.TransferSyntaxUID != ExplicitVRLittleEndian
