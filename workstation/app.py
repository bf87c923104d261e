"""The composition root: builds every service once and joins them to the window."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QMessageBox
from sqlalchemy import Engine

from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.accounts.login_name import login_name
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable, open_database
from workstation.catalog.study_catalog import StudyCatalog
from workstation.data_folder import default_data_dir
from workstation.drafting.drafting_service import DraftingService
from workstation.drafting.load_reporter import LoadReporter
from workstation.intake.instance_recorder import InstanceRecorder
from workstation.model_registry import ModelRegistry, load_registered_engine
from workstation.reading.measurement_store import MeasurementStore
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.report_store import ReportStore
from workstation.ui.accounts.login_dialog import LoginDialog
from workstation.ui.cycle_collection import CycleCollection
from workstation.ui.intake.demo_films import DemoRenderer
from workstation.ui.main_window import MainWindow
from workstation.ui.reading_desk import Records
from workstation.ui.theme import apply_theme

_LAST_SHUTDOWN_MS = 120_000


@dataclass(frozen=True)
class AppOptions:
    """What the command line said; model, device, products "" are as chosen last, threads 0 all
    cores."""

    paths: tuple[Path, ...] = ()
    data_dir: Path | None = None
    model: str = ""
    device: str = ""
    demo: bool = False
    products: str = ""
    threads: int = 0


def build_records(
    engine: Engine, accounts: AccountStore | None = None, account: Account | None = None
) -> Records:
    """The services of one database, for whoever has logged in: to an account, else to the
    operating system."""
    audit = AuditLog(engine)
    accounts = accounts or AccountStore(engine, audit)
    user = account.name if account is not None else login_name()
    return Records(
        catalog=StudyCatalog(engine),
        audit=audit,
        reports=ReportStore(engine, audit, user),
        sign_off=SignOff(engine, audit, accounts),
        user=user,
        measurements=MeasurementStore(engine),
        accounts=accounts,
        account=account,
    )


def build_window(
    engine: Engine,
    drafting: DraftingService,
    settings: QSettings | None = None,
    accounts: AccountStore | None = None,
    account: Account | None = None,
) -> MainWindow:
    records = build_records(engine, accounts, account)
    recorder = InstanceRecorder(records.catalog, records.audit, records.user)
    return MainWindow(records, drafting, recorder, settings)


def run_app(options: AppOptions) -> int:
    """Open the window and run until it closes, for one user after another; the exit code."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("ECHO Workstation")
    apply_theme(app)
    CycleCollection(app)
    with ExitStack() as stack:
        folder = options.data_dir or default_data_dir()
        if options.demo:
            prefix = "echo-demo-"
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
        try:
            engine = open_database(folder)
            stack.callback(engine.dispose)
            return _serve_users(app, engine, options, folder)
        except CatalogUnavailable as error:
            _refuse_to_start(app, str(error))
            return 2


def _serve_users(app: QApplication, engine: Engine, options: AppOptions, folder: Path) -> int:
    accounts = AccountStore(engine, AuditLog(engine))
    while True:
        account = None
        if accounts.are_in_use:
            account = _ask_who_is_there(app, accounts)
            if account is None:
                return 0
        exit_code, is_leaving = _run_window(app, engine, accounts, account, options, folder)
        if not is_leaving:
            return exit_code
        options = replace(options, paths=(), demo=False)


def _ask_who_is_there(app: QApplication, accounts: AccountStore) -> Account | None:
    """Who logged in; None where the login was closed. No film is shown before."""
    # Closing the login, as the last window, must not end the loop that has not begun.
    app.setQuitOnLastWindowClosed(False)
    dialog = LoginDialog(accounts)
    dialog.exec()
    app.setQuitOnLastWindowClosed(True)
    account = dialog.account
    dialog.deleteLater()
    return account


def _run_window(
    app: QApplication,
    engine: Engine,
    accounts: AccountStore,
    account: Account | None,
    options: AppOptions,
    folder: Path,
) -> tuple[int, bool]:
    """One user's window until it closes: the exit code, and whether another user is to follow."""
    settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
    known_models = options.data_dir or default_data_dir()  # a demo's folder knows none
    reporter = LoadReporter()
    load = partial(
        load_registered_engine,
        data_dir=known_models,
        on_progress=reporter,
        threads=options.threads,
    )
    drafting = DraftingService(load)
    reporter.reported.connect(drafting.report_loading)
    window = build_window(engine, drafting, settings, accounts, account)
    window.models.registry = ModelRegistry(known_models)
    window.show()
    window.models.load_first(options.model, options.device, options.products)
    if options.paths:
        window.import_paths(list(options.paths))
    with ExitStack() as stack:
        if options.demo:
            renderer = _start_demo(window, folder)
            stack.callback(renderer.wait)
            stack.callback(renderer.requestInterruption)
        exit_code = app.exec()
    # The window waits briefly; here nobody is kept waiting, and a thread that is still inside
    # a model load must not be destroyed under it.
    drafting.shutdown(_LAST_SHUTDOWN_MS)
    is_leaving = window.is_leaving_for_another_user
    window.deleteLater()
    return exit_code, is_leaving


def _refuse_to_start(app: QApplication, reason: str) -> None:
    print(f"echo-workstation: {reason}", file=sys.stderr)
    if app.platformName() not in (
        "offscreen",
        "minimal",
    ):  # started from a menu: nobody sees stderr
        QMessageBox.critical(None, "ECHO Workstation", reason)


def _start_demo(window: MainWindow, folder: Path) -> DemoRenderer:
    films = folder / "films"
    films.mkdir()
    renderer = DemoRenderer(films, window)
    renderer.film_written.connect(window.import_demo_film)
    renderer.start()
    return renderer
