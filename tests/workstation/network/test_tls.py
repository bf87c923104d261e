"""TLS of the receiver and of our own calls, with an authority made for the test."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.workstation.network.conftest import Reports, StartReceiver, free_port
from workstation.network.dicom_query import DicomStudySource
from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.instance_store import InstanceStore
from workstation.network.receiver import StorageReceiver
from workstation.network.settings import DicomServer, ReceiverSettings


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
