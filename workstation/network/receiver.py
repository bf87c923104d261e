"""The C-STORE receiver: our own application entity, for those the user named and nobody else."""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import suppress
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification

from workstation.dicom.dataset_reading import MAX_FILE_BYTES
from workstation.network.connections import ConnectionGuard
from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.instance_store import InstanceStore
from workstation.network.settings import ReceiverSettings, check_receiver
from workstation.network.storage_service import (
    IntakeEvent,
    Report,
    answer_c_store,
    class_names,
    receiver_contexts,
)

_log = logging.getLogger(__name__)

_MAX_ASSOCIATIONS = 8
_HANDSHAKE_S = 10.0
_ACSE_S = 30.0
_IDLE_S = 60.0
_PDU_BYTES = 131_072  # larger than the usual 16 KB: fewer round trips through Python


class StorageReceiver:
    """Listens between ``start`` and ``stop``; instances go to the store, events to report.

    report is called on the associations' threads, several at once.
    """

    def __init__(self, settings: ReceiverSettings, store: InstanceStore, report: Report) -> None:
        """Raises InvalidSettings."""
        check_receiver(settings)
        self._settings, self._store, self._report = settings, store, report
        self._tls = _server_tls(settings) if settings.uses_tls else None
        self._entity: AE | None = None
        self._said: set[tuple[str, str]] = set()
        self._incoming: dict[int, int] = {}  # bytes of the message at hand, by association

    @property
    def is_listening(self) -> bool:
        return self._entity is not None

    def start(self) -> None:
        """Raises NetworkFailure where the address can't be listened on."""
        assert self._entity is None
        self._store.remove_stale()
        settings = self._settings
        entity = AE(ae_title=settings.ae_title.strip())
        entity.supported_contexts = receiver_contexts()
        entity.add_supported_context(Verification)
        entity.require_called_aet = True
        entity.require_calling_aet = [each.strip() for each in settings.allowed_ae_titles]
        entity.maximum_associations = _MAX_ASSOCIATIONS
        entity.maximum_pdu_size = _PDU_BYTES
        entity.acse_timeout, entity.dimse_timeout, entity.network_timeout = _ACSE_S, None, _IDLE_S
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._on_c_store),
            (evt.EVT_REJECTED, self._on_rejected),
            (evt.EVT_ACCEPTED, self._on_accepted),
            (evt.EVT_PDU_RECV, self._on_pdu_received),
            (evt.EVT_CONN_CLOSE, self._on_closed),
            *ConnectionGuard().handlers,
        ]
        address = (settings.host, settings.port)
        try:
            entity.start_server(address, block=False, ssl_context=self._tls, evt_handlers=handlers)
        except OSError as error:
            reason = error.strerror or str(error)
            raise NetworkFailure(f"{settings.host}:{settings.port}", reason) from error
        self._entity = entity

    def stop(self) -> None:
        """Break off what is under way and close the port. A sender will have to send again."""
        if self._entity is not None:
            for server in list(self._entity._servers):
                server.shutdown()
            for association in self._entity.active_associations:
                _hang_up(association)
            self._entity = None

    def _on_c_store(self, event: Event) -> Dataset:
        return answer_c_store(event, self._store, _peer_of(event), self._report)

    def _on_rejected(self, event: Event) -> None:
        """The same conditions, in the same order, as pynetdicom rejects by (PS3.8 9.3.4)."""
        caller, called = _requested_titles(event)
        settings = self._settings
        if called != settings.ae_title.strip():
            reason = f"it called {called!r}; this is {settings.ae_title.strip()!r}"
        elif caller not in [each.strip() for each in settings.allowed_ae_titles]:
            reason = "this AE title is not on the list of those that may send"
        else:
            reason = "too many senders at once; it may try again"
        self._report(IntakeEvent("rejected", _peer_of(event), reason=reason))

    def _on_accepted(self, event: Event) -> None:
        """What a caller offers in vain is said once: it offers the same every time."""
        refused, peer = event.assoc.rejected_contexts, _peer_of(event)
        reason = f"not received here: {class_names(refused)}"
        if refused and (peer, reason) not in self._said:
            self._said.add((peer, reason))
            self._report(IntakeEvent("rejected", peer, reason=reason))

    def _on_pdu_received(self, event: Event) -> None:
        """Break off a message that grows beyond any film: it is collected in memory."""
        items = getattr(event.pdu, "presentation_data_value_items", None)
        if items is None:
            return
        association = id(event.assoc)
        size = self._incoming.get(association, 0)
        for item in items:
            size += len(item.presentation_data_value)
            # Message Control Header (PS3.8 E.2): bit 1 marks the last fragment of a part.
            if item.presentation_data_value[0] & 2:
                size = 0
        self._incoming[association] = size
        if size > MAX_FILE_BYTES:
            self._incoming.pop(association)
            reason = f"an instance larger than {MAX_FILE_BYTES >> 20} MB; the sender was cut off"
            self._report(IntakeEvent("refused", _peer_of(event), reason=reason))
            event.assoc.dul.event_queue.put("Evt19")  # as for an invalid PDU: A-ABORT

    def _on_closed(self, event: Event) -> None:
        self._incoming.pop(id(event.assoc), None)


class _PatientlessContext(ssl.SSLContext):
    """Gives a caller a few seconds for its handshake; pynetdicom's only listening thread would
    otherwise wait as long as the caller likes."""

    def wrap_socket(self, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        sock.settimeout(_HANDSHAKE_S)
        try:
            wrapped = super().wrap_socket(sock, *args, **kwargs)
        except OSError:
            sock.close()
            raise
        wrapped.settimeout(None)
        return wrapped


def _hang_up(association: Association) -> None:
    """Abort it, or close the connection of a caller that has not been accepted yet: there is no
    association to abort then (PS3.8 Table 9-10), and pynetdicom raises in its thread if told to.
    """
    connection = association.dul.socket
    if association.is_established:
        association.abort()
    elif connection is not None and connection.socket is not None:
        with suppress(OSError):  # the caller was faster
            connection.socket.shutdown(socket.SHUT_RDWR)


def _server_tls(settings: ReceiverSettings) -> ssl.SSLContext:
    """TLS 1.2 and up (PS3.15 B.12 BCP 195); a caller's certificate where the user wants one."""
    context = _PatientlessContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    field = "certificate_file"
    try:
        # A key under a passphrase would make OpenSSL ask on the terminal: refused instead.
        context.load_cert_chain(
            settings.certificate_file, settings.key_file, password=_no_passphrase
        )
        if settings.client_ca_file:
            field = "client_ca_file"
            context.load_verify_locations(settings.client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise InvalidSettings(field, f"not usable for TLS ({error})") from None
    return context


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase, which is not supported")


def _requested_titles(event: Event) -> tuple[str, str]:
    request = event.assoc.requestor.primitive
    assert request is not None  # every event we handle comes after the request
    return str(request.calling_ae_title).strip(), str(request.called_ae_title).strip()


def _peer_of(event: Event) -> str:
    caller, _ = _requested_titles(event)
    return f"{caller or '?'}@{event.assoc.requestor.address}"
