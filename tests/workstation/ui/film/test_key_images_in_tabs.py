"""What tabs of films say: key images, and dates of priors where there is room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.instance_reader import read_film
from workstation.reading.measurement_store import MeasurementStore
from workstation.ui.film.film_column import FilmColumn
from workstation.ui.film.film_strip import FilmStrip
from workstation.ui.film.hung_film import HungFilm
from workstation.ui.viewer.shortcuts import Shortcuts


def test_a_tab_tells_how_many_are_kept(
    qtbot: QtBot, write_film: Callable[..., Path], catalog_engine: Engine
) -> None:
    stored = np.arange(2400, dtype=np.uint16).reshape(40, 60)
    film = read_film(write_film("film.dcm", stored))
    catalog = StudyCatalog(catalog_engine)
    catalog.add_instance(film.header, film.path)
    study_uid = film.header.study_instance_uid
    (row,) = catalog.instances(study_uid)
    column = FilmColumn(Shortcuts())
    qtbot.addWidget(column)
    column.grid.set_measurement_store(MeasurementStore(catalog_engine))
    hung = HungFilm(study_uid, row, "current", "2026-03-05 · PA")
    column.film_tabs.show_films([hung, hung], 0)
    viewer, tabs = column.grid.active.viewer, column.film_tabs
    viewer.resize(400, 400)
    viewer.set_film(film)
    before = tabs.tabText(0)
    assert "★" not in before
    viewer.perform("key_image.keep")
    assert tabs.tabText(0) == f"{before}  ★1"
    assert "key images: 1" in tabs.accessibleTabName(0)
    assert "key images: 1" in tabs.tabToolTip(0)
    viewer.perform("undo")
    assert tabs.tabText(0) == before


def test_dates_of_priors_give_way_before_tabs_are_cut_off(
    qtbot: QtBot, catalog_engine: Engine, study_uid: str
) -> None:
    (row,) = StudyCatalog(catalog_engine).instances(study_uid)
    strip = FilmStrip(lambda _: 0)
    qtbot.addWidget(strip)
    strip.resize(600, 40)
    strip.show_films(
        [
            HungFilm(study_uid, row, "current", "2026-03-05 · PA", "20260305"),
            HungFilm("1.2", row, "prior", "2026-01-30 · PA", "20260130"),
        ],
        0,
    )
    assert "2026-01-30" in strip.tabText(1)
    strip.resize(180, 40)
    assert "2026" not in strip.tabText(1)
    assert strip.tabText(1).startswith("PRIOR")
    assert "2026-01-30" in strip.tabToolTip(1)
    strip.resize(600, 40)
    assert "2026-01-30" in strip.tabText(1)
