"""Thumbnails are made on a thread that ends with the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.instance_reader import read_header
from workstation.intake.thumbnails import ThumbnailStore
from workstation.ui.studies.thumbnail_loader import ThumbnailLoader


def test_no_thread_begins_after_the_end(
    catalog_engine: Engine, phantom_films: list[Path], tmp_path: Path, qtbot: QtBot
) -> None:
    catalog = StudyCatalog(catalog_engine)
    catalog.add_instance(read_header(phantom_films[0]), phantom_films[0])
    (row,) = catalog.list_studies()
    loader = ThumbnailLoader(catalog, ThumbnailStore(tmp_path))
    with qtbot.waitSignal(loader.thumbnail_ready, timeout=20_000):
        assert loader.thumbnail(row) is None
    picture = loader.thumbnail(row)
    assert picture is not None
    assert loader.shutdown(20_000)
    assert loader.thumbnail(row) is picture
    loader.forget({row.study_instance_uid})
    assert loader.thumbnail(row) is None
    maker = loader.findChild(QThread, "thumbnailThread")
    assert maker is not None
    assert maker.isFinished()
