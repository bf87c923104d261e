"""What pynetdicom 3.0 leaves open: sockets whose other end is gone, and the length of a PDU."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from pynetdicom import evt
from pynetdicom.events import Event

MAX_PDU_BYTES = 4 * 2**20
"""Far above what we announce (PS3.8 D.1), and above any association request."""


class ConnectionGuard:
    """Closes every connection's socket once pynetdicom is done with it, and at once where the
    other side announces a PDU that is larger than any: pynetdicom would collect its up to 4 GB
    in memory, even from a caller it has yet to reject."""

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
            connection.recv = partial(_receive, connection.recv, connection.socket)

    def _on_close(self, event: Event) -> None:
        opened = self._open.pop(id(event.assoc), None)
        if opened is not None:
            opened.close()


def _receive(receive: Callable[[int], bytearray], opened: socket.socket, count: int) -> bytearray:
    if count > MAX_PDU_BYTES:
        opened.close()
        raise ConnectionAbortedError(f"a PDU of {count} bytes was announced")
    return receive(count)
