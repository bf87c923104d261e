"""C-STORE of documents to one configured server (PS3.4 Annex B)."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import AE, Association, build_context

from workstation.dicom.unreadable import muted_warnings
from workstation.network.caller_tls import open_caller_tls
from workstation.network.connections import ConnectionGuard
from workstation.network.failures import NetworkFailure
from workstation.network.settings import DicomServer, check_ae_title, check_server

_CONNECT_S = 10.0
_ANSWER_S = 60.0

# PS3.4 B.2.3 and PS3.7 C.4; ranges by their first digits.
_REASONS = {
    0xA700: "it is out of resources",
    0xA900: "the document does not match its SOP class",
    0xC000: "it does not understand the document",
    0x0117: "it does not accept the document's UID",
    0x0122: "it does not take this kind of document",
    0x0124: "we are not authorised there",
    0x0210: "it has a document of this UID and does not take it again",
}
_WARNINGS = range(0xB000, 0xC000)  # stored, with something changed or dropped


@dataclass(frozen=True)
class ReportSender:
    """Sends one document an association. own_ae_title: how we call ourselves."""

    server: DicomServer
    own_ae_title: str

    def __post_init__(self) -> None:
        check_server(self.server)
        check_ae_title(self.own_ae_title)

    @property
    def destination(self) -> str:
        """Who it goes to, for the audit log."""
        server = self.server
        return f"{server.name} ({server.ae_title.strip()}@{server.host}:{server.port})"

    def store(self, content: bytes) -> None:
        """Send a DICOM file; returns when the server has it. Raises NetworkFailure."""
        with muted_warnings():
            document = pydicom.dcmread(BytesIO(content))
        association = self._connect(document)
        try:
            status = association.send_c_store(document)
        except (ValueError, RuntimeError) as error:
            association.abort()
            raise NetworkFailure(self.server.name, str(error)) from error
        association.release()
        code = status.get("Status")
        if code != 0x0000 and code not in _WARNINGS:
            raise NetworkFailure(self.server.name, _word(status))

    def _connect(self, document: Dataset) -> Association:
        server = self.server
        entity = AE(ae_title=self.own_ae_title.strip())
        entity.connection_timeout = _CONNECT_S
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _ANSWER_S
        syntax = document.file_meta.TransferSyntaxUID
        association = entity.associate(
            server.host,
            server.port,
            contexts=[build_context(document.SOPClassUID, syntax)],
            ae_title=server.ae_title.strip(),
            tls_args=(open_caller_tls(server), server.host) if server.uses_tls else None,
            evt_handlers=ConnectionGuard().handlers,
        )
        if association.is_established:
            return association
        raise NetworkFailure(server.name, _why_not(association, server))


def _why_not(association: Association, server: DicomServer) -> str:
    if association.is_rejected:
        answer = association.acceptor.primitive
        words = getattr(answer, "reason_str", "") or "no reason given"
        return f"it rejects the connection ({words}); check both AE titles"
    if association.rejected_contexts:
        return _REASONS[0x0122]
    tls = " by TLS" if server.uses_tls else ""
    return f"no answer{tls} from {server.host}:{server.port}"


def _word(status: Dataset) -> str:
    code = status.get("Status")
    if code is None:
        return "no answer, or the connection broke; it may or may not have the document"
    comment = str(status.get("ErrorComment", ""))
    words = (
        _REASONS.get(code)
        or _REASONS.get(code & 0xFF00)
        or _REASONS.get(code & 0xF000)
        or "it refused the document"
    )
    return f"{words} (status {code:04X}{', ' if comment else ''}{comment})"
