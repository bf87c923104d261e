"""Work on a thread of its own, whose owner may go at any time."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from workstation.catalog.study_catalog import UnknownStudy
from workstation.ui.background_task import BackgroundTask, _under_way

WAIT_MS = 20_000


class Owner(QObject):
    """Writes down what it is told, and on which thread; does something where a word is heard."""

    def __init__(self, on_word: Callable[[str], object] = lambda word: None) -> None:
        super().__init__()
        self.told: list[tuple[str, object]] = []
        self.threads: set[str] = set()
        self._on_word = on_word

    def ask(self, call: Callable[[], object], *refusals: type[Exception]) -> BackgroundTask:
        task = BackgroundTask(call, self, refusals)
        task.succeeded.connect(self._on_succeeded)
        task.failed.connect(self._on_failed)
        task.finished.connect(self._on_finished)
        task.start()
        return task

    def _on_succeeded(self, result: object) -> None:
        self._hear("succeeded", result)

    def _on_failed(self, reason: str) -> None:
        self._hear("failed", reason)

    def _on_finished(self) -> None:
        self._hear("finished", None)

    def _hear(self, word: str, what: object) -> None:
        self.told.append((word, what))
        self.threads.add(threading.current_thread().name)
        self._on_word(word)


def _wait_until_let_go(qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not _under_way, timeout=WAIT_MS)


def test_the_result_is_told_once_on_the_main_thread(qtbot: QtBot) -> None:
    owner, ran_on = Owner(), []
    owner.ask(lambda: ran_on.append(threading.current_thread()) or 3)
    _wait_until_let_go(qtbot)
    assert owner.told == [("succeeded", 3), ("finished", None)]
    assert owner.threads == {threading.main_thread().name}
    assert ran_on != [threading.main_thread()]


class _Refused(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnknownStudy("1.2.3"), "no study 1.2.3 in the catalog"),
        (_Refused("not this one"), "not this one"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (KeyError("rows"), "unexpected error: 'rows'"),
    ],
)
def test_an_error_is_told_in_its_own_words(qtbot: QtBot, error: Exception, reason: str) -> None:
    def fail() -> object:
        raise error

    owner = Owner()
    owner.ask(fail, _Refused)
    _wait_until_let_go(qtbot)
    assert owner.told == [("failed", reason), ("finished", None)]


def test_an_owner_that_goes_while_the_call_runs_is_told_nothing(qtbot: QtBot) -> None:
    may_end = threading.Event()
    owner = Owner()
    told = owner.told
    task = owner.ask(lambda: may_end.wait(WAIT_MS / 1000))
    delete(owner)
    may_end.set()
    task.wait()
    _wait_until_let_go(qtbot)
    assert told == []


def test_an_owner_that_goes_as_it_hears_the_result_is_told_no_more(qtbot: QtBot) -> None:
    owner = Owner(on_word=lambda word: delete(owner))
    owner.ask(lambda: 3)
    _wait_until_let_go(qtbot)
    assert not isValid(owner)
    assert owner.told == [("succeeded", 3)]


# What these do wrong ends the process, so each runs in one of its own.
_LAST_HOLDER = """
    owner = QObject()
    task = BackgroundTask(lambda owner=owner: None, owner)
    task.start()
    del owner, task  # the call alone holds its owner now
    loop_until(lambda: not _under_way)
"""
_OWNER_DIES_FIRST = """
    owner = QObject()
    task = BackgroundTask(lambda: None, owner)
    task.start()  # about to tell its end, on the other thread
    if turn % 2:
        delete(owner)
    del owner, task
    loop_until(lambda: not _under_way)
"""
_PROGRAM = """
import faulthandler, gc
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject
from shiboken6 import delete
from workstation.ui.background_task import BackgroundTask, _under_way

faulthandler.enable()
gc.disable()
app = QCoreApplication([])

def loop_until(is_done):
    while not is_done():
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

for turn in range(300):
{turn}
print("alive")
"""


@pytest.mark.parametrize("turn", [_LAST_HOLDER, _OWNER_DIES_FIRST], ids=["last", "first"])
def test_no_end_of_an_owner_ends_the_process(turn: str) -> None:
    program = _PROGRAM.format(turn=turn.strip("\n"))
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "alive"), ended.stderr[-2000:]
