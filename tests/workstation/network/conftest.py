"""A store over a real catalog, a receiver on a free port, senders, and Orthanc where it is."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE, Association
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.network.connections import ConnectionGuard
from workstation.network.instance_store import InstanceStore
from workstation.network.receiver import StorageReceiver
from workstation.network.settings import ReceiverSettings
from workstation.network.storage_service import IntakeEvent

ORTHANC_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
ORTHANC_START_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Reports:
    """Collects events from the network's threads; ``wait_for`` blocks until one came."""

    events: list[IntakeEvent] = field(default_factory=list)
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, event: IntakeEvent) -> None:
        with self._arrived:
            self.events.append(event)
            self._arrived.notify_all()

    def wait_for(self, kind: str, count: int = 1) -> list[IntakeEvent]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.of_kind(kind)) >= count, 20), self.events
            return self.of_kind(kind)

    def of_kind(self, kind: str) -> list[IntakeEvent]:
        return [event for event in self.events if event.kind == kind]


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def store(catalog_engine: Engine) -> InstanceStore:
    return InstanceStore(StudyCatalog(catalog_engine), AuditLog(catalog_engine), "tester")


StartReceiver = Callable[..., ReceiverSettings]


@pytest.fixture
def start_receiver(store: InstanceStore, reports: Reports) -> Iterator[StartReceiver]:
    """start_receiver(**settings): a receiver on a free loopback port that lets SENDER send."""
    started: list[StorageReceiver] = []

    def start(**changes: object) -> ReceiverSettings:
        given = {"port": free_port(), "allowed_ae_titles": ("SENDER",), **changes}
        settings = ReceiverSettings(**given)  # type: ignore[arg-type]
        receiver = StorageReceiver(settings, store, reports)
        receiver.start()
        started.append(receiver)
        return settings

    yield start
    for receiver in started:
        receiver.stop()


def connect(
    settings: ReceiverSettings, title: str = "SENDER", called: str = "ECHO", port: int = 0
) -> Association:
    """A storage SCU's association, each SOP class with each encoding in a context of its own."""
    entity = AE(ae_title=title)
    for syntax in (ExplicitVRLittleEndian, JPEGBaseline8Bit):
        for sop_class in (DigitalXRayImageStorageForPresentation, SecondaryCaptureImageStorage):
            entity.add_requested_context(sop_class, syntax)
    handlers = ConnectionGuard().handlers
    return entity.associate(
        settings.host, port or settings.port, ae_title=called, evt_handlers=handlers
    )


# -- Orthanc ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Orthanc:
    """A running server. own_port: where it believes the AE title ECHO to listen (for C-MOVE)."""

    dicom_port: int
    http_port: int
    own_port: int

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def upload(self, path: Path) -> None:
        url = f"http://127.0.0.1:{self.http_port}/instances"
        request = urllib.request.Request(url, path.read_bytes(), {"Authorization": BASIC})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()


USER, PASSWORD = "reader", "secret"
BASIC = "Basic cmVhZGVyOnNlY3JldA=="  # reader:secret


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """Debian's Orthanc with its DICOMweb plugin, on loopback, with a login, empty."""
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    if program is None or not ORTHANC_PLUGIN.exists():
        pytest.skip("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    folder = tmp_path_factory.mktemp("orthanc")
    server = Orthanc(free_port(), free_port(), free_port())
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [str(ORTHANC_PLUGIN)],
        "DicomAet": "ORTHANC",
        "DicomPort": server.dicom_port,
        "HttpPort": server.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "DicomModalities": {"echo": ["ECHO", "127.0.0.1", server.own_port]},
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    log = folder / "orthanc.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")], stdout=output, stderr=output, cwd=folder
        )
    try:
        _await_start(server, process, log)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _await_start(server: Orthanc, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + ORTHANC_START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            socket.create_connection(("127.0.0.1", server.dicom_port), 1).close()
            socket.create_connection(("127.0.0.1", server.http_port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"Orthanc did not start: {log.read_text(errors='replace')[-2000:]}")
