"""Where the catalog has accounts, commands that show or change something ask who is there."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.workstation.reported_studies import (
    MakeStudy,
)
from workstation.__main__ import main
from workstation.accounts.account_store import AccountStore
from workstation.audit.audit_log import AuditLog
from workstation.commands.command_login import LoginNeeded, logged_in
from workstation.commands.exit_codes import NOT_LOGGED_IN
from workstation.commands.login_options import CommandLogin

SECRET = "correct horse 7"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where catalog_engine is."""
    return tmp_path / "records"


@pytest.fixture
def accounts(catalog_engine: Engine) -> AccountStore:
    store = AccountStore(catalog_engine, AuditLog(catalog_engine))
    ann = store.create("ann", "Dr. Ann Roe", ["signer"], SECRET)
    store.create("bo", "Dr. Bo", [], SECRET, by=ann)
    return store


@pytest.fixture
def secret_file(tmp_path: Path) -> Callable[..., str]:
    def write(secret: str = SECRET, mode: int = 0o600) -> str:
        path = tmp_path / "secret"
        path.write_text(secret + "\nsecond line\n")
        path.chmod(mode)
        return str(path)

    return write


def events(engine: Engine) -> list[tuple[str, str, str]]:
    entries = AuditLog(engine).entries()
    return [(each.event, each.user, each.details.get("through", "")) for each in entries]


def test_export_asks_who_is_there_and_is_audited_under_that_name(
    make_study: MakeStudy,
    catalog_engine: Engine,
    accounts: AccountStore,
    data_dir: Path,
    tmp_path: Path,
    secret_file: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = make_study("en")
    study.sources.reports.save_draft(study.uid, study.read().state, [])
    out = tmp_path / "out"
    asked = ["export", "--all", "--format", "text", "--out", str(out), "--data-dir", str(data_dir)]
    assert main(asked) == NOT_LOGGED_IN
    assert main([*asked, "--user", "bo", "--secret-file", secret_file("wrong")]) == NOT_LOGGED_IN
    assert not out.exists()
    told = capsys.readouterr()
    assert "--user" in told.err
    assert "do not fit" in told.err
    assert "wrong" not in told.err + told.out
    assert events(catalog_engine)[-1] == ("login-failed", "bo", "export")
    assert main([*asked, "--user", "Bo", "--secret-file", secret_file()]) == 0
    assert [each[:2] for each in events(catalog_engine)[-3:]] == [
        ("login", "bo"), ("export", "bo"), ("logout", "bo")
    ]  # fmt: skip
    assert len(list(out.iterdir())) == 1


def test_audit_rows_are_shown_to_no_stranger_and_verified_by_anybody(
    catalog_engine: Engine,
    accounts: AccountStore,
    data_dir: Path,
    tmp_path: Path,
    secret_file: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, where = tmp_path / "log.jsonl", ["--data-dir", str(data_dir)]
    export = ["audit", "export", "--format", "jsonl", "--out", str(out), *where]
    assert main(export) == NOT_LOGGED_IN
    assert not out.exists()
    assert main(["audit", "verify", *where]) == 0
    assert main(["audit", "head", "--out", str(tmp_path / "head.json"), *where]) == 0
    assert main([*export, "--user", "ann", "--secret-file", secret_file()]) == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert ("login", "ann") in [(row["event"], row["user"]) for row in rows]
    assert events(catalog_engine)[-1] == ("logout", "ann", "audit export")


def test_models_are_changed_by_who_keeps_the_accounts(
    catalog_engine: Engine,
    accounts: AccountStore,
    data_dir: Path,
    secret_file: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["models", "remove", "none-such", "--data-dir", str(data_dir)]
    assert main(asked) == NOT_LOGGED_IN
    assert main([*asked, "--user", "bo", "--secret-file", secret_file()]) == NOT_LOGGED_IN
    assert "keeps accounts" in capsys.readouterr().err
    assert main([*asked, "--user", "ann", "--secret-file", secret_file()]) == 2  # no such model
    assert main(["models", "list", "--data-dir", str(data_dir)]) == 0
    assert ("login", "ann", "models remove") in events(catalog_engine)


def test_receiver_does_not_listen_for_strangers(
    accounts: AccountStore, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["receive", "--allow", "MODALITY", "--port", "0", "--data-dir", str(data_dir)]
    assert main(asked) == NOT_LOGGED_IN
    assert "Receiving" not in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_secret_that_others_may_read_is_not_used(
    catalog_engine: Engine, accounts: AccountStore, secret_file: Callable[..., str]
) -> None:
    login = CommandLogin("ann", Path(secret_file(mode=0o644)))
    with pytest.raises(LoginNeeded, match="chmod 600"), logged_in(catalog_engine, "export", login):
        pass
    assert events(catalog_engine)[-1][0] == "account-created"


def test_secret_can_come_by_standard_input(
    catalog_engine: Engine, accounts: AccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(SECRET + "\n"))
    with logged_in(catalog_engine, "export", CommandLogin("ann", Path("-"))) as user:
        assert user == "ann"


def test_terminal_is_asked_for_the_secret(catalog_engine: Engine, accounts: AccountStore) -> None:
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return SECRET

    with logged_in(catalog_engine, "export", CommandLogin("ann", ask=ask)) as user:
        assert user == "ann"
    assert questions == ["Password or PIN of ann: "]


def test_secret_set_by_somebody_else_is_changed_in_the_window_first(
    catalog_engine: Engine, accounts: AccountStore
) -> None:
    accounts.reset_secret("bo", "another horse 8", by=accounts.account("ann"))
    login = CommandLogin("bo", ask=lambda _: "another horse 8")
    with pytest.raises(LoginNeeded, match="window"), logged_in(catalog_engine, "export", login):
        pass


def test_without_accounts_nobody_is_asked(catalog_engine: Engine) -> None:
    with logged_in(catalog_engine, "export", CommandLogin()) as user:
        assert user
    assert events(catalog_engine) == []
