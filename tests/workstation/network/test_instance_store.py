from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from PIL import Image
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import InstanceConflict, StudyCatalog
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.intake.film_store import FilmStore, KeptFile
from workstation.intake.instance_recorder import InstanceRecorder
from workstation.network.failures import NetworkFailure, StoreUnavailable
from workstation.network.instance_store import InstanceStore


def _chunks(path: Path, size: int = 10_000) -> list[bytes]:
    content = path.read_bytes()
    return [content[start : start + size] for start in range(0, len(content), size)]


def _files(store: InstanceStore) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def _listed(engine: Engine) -> list[Path]:
    catalog = StudyCatalog(engine)
    rows = catalog.list_studies()
    return [film.path for row in rows for film in catalog.instances(row.study_instance_uid)]


def test_a_full_disk_at_any_step_leaves_nothing_and_a_retry_completes(
    store: InstanceStore,
    catalog_engine: Engine,
    phantom_films: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ENOSPC at the n-th call that needs the disk, for all n until it goes through."""
    calls = {"count": 0, "fail_at": 0}

    def failing(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls["count"] += 1
            if calls["count"] == calls["fail_at"]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "fsync", failing(os.fsync))
    monkeypatch.setattr(os, "replace", failing(os.replace))
    monkeypatch.setattr(tempfile, "mkstemp", failing(tempfile.mkstemp))
    steps = 0
    while True:
        calls.update(count=0, fail_at=steps + 1)
        with contextlib.suppress(StoreUnavailable):
            stored = store.store(_chunks(phantom_films[0]), "test")
            break
        assert _files(store) == []
        assert _listed(catalog_engine) == []
        assert AuditLog(catalog_engine).entries() == []
        steps += 1
    assert steps == 4  # temporary file, its fsync, the move, the folder's fsync
    assert _listed(catalog_engine) == [stored.path]
    assert read_film(stored.path).stored.size


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_fills_while_writing_is_said(
    store: InstanceStore, phantom_films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """/dev/full refuses real writes with a real ENOSPC."""
    real = tempfile.mkstemp

    def on_a_full_disk(**place: Any) -> tuple[int, str]:
        handle, name = real(**place)
        os.close(handle)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(tempfile, "mkstemp", on_a_full_disk)
    with pytest.raises(StoreUnavailable, match="no space left"):
        store.store(_chunks(phantom_films[0]), "test")
    assert _files(store) == []


def test_a_full_catalog_lists_nothing_and_keeps_no_file(
    store: InstanceStore, catalog_engine: Engine, phantom_films: list[Path]
) -> None:
    """SQLITE_FULL, from SQLite itself."""
    with catalog_engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    # The pool hands the limited connection out again; fill the file's free room with films.

    def store_many() -> None:
        for number in range(200):
            store.store(_relabelled(phantom_films[0], number), "test")

    with pytest.raises(StoreUnavailable, match="disk is full"):
        store_many()
    assert sorted(_files(store)) == sorted(_listed(catalog_engine))
    assert AuditLog(catalog_engine).verify().ok


def _relabelled(path: Path, number: int) -> list[bytes]:
    film = pydicom.dcmread(path)
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    return _encoded(film)


def _encoded(film: pydicom.FileDataset) -> list[bytes]:
    stream = BytesIO()
    film.save_as(stream)
    return [stream.getvalue()]


def test_a_source_that_breaks_off_leaves_nothing(
    store: InstanceStore, catalog_engine: Engine, phantom_films: list[Path]
) -> None:
    def broken() -> Iterator[bytes]:
        yield _chunks(phantom_films[0])[0]
        raise NetworkFailure("PACS", "the connection broke")

    with pytest.raises(NetworkFailure):
        store.store(broken(), "test")
    assert _files(store) == []
    assert _listed(catalog_engine) == []


def test_a_whole_file_that_nothing_lists_is_taken_up(
    store: InstanceStore, catalog_engine: Engine, phantom_films: list[Path]
) -> None:
    """What a crash between the rename and the commit leaves."""
    content = BytesIO(phantom_films[0].read_bytes())
    kept = FilmStore(store.folder.parent).keep(content, 1 << 30)
    stored = store.store(_chunks(phantom_films[0]), "test")
    assert stored.is_new
    assert stored.path == kept.path
    assert _listed(catalog_engine) == [kept.path]


def test_the_same_film_otherwise_encoded_changes_nothing(
    store: InstanceStore, catalog_engine: Engine, phantom_films: list[Path]
) -> None:
    first = store.store(_chunks(phantom_films[0]), "test")
    film = pydicom.dcmread(phantom_films[0])
    film.StudyDescription = "otherwise"
    again = store.store(_encoded(film), "test")
    assert not again.is_new
    assert _files(store) == [first.path]
    assert _listed(catalog_engine) == [first.path]


def test_another_film_of_the_same_uid_is_refused_not_called_known(
    store: InstanceStore, catalog_engine: Engine, phantom_films: list[Path]
) -> None:
    """A sender that is told "stored" may delete its own."""
    first = store.store(_chunks(phantom_films[0]), "test")
    other = pydicom.dcmread(phantom_films[1])
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = first.sop_instance_uid
    with pytest.raises(InstanceConflict, match="already there for another film"):
        store.store(_encoded(other), "test")
    assert _files(store) == [first.path]
    assert _listed(catalog_engine) == [first.path]


def test_a_file_that_another_window_has_listed_since_is_not_discarded(
    store: InstanceStore,
    catalog_engine: Engine,
    phantom_films: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both kept it at once: the one that wrote it first finds it listed by the other."""
    first = store.store(_chunks(phantom_films[0]), "test")
    monkeypatch.setattr(FilmStore, "keep", lambda *_: KeptFile(first.path, True))
    assert not store.store(_chunks(phantom_films[0]), "test").is_new
    assert _files(store) == [first.path]
    recorder = InstanceRecorder(StudyCatalog(catalog_engine), AuditLog(catalog_engine), "u")
    recorder.discard(first.path)
    assert _files(store) == [first.path]


def test_a_film_whose_file_was_lost_gets_the_one_that_came(
    store: InstanceStore, catalog_engine: Engine, phantom_films: list[Path], tmp_path: Path
) -> None:
    lost = tmp_path / "lost.dcm"
    lost.write_bytes(phantom_films[0].read_bytes())
    header = read_header(lost)
    uids = (header.study_instance_uid, header.sop_instance_uid)
    StudyCatalog(catalog_engine).add_instance(header, lost)
    assert store.is_listed(*uids)
    lost.unlink()
    assert not store.is_listed(*uids)
    stored = store.store(_chunks(phantom_films[0]), "test")
    assert stored.is_new
    assert _listed(catalog_engine) == [stored.path]
    (entry,) = AuditLog(catalog_engine).entries()
    assert entry.details["replaces_lost_file"]
    assert store.is_listed(*uids)


def test_pictures_are_not_taken_for_dicom(store: InstanceStore) -> None:
    stream = BytesIO()
    Image.new("L", (64, 64)).save(stream, "PNG")
    with pytest.raises(UnreadableInstance, match="not a DICOM file"):
        store.store([stream.getvalue()], "test")


def test_what_a_crash_left_is_removed_once_it_is_old(store: InstanceStore) -> None:
    store.folder.mkdir(parents=True)
    old, new = store.folder / "incoming-old.part", store.folder / "incoming-new.part"
    for path in (old, new):
        path.write_bytes(b"half")
    past = time.time() - 7200
    os.utime(old, (past, past))
    assert store.remove_stale() == 1
    assert not old.exists()
    assert new.exists()
