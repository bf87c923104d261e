"""The options of ``echo-workstation export``: apart, so that other commands don't pay for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from workstation.commands.login_options import add_login_options
from workstation.exports.export_formats import FORMATS


def add_export_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
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
