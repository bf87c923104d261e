"""Take the README's pictures of the demo: empty, half filled, signed, with a prior, a race.

    QT_QPA_PLATFORM=offscreen python packaging/take_pictures.py resources/pictures

The real window, the real embedded model; only the reader's hands are simulated.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QTimer, SignalInstance
from PySide6.QtWidgets import QApplication

from inference import BlockCommitted
from workstation.app import build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.intake.demo_films import write_demo_films
from workstation.ui.main_window import MainWindow
from workstation.ui.theme import apply_theme

_SIZE = (1720, 1000)
_FOLLOWED = "PH-018825"  # the demo's patient with an earlier study
_AFTER_ONE_PASS = 8  # the ninth region's first block
_SETTLE_MS = 400  # the words' fade, and the coalesced repaint


def wait_for(signal: SignalInstance) -> None:
    loop = QEventLoop()
    signal.connect(lambda *_: loop.quit())
    loop.exec()


def settle() -> None:
    loop = QEventLoop()
    QTimer.singleShot(_SETTLE_MS, loop.quit)
    loop.exec()


class HalfWay(QObject):
    """Grabs the window when half of the draft's blocks stand."""

    def __init__(self, window: MainWindow, path: Path, at_block: int) -> None:
        super().__init__(window)
        self._window, self._path, self._at_block = window, path, at_block

    def on_block(self, event: BlockCommitted) -> None:
        if event.index == self._at_block:
            # Its coalesced repaint would come after the next blocks.
            self._window.report_panel.draft_view._refresh()
            self._window.grab().save(str(self._path))


def take_race(window: MainWindow, path: Path) -> None:
    """The end of a race: its text, figures and findings compared."""
    window.race_strategies()
    dialog = window.races.dialog
    assert dialog is not None
    dialog.start()
    while dialog.is_running:
        settle()
    dialog.playback.seek(dialog.playback.duration_ms)
    settle()
    dialog.grab().save(str(path))
    dialog.reject()


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    apply_theme(app)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = list(write_demo_films(folder))
        drafting = DraftingService()
        window = build_window(open_database(folder / "data"), drafting)
        window.resize(*_SIZE)
        window.show()
        drafting.start("embedded", "cpu")
        wait_for(drafting.engine_ready)
        window.import_paths(films, open_first=False)
        wait_for(window.importer.finished)
        window.study_list.activate_study(window.study_list.model.rows[1].study_instance_uid)
        wait_for(window.loader.film_loaded)
        settle()
        window.grab().save(str(out / "empty.png"))

        for action in window.decoding_group.actions():
            if action.data() == "regions-adaptive":  # what the demo does
                action.trigger()
        window.report_panel.draft_view.is_motion_enabled = False
        half_way = HalfWay(window, out / "half-filled.png", at_block=_AFTER_ONE_PASS)
        drafting.block_committed.connect(half_way.on_block)
        window.report_panel.request_draft()
        wait_for(drafting.draft_finished)
        settle()
        window.grab().save(str(out / "drafted.png"))
        window.desk.sign(lambda _report: "Dr. A. Reader")
        settle()
        window.grab().save(str(out / "signed.png"))

        follow_up = next(row for row in window.study_list.model.rows if row.patient_id == _FOLLOWED)
        window.study_list.activate_study(follow_up.study_instance_uid)
        wait_for(window.loader.film_loaded)
        settle()
        window.grab().save(str(out / "prior.png"))
        take_race(window, out / "race.png")
        window.close()
        drafting.shutdown(60_000)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
