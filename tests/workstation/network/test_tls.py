"""TLS of the receiver and of our own calls, with an authority made for the test."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.workstation.network.conftest import Reports, StartReceiver, free_port
from workstation.network.dicom_query import DicomStudySource
from workstation.network.dicomweb import WebStudySource
from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.instance_store import InstanceStore
from workstation.network.receiver import StorageReceiver
from workstation.network.settings import DicomServer, ReceiverSettings, WebServer


@dataclass(frozen=True)
class Certificates:
    """PEM files: an authority, and a certificate of it for localhost with its key."""

    authority: str
    certificate: str
    key: str
    locked_key: str


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True, cwd=folder)

    run(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem"),
        *("-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
    )
    run("rsa", "-aes256", "-passout", "pass:x", "-in", "key.pem", "-out", "locked.pem")
    paths = [str(folder / name) for name in ("cert.pem", "cert.pem", "key.pem", "locked.pem")]
    return Certificates(*paths)


@pytest.fixture
def receiver(start_receiver: StartReceiver, certificates: Certificates) -> ReceiverSettings:
    return start_receiver(certificate_file=certificates.certificate, key_file=certificates.key)


def _server(receiver: ReceiverSettings, certificates: Certificates) -> DicomServer:
    server = DicomServer("TLS", "localhost", "ECHO", receiver.port, uses_tls=True)
    return replace(server, ca_file=certificates.authority)


def test_calls_over_tls_are_answered(
    receiver: ReceiverSettings, certificates: Certificates
) -> None:
    source = DicomStudySource(_server(receiver, certificates), "SENDER")
    assert "answers" in source.check()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_certificate_of_nobody_we_trust_is_refused(
    receiver: ReceiverSettings, certificates: Certificates
) -> None:
    stranger = replace(_server(receiver, certificates), ca_file="")
    with pytest.raises(NetworkFailure, match="no answer by TLS"):
        DicomStudySource(stranger, "SENDER").check()


def test_a_caller_without_tls_gets_nowhere_and_keeps_nobody_waiting(
    receiver: ReceiverSettings, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.network.receiver._HANDSHAKE_S", 0.5)
    with socket.create_connection(("127.0.0.1", receiver.port), 5):  # says nothing
        source = DicomStudySource(_server(receiver, certificates), "SENDER")
        assert "answers" in source.check()


def test_callers_may_have_to_show_a_certificate(
    start_receiver: StartReceiver, certificates: Certificates
) -> None:
    settings = start_receiver(
        certificate_file=certificates.certificate,
        key_file=certificates.key,
        client_ca_file=certificates.authority,
    )
    context = ssl.create_default_context(cafile=certificates.authority)
    assert not _is_let_in(context, settings.port)
    context.load_cert_chain(certificates.certificate, certificates.key)
    assert _is_let_in(context, settings.port)


def _is_let_in(context: ssl.SSLContext, port: int) -> bool:
    """TLS 1.3 refuses a caller at its first answer, not in the handshake: an A-ABORT is sent, which
    ends a connection without one."""
    with socket.create_connection(("localhost", port), 10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00")
                return connection.recv(1) == b""
        except (ssl.SSLError, ConnectionError):
            return False


def test_keys_that_can_not_be_used_are_said(
    store: InstanceStore, reports: Reports, certificates: Certificates, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no key")
    for key, reason in ((certificates.locked_key, "passphrase"), (str(nonsense), "not usable")):
        settings = ReceiverSettings(
            port=free_port(),
            allowed_ae_titles=("SENDER",),
            certificate_file=certificates.certificate,
            key_file=key,
        )
        with pytest.raises(InvalidSettings, match=reason):
            StorageReceiver(settings, store, reports)


def test_a_server_that_asks_for_our_certificate_gets_it(
    start_receiver: StartReceiver, certificates: Certificates
) -> None:
    settings = start_receiver(
        certificate_file=certificates.certificate,
        key_file=certificates.key,
        client_ca_file=certificates.authority,
    )
    server = _server(settings, certificates)
    with pytest.raises(NetworkFailure):
        DicomStudySource(server, "SENDER").check()
    known = replace(server, certificate_file=certificates.certificate, key_file=certificates.key)
    assert "answers" in DicomStudySource(known, "SENDER").check()
    locked = replace(known, key_file=certificates.locked_key)
    with pytest.raises(InvalidSettings, match="passphrase"):
        DicomStudySource(locked, "SENDER").check()


@pytest.fixture
def guarded_web(certificates: Certificates) -> Iterator[str]:
    """The address of an HTTPS service that lets in only who shows a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A caller without a certificate ends in an error of the handshake."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    context.load_verify_locations(certificates.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    server = Quiet(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"https://localhost:{server.server_address[1]}/dicom-web"
    server.shutdown()
    server.server_close()
    thread.join()


def test_dicomweb_shows_our_certificate_too(guarded_web: str, certificates: Certificates) -> None:
    server = WebServer("Web", guarded_web, ca_file=certificates.authority)
    with pytest.raises(NetworkFailure):
        WebStudySource(server).check()
    known = replace(server, certificate_file=certificates.certificate, key_file=certificates.key)
    assert "answers" in WebStudySource(known).check()
