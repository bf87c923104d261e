"""kill -9 at 200 random moments of editing and signing: what was acknowledged is there, the file
is whole, and log, reports, versions and signatures tell the same."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
from sqlalchemy import Engine

from tests.workstation.conftest import HEADER
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME
from workstation.catalog.study_catalog import StudyCatalog
from workstation.reporting.versions.report_store import ReportStore

KILLS = 200
MOST_STEPS = 3  # acknowledged before the kill
A_STEP_S = 0.012  # at most, that the kill comes after the last of them
ROWS_A_STEP = 3
STUDIES = [f"1.2.{number}" for number in range(1, 400)]

# Imports once, then forks a reader for every line on stdin: a killed one costs no start-up. Each
# acknowledged step is one line: the row of the audit log it is in. Typing is one letter a time,
# saved as the window does it: by the autosave, well inside two seconds.
_READERS = """
    import os, sys
    from pathlib import Path
    from workstation.audit.audit_log import AuditLog
    from workstation.catalog.database import open_database
    from workstation.reporting.versions.autosave import Autosave
    from workstation.reporting.draft_report import DraftReport
    from workstation.reporting.versions.report_store import DraftOrigin, ReportStore
    from workstation.reporting.signing.sign_off import SignOff

    ORIGIN = DraftOrigin("ab" * 32, {}, "No mass. Clips.", "No mass.")

    class Reader:
        def __init__(self):
            engine = open_database(Path(sys.argv[1]), busy_timeout_s=30)
            self.audit = AuditLog(engine)
            self.store = ReportStore(engine, self.audit, "reader")
            self.sign_off = SignOff(engine, self.audit)

        def acknowledge(self):
            row = self.audit.entries(limit=1)[0].row
            os.write(1, f"{row}\\n".encode())  # one write: death can't tear the line

        def edit(self, uid, times):
            "Until the text has been added to so many times, by this reader or one before."
            stored = self.store.load(uid)
            kept = stored and (stored.correction or stored)
            report = DraftReport(kept.state if kept else None)
            autosave = Autosave(self.store, uid, report, stored and stored.correction)
            if report.state.is_blank:
                report.set_from_draft("No mass. Clips.", "No mass.")
                autosave.set_origin(ORIGIN)
                autosave.flush()
                self.acknowledge()
            while report.state.findings_text.count("Seen") < times:
                for letter in " Seen again.":
                    typed = report.state.findings_text + letter
                    report.set_section_text("findings", typed, merge=True)
                autosave.flush()
                self.acknowledge()
            autosave.close()

        def go_on(self, uid):
            stored = self.store.load(uid)
            stage = stored.stage if stored else "draft"
            if stage == "corrected":
                return
            if stage == "draft":
                self.edit(uid, 3)
                self.sign_off.sign_preliminary(uid, "Dr. Roe")
            elif stage == "preliminary":
                self.edit(uid, 5)
                self.sign_off.sign(uid, "Dr. Roe")
            elif stored.correction is None:
                if not stored.addenda:
                    self.sign_off.add_addendum(uid, "Dr. Roe", "Late.")
                    self.acknowledge()
                self.sign_off.start_correction(uid, "Dr. Roe", "wrong side")
            else:
                self.edit(uid, 6)
                self.sign_off.sign(uid, "Dr. Roe")
            self.acknowledge()
            self.go_on(uid)

    def read_for_ever(first):
        reader = Reader()
        print(os.getpid(), flush=True)
        for number in range(first, 400):
            reader.go_on(f"1.2.{number}")

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            read_for_ever(int(line))
        os.waitpid(child, 0)
        print("dead", flush=True)
"""


@contextmanager
def _readers(folder: Path) -> Iterator[tuple[IO[str], IO[str]]]:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_READERS), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdin, process.stdout
        process.stdin.close()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the reader")
def test_nothing_acknowledged_is_lost_by_kill_9(catalog_engine: Engine, tmp_path: Path) -> None:
    catalog, folder = StudyCatalog(catalog_engine), tmp_path / "records"
    for number, uid in enumerate(STUDIES, start=1):
        header = replace(HEADER, study_instance_uid=uid, sop_instance_uid=f"9.{number}")
        catalog.add_instance(header, Path(f"/films/{number}.dcm"))
    catalog_engine.dispose()
    moments, acknowledged = random.Random(20260412), 0
    with _readers(folder) as (orders, answers):
        for _ in range(KILLS):
            orders.write(f"{_first_open_study(folder)}\n")
            orders.flush()
            reader = int(answers.readline())
            for _ in range(moments.randint(1, MOST_STEPS)):
                acknowledged = int(answers.readline())
            time.sleep(moments.uniform(0, A_STEP_S))  # the moment of death, not a wait
            os.kill(reader, signal.SIGKILL)
            for line in iter(answers.readline, "dead\n"):
                acknowledged = int(line)
            newest = _check_after_crash(catalog_engine)
            assert 0 <= newest - acknowledged <= ROWS_A_STEP
    events = {entry.event for entry in AuditLog(catalog_engine).entries()}
    assert events >= {
        "edit", "draft-taken-over", "sign-preliminary", "sign", "addendum", "correction-started",
        "correct",
    }  # fmt: skip


def _first_open_study(folder: Path) -> int:
    raw = sqlite3.connect(folder / DATABASE_NAME)
    query = "SELECT count(*) FROM report_version WHERE kind = 'corrected'"
    (done,) = raw.execute(query).fetchone()
    raw.close()
    return done + 1


def _check_after_crash(engine: Engine) -> int:
    """The newest audit row, after making sure that everything in the file agrees with it."""
    audit = AuditLog(engine)
    result = audit.verify()
    assert result.ok, result
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    edits = [entry for entry in audit.entries(limit=40) if entry.event == "edit"]
    if edits and edits[-1].details["section"] == "findings":
        stored = ReportStore(engine, audit).load(edits[-1].study_instance_uid)
        assert stored is not None
        said = (stored.correction or stored).state.findings_text
        assert said == edits[-1].details["after"]
    engine.dispose()  # no open file here while the next reader writes
    return result.entries
