from __future__ import annotations

import os
from pathlib import Path
from threading import Event, get_ident

import numpy as np
import pytest
from PySide6.QtTest import QSignalSpy

from workstation.catalog.database import CatalogUnavailable, open_database
from workstation.catalog.study_catalog import PatientConflict, StudyCatalog
from workstation.dicom.film import InstanceHeader
from workstation.ui.intake.importer import Importer

PICTURE = np.arange(256, dtype=np.uint16).reshape(16, 16)


class _Recorder:
    """Stands for catalog and audit: remembers films, and the thread that brought them."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.uids: set[str] = set()
        self.threads: set[int] = set()

    def __call__(self, header: InstanceHeader, path: Path) -> bool:
        self.paths.append(path)
        self.threads.add(get_ident())
        is_new = header.sop_instance_uid not in self.uids
        self.uids.add(header.sop_instance_uid)
        return is_new


@pytest.fixture
def recorder() -> _Recorder:
    return _Recorder()


@pytest.fixture
def make_importer(qtbot):
    made: list[Importer] = []

    def make(record) -> Importer:
        made.append(Importer(record))
        return made[-1]

    yield make
    for importer in made:
        assert importer.shutdown()


def run(qtbot, importer: Importer, *paths: Path) -> tuple[int, int, int]:
    with qtbot.waitSignal(importer.finished) as finished:
        importer.import_paths(list(paths))
    return tuple(finished.args)


def all_args(spy: QSignalSpy) -> list[tuple]:
    return [tuple(spy.at(i)) for i in range(spy.count())]


def test_a_folder_is_walked_and_the_rest_is_refused_with_reasons(
    qtbot, make_importer, recorder: _Recorder, write_film, tmp_path
) -> None:
    good = [write_film("a.dcm", PICTURE), write_film("deep/er/b", PICTURE)]
    whole = write_film("deep/truncated.dcm", PICTURE)
    whole.write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".hidden").write_bytes(b"\0\1")
    importer = make_importer(recorder)
    imported, refused = QSignalSpy(importer.instance_imported), QSignalSpy(importer.file_refused)
    assert run(qtbot, importer, tmp_path) == (2, 0, 3)
    assert recorder.paths == good
    assert all(study == "1.2.826.0.1.3680043.8.498.1" for study, _ in all_args(imported))
    reasons = {Path(path).name: reason for path, reason in all_args(refused)}
    assert reasons["notes.txt"] == "not a DICOM, PNG or JPEG file"
    assert "truncated" in reasons["truncated.dcm"]
    assert ".hidden" in reasons


def test_files_are_read_off_the_main_thread(
    qtbot, make_importer, recorder: _Recorder, write_film
) -> None:
    run(qtbot, make_importer(recorder), write_film("a.dcm", PICTURE))
    assert recorder.threads
    assert get_ident() not in recorder.threads


def test_importing_again_counts_duplicates_and_names_the_study(
    qtbot, make_importer, recorder: _Recorder, write_film
) -> None:
    path = write_film("a.dcm", PICTURE)
    importer = make_importer(recorder)
    known = QSignalSpy(importer.instance_already_known)
    assert run(qtbot, importer, path) == (1, 0, 0)
    assert run(qtbot, importer, path, path.parent) == (0, 1, 0)
    assert all_args(known)[0][0] == "1.2.826.0.1.3680043.8.498.1"


def test_paths_that_are_no_files_are_refused(
    qtbot, make_importer, recorder: _Recorder, tmp_path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    importer = make_importer(recorder)
    refused = QSignalSpy(importer.file_refused)
    assert run(qtbot, importer, tmp_path / "gone.dcm", tmp_path) == (0, 0, 2)
    assert all_args(refused) == [
        (str(tmp_path / "gone.dcm"), "No such file or directory"),
        (str(tmp_path / "pipe"), "not a regular file"),
    ]


def test_a_loop_of_links_ends(qtbot, make_importer, recorder: _Recorder, write_film) -> None:
    path = write_film("folder/a.dcm", PICTURE)
    (path.parent / "again").symlink_to(path.parent, target_is_directory=True)
    assert run(qtbot, make_importer(recorder), path.parent) == (1, 0, 0)


def test_progress_reaches_the_total(
    qtbot, make_importer, recorder: _Recorder, write_film, tmp_path
) -> None:
    for number in range(5):
        write_film(f"{number}.dcm", PICTURE)
    importer = make_importer(recorder)
    progress = QSignalSpy(importer.progress)
    run(qtbot, importer, tmp_path)
    told = all_args(progress)
    assert told[-1] == (5, 5)
    assert told == sorted(told, key=lambda pair: (pair[1], pair[0]))


def test_cancel_stops_after_the_file_at_hand(qtbot, make_importer, write_film, tmp_path) -> None:
    for number in range(5):
        write_film(f"{number}.dcm", PICTURE)
    reached, may_go_on = Event(), Event()

    def record_slowly(header: InstanceHeader, path: Path) -> bool:
        reached.set()
        assert may_go_on.wait(10)
        return True

    importer = make_importer(record_slowly)
    with qtbot.waitSignal(importer.finished) as finished:
        importer.import_paths([tmp_path])
        assert reached.wait(10)
        importer.cancel()
        may_go_on.set()
    assert finished.args == [1, 0, 0]
    assert importer.was_cancelled
    assert not importer.is_running


def test_imports_asked_for_meanwhile_wait_their_turn(
    qtbot, make_importer, recorder: _Recorder, write_film
) -> None:
    first, second = write_film("one/a.dcm", PICTURE), write_film("two/b.dcm", PICTURE)
    importer = make_importer(recorder)
    finished = QSignalSpy(importer.finished)
    importer.import_paths([first])
    importer.import_paths([second])
    qtbot.waitUntil(lambda: finished.count() == 2)
    assert recorder.paths == [first, second]


def test_a_catalog_that_gives_up_ends_the_import_and_says_why(
    qtbot, make_importer, write_film, tmp_path
) -> None:
    write_film("a.dcm", PICTURE)
    write_film("b.dcm", PICTURE)

    def give_up(header: InstanceHeader, path: Path) -> bool:
        raise CatalogUnavailable(Path("/data/echo.sqlite3"), "disk full")

    importer = make_importer(give_up)
    failed = QSignalSpy(importer.import_failed)
    assert run(qtbot, importer, tmp_path) == (0, 0, 0)
    assert failed.count() == 1
    assert "disk full" in failed.at(0)[0]


def test_another_patients_study_and_our_own_mistakes_cost_one_file(
    qtbot, caplog, make_importer, write_film, tmp_path
) -> None:
    for name in ("a.dcm", "b.dcm", "c.dcm"):
        write_film(name, PICTURE)

    def record(header: InstanceHeader, path: Path) -> bool:
        if path.name == "a.dcm":
            raise PatientConflict(path, "study belongs to patient B-2")
        if path.name == "b.dcm":
            raise KeyError("oops")
        return True

    importer = make_importer(record)
    refused = QSignalSpy(importer.file_refused)
    assert run(qtbot, importer, tmp_path) == (1, 0, 2)
    assert all_args(refused)[0][1] == "study belongs to patient B-2"
    assert "unexpected error" in all_args(refused)[1][1]
    assert "KeyError" in caplog.text


def test_films_reach_a_real_catalog_from_the_importers_thread(
    qtbot, make_importer, write_film, tmp_path
) -> None:
    path = write_film("films/a.dcm", PICTURE)
    engine = open_database(tmp_path / "catalog")
    catalog = StudyCatalog(engine)
    try:
        assert run(qtbot, make_importer(catalog.add_instance), path.parent) == (1, 0, 0)
        rows = catalog.list_studies()
        assert [row.patient_name for row in rows] == ["DOE, JANE"]
        assert catalog.instances(rows[0].study_instance_uid)[0].path == path
    finally:
        engine.dispose()
