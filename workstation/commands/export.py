"""``echo-workstation export STUDY... | --all --format F --out FOLDER [--send PACS]``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog, UnknownStudy
from workstation.catalog.study_rows import StudyRow
from workstation.commands.catalog_session import run_logged_in
from workstation.commands.exit_codes import FAILED, UNUSABLE, tell_failure
from workstation.commands.login_options import NOBODY, CommandLogin
from workstation.dicom.unreadable import UnreadableInstance
from workstation.exports.export_formats import (
    DICOM_FORMATS,
    PLAIN,
    ExportFormat,
    ExportOptions,
)
from workstation.exports.exported_report import ExportFailed, NothingToExport
from workstation.exports.report_exporter import ExportedDocument, ReportExporter
from workstation.exports.report_reading import ReportSources
from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.report_sender import ReportSender
from workstation.network.settings import DicomServer
from workstation.reading.measurement_store import MeasurementStore
from workstation.reporting.versions.report_store import DamagedReport, ReportStore

_ADDRESS = re.compile(r"(?P<title>[^@]{1,16})@(?P<host>[^:@/]+):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class ExportRequest:
    """studies: Study Instance UIDs or accession numbers; empty means every study with a report.
    send: name of a server of the network settings, or AET@HOST:PORT; "" for none."""

    studies: tuple[str, ...]
    formats: tuple[ExportFormat, ...]
    out: Path | None
    send: str = ""
    own_ae_title: str = ""
    options: ExportOptions = PLAIN


def run_export(request: ExportRequest, data_dir: Path, login: CommandLogin = NOBODY) -> int:
    """Exit code: 0; 1 if a study failed (the reason is on stderr, the others are done all the
    same); 2 if the catalog or the server's settings can't be used; 4 if nobody was let in."""
    try:
        sender = _sender_of(request, data_dir) if request.send else None
    except InvalidSettings as error:
        tell_failure(error)
        return UNUSABLE
    return run_logged_in(
        data_dir,
        "export",
        login,
        lambda engine, user: _export_studies(engine, user, request, sender),
    )


def _export_studies(
    engine: Engine, user: str, request: ExportRequest, sender: ReportSender | None
) -> int:
    audit = AuditLog(engine)
    sources = ReportSources(
        StudyCatalog(engine), ReportStore(engine, audit, user), audit, MeasurementStore(engine)
    )
    exporter = ReportExporter(sources, user)
    uids, failures = _find_studies(sources.catalog, request.studies)
    for uid in uids:
        failures += not _export_study(exporter, uid, request, sender)
    return FAILED if failures else 0


def _export_study(
    exporter: ReportExporter, uid: str, request: ExportRequest, sender: ReportSender | None
) -> bool:
    """False where something of the study could not be exported."""
    try:
        report = exporter.read(uid, request.options)
        for form in request.formats:
            document = exporter.make(report, form, request.options)
            if request.out is not None:
                path = exporter.write(document, request.out)
                print(f"{path}: {report.status}, sha256 {document.sha256}", flush=True)
            if sender is not None and form in DICOM_FORMATS:
                _send(exporter, document, sender)
        return True
    except (
        DamagedReport,
        ExportFailed,
        NothingToExport,
        UnreadableInstance,
        UnknownStudy,
        NetworkFailure,
        InvalidSettings,
    ) as error:
        print(f"study {uid}: {error}", file=sys.stderr, flush=True)
        return False


def _send(exporter: ReportExporter, document: ExportedDocument, sender: ReportSender) -> None:
    exporter.send(document, sender.destination, sender.store)
    told = f"{document.report.status}, {document.form}, SOP Instance UID {document.document_uid}"
    print(f"{sender.destination}: {told}", flush=True)


def _find_studies(catalog: StudyCatalog, asked: Sequence[str]) -> tuple[list[str], int]:
    """UIDs in the order they were asked for, and how many were not found."""
    rows = catalog.list_studies(with_removed=True)
    if not asked:
        return [row.study_instance_uid for row in rows if row.status != "new"], 0
    found: list[str] = []
    missing = 0
    for name in asked:
        matches = [row.study_instance_uid for row in rows if _is_named(row, name)]
        if len(matches) != 1:
            missing += 1
            which = f"{len(matches)} studies have" if matches else "no study has"
            print(f"{name}: {which} this UID or accession number", file=sys.stderr)
            continue
        found += matches
    return found, missing


def _is_named(row: StudyRow, name: str) -> bool:
    return name in (row.study_instance_uid, row.accession_number)


def _sender_of(request: ExportRequest, data_dir: Path) -> ReportSender:
    """Raises InvalidSettings."""
    from workstation.ui.network.stored_settings import read_network_settings  # imports Qt

    settings = read_network_settings(data_dir)
    own_ae_title = request.own_ae_title or settings.receiver.ae_title
    address = _ADDRESS.fullmatch(request.send)
    if address is not None:
        title, host, port = address.group("title", "host", "port")
        return ReportSender(DicomServer(title, host, title, int(port)), own_ae_title)
    for server in settings.servers:
        if server.name == request.send and isinstance(server, DicomServer):
            return ReportSender(server, own_ae_title)
    raise InvalidSettings("send", f"{request.send!r} is no DICOM server of the network settings")
