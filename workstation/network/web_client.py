"""GET from one DICOMweb service, with its login, and to no other address whatever it answers.

Certificates are checked, redirects refused (they would carry the login elsewhere) and the
environment's proxies ignored (so would they).
"""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from workstation.network.caller_tls import open_caller_tls
from workstation.network.failures import InvalidSettings, LoginRefused, NetworkFailure
from workstation.network.settings import WebServer, check_server

_TIMEOUT_S = 60.0

_HTTP_REASONS = {
    400: "it does not understand the query",
    401: "the login is missing or wrong",
    403: "this login may not do that",
    404: "there is no DICOMweb service at this address, or not this study",
    406: "it can't send DICOM files",
    413: "the search finds too much; narrow it",
    429: "it is asked too often; try again later",
    503: "it is busy; try again later",
}


class WebClient:
    """Requests to one server. secret: password or token, kept in memory only."""

    def __init__(self, server: WebServer, secret: str = "") -> None:
        """Raises InvalidSettings."""
        check_server(server)
        if not secret.isprintable():
            raise InvalidSettings("login", "the password or token has control characters")
        self._server = server
        self._login = _login_header(server, secret)
        self._opener = _make_opener(server)

    @contextmanager
    def get(
        self, path: str, accept: str, query: Mapping[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """The response of a GET below the server's URL. Raises NetworkFailure, also while reading
        inside the with block."""
        url = f"{self._server.url.rstrip('/')}/{path}"
        if query:
            # Wildcards may stand as they are (RFC 3986 3.4); Orthanc takes %2A for no wildcard.
            url = f"{url}?{urlencode(query, safe='*?,')}"
        request = Request(url, headers={"Accept": accept, **self._login})
        with self._translated_errors(), self._opener.open(request, timeout=_TIMEOUT_S) as response:
            yield response

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            is_login = isinstance(error, HTTPError) and error.code == 401
            kind = LoginRefused if is_login else NetworkFailure
            raise kind(self._server.name, _reason_of(error)) from None


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, *_: Any) -> None:
        raise HTTPError(req.full_url, code, msg, _[0], fp)


def _make_opener(server: WebServer) -> OpenerDirector:
    context = open_caller_tls(server)
    return build_opener(ProxyHandler({}), HTTPSHandler(context=context), _NoRedirects())


def _login_header(server: WebServer, secret: str) -> dict[str, str]:
    if server.login == "basic":
        token = base64.b64encode(f"{server.user}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {token}"}
    if server.login == "bearer":
        if not secret.isascii():
            raise InvalidSettings("login", "a token has ASCII characters only")
        return {"Authorization": f"Bearer {secret}"}
    return {}


def _reason_of(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, HTTPError):
        error.close()
        if 300 <= error.code < 400:
            return (
                f"it points to another address (HTTP {error.code}); enter that one if it is right"
            )
        return f"{_HTTP_REASONS.get(error.code, 'it refused')} (HTTP {error.code})"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, http.client.IncompleteRead):
        return "the answer was cut short"
    words = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return f"no connection: {words}"
