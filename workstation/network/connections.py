"""Sockets of pynetdicom 3.0, which forgets to close one whose other end is gone already."""

from __future__ import annotations

import socket
from typing import Any

from pynetdicom import evt
from pynetdicom.events import Event


class ConnectionCloser:
    """Closes every connection's socket once pynetdicom is done with it."""

    def __init__(self) -> None:
        self._open: dict[int, socket.socket] = {}

    @property
    def handlers(self) -> list[Any]:
        """To be given to an association or a server."""
        return [(evt.EVT_CONN_OPEN, self._on_open), (evt.EVT_CONN_CLOSE, self._on_close)]

    def _on_open(self, event: Event) -> None:
        connection = event.assoc.dul.socket
        if connection is not None and connection.socket is not None:
            self._open[id(event.assoc)] = connection.socket

    def _on_close(self, event: Event) -> None:
        opened = self._open.pop(id(event.assoc), None)
        if opened is not None:
            opened.close()
