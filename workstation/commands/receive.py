"""``echo-workstation receive``: the C-STORE receiver without a window, until Ctrl+C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable, open_database
from workstation.catalog.study_catalog import StudyCatalog
from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.instance_store import InstanceStore
from workstation.network.receiver import StorageReceiver
from workstation.network.settings import ReceiverSettings
from workstation.network.storage_service import IntakeEvent
from workstation.reporting.report_store import login_name


def run_receive(
    settings: ReceiverSettings, data_dir: Path, wait: Callable[[], None] | None = None
) -> int:
    """Exit code: 0 after Ctrl+C, 2 if the settings, the port or the catalog can't be used.

    wait: returns when it is time to stop; for tests.
    """
    try:
        engine = open_database(data_dir)
    except CatalogUnavailable as error:
        print(f"echo-workstation: {error}", file=sys.stderr)
        return 2
    try:
        store = InstanceStore(StudyCatalog(engine), AuditLog(engine), login_name())
        receiver = StorageReceiver(settings, store, _print_event)
        receiver.start()
    except (InvalidSettings, NetworkFailure) as error:
        print(f"echo-workstation: {error}", file=sys.stderr)
        engine.dispose()
        return 2
    try:
        tls = " over TLS" if settings.uses_tls else ""
        allowed = ", ".join(settings.allowed_ae_titles)
        where = f"{settings.ae_title} at {settings.host}:{settings.port}{tls}"
        print(f"Receiving as {where} from {allowed}; Ctrl+C ends it.", flush=True)
        (wait or _wait_for_signal)()
    except KeyboardInterrupt:
        pass
    finally:
        receiver.stop()
        engine.dispose()
    return 0


def _wait_for_signal() -> None:
    """SIGTERM ends it like Ctrl+C: a service manager sends that."""
    is_asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_asked.set())
    while not is_asked.wait(0.5):
        pass


def _print_event(event: IntakeEvent) -> None:
    """One line, without the patient's name: it may go into a log."""
    words = (event.kind, event.sop_instance_uid, event.summary, f"from {event.peer}")
    line = " ".join(word for word in words if word)
    print(f"{line}: {event.reason}" if event.reason else line, flush=True)
