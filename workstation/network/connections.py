"""What pynetdicom 3.0 leaves open: sockets whose other end is gone, the length of a PDU, and the
time that one may take."""

from __future__ import annotations

import socket
import time
from functools import partial
from typing import Any

from pynetdicom import evt
from pynetdicom.events import Event

MAX_PDU_BYTES = 4 * 2**20
"""Far above what we announce (PS3.8 D.1), and above any association request."""

_CHUNK = 65_536

PDU_S = 60.0
"""A PDU that has begun is whole by then, or never: its sender's power or cable is gone."""


class ConnectionGuard:
    """Closes every connection's socket once pynetdicom is done with it, and at once where the
    other side announces a PDU that is larger than any, or stops in the middle of one: pynetdicom
    would collect up to 4 GB in memory, and wait for ever, even for a caller it has yet to reject.
    """

    def __init__(self) -> None:
        self._open: dict[int, socket.socket] = {}

    @property
    def handlers(self) -> list[Any]:
        """To be given to an association or a server."""
        return [(evt.EVT_CONN_OPEN, self._on_open), (evt.EVT_CONN_CLOSE, self._on_close)]

    def _on_open(self, event: Event) -> None:
        connection: Any = event.assoc.dul.socket
        if connection is not None and connection.socket is not None:
            self._open[id(event.assoc)] = connection.socket
            connection.socket.settimeout(PDU_S)  # also of a send that nobody reads
            connection.recv = partial(_receive, connection.socket)

    def _on_close(self, event: Event) -> None:
        opened = self._open.pop(id(event.assoc), None)
        if opened is not None:
            opened.close()


def _receive(opened: socket.socket, count: int) -> bytearray:
    """Fewer bytes where the other side has closed. Raises OSError, with the socket closed."""
    if count > MAX_PDU_BYTES:
        opened.close()
        raise ConnectionAbortedError(f"a PDU of {count} bytes was announced")
    received, deadline = bytearray(), time.monotonic() + PDU_S
    try:
        while len(received) < count:
            opened.settimeout(max(0.001, deadline - time.monotonic()))
            part = opened.recv(min(count - len(received), _CHUNK))
            if not part:
                break
            received += part
        opened.settimeout(PDU_S)
    except OSError:
        opened.close()
        raise
    return received
