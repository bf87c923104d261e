from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workstation.catalog.study_catalog import UnknownStudy
from workstation.dicom.instance_reader import read_header
from workstation.intake.instance_recorder import InstanceRecorder
from workstation.intake.study_removal import StudyChanged, StudyRemoval
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import Measurement
from workstation.reporting.report_state import ReportState, Sentence
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.report_store import ReportStore

WriteSmall = Callable[..., Path]
STATE = ReportState(findings=(Sentence(1, "Normal.", "human"),))


@pytest.fixture
def removal(recorder: InstanceRecorder) -> StudyRemoval:
    return StudyRemoval(recorder.catalog, recorder.audit, "reader")


@pytest.fixture
def films(tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall) -> list[Path]:
    """Three studies: "1" new, "2" with a draft, "3" signed."""
    engine, paths = recorder.catalog.engine, []
    reports = ReportStore(engine, recorder.audit, "reader")
    for number in (1, 2, 3):
        uid = f"1.2.3.{number}.0"
        path = write_small(tmp_path / f"{number}.dcm", number, StudyInstanceUID=uid)
        recorder(read_header(path), path)
        if number > 1:
            reports.save_draft(uid, STATE, [])
        paths.append(path)
    SignOff(engine, recorder.audit).sign("1.2.3.3.0", "Dr. Roe")
    return paths


ALL = ["1.2.3.1.0", "1.2.3.2.0", "1.2.3.3.0"]


def test_a_plan_says_what_goes_and_what_stays(removal: StudyRemoval, films: list[Path]) -> None:
    plan = removal.plan(ALL)
    assert (plan.film_count, plan.draft_count, plan.signed_count) == (3, 1, 1)
    with pytest.raises(UnknownStudy):
        removal.plan(["9"])


def test_unsigned_studies_go_and_signed_reports_stay(
    recorder: InstanceRecorder, removal: StudyRemoval, films: list[Path]
) -> None:
    MeasurementStore(recorder.catalog.engine).save(
        "1.2.3.1", (Measurement("length", ((0.0, 0.0), (1.0, 1.0))),)
    )
    outcome = removal.remove(removal.plan(ALL))
    assert set(outcome.removed) == set(ALL)
    assert recorder.catalog.list_studies() == []
    (kept,) = recorder.catalog.list_studies(with_removed=True)
    assert (kept.study_instance_uid, kept.is_removed, kept.status) == (ALL[2], True, "signed")
    reports = ReportStore(recorder.catalog.engine, recorder.audit)
    stored = reports.load(ALL[2])
    assert stored is not None
    assert stored.signed_by == "Dr. Roe"
    assert reports.load(ALL[1]) is None
    assert MeasurementStore(recorder.catalog.engine).load("1.2.3.1") == ()
    assert all(path.is_file() for path in films)
    rows = [entry for entry in recorder.audit.entries() if entry.event == "study-removed"]
    assert [row.study_instance_uid for row in rows] == ALL
    assert [row.details["report_kept"] for row in rows] == [False, False, True]
    assert recorder.audit.verify().ok


def test_what_came_after_the_question_is_not_removed_unasked(
    tmp_path: Path,
    recorder: InstanceRecorder,
    removal: StudyRemoval,
    films: list[Path],
    write_small: WriteSmall,
) -> None:
    """In another window, or over the network."""
    plan = removal.plan(ALL)
    reports = ReportStore(recorder.catalog.engine, recorder.audit, "bob")
    reports.save_draft(ALL[0], STATE, [])
    with pytest.raises(
        StudyChanged, match=rf"Nothing was removed: study {ALL[0]} .*draft, one film"
    ):
        removal.remove(plan, delete_files=True)
    plan = removal.plan(ALL[1:])
    late = write_small(tmp_path / "late.dcm", 7, StudyInstanceUID=ALL[1])
    recorder(read_header(late), late)
    with pytest.raises(StudyChanged, match="draft, 2 films"):
        removal.remove(plan, delete_files=True)
    assert all(path.is_file() for path in (*films, late))
    assert len(recorder.catalog.list_studies()) == 3
    assert reports.load(ALL[0]) is not None
    assert not any(entry.event == "study-removed" for entry in recorder.audit.entries())


def test_importing_again_lists_removed_studies_again(
    recorder: InstanceRecorder, removal: StudyRemoval, films: list[Path]
) -> None:
    removal.remove(removal.plan(ALL))
    assert recorder.catalog.find_unchanged(films) == {}
    recorded = recorder.record_all([(read_header(path), path) for path in films])
    assert recorded == [True, True, False]
    rows = recorder.catalog.list_studies()
    assert {row.study_instance_uid: row.status for row in rows} == {
        ALL[0]: "new", ALL[1]: "new", ALL[2]: "signed",
    }  # fmt: skip


def test_files_are_deleted_only_when_asked_and_only_the_films_themselves(
    recorder: InstanceRecorder,
    removal: StudyRemoval,
    films: list[Path],
    write_small: WriteSmall,
) -> None:
    write_small(films[1], 77)  # another film was put under the name since
    outcome = removal.remove(removal.plan(ALL), delete_files=True)
    assert outcome.deleted_files == (films[0],)
    assert outcome.kept_files == {
        films[1]: "another film is in the file now",
        films[2]: "its report is signed",
    }
    assert [path.is_file() for path in films] == [False, True, True]
    entry = recorder.audit.entries()[-1]
    assert entry.event == "files-deleted"
    assert entry.details["deleted"] == [str(films[0])]
