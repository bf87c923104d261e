"""What the user configured of the network. Nothing listens and nothing is asked by default.

Passwords and tokens are no part of it: they are asked for and kept in memory only.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal
from urllib.parse import urlsplit

from workstation.network.failures import InvalidSettings

DICOM_PORT = 11112  # registered with IANA for DICOM; 104, the older one, needs root
LOOPBACK = "127.0.0.1"

RetrieveBy = Literal["get", "move"]
Login = Literal["none", "basic", "bearer"]


@dataclass(frozen=True)
class ReceiverSettings:
    """Our own application entity. TLS (PS3.15 B.9, one-way or mutual) where files are named.

    is_on: whether it listens whenever the app runs. certificate_file, key_file: ours, PEM.
    client_ca_file: PEM; callers must then show a certificate of this authority.
    """

    is_on: bool = False
    host: str = LOOPBACK
    port: int = DICOM_PORT
    ae_title: str = "ECHO"
    allowed_ae_titles: tuple[str, ...] = ()
    certificate_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""

    @property
    def uses_tls(self) -> bool:
        return bool(self.certificate_file)

    @property
    def is_loopback_only(self) -> bool:
        return is_loopback(self.host)


@dataclass(frozen=True)
class DicomServer:
    """A PACS that answers C-FIND and C-GET or C-MOVE. ca_file: instead of the system's roots.
    certificate_file, key_file: ours, PEM, for a server that wants to see one."""

    name: str
    host: str
    ae_title: str
    port: int = DICOM_PORT
    retrieve_by: RetrieveBy = "get"
    uses_tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    kind: Literal["dicom"] = "dicom"


@dataclass(frozen=True)
class WebServer:
    """A DICOMweb service (PS3.18): url up to and without "/studies". Certificates are checked;
    certificate_file, key_file: ours."""

    name: str
    url: str
    login: Login = "none"
    user: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    kind: Literal["web"] = "web"


Server = DicomServer | WebServer


@dataclass(frozen=True)
class NetworkSettings:
    """Servers by the order the user gave them; the first is asked for priors."""

    receiver: ReceiverSettings = ReceiverSettings()
    servers: tuple[Server, ...] = ()


def is_loopback(host: str) -> bool:
    """Whether packets to this address or name stay on this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_ae_title(title: str, field: str = "ae_title") -> str:
    """The title without the spaces around it, which say nothing (PS3.5 6.2, AE).

    Raises InvalidSettings unless it has 1 to 16 printable ASCII characters and no backslash.
    """
    bare = title.strip(" ")
    if not bare:
        raise InvalidSettings(field, "an AE title is missing")
    if len(bare) > 16:
        raise InvalidSettings(field, f"the AE title {bare!r} is longer than 16 characters")
    if not bare.isascii() or not bare.isprintable() or "\\" in bare:
        raise InvalidSettings(field, f"the AE title {bare!r} has characters that none may have")
    return bare


def check_receiver(receiver: ReceiverSettings) -> None:
    """Raises InvalidSettings where the receiver could not, or should not, listen like this."""
    check_ae_title(receiver.ae_title)
    if not receiver.host.strip():
        raise InvalidSettings("host", "the address to listen on is missing")
    _check_port(receiver.port)
    if not receiver.allowed_ae_titles:
        # An empty list means "everybody" to some implementations; to us it is a mistake.
        raise InvalidSettings("allowed_ae_titles", "name the AE titles that may send")
    for title in receiver.allowed_ae_titles:
        check_ae_title(title, "allowed_ae_titles")
    if bool(receiver.certificate_file) != bool(receiver.key_file):
        missing = "key_file" if receiver.certificate_file else "certificate_file"
        raise InvalidSettings(missing, "TLS needs both a certificate and its key")
    if receiver.client_ca_file and not receiver.uses_tls:
        raise InvalidSettings("certificate_file", "callers' certificates need TLS switched on")
    for field in ("certificate_file", "key_file", "client_ca_file"):
        _check_file(field, getattr(receiver, field))


def check_server(server: Server) -> None:
    """Raises InvalidSettings; asks nobody."""
    if not server.name.strip():
        raise InvalidSettings("name", "the server needs a name")
    _check_file("ca_file", server.ca_file)
    _check_own_certificate(server)
    if isinstance(server, WebServer):
        _check_web_server(server)
        return
    if not server.host.strip() or any(each in server.host for each in " /"):
        raise InvalidSettings("host", "the server's address is missing or malformed")
    _check_port(server.port)
    check_ae_title(server.ae_title)
    if server.retrieve_by not in ("get", "move"):
        raise InvalidSettings("retrieve_by", f"{server.retrieve_by!r} is neither get nor move")


def _check_own_certificate(server: Server) -> None:
    if not server.certificate_file and not server.key_file:
        return
    if not (server.certificate_file and server.key_file):
        missing = "key_file" if server.certificate_file else "certificate_file"
        raise InvalidSettings(missing, "our certificate and its key are needed, both")
    _check_file("certificate_file", server.certificate_file)
    _check_file("key_file", server.key_file)
    if isinstance(server, WebServer):
        field, uses_tls = "url", server.url.lower().startswith("https:")
    else:
        field, uses_tls = "uses_tls", server.uses_tls
    if not uses_tls:
        raise InvalidSettings(field, "our certificate is shown over TLS only")


def _check_web_server(server: WebServer) -> None:
    parts = _split_url(server.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSettings("url", "an address like https://pacs.example/dicom-web is needed")
    if parts.username or parts.password:
        raise InvalidSettings("url", "no name or password in the address: use the login fields")
    if parts.query or parts.fragment:
        raise InvalidSettings("url", "the address must end before any ? or #")
    if server.login not in ("none", "basic", "bearer"):
        raise InvalidSettings("login", f"{server.login!r} is no way to log in")
    if server.login == "basic" and not server.user:
        raise InvalidSettings("user", "the user name is missing")
    if server.login != "none" and parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InvalidSettings(
            "url", "a password or token would travel unencrypted: use an https address"
        )


def _split_url(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises on a port that is none
        return parts
    except ValueError as error:
        raise InvalidSettings("url", f"the address is malformed ({error})") from None


def _check_port(port: int) -> None:
    if not 1 <= port <= 65535:
        raise InvalidSettings("port", f"{port} is no port: 1 to 65535")


def _check_file(field: str, name: str) -> None:
    if name and not os.path.isfile(name):
        raise InvalidSettings(field, f"{name}: there is no such file")


# -- kept as text ----------------------------------------------------------------------------


def settings_as_text(settings: NetworkSettings) -> str:
    """JSON; ``settings_from_text`` reads it."""
    return json.dumps(asdict(settings), sort_keys=True)


def settings_from_text(text: str) -> NetworkSettings:
    """Raises InvalidSettings for anything ``settings_as_text`` did not write. "" is the default."""
    if not text:
        return NetworkSettings()
    try:
        stored = json.loads(text)
        receiver = dict(stored["receiver"])
        receiver["allowed_ae_titles"] = tuple(receiver["allowed_ae_titles"])
        servers = tuple(_server_from(each) for each in stored["servers"])
        return NetworkSettings(_made(ReceiverSettings, receiver), servers)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, InvalidSettings):
            raise
        raise InvalidSettings("network", f"the stored settings are damaged ({error})") from None


def _server_from(stored: Mapping[str, Any]) -> Server:
    kinds: dict[str, type[Server]] = {"dicom": DicomServer, "web": WebServer}
    return _made(kinds[stored["kind"]], stored)


_ADDED_SINCE: dict[type[Any], tuple[str, ...]] = {
    DicomServer: ("certificate_file", "key_file"),
    WebServer: ("certificate_file", "key_file"),
}


def _made(kind: type[Any], stored: Mapping[str, Any]) -> Any:
    """An instance with exactly these fields, each of the type its default has; those that older
    settings lack may be missing."""
    stored = {**dict.fromkeys(_ADDED_SINCE.get(kind, ()), ""), **stored}
    for field in fields(kind):
        expected = {"bool": bool, "int": int, "str": str}.get(str(field.type))
        if expected and type(stored[field.name]) is not expected:
            raise TypeError(f"{field.name} is not of type {field.type}")
    return kind(**stored)
