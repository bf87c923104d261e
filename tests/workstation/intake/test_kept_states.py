"""Presentation states that come in an archive: kept with their study, found when it is opened."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workstation.intake.test_import_run import Heard, import_all, make_run
from tests.workstation.written_states import write_state
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import PatientConflict
from workstation.dicom.instance_reader import read_film
from workstation.dicom.kept_folders import states_of_study
from workstation.dicom.presentation_search import open_as_presented
from workstation.dicom.unreadable import UnreadableInstance
from workstation.intake.film_store import FilmStore
from workstation.intake.instance_recorder import InstanceRecorder
from workstation.intake.state_store import StateStore, read_if_state
from workstation.intake.study_removal import StudyRemoval

WriteSmall = Callable[..., Path]


def zip_of(archive: Path, *files: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as packed:
        for number, file in enumerate(files):
            packed.write(file, f"IMAGES/{number}/{file.name}")
    return archive


def kept_states(recorder: InstanceRecorder, study_uid: str = "1.2.3") -> list[Path]:
    return sorted(states_of_study(recorder.catalog.folder, study_uid).glob("*"))


def store_of(recorder: InstanceRecorder) -> StateStore:
    return StateStore(recorder.catalog, recorder.audit, recorder.user)


@pytest.mark.parametrize("is_state_first", [False, True])
def test_a_state_in_an_archive_is_kept_unlisted_and_shown(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall, is_state_first: bool
) -> None:
    film = write_small(tmp_path / "a" / "film.dcm", 1)
    state = write_state(film, tmp_path / "a" / "state.dcm")
    files = [state, film] if is_state_first else [film, state]
    heard = import_all(recorder, zip_of(tmp_path / "study.zip", *files))
    assert heard.refused == {}
    assert [uids[0] for uids in heard.states] == ["1.2.3"]
    (row,) = recorder.catalog.instances("1.2.3")
    assert recorder.catalog.study("1.2.3").modalities == ("DX",)
    shown = open_as_presented(read_film(row.path))
    assert shown.presentation is not None
    assert shown.presentation.label == "NARROW"
    (place,) = kept_states(recorder)
    imports = [e for e in recorder.audit.entries() if e.event == "import"]
    assert [e.details.get("kind", "film") for e in imports].count("presentation state") == 1
    assert str(place) in [e.details["path"] for e in imports]
    assert len(list(FilmStore(recorder.catalog.folder).folder.rglob("*.dcm"))) == 1


def test_the_same_state_again_changes_nothing(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    film = write_small(tmp_path / "a" / "film.dcm", 1)
    state = write_state(film, tmp_path / "a" / "state.dcm")
    archive = zip_of(tmp_path / "study.zip", film, state)
    import_all(recorder, archive)
    rows = len(recorder.audit.entries())
    again = import_all(recorder, archive)
    assert again.states == []
    assert len(again.known) == 2
    other = write_state(film, tmp_path / "a" / "other.dcm", ContentDescription="changed since")
    once_more = import_all(recorder, zip_of(tmp_path / "second.zip", other))
    assert len(once_more.known) == 1
    assert len(kept_states(recorder)) == 1
    assert len(recorder.audit.entries()) == rows
    assert len(list(FilmStore(recorder.catalog.folder).folder.rglob("*.dcm"))) == 1


def test_states_that_are_not_to_be_believed_are_refused_with_the_reason(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    film = write_small(tmp_path / "a" / "film.dcm", 1)
    import_all(recorder, film)
    theirs = write_state(film, tmp_path / "b" / "theirs.dcm", "THEIRS", PatientID="P-2")
    nowhere = write_state(film, tmp_path / "b" / "nowhere.dcm", "NOWHERE", StudyInstanceUID="")
    whole = write_state(film, tmp_path / "b" / "whole.dcm", "WHOLE").read_bytes()
    cut = tmp_path / "b" / "cut.dcm"
    cut.write_bytes(whole[:-30])
    heard = import_all(recorder, zip_of(tmp_path / "bad.zip", theirs, nowhere, cut))
    reasons = list(heard.refused.values())
    assert len(reasons) == 3
    assert any("another patient" in reason for reason in reasons)
    assert any("without Study or SOP Instance UID" in reason for reason in reasons)
    assert kept_states(recorder) == []
    assert list(FilmStore(recorder.catalog.folder).folder.rglob("*.dcm")) == []


def test_a_state_whose_row_can_not_be_written_is_not_kept_and_comes_again(
    tmp_path: Path,
    recorder: InstanceRecorder,
    write_small: WriteSmall,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    film = write_small(tmp_path / "a" / "film.dcm", 1)
    archive = zip_of(tmp_path / "study.zip", film, write_state(film, tmp_path / "a" / "state.dcm"))
    heard = Heard()
    run = make_run(recorder, [archive], heard)
    append = AuditLog.append

    def failing(self: AuditLog, event: str, **given: object) -> object:
        if "kind" in given.get("details", {}):  # type: ignore[operator]
            raise CatalogUnavailable(tmp_path, "locked")
        return append(self, event, **given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(AuditLog, "append", failing)
        with pytest.raises(CatalogUnavailable):
            run.run()
    assert kept_states(recorder) == []
    run.run()
    assert run.is_complete
    assert len(kept_states(recorder)) == 1
    assert len(heard.added) == 1


def test_files_deleted_with_their_study_take_its_states_along(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    film = write_small(tmp_path / "a" / "film.dcm", 1)
    state = write_state(film, tmp_path / "a" / "state.dcm")
    import_all(recorder, zip_of(tmp_path / "study.zip", film, state))
    (place,) = kept_states(recorder)
    removal = StudyRemoval(recorder.catalog, recorder.audit, "reader")
    outcome = removal.remove(removal.plan(["1.2.3"]), delete_files=True)
    assert place in outcome.deleted_files
    assert not place.exists()


def test_a_film_is_no_state_and_a_conflict_leaves_the_file_where_it_was(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    film = write_small(tmp_path / "a" / "film.dcm", 1)
    assert read_if_state(film) is None
    import_all(recorder, film)
    theirs = write_state(film, tmp_path / "b" / "theirs.dcm", PatientID="P-2")
    state = read_if_state(theirs)
    assert state is not None
    with pytest.raises(PatientConflict):
        store_of(recorder).take_over(state, "test")
    assert theirs.is_file()
    damaged = tmp_path / "b" / "damaged.dcm"
    damaged.write_bytes(theirs.read_bytes()[:-30])
    with pytest.raises(UnreadableInstance):
        read_if_state(damaged)
