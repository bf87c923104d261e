"""Imports into a real catalog: folders, discs, archives, stops, repetitions."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import event as sql_event

from workstation.catalog.database import CatalogUnavailable
from workstation.dicom.film import InstanceHeader
from workstation.dicom.instance_reader import read_film
from workstation.intake import import_run, zip_archive
from workstation.intake.film_store import FilmStore
from workstation.intake.import_run import ImportRun
from workstation.intake.instance_recorder import InstanceRecorder

WriteSmall = Callable[..., Path]


class Heard:
    """What a listener was told; stops the run once `stop_after` films are in."""

    def __init__(self, stop_after: int = 0) -> None:
        self.added: list[Path] = []
        self.known: list[tuple[str, str]] = []
        self.states: list[tuple[str, str]] = []
        self.refused: dict[str, str] = {}
        self.progress: list[tuple[int, int]] = []
        self.is_stopped = Event()
        self._stop_after = stop_after

    def on_progress(self, done: int, total: int) -> None:
        self.progress.append((done, total))

    def on_added(self, header: InstanceHeader, path: Path) -> None:
        self.added.append(path)
        if len(self.added) == self._stop_after:
            self.is_stopped.set()

    def on_known(self, study_instance_uid: str, sop_instance_uid: str) -> None:
        self.known.append((study_instance_uid, sop_instance_uid))

    def on_state_kept(self, study_instance_uid: str, sop_instance_uid: str) -> None:
        self.states.append((study_instance_uid, sop_instance_uid))

    def on_refused(self, path: Path, reason: str) -> None:
        assert path.as_posix() not in self.refused
        self.refused[path.as_posix()] = reason


def make_run(recorder: InstanceRecorder, paths: Sequence[Path], heard: Heard) -> ImportRun:
    store = FilmStore(recorder.catalog.folder)
    return ImportRun(paths, recorder, store, heard, heard.is_stopped)


def import_all(recorder: InstanceRecorder, *paths: Path) -> Heard:
    heard = Heard()
    run = make_run(recorder, paths, heard)
    run.run()
    assert run.is_complete
    return heard


def audited_imports(recorder: InstanceRecorder) -> int:
    return sum(entry.event == "import" for entry in recorder.audit.entries())


def test_a_folder_of_films_is_recorded_and_audited_film_by_film(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    films = [write_small(tmp_path / "in" / f"{n:03}.dcm", n) for n in range(150)]
    (tmp_path / "in" / "notes.txt").write_text("hello")
    heard = import_all(recorder, tmp_path / "in")
    assert heard.added == films
    assert list(heard.refused.values()) == ["not a DICOM, PNG or JPEG file"]
    assert recorder.catalog.study("1.2.3").instance_count == 150
    assert audited_imports(recorder) == 150
    assert recorder.audit.verify().ok
    assert heard.progress[-1] == (151, 151)
    counted = [pair for pair in heard.progress if pair[1]]
    assert counted == sorted(counted)


def test_films_are_committed_many_at_a_time(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall, monkeypatch
) -> None:
    monkeypatch.setattr(import_run, "BATCH_AGE_S", 60.0)
    for n in range(100):
        write_small(tmp_path / "in" / f"{n:03}.dcm", n)
    commits = []
    sql_event.listen(recorder.catalog.engine, "commit", lambda connection: commits.append(1))
    import_all(recorder, tmp_path / "in")
    # 1 + 2 + 4 + ... + 32 + the rest, and the look-up of what is known already
    assert len(commits) <= 9


def test_importing_again_reads_no_file_and_changes_nothing(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall, monkeypatch
) -> None:
    for n in range(5):
        write_small(tmp_path / "in" / f"{n}.dcm", n)
    import_all(recorder, tmp_path / "in")
    rows = recorder.catalog.list_studies()

    def never(path: Path) -> InstanceHeader:
        raise AssertionError(path)

    monkeypatch.setattr(import_run, "read_header", never)
    heard = import_all(recorder, tmp_path / "in")
    assert (heard.added, len(heard.known), heard.refused) == ([], 5, {})
    assert recorder.catalog.list_studies() == rows
    assert audited_imports(recorder) == 5


def test_a_copy_and_a_changed_file_are_told_apart_by_sop_instance_uid(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    first = write_small(tmp_path / "in" / "a.dcm", 1)
    shutil.copy(first, tmp_path / "in" / "b.dcm")
    heard = import_all(recorder, tmp_path / "in")
    assert (heard.added, heard.known) == ([first], [("1.2.3", "1.2.3.1")])
    write_small(first, 2, StudyDescription="written anew under the old name")
    assert import_all(recorder, first).added == [first]


def test_a_stopped_import_goes_on_where_it_was(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    films = [write_small(tmp_path / "in" / f"{n:03}.dcm", n) for n in range(40)]
    heard = Heard(stop_after=10)
    run = make_run(recorder, [tmp_path / "in"], heard)
    run.run()
    taken = len(heard.added)
    assert 10 <= taken < 40
    assert (run.is_complete, run.remaining) == (False, 40 - taken)
    assert recorder.catalog.study("1.2.3").instance_count == taken
    heard.is_stopped.clear()
    run.run()
    assert run.is_complete
    assert heard.added == films
    assert heard.known == []


def test_what_a_full_catalog_could_not_take_comes_again(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall, monkeypatch
) -> None:
    films = [write_small(tmp_path / "in" / f"{n}.dcm", n) for n in range(20)]
    record_all, calls = recorder.record_all, []

    def fail_once(batch: list[tuple[InstanceHeader, Path]]) -> list[bool | str]:
        calls.append(len(batch))
        if len(calls) == 3:
            raise CatalogUnavailable(Path("echo.sqlite3"), "the disk is full")
        return record_all(batch)

    monkeypatch.setattr(recorder, "record_all", fail_once)
    heard = Heard()
    run = make_run(recorder, [tmp_path / "in"], heard)
    with pytest.raises(CatalogUnavailable, match="full"):
        run.run()
    assert 0 < run.remaining < 20
    run.run()
    assert sorted(heard.added) == sorted(films)


def test_a_name_that_no_file_can_have_costs_itself_only(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    impossible = tmp_path / ("a" * 300)
    heard = import_all(recorder, impossible, write_small(tmp_path / "a.dcm", 1))
    assert len(heard.added) == 1
    assert heard.refused == {impossible.as_posix(): "File name too long"}


def test_another_patients_film_costs_itself_only(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    write_small(tmp_path / "in" / "a.dcm", 1)
    write_small(tmp_path / "in" / "b.dcm", 2, PatientID="P-2")
    write_small(tmp_path / "in" / "c.dcm", 3)
    heard = import_all(recorder, tmp_path / "in")
    assert [path.name for path in heard.added] == ["a.dcm", "c.dcm"]
    assert "another patient" in heard.refused[(tmp_path / "in" / "b.dcm").as_posix()]


# -- archives --------------------------------------------------------------------------------


def kept(recorder: InstanceRecorder) -> list[Path]:
    folder = FilmStore(recorder.catalog.folder).folder
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_archive_is_streamed_into_the_data_folder(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    with zipfile.ZipFile(tmp_path / "cd.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            archive.write(write_small(tmp_path / f"{n}.dcm", n), f"DICOM/IM{n}")
        archive.writestr("../../evil.dcm", (tmp_path / "1.dcm").read_bytes())
        archive.writestr("/etc/notes.txt", "hello")
        archive.writestr("__MACOSX/._IM0", b"\0\5\x16\7")
    heard = import_all(recorder, tmp_path / "cd.zip")
    assert len(heard.added) == 3
    assert heard.known == [("1.2.3", "1.2.3.1")]
    assert [reason for reason in heard.refused.values()] == ["not a DICOM, PNG or JPEG file"]
    assert kept(recorder) == sorted(heard.added)
    films = recorder.catalog.instances("1.2.3")
    assert all(np.array_equal(read_film(f.path).stored.ravel(), range(64)) for f in films)
    assert not (tmp_path.parent / "evil.dcm").exists()
    again = import_all(recorder, tmp_path / "cd.zip")
    assert (again.added, len(again.known)) == ([], 4)
    assert kept(recorder) == sorted(heard.added)


def test_a_picture_in_an_archive_keeps_its_own_name(
    tmp_path: Path, recorder: InstanceRecorder
) -> None:
    picture = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(picture, "PNG")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("films/chest.png", picture.getvalue())
    (added,) = import_all(recorder, tmp_path / "a.zip").added
    assert added.suffix == ".png"
    assert [row.study_description for row in recorder.catalog.list_studies()] == ["chest.png"]


def refusals(recorder: InstanceRecorder, archive: Path) -> list[str]:
    heard = import_all(recorder, archive)
    assert heard.added == []
    assert not FilmStore(recorder.catalog.folder).folder.is_dir() or kept(recorder) == []
    return list(heard.refused.values())


def test_bombs_are_refused_by_what_they_declare(
    tmp_path: Path, recorder: InstanceRecorder, monkeypatch
) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.dcm", b"\0" * (70 * 2**20))
    (reason,) = refusals(recorder, tmp_path / "b.zip")
    assert "times its size: refused as a bomb" in reason
    monkeypatch.setattr(zip_archive, "MAX_MEMBERS", 3)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for n in range(4):
            archive.writestr(f"{n}.dcm", b"x")
    assert refusals(recorder, tmp_path / "many.zip") == [
        "holds 4 files, more than the 3 an archive may"
    ]


def test_a_member_larger_than_it_says_is_cut_off(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall
) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(write_small(tmp_path / "a.dcm", 1), "a.dcm")
        size = archive.infolist()[0].file_size
    lying = path.read_bytes().replace(size.to_bytes(4, "little"), (200).to_bytes(4, "little"))
    path.write_bytes(lying)
    (reason,) = refusals(recorder, path)
    assert "damaged in the archive" in reason or "larger than" in reason


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("inner.zip", b"PK\3\4", "archive inside an archive"),
        ("empty.dcm", b"", "file is empty"),
    ],
)
def test_members_that_are_no_films_are_refused(
    tmp_path: Path, recorder: InstanceRecorder, name: str, content: bytes, reason: str
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, content)
    (refused,) = refusals(recorder, tmp_path / "a.zip")
    assert reason in refused


def test_encrypted_linked_and_oddly_packed_members_are_refused(
    tmp_path: Path, recorder: InstanceRecorder
) -> None:
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("odd.dcm", b"x" * 100, zipfile.ZIP_LZMA)
        archive.writestr("secret.dcm", b"x" * 100)
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    entry = raw.rindex(b"PK\1\2")
    raw[entry + 8] |= 1  # general purpose flag: encrypted
    (tmp_path / "a.zip").write_bytes(raw)
    reasons = refusals(recorder, tmp_path / "a.zip")
    assert [reason.split(":")[0] for reason in reasons] == [
        "is a link, not a file",
        "is packed in an unusual way",
        "is encrypted",
    ]


def test_damaged_archives_and_office_files_are_one_line_each(
    tmp_path: Path, recorder: InstanceRecorder
) -> None:
    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("word/document.xml", "<x/>")
    assert refusals(recorder, tmp_path / "letter.docx") == [
        "an Office document, not an archive of films"
    ]
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4" + b"\0" * 200)
    (reason,) = refusals(recorder, tmp_path / "cut.zip")
    assert "damaged or unsupported archive" in reason


def test_nothing_is_unpacked_onto_a_full_disk(
    tmp_path: Path, recorder: InstanceRecorder, write_small: WriteSmall, monkeypatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(write_small(tmp_path / "a.dcm", 1), "a.dcm")
    monkeypatch.setattr(zip_archive, "FREE_SPACE_LEFT_BYTES", 2**62)
    (reason,) = refusals(recorder, tmp_path / "a.zip")
    assert "would be left on the disk" in reason
