"""The options of ``echo-workstation export``: apart, so that other commands don't pay for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from workstation.commands.exit_codes import UNUSABLE, tell_failure
from workstation.commands.login_options import add_login_options, login_of
from workstation.commands.shared_options import CommandParsers, data_dir_of
from workstation.exports.export_formats import DICOM_FORMATS, FORMATS, ExportOptions


def add_export_command(commands: CommandParsers) -> None:
    """``export``, and its options."""
    export = commands.add_parser("export", help="hand reports on: SR, PDF, FHIR, HL7, text")
    export.add_argument(
        "studies", nargs="*", metavar="STUDY", help="Study Instance UID or accession number"
    )
    export.add_argument("--all", action="store_true", help="every study that has a report")
    export.add_argument(
        "--format", action="append", choices=FORMATS, required=True, help="repeat it for more"
    )
    export.add_argument("--out", type=Path, metavar="FOLDER")
    to_pacs = "a server of the network settings, or AET@HOST:PORT; for sr and dicom-pdf"
    export.add_argument("--send", default="", metavar="PACS", help=to_pacs)
    export.add_argument("--aet", default="", help="our AE title, if not the one of the settings")
    export.add_argument("--measurements", action="store_true", help="with what is drawn on films")
    export.add_argument("--no-images", action="store_true", help="PDF without key images")
    export.add_argument("--data-dir", type=Path, help="where the catalog is")
    add_login_options(export)
    export.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """As `run_export`; 2 also for options that don't go together."""
    problem = _find_conflict(options)
    if problem:
        tell_failure(problem)
        return UNUSABLE
    from workstation.commands.export import ExportRequest, run_export

    request = ExportRequest(
        studies=tuple(options.studies),
        formats=tuple(dict.fromkeys(options.format)),
        out=options.out,
        send=options.send,
        own_ae_title=options.aet,
        options=ExportOptions(not options.no_images, options.measurements),
    )
    return run_export(request, data_dir_of(options), login_of(options))


def _find_conflict(options: argparse.Namespace) -> str:
    if bool(options.studies) == options.all:
        return "name studies, or --all"
    if options.out is None and not options.send:
        return "say where to: --out FOLDER, --send PACS, or both"
    if options.send and not set(options.format) & set(DICOM_FORMATS):
        return f"--send takes {' and '.join(DICOM_FORMATS)} only"
    return ""
