"""Who is there is asked before any window is built, and again when one leaves for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from tests.workstation.ui.accounts.conftest import SECRET
from workstation import app
from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.audit.audit_log import AuditLog
from workstation.ui.accounts.login_dialog import LoginDialog
from workstation.ui.main_window import MainWindow


@pytest.fixture
def seats(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who got a window, in turn; each but the last leaves for another user."""
    sat: list[str] = []

    def sit(*arguments: Any) -> tuple[int, bool]:
        account: Account | None = arguments[3]
        sat.append(account.name if account is not None else "")
        return 0, len(sat) < 2

    monkeypatch.setattr(app, "_run_window", sit)
    return sat


def _main_windows() -> list[MainWindow]:
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow)]


def _serve(engine: Engine, folder: Path) -> int:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    return app._serve_users(application, engine, app.AppOptions(), folder)


def test_without_accounts_nobody_is_asked(
    qtbot: QtBot, catalog_engine: Engine, tmp_path: Path, seats: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(LoginDialog, "exec", lambda _dialog: pytest.fail("somebody was asked"))
    assert _serve(catalog_engine, tmp_path) == 0
    assert seats == ["", ""]


def test_the_login_comes_before_any_window_and_again_for_the_next(
    qtbot: QtBot, catalog_engine: Engine, tmp_path: Path, seats: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    accounts = AccountStore(catalog_engine, AuditLog(catalog_engine))
    admin = accounts.create("ann", "Dr. Ann Roe", ["signer"], SECRET)
    accounts.create("bo", "Dr. Bo", [], SECRET, by=admin)
    names = iter(("ann", "bo"))
    before = set(_main_windows())  # of other tests, if any

    def log_in(dialog: LoginDialog) -> int:
        assert set(_main_windows()) <= before
        dialog.name_field.setText(next(names))
        dialog.prompt.field.setText(SECRET)
        with qtbot.waitSignal(dialog.accepted, timeout=60_000):  # argon2id at its full cost
            dialog.login_button.click()
        return 1

    monkeypatch.setattr(LoginDialog, "exec", log_in)
    assert _serve(catalog_engine, tmp_path) == 0
    assert seats == ["ann", "bo"]


def test_a_closed_login_ends_the_program(
    qtbot: QtBot, catalog_engine: Engine, tmp_path: Path, seats: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    audit = AuditLog(catalog_engine)
    AccountStore(catalog_engine, audit).create("ann", "Dr. Ann Roe", [], SECRET)
    monkeypatch.setattr(LoginDialog, "exec", lambda _dialog: 0)
    assert _serve(catalog_engine, tmp_path) == 0
    assert seats == []
    assert QApplication.quitOnLastWindowClosed()
