"""Every event of trust.md is written: a reader's day through the window, and then the log.

The table at the end says what each event's row must hold; the day before it only uses the window
and its dialogs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from argon2 import PasswordHasher
from PySide6.QtCore import QObject, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from inference import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    GenerationRequest,
    PrefillDone,
)
from inference.prompts import parse_sections
from workstation.accounts.account_store import AccountStore
from workstation.accounts.secrets import SecretHasher
from workstation.app import build_window
from workstation.audit.audit_log import AuditEntry, AuditLog
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.accounts.login_dialog import LoginDialog
from workstation.ui.accounts.screen_lock import LockDialog
from workstation.ui.accounts.secret_dialogs import ReauthenticationDialog
from workstation.ui.main_window import MainWindow
from workstation.ui.report.signing.sign_dialog import SignDialog
from workstation.ui.report.templates.template_dialog import TemplateDialog

WAIT_MS = 60_000
SECRET = "correct horse 7"
MODEL = "a" * 64
GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
REPORT = (
    "Findings: The thorax is symmetric. No pleural effusion. No pneumothorax. Scoliosis. "
    "Impression: Scoliosis."
)
REDRAFT = REPORT.replace("The thorax is symmetric.", "The thorax is symmetric bilaterally.")


DESCRIPTION = EngineDescription(
    "scripted", "1", MODEL, "/models/scripted", "cpu", "float32", 8, ("one-step",), ("en",), 1
)


@dataclass
class ScriptedEngine:
    """Says ``text``; "wait" stands until it is stopped, "fail" raises."""

    behaviour: str = "say"
    text: str = REPORT
    description: EngineDescription = DESCRIPTION

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        name, prefix = request.request_id, request.prefix_text
        yield PrefillDone(name, 96, 8, 10.0, bool(prefix))
        if self.behaviour == "fail":
            raise RuntimeError("out of memory")
        if self.behaviour == "wait":
            assert cancel is not None
            assert cancel._event.wait(WAIT_MS / 1000)
            yield DraftCancelled(name, 1, 12.0)
            return
        said = self.text[len(prefix) :] if self.text.startswith(prefix) else self.text
        yield BlockCommitted(name, 0, (5,), (prefix + said,), (0.9,), 1, 12.0)
        findings, impression = parse_sections(prefix + said)
        yield DraftFinished(name, prefix + said, findings, impression, "stop", 1, 1, 10.0, 4.0)


class ReaderAtWork:
    """One reader with an account, from the login to the closed window."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.qtbot, self.folder = qtbot, folder
        self.database = open_database(folder)
        self.audit = AuditLog(self.database)
        cheap = SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.accounts = AccountStore(self.database, self.audit, cheap)
        self.accounts.create("ann", "Dr. Ann Roe", ["signer"], SECRET)
        self.engine = ScriptedEngine()
        self.drafting = DraftingService(lambda _model, _device: self.engine)

    def log_in(self) -> None:
        dialog = LoginDialog(self.accounts)
        self.qtbot.addWidget(dialog)
        dialog.show()
        for secret in ("wrong", SECRET):
            self.qtbot.keyClicks(dialog.prompt.field, secret)
            self.qtbot.keyClick(dialog.prompt.field, Qt.Key.Key_Return)
            self.qtbot.waitUntil(lambda: not dialog.prompt.is_checking, timeout=WAIT_MS)
        assert dialog.account is not None
        settings = QSettings(str(self.folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(
            self.database, self.drafting, settings, self.accounts, dialog.account
        )
        self.qtbot.addWidget(self.window)
        self.window.show()
        with self.qtbot.waitSignal(self.drafting.engine_ready, timeout=WAIT_MS):
            self.drafting.start("scripted", "cpu")
        self.panel = self.window.report_panel

    def import_film(self, path: Path) -> None:
        with self.qtbot.waitSignal(self.window.loader.film_loaded, timeout=WAIT_MS):
            self.window.import_paths([path])

    def draft(self, behaviour: str, ended: str) -> None:
        self.engine.behaviour = behaviour
        with self.qtbot.waitSignal(getattr(self.drafting, ended), timeout=WAIT_MS):
            self.panel.request_draft()
            if behaviour == "wait":
                self.panel.stop_requested.emit()

    def type_into_findings(self, words: str) -> None:
        editor = self.panel.editor.editors["findings"]
        editor.setFocus()
        editor.moveCursor(editor.textCursor().MoveOperation.End)
        self.qtbot.keyClicks(editor, words)
        self.panel.flush_typing()
        assert self.window.desk.save()

    def flip_effusion_and_lock_it(self) -> None:
        listed = self.panel.editor.statement_list
        row = next(
            row
            for row in listed.table.rows
            if row.statement is not None and row.statement.concept == "pleural_effusion"
        )
        listed.flip_requested.emit(row)
        assert row.sentence is not None
        listed.lock_requested.emit("findings", row.sentence.id, True)
        assert self.window.desk.save()

    def redraft(self) -> None:
        self.engine.text = REDRAFT
        with self.qtbot.waitSignal(self.drafting.draft_finished, timeout=WAIT_MS):
            self.panel.request_draft()
        self.qtbot.waitUntil(lambda: self.panel.state == "reviewing", timeout=WAIT_MS)
        for row in self.panel.review_page.rows:
            row.accept()
        self.panel.review_page.close_review()
        assert self.window.desk.save()

    def set_checks_aside(self) -> None:
        """Every open one, with a reason typed into its line; each leaves the list re-made."""
        bar = self.panel.editor.check_bar
        bar.chip.setChecked(True)
        assert bar.open_count
        while bar.open_count:
            line = next(line for line in bar.lines if line.override is None)
            left = bar.open_count
            line.ask_reason()
            self.qtbot.keyClicks(line.reason_field, "seen with the referring physician")
            self.qtbot.keyClick(line.reason_field, Qt.Key.Key_Return)
            assert bar.open_count < left
        assert self.window.desk.save()

    def sign(self) -> None:
        with answering(SignDialog, self._confirm) as answered:
            self.window.sign()
        assert answered.is_done
        assert self.panel.state == "signed", self.panel.notice.text

    def _confirm(self, dialog: QDialog) -> None:
        """Type the password and press Return, as a signer does."""
        assert isinstance(dialog, SignDialog | ReauthenticationDialog)
        self.qtbot.keyClicks(dialog.prompt.field, SECRET)
        self.qtbot.keyClick(dialog.prompt.field, Qt.Key.Key_Return)

    def write_addendum(self, words: str) -> None:
        with answering(ReauthenticationDialog, self._confirm) as answered:
            self.panel.signed_page.addendum_written.emit(words)
        assert answered.is_done

    def copy_report(self) -> None:
        clipboard = QApplication.clipboard()
        clipboard.clear()
        self.window.exports.copy_report()
        self.qtbot.waitUntil(lambda: "Scoliosis" in clipboard.text(), timeout=WAIT_MS)

    def save_a_template(self) -> None:
        self.window.templates.edit_templates()
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, TemplateDialog)
        dialog.show_template("en-negatives.toml")
        dialog.text_field.setPlainText("No pleural effusion. No pneumothorax.")
        self.qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
        dialog.reject()

    def unlock(self) -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, LockDialog)
        with self.qtbot.waitSignal(dialog.unlocked, timeout=WAIT_MS):
            self.qtbot.keyClicks(dialog.prompt.field, SECRET)
            self.qtbot.mouseClick(dialog.unlock_button, Qt.MouseButton.LeftButton)

    def verify_log(self) -> None:
        self.window.verify_audit()
        opened = self.window.audit_log.window
        assert opened is not None
        if opened.page.job.is_running:
            with self.qtbot.waitSignal(opened.page.job.succeeded, timeout=WAIT_MS):
                pass
        with self.qtbot.waitSignal(opened.page.job.succeeded, timeout=WAIT_MS):
            opened.page.export(self.folder / "log.csv", "csv")

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(10_000)


class answering(QObject):  # noqa: N801 - reads as a context
    """Within it, a modal dialog of a kind is answered by act as soon as it is open."""

    def __init__(self, kind: type[QDialog], act: Callable[[QDialog], None]) -> None:
        super().__init__()
        self._kind, self._act = kind, act
        self.is_done = False
        self._timer = QTimer(self)
        self._timer.setInterval(20)
        self._timer.timeout.connect(self._look)

    def __enter__(self) -> answering:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()

    def _look(self) -> None:
        top: QWidget | None = QApplication.activeModalWidget()
        if isinstance(top, self._kind) and not self.is_done:
            self.is_done = True
            self._act(top)


@dataclass(frozen=True)
class Expected:
    """An event of trust.md and what its row must hold."""

    what: str
    event: str
    holds: Callable[[Mapping[str, Any]], bool] = bool
    user: str = "ann"
    of_study: bool = True


def _tells_model(details: Mapping[str, Any]) -> bool:
    decoding = details["decoding"]
    return (
        details["model_sha256"] == MODEL
        and decoding["block_length"] == 8
        and "mode" in decoding
        and [len(each) for each in details["image_sha256"]] == [64]
    )


def _edit(kind: str, before: str, after: str) -> Callable[[Mapping[str, Any]], bool]:
    def holds(details: Mapping[str, Any]) -> bool:
        return details["kind"] == kind and before in details["before"] and after in details["after"]

    return holds


TABLE = (
    Expected("login", "login", lambda _: True, of_study=False),
    Expected("failed login", "login-failed", lambda _: True, of_study=False),
    Expected("import", "import"),
    Expected("study opened", "study-opened", lambda d: d["films"] == 1),
    Expected("draft started", "draft-started", _tells_model),
    Expected("draft cancelled", "draft-cancelled", _tells_model),
    Expected("draft failed", "draft-failed", _tells_model),
    Expected("draft finished", "draft-finished", _tells_model),
    Expected("draft taken over", "draft-taken-over", lambda d: d["model_sha256"] == MODEL),
    Expected("statement edited", "edit", _edit("flip", "No pleural effusion", "leural effusion")),
    Expected("text typed", "edit", _edit("text", "No pneumothorax.", "See [the prior].")),
    Expected("sentence locked", "edit", _edit("lock", "leural effusion", "leural effusion")),
    Expected("redraft", "edit", _edit("redraft", "symmetric.", "symmetric bilaterally.")),
    Expected("redraft reviewed", "redraft-reviewed", lambda d: d["pieces_accepted"] >= 1),
    Expected(
        "check overridden",
        "check-overridden",
        lambda d: bool(d["key"] and d["rule"] and d["message"]) and "referring" in d["reason"],
    ),
    Expected("template changed", "settings", lambda d: d["change"] == "saved", of_study=False),
    Expected("lock time changed", "settings", lambda d: d["lock_minutes"] == 15, of_study=False),
    Expected(
        "signed",
        "sign",
        lambda d: (
            d["signer"] == "Dr. Ann Roe"
            and d["account"] == "ann"
            and len(d["state_sha256"]) == 64
            and sum(d["provenance"].values()) >= 5
        ),
        user="Dr. Ann Roe",
    ),
    Expected("addendum", "addendum", lambda d: d["text"] == "Called the ward.", "Dr. Ann Roe"),
    Expected(
        "report exported",
        "export",
        lambda d: d["destination"] == "clipboard" and len(d["sha256"]) == 64,
    ),
    Expected("log looked at", "audit-opened", lambda _: True, of_study=False),
    Expected("verified", "verify", lambda d: d["ok"] is True, of_study=False),
    Expected("log exported", "audit-exported", lambda d: d["whole_log"], of_study=False),
    Expected("screen locked", "locked", lambda _: True, of_study=False),
    Expected("screen unlocked", "unlocked", lambda _: True, of_study=False),
    Expected("logout", "logout", lambda _: True, of_study=False),
)


@pytest.fixture
def reader(tmp_path: Path, qtbot: QtBot) -> Iterator[ReaderAtWork]:
    opened = ReaderAtWork(tmp_path / "data", qtbot)
    yield opened
    opened.database.dispose()


def work_a_day(reader: ReaderAtWork, film: Path) -> None:
    """Everything the table speaks of, through the window."""
    reader.log_in()
    reader.import_film(film)
    reader.draft("wait", "draft_cancelled")
    reader.draft("fail", "draft_failed")
    reader.draft("say", "draft_finished")
    reader.type_into_findings(" See [the prior].")
    reader.flip_effusion_and_lock_it()
    reader.redraft()
    reader.set_checks_aside()
    reader.save_a_template()
    reader.window.accounts.choose_minutes(15)
    reader.sign()
    reader.write_addendum("Called the ward.")
    reader.copy_report()
    reader.verify_log()
    reader.window.accounts.lock()
    reader.unlock()
    reader.close()


def _fits(entry: AuditEntry, expected: Expected, study_uid: str) -> bool:
    if entry.event != expected.event or entry.user not in (expected.user, ""):
        return False
    if expected.of_study and entry.study_instance_uid != study_uid:
        return False
    try:
        return expected.holds(entry.details)
    except KeyError:
        return False


def test_every_event_of_trust_md_is_written_with_who_when_and_what(
    reader: ReaderAtWork, write_film: Callable[..., Path]
) -> None:
    work_a_day(reader, write_film("a.dcm", GREY))
    entries = reader.audit.entries()
    study_uid = next(e.study_instance_uid for e in entries if e.event == "import")
    missing = [
        expected.what
        for expected in TABLE
        if not any(_fits(entry, expected, study_uid) for entry in entries)
    ]
    written = [f"{e.row} {e.event} {e.user} {dict(e.details)}" for e in entries]
    assert missing == [], "\n".join(written)
    assert all(entry.recorded_at.endswith("+00:00") for entry in entries)
    assert reader.audit.verify().ok
