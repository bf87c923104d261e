"""Items 1, 2 and 9 of the reading room's hand test: films come in and hang, in the real window."""

from __future__ import annotations

import shutil
import socket
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDropEvent

from inference.phantom import sample_case
from inference.phantom.dicom_writer import write_film
from tests.workstation.hand_test.window_reader import Reader
from workstation.ui.viewer.film_dragging import DraggedFilm, drag_data

LOAD_TIMEOUT_MS = 120_000  # the first engine of a process imports torch


@pytest.mark.slow
def test_1_offline_cold_start_shows_the_film_and_drafts(
    reader: Reader, phantom_films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def no_network(self: socket.socket, address: object) -> None:
        asked.append(address)
        raise OSError("there is no network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    reader.look("cold start")
    reader.drop(phantom_films[0])
    assert reader.viewer.film is not None
    with reader.qtbot.waitSignal(reader.drafting.engine_ready, timeout=LOAD_TIMEOUT_MS):
        reader.drafting.start("embedded", "cpu")
    with reader.qtbot.waitSignal(reader.drafting.draft_finished, timeout=60_000):
        reader.window.report_panel.request_draft()
    report = reader.window.report_panel.report
    assert report is not None
    assert report.state.findings
    reader.look("drafted")
    assert asked == []


def test_2_a_mixed_folder_loads_what_is_good_and_says_why_not_of_the_rest(
    reader: Reader, shared_data: Path, tmp_path: Path
) -> None:
    dicom = shared_data / "dicom"
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    chest_film = dicom / "01_chest_cr_dx" / "rsna_cr_sc_jpeg.dcm"
    shutil.copy(chest_film, mixed / "chest.dcm")
    shutil.copy(dicom / "09_broken_odd" / "MR_truncated.dcm", mixed)
    shutil.copy(dicom / "10_sr_pr_seg_other" / "reportsi.dcm", mixed)
    (mixed / "notes.txt").write_text("call the ward")
    (mixed / "empty.dcm").write_bytes(b"")
    tree = dicom / "08_dicomdir" / "pydicom_dicomdirtests"
    shutil.copytree(tree, mixed / "disc", ignore=shutil.ignore_patterns("TINY_ALPHA"))
    with zipfile.ZipFile(mixed / "study.zip", "w") as archive:
        archive.write(dicom / "04_grayscale_pipeline" / "vlut_04.dcm", "a/vlut_04.dcm")
        archive.writestr("a/letter.txt", "no film")
    reader.drop(mixed)
    reader.look("after the drop")
    refused, listed = reader.refused(), reader.listed()
    assert pydicom.dcmread(chest_film).SOPInstanceUID in listed
    assert pydicom.dcmread(dicom / "04_grayscale_pipeline/vlut_04.dcm").SOPInstanceUID in listed
    assert "truncated" in refused["MR_truncated.dcm"]
    assert "structured report" in refused["reportsi.dcm"]
    for name in ("notes.txt", "letter.txt"):
        assert "not a DICOM" in refused[name]
    assert "empty" in refused["empty.dcm"]
    assert reader.window.refused_panel.isVisible()
    assert all(reason for reason in refused.values())
    assert reader.viewer.film is not None


def test_9_frontal_lateral_and_prior_hang_and_another_patients_is_refused(
    reader: Reader, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    case = sample_case(62, kind="chest")
    frontal = write_film(case, folder, 256)
    lateral = write_film(case, folder, 256, "lateral")
    header = pydicom.dcmread(frontal)
    earlier = pydicom.dcmread(frontal)
    earlier.StudyInstanceUID, earlier.SOPInstanceUID = generate_uid(), generate_uid()
    earlier.file_meta.MediaStorageSOPInstanceUID = earlier.SOPInstanceUID
    earlier.StudyDate = str(int(header.StudyDate[:4]) - 1) + header.StudyDate[4:]
    earlier.save_as(folder / "earlier.dcm")
    stranger = write_film(sample_case(3, kind="chest"), folder, 256)
    reader.drop(folder)
    reader.window.study_list.activate_study(header.StudyInstanceUID)
    reader.settle()
    hung = [viewer.film for viewer in reader.window.grid.shown_viewers()]
    uids = [film.header.sop_instance_uid if film else "" for film in hung]
    lateral_uid = pydicom.dcmread(lateral).SOPInstanceUID
    assert uids == [header.SOPInstanceUID, lateral_uid, earlier.SOPInstanceUID, ""]
    assert reader.window.grid.viewports[2].role == "prior"
    reader.look("hung")
    other = pydicom.dcmread(stranger)
    carried = drag_data(DraggedFilm(other.StudyInstanceUID))
    nothing = Qt.KeyboardModifier.NoModifier
    event = QDropEvent(
        QPointF(40, 80), Qt.DropAction.CopyAction, carried, Qt.MouseButton.LeftButton, nothing
    )
    reader.window.grid.viewports[3].dropEvent(event)
    reader.settle()
    assert "Not shown beside this study" in reader.window.statusBar().currentMessage()
    assert reader.window.grid.viewers[3].film is None
    reader.look("refused")
