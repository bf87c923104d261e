"""The command line: the app itself, and the headless commands draft, render, audit and models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from inference import DECODING_MODES, REGION_MODES
from inference.report_language import LANGUAGES
from workstation.commands.draft_options import add_draft_options, draft_settings
from workstation.commands.export_options import add_export_command
from workstation.commands.login_options import add_login_options, login_of

_COMMANDS = ("draft", "render", "audit", "models", "receive", "export")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `echo-workstation`; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _COMMANDS:
        return _run_command(given)
    return _run_app(given)


def _run_app(given: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="echo-workstation",
        description="Read chest X-rays beside an on-board model that drafts the report.",
        epilog=f"Headless commands: echo-workstation {' | '.join(_COMMANDS)}  (see their --help).",
    )
    parser.add_argument("paths", nargs="*", type=Path, help="films or folders to open")
    parser.add_argument("--demo", action="store_true", help="a throw-away catalog of phantoms")
    parser.add_argument("--data-dir", type=Path, help="where catalog and reports are kept")
    _add_model_options(parser)
    parser.set_defaults(model="", device="")  # as chosen last in the window
    parser.add_argument("--version", action="version", version=version("echo-workstation"))
    options = parser.parse_args(given)
    from workstation.app import AppOptions, run_app

    return run_app(
        AppOptions(
            tuple(options.paths), options.data_dir, options.model, options.device, options.demo
        )
    )


def _run_command(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="echo-workstation")
    commands = parser.add_subparsers(dest="command", required=True)
    draft = commands.add_parser("draft", help="draft reports without a window")
    draft.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    draft.add_argument("--decoding", choices=(*DECODING_MODES, *REGION_MODES), default="one-step")
    draft.add_argument("--language", choices=LANGUAGES, default="en")
    draft.add_argument("--json", action="store_true", dest="as_json")
    draft.add_argument("--data-dir", type=Path, help="where added models are known")
    add_draft_options(draft)
    _add_model_options(draft)
    render = commands.add_parser("render", help="write what the viewer would show")
    render.add_argument("file", type=Path, metavar="FILE")
    render.add_argument("--out", type=Path, required=True, metavar="PNG")
    render.add_argument("--window", type=_window, metavar="CENTER,WIDTH")
    render.add_argument(
        "--as-left", type=Path, metavar="DATA_FOLDER", help="as its reader there left it"
    )
    _add_audit_command(commands)
    _add_models_command(commands)
    _add_receive_command(commands)
    add_export_command(commands)
    options = parser.parse_args(given)
    match options.command:
        case "draft":
            return _run_draft(options)
        case "models":
            return _run_models(options)
        case "receive":
            return _run_receive(options)
        case "export":
            from workstation.commands.export import run_export_options

            return run_export_options(options, _data_dir(options))
        case "render":
            from workstation.commands.render import run_render

            return run_render(options.file, options.out, options.window, options.as_left)
    return _run_audit(options)


def _run_draft(options: argparse.Namespace) -> int:
    from workstation.commands.draft import run_draft
    from workstation.model_registry import load_registered_engine

    return run_draft(
        options.paths,
        options.decoding,
        options.model,
        options.device,
        options.as_json,
        options.language,
        partial(load_registered_engine, data_dir=_data_dir(options)),
        draft_settings(options),
    )


def _add_audit_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    audit = commands.add_parser("audit", help="check the audit log, or write it to a file")
    actions = audit.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="check every row; names the first broken one")
    verify.add_argument("--head", type=Path, metavar="FILE", help="a stamped head kept elsewhere")
    export = actions.add_parser("export", help="all rows, and the stamped head beside them")
    export.add_argument("--format", choices=("csv", "jsonl"), default="csv", dest="file_format")
    head = actions.add_parser("head", help="the stamped head alone, to be kept elsewhere")
    for action in (export, head):
        action.add_argument("--out", type=Path, required=True, metavar="FILE")
    for action in (verify, export, head):
        action.add_argument("--data-dir", type=Path)
    add_login_options(export)


def _run_audit(options: argparse.Namespace) -> int:
    from workstation.commands import audit

    data_dir = _data_dir(options)
    match options.action:
        case "export":
            login = login_of(options)
            return audit.run_audit_export(data_dir, options.out, options.file_format, login)
        case "head":
            return audit.run_audit_head(data_dir, options.out)
    return audit.run_audit_verify(data_dir, options.head)


def _add_models_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    models = commands.add_parser("models", help="model folders of your own")
    actions = models.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="check a model folder and give it a name")
    add.add_argument("folder", type=Path, metavar="FOLDER")
    add.add_argument("--name", default="", help="the folder's name, if not given")
    add.add_argument("--copy", action="store_true", help="copy it into the data folder")
    add.add_argument("--accept-licence", action="store_true", help="accept its licence unasked")
    listing = actions.add_parser("list", help="which there are")
    listing.add_argument("--json", action="store_true", dest="as_json")
    check = actions.add_parser("check", help="hash every file again, and check all else")
    check.add_argument("name", metavar="NAME")
    remove = actions.add_parser("remove", help="forget one; files are deleted only if a copy")
    remove.add_argument("name", metavar="NAME")
    for action in (add, listing, check, remove):
        action.add_argument("--data-dir", type=Path)
    for action in (add, remove):
        add_login_options(action)


def _run_models(options: argparse.Namespace) -> int:
    from workstation.commands import models

    data_dir = _data_dir(options)
    match options.action:
        case "list":
            return models.run_models_list(data_dir, options.as_json)
        case "check":
            return models.run_models_check(options.name, data_dir)
    from workstation.commands.command_login import logged_in_at, refusals_told

    with (
        refusals_told() as refused,
        logged_in_at(data_dir, f"models {options.action}", login_of(options)),
    ):
        if options.action == "remove":
            return models.run_models_remove(options.name, data_dir)
        return models.run_models_add(
            options.folder,
            data_dir,
            options.name,
            options.copy,
            options.accept_licence,
            input if sys.stdin.isatty() else None,
        )
    return refused[0]


def _add_receive_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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


def _run_receive(options: argparse.Namespace) -> int:
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
    return run_receive(settings, _data_dir(options), login=login_of(options))


def _data_dir(options: argparse.Namespace) -> Path:
    from workstation.data_folder import default_data_dir

    return options.data_dir or default_data_dir()


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default="embedded",
        help="embedded (default), the name of an added model, or a folder",
    )
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:N")


def _window(text: str) -> tuple[float, float]:
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not CENTER,WIDTH") from None
    return center, width


if __name__ == "__main__":
    sys.exit(main())
