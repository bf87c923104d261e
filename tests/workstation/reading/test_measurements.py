from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME, open_database, write_transaction
from workstation.catalog.schema import SCHEMA_VERSION, InstanceRecord
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.display_attributes import DisplayAttributes
from workstation.reading.figure_wording import word_figures, word_for_report
from workstation.reading.figures import (
    angle_degrees,
    cardiothoracic_ratio,
    region_area,
    region_statistics,
    ruler_of,
)
from workstation.reading.film_history import FilmHistory
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import (
    KINDS,
    POINT_COUNTS,
    Measurement,
    UnreadableMeasurement,
    dump_measurements,
    load_measurements,
)

quick = settings(deadline=None, max_examples=60)
VALUES = np.arange(100, dtype=np.uint16).reshape(10, 10)
PIXELS = DisplayAttributes()
DETECTOR = DisplayAttributes(pixel_spacing_mm=(0.2, 0.1), spacing_kind="at detector")
CALIBRATED = DisplayAttributes(pixel_spacing_mm=(0.5, 0.5), spacing_kind="calibrated")

coordinates = st.floats(-5000, 5000, allow_nan=False)


@st.composite
def drawn(draw: st.DrawFn) -> Measurement:
    kind = draw(st.sampled_from(KINDS))
    count = POINT_COUNTS[kind]
    points = draw(
        st.lists(st.tuples(coordinates, coordinates), min_size=count, max_size=count).map(tuple)
    )
    label = draw(st.none() | st.tuples(coordinates, coordinates))
    return Measurement(kind, points, draw(st.text(max_size=12)), draw(st.booleans()), label)


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        (PIXELS, "5 px"),
        (DETECTOR, "0.9 mm at detector"),  # hypot(3 * 0.1, 4 * 0.2) = 0.854
        (CALIBRATED, "2.5 mm calibrated"),
    ],
)
def test_every_length_says_what_its_unit_means(display: DisplayAttributes, expected: str) -> None:
    line = Measurement("length", ((1.0, 1.0), (4.0, 5.0)))
    assert word_figures(line, VALUES, display) == (expected,)
    assert word_for_report(line, VALUES, display) == f"Length: {expected}."


def test_angles_follow_the_shape_of_the_pixels() -> None:
    corner = ((1.0, 0.0), (0.0, 0.0), (1.0, 1.0))
    assert angle_degrees(corner, ruler_of(PIXELS)) == pytest.approx(45)
    assert angle_degrees(corner, ruler_of(DETECTOR)) == pytest.approx(63.4349, abs=1e-3)
    assert angle_degrees(((0.0, 0.0),) * 3, ruler_of(PIXELS)) == 0


def test_ratio_needs_no_spacing_and_tells_both_widths() -> None:
    points = ((2.0, 6.0), (7.0, 6.0), (0.0, 8.0), (10.0, 8.0))
    drawn = Measurement("cardiothoracic", points)
    assert cardiothoracic_ratio(points, ruler_of(PIXELS)) == 0.5
    assert cardiothoracic_ratio(points[:2] + (points[0],) * 2, ruler_of(PIXELS)) is None
    assert word_figures(drawn, VALUES, CALIBRATED) == (
        "CTR 0.50",
        "heart 2.5 mm calibrated",
        "thorax 5.0 mm calibrated",
    )
    assert word_for_report(drawn, VALUES, PIXELS) == (
        "Cardiothoracic ratio: 0.50 (heart 5 px, thorax 10 px)."
    )
    assert word_for_report(drawn, VALUES, PIXELS, "zh") == "心胸比：0.50（心影 5 px，胸廓 10 px）。"


@pytest.mark.parametrize("is_sideways", [False, True])
def test_lines_of_the_ratio_stay_straight_across(is_sideways: bool) -> None:
    drawn = Measurement("cardiothoracic", ((2.0, 6.0),), is_sideways=is_sideways)
    for index, point in ((1, (7.0, 6.5)), (2, (0.0, 8.0)), (3, (9.0, 9.0)), (2, (1.0, 7.0))):
        drawn = drawn.with_point(index, point)
    shared = 0 if is_sideways else 1
    one, two, three, four = drawn.points
    assert one[shared] == two[shared]
    assert three[shared] == four[shared]
    assert one[shared] != three[shared]


def test_rectangle_counts_pixels_by_their_middle() -> None:
    box = Measurement("rectangle", ((4.9, 4.9), (1.6, 2.0)))
    found = region_statistics(box, VALUES, PIXELS)
    inside = VALUES[2:5, 2:5].astype(float)
    assert (found.count, found.least, found.greatest) == (9, 22, 44)
    assert found.mean == inside.mean()
    assert found.deviation == pytest.approx(inside.std())
    assert region_area(box, ruler_of(DETECTOR)) == pytest.approx(3.3 * 2.9 * 0.1 * 0.2)
    assert word_figures(box, VALUES, DETECTOR)[1] == "22–44  stored values  n 9"


def test_ellipse_leaves_out_its_corners_and_padding() -> None:
    around = Measurement("ellipse", ((0.0, 0.0), (10.0, 10.0)))
    found = region_statistics(around, VALUES, PIXELS)
    inside = [
        VALUES[row, column]
        for row in range(10)
        for column in range(10)
        if (column - 4.5) ** 2 + (row - 4.5) ** 2 <= 25
    ]
    assert (found.count, found.mean) == (len(inside), np.mean(inside))
    padded = DisplayAttributes(padding_range=(0, 49))
    assert region_statistics(around, VALUES, padded).least == 50


def test_region_outside_the_film_is_empty() -> None:
    beside = Measurement("ellipse", ((50.0, 50.0), (60.0, 60.0)))
    assert region_statistics(beside, VALUES, PIXELS).count == 0
    assert word_figures(beside, VALUES, PIXELS)[0] == "0 pixels"


@quick
@given(drawn())
def test_what_is_stored_comes_back(measurement: Measurement) -> None:
    assert load_measurements(dump_measurements([measurement])) == (measurement,)


def test_figures_whose_words_nobody_moved_are_stored_as_before() -> None:
    (stored,) = dump_measurements([Measurement("length", ((1.0, 2.0), (3.0, 4.0)))])
    assert set(stored) == {"id", "kind", "points", "text", "is_sideways"}


@quick
@given(drawn(), coordinates, coordinates)
def test_figures_do_not_depend_on_the_place(
    measurement: Measurement, columns: float, rows: float
) -> None:
    if measurement.kind in ("length", "angle", "cardiothoracic"):
        ruler = ruler_of(CALIBRATED)
        there = measurement.moved(columns, rows)
        ends = measurement.points[0], measurement.points[1]
        moved = there.points[0], there.points[1]
        assert ruler.between(*moved) == pytest.approx(ruler.between(*ends), abs=1e-6)


@pytest.mark.parametrize(
    "stored",
    [{}, [1], [{"id": "a", "kind": "length", "points": [[1, 2]]}],
     [{"id": "a", "kind": "volume", "points": [[1, 2]]}],
     [{"id": "a", "kind": "text", "points": [["x", 2]]}],
     [{"id": "a", "kind": "text", "points": [[float("nan"), 2]]}],
     [{"id": "a", "kind": "text", "points": [[1, 2]], "label": [3]}],
     [{"id": "a", "kind": "text", "points": [[1, 2]], "label": [3, float("inf")]}]],
)  # fmt: skip
def test_nonsense_is_refused(stored: object) -> None:
    with pytest.raises(UnreadableMeasurement):
        load_measurements(stored)


@quick
@given(st.lists(st.tuples(st.sampled_from(["put", "remove", "undo", "redo"]), st.integers(0, 3))))
def test_undo_goes_back_exactly(steps: list[tuple[str, int]]) -> None:
    history = FilmHistory()
    for number, (what, which) in enumerate(steps):
        if what == "put":
            changed = history.put(Measurement("text", ((number, 0.0),), id=str(which)))
        elif what == "remove":
            changed = history.remove(str(which))
        else:
            getattr(history, what)()
            continue
        if changed:
            after = history.measurements
            assert history.undo()
            assert history.redo()
            assert history.measurements == after
    while history.undo():
        pass
    assert history.measurements == ()


# -- in the catalog --------------------------------------------------------------------------


def test_measurements_come_back_after_a_restart(
    catalog_engine: Engine, study_uid: str, tmp_path: Path
) -> None:
    uid = StudyCatalog(catalog_engine).instances(study_uid)[0].sop_instance_uid
    drawn = (
        Measurement("length", ((1.5, 2.5), (3.0, 4.0))),
        Measurement("text", ((1, 1),), "结节"),
    )
    store = MeasurementStore(catalog_engine)
    assert store.save(uid, drawn[:1])
    assert store.save(uid, drawn)
    catalog_engine.dispose()
    again = open_database(tmp_path / "records")
    assert MeasurementStore(again).load(uid) == drawn
    assert MeasurementStore(again).save(uid, ())
    assert MeasurementStore(again).load(uid) == ()
    again.dispose()


def test_films_that_are_not_in_the_catalog_keep_nothing(catalog_engine: Engine) -> None:
    store = MeasurementStore(catalog_engine)
    assert not store.save("1.2.9", (Measurement("text", ((1, 1),), "x"),))
    assert store.load("1.2.9") == ()


def test_measurements_go_with_their_film(catalog_engine: Engine, study_uid: str) -> None:
    uid = StudyCatalog(catalog_engine).instances(study_uid)[0].sop_instance_uid
    store = MeasurementStore(catalog_engine)
    store.save(uid, (Measurement("text", ((1, 1),), "x"),))
    with write_transaction(catalog_engine) as connection:
        connection.execute(delete(InstanceRecord).where(InstanceRecord.sop_instance_uid == uid))
    assert store.load(uid) == ()


def test_catalog_of_version_1_gets_the_table_and_keeps_its_rows(tmp_path: Path) -> None:
    first = open_database(tmp_path)
    head = AuditLog(first).append("settings", user="u").hash
    first.dispose()
    with sqlite3.connect(tmp_path / DATABASE_NAME) as raw:
        raw.execute("DROP TABLE measurement")
        raw.execute("PRAGMA user_version=1")
    raw.close()
    second = open_database(tmp_path)
    assert AuditLog(second).head() == head
    assert AuditLog(second).verify().ok
    assert MeasurementStore(second).load("1.2") == ()
    second.dispose()
    with sqlite3.connect(tmp_path / DATABASE_NAME) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    raw.close()
