"""``echo-workstation receive``: the C-STORE receiver without a window, until Ctrl+C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.commands.catalog_session import run_logged_in
from workstation.commands.exit_codes import UNUSABLE, one_line, tell_failure
from workstation.commands.login_options import NOBODY, CommandLogin
from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.instance_store import InstanceStore
from workstation.network.receiver import StorageReceiver
from workstation.network.settings import ReceiverSettings
from workstation.network.storage_service import IntakeEvent


def run_receive(
    settings: ReceiverSettings,
    data_dir: Path,
    wait: Callable[[], None] | None = None,
    login: CommandLogin = NOBODY,
) -> int:
    """Exit code: 0 after Ctrl+C, 2 if the settings, the port or the catalog can't be used, 4 if
    nobody was let in.

    wait: returns when it is time to stop; for tests.
    """
    return run_logged_in(
        data_dir,
        "receive",
        login,
        lambda engine, user: _receive(settings, engine, user, wait or _wait_for_signal),
        makes_catalog=True,
    )


def _receive(
    settings: ReceiverSettings, engine: Engine, user: str, wait: Callable[[], None]
) -> int:
    try:
        store = InstanceStore(StudyCatalog(engine), AuditLog(engine), user)
        receiver = StorageReceiver(settings, store, _print_event)
        receiver.start()
    except (InvalidSettings, NetworkFailure) as error:
        tell_failure(error)
        return UNUSABLE
    try:
        tls = " over TLS" if settings.uses_tls else ""
        allowed = ", ".join(settings.allowed_ae_titles)
        where = f"{settings.ae_title} at {settings.host}:{settings.port}{tls}"
        print(f"Receiving as {where} from {allowed}; Ctrl+C ends it.", flush=True)
        wait()
    except KeyboardInterrupt:
        pass
    finally:
        receiver.stop()
    return 0


def _wait_for_signal() -> None:
    """SIGTERM ends it like Ctrl+C: a service manager sends that."""
    is_asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_asked.set())
    while not is_asked.wait(0.5):
        pass


def _print_event(event: IntakeEvent) -> None:
    """One line, without the patient's name: it may go into a log. A log that takes no more lines
    (a full disk, a pipe nobody reads) keeps no film from being stored."""
    words = (event.kind, event.sop_instance_uid, event.summary, f"from {event.peer}")
    line = " ".join(word for word in words if word)
    with suppress(OSError):
        print(one_line(f"{line}: {event.reason}" if event.reason else line), flush=True)
