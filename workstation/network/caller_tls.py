"""TLS of our own calls: whom we trust, and who we say we are (PS3.15 B.9, B.12)."""

from __future__ import annotations

import ssl

from workstation.network.failures import InvalidSettings
from workstation.network.settings import Server


def open_caller_tls(server: Server) -> ssl.SSLContext:
    """Certificate and name of the server are always checked; ours is shown where it has one.
    Raises InvalidSettings for files that can't be used."""
    try:
        context = ssl.create_default_context(cafile=server.ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidSettings("ca_file", f"not usable for TLS ({error})") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if server.certificate_file:
        try:
            # A key under a passphrase would make OpenSSL ask on the terminal: refused instead.
            context.load_cert_chain(
                server.certificate_file, server.key_file, password=_no_passphrase
            )
        except (OSError, ValueError) as error:
            reason = f"not usable for TLS ({error})"
            raise InvalidSettings("certificate_file", reason) from None
    return context


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase, which is not supported")
