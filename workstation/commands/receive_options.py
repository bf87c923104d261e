"""The options of ``echo-workstation receive``."""

from __future__ import annotations

import argparse
from pathlib import Path

from workstation.commands.login_options import add_login_options, login_of
from workstation.commands.shared_options import CommandParsers, data_dir_of


def add_receive_command(commands: CommandParsers) -> None:
    """``receive``, and its options."""
    receive = commands.add_parser("receive", help="take films over the network (C-STORE)")
    receive.add_argument(
        "--allow",
        action="append",
        required=True,
        metavar="AET",
        help="AE title that may send; repeat it for more",
    )
    receive.add_argument("--host", default="127.0.0.1", help="127.0.0.1 (default): this machine")
    receive.add_argument("--port", type=int, default=11112)
    receive.add_argument("--aet", default="ECHO", help="our AE title")
    receive.add_argument("--tls-cert", default="", metavar="PEM", help="switches TLS on")
    receive.add_argument("--tls-key", default="", metavar="PEM")
    receive.add_argument("--tls-client-ca", default="", metavar="PEM", help="senders' authority")
    receive.add_argument("--data-dir", type=Path, help="where the catalog is")
    add_login_options(receive)
    receive.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from workstation.commands.receive import run_receive
    from workstation.network.settings import ReceiverSettings

    settings = ReceiverSettings(
        host=options.host,
        port=options.port,
        ae_title=options.aet,
        allowed_ae_titles=tuple(options.allow),
        certificate_file=options.tls_cert,
        key_file=options.tls_key,
        client_ca_file=options.tls_client_ca,
    )
    return run_receive(settings, data_dir_of(options), login=login_of(options))
