"""Key images a reader kept: in the catalog, under undo, and after the signature."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete

from tests.workstation.reported_studies import ReportedStudy
from workstation.catalog.database import write_transaction
from workstation.catalog.schema import InstanceRecord
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.voi import Window
from workstation.reading.display_state import BY_HAND, DisplayState
from workstation.reading.film_history import FilmHistory, FilmMarks
from workstation.reading.key_views import (
    KeyView,
    UnreadableKeyView,
    dump_key_views,
    load_key_views,
)
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import Measurement

PART = KeyView(
    DisplayState(window=Window(900.0, 700.0, explanation=BY_HAND), is_inverted=True, turns=1),
    box=(10.0, 20.5, 60.0, 90.0),
    with_figures=False,
)
WHOLE = KeyView(DisplayState(choice="Full range"), frame_index=2, with_graphics=False)


def test_what_is_kept_comes_back(catalog_engine: Engine, study_uid: str) -> None:
    uid = StudyCatalog(catalog_engine).instances(study_uid)[0].sop_instance_uid
    store = MeasurementStore(catalog_engine)
    assert store.save_key_views(uid, (PART, WHOLE))
    assert MeasurementStore(catalog_engine).load_marks(uid) == FilmMarks((), (PART, WHOLE))
    assert store.save_key_views(uid, (WHOLE,))
    assert store.load_key_views(uid) == (WHOLE,)
    with write_transaction(catalog_engine) as connection:
        connection.execute(delete(InstanceRecord).where(InstanceRecord.sop_instance_uid == uid))
    assert store.load_key_views(uid) == ()
    assert not store.save_key_views(uid, (PART,))


def test_key_images_of_a_signed_report_stay(study: ReportedStudy) -> None:
    store = study.sources.measurements
    (image,) = study.read().images
    assert store.save_key_views(image.sop_instance_uid, (PART,))
    study.bring_to("final")
    assert not store.save_key_views(image.sop_instance_uid, ())
    assert store.load_key_views(image.sop_instance_uid) == (PART,)


@pytest.mark.parametrize(
    "change",
    [{"box": [1, 2, 3]}, {"box": [5, 2, 4, 9]}, {"box": [0, 0, float("nan"), 9]},
     {"frame_index": -1}, {"frame_index": "x"}, {"display": {}}, {"id": None, "box": 3}],
)  # fmt: skip
def test_nonsense_is_refused(change: dict[str, object]) -> None:
    (stored,) = dump_key_views([PART])
    assert load_key_views([stored]) == (PART,)
    with pytest.raises(UnreadableKeyView):
        load_key_views([stored | change])


@pytest.mark.parametrize("stored", [{}, ["x"], None])
def test_what_is_no_list_of_key_images_is_refused(stored: object) -> None:
    with pytest.raises(UnreadableKeyView):
        load_key_views(stored)


def test_one_way_back_for_figures_and_key_images() -> None:
    history, note = FilmHistory(), Measurement("text", ((1.0, 2.0),), "x")
    history.put(note)
    history.keep_view(PART)
    history.remove_all()
    assert history.marks == FilmMarks((), (PART,))
    assert history.undo()
    assert history.marks == FilmMarks((note,), (PART,))
    assert history.undo()
    assert history.marks == FilmMarks((note,), ())
    assert history.redo()
    history.drop_view(PART.id)
    assert history.undo()
    assert history.key_views == (PART,)


def test_undo_leaves_pinned_key_images_and_passes_over_their_steps() -> None:
    history, note = FilmHistory(), Measurement("text", ((1.0, 2.0),), "x")
    history.put(note)
    history.keep_view(PART)
    history.pin_key_views((PART,))
    assert history.undo()  # the figure: the step of the key image is none any more
    assert history.marks == FilmMarks((), (PART,))
    assert not history.undo()
    assert history.redo()
    assert history.marks == FilmMarks((note,), (PART,))
    assert not history.redo()
