"""Items 1 to 9 of the reading room's hand test, in the real window with real files.

HAND_TEST_PICTURES=FOLDER keeps a picture of the window after each step, to be looked at.
"""

from __future__ import annotations

import os
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inference.phantom import sample_case
from inference.phantom.dicom_writer import write_film
from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.dicom.display_pipeline import (
    BADGE_LOSSY,
    BADGE_PERCENTILE,
    BADGE_POLARITY,
    Window,
    render_grey,
)
from workstation.dicom.instance_reader import Film, read_header
from workstation.drafting.drafting_worker import DraftingService
from workstation.ui.main_window import MainWindow
from workstation.ui.theme import apply_theme
from workstation.ui.viewer.film_dragging import DraggedFilm, drag_data
from workstation.ui.viewer.image_viewer import ImageViewer

PICTURES = os.environ.get("HAND_TEST_PICTURES", "")
LOAD_TIMEOUT_MS = 120_000  # the first engine of a process imports torch
LOSSY = ("4.50.", "4.51.", "4.81.", "JPEG2000TransferSyntax")
RETIRED = ("4.53.", "4.55.")


class Reader:
    """Somebody at the window: drops files, presses keys, looks."""

    def __init__(self, folder: Path, qtbot: QtBot, name: str) -> None:
        self.qtbot, self._name, self._pictures = qtbot, name, 0
        if PICTURES:
            apply_theme(QApplication.instance())  # type: ignore[arg-type]
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.drafting = DraftingService()
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, self.drafting, settings)
        qtbot.addWidget(self.window)
        self.window.resize(1500, 950)
        self.window.show()

    @property
    def viewer(self) -> ImageViewer:
        return self.window.viewer

    def drop(self, *paths: Path) -> None:
        """On the window, as from a file manager."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        nothing = Qt.KeyboardModifier.NoModifier
        event = QDropEvent(
            QPointF(700, 500), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, nothing
        )
        with self.qtbot.waitSignal(self.window.importer.finished, timeout=60_000):
            self.window.dropEvent(event)
        self.settle()

    def settle(self) -> None:
        shown = self.window.grid.shown_viewers
        self.qtbot.waitUntil(
            lambda: not any("Opening" in viewer.message for viewer in shown()), timeout=60_000
        )
        QApplication.processEvents()

    def open_film(self, sop_instance_uid: str) -> Film:
        """By a click on its tab, after its study was chosen in the list."""
        study = next(
            row.study_instance_uid
            for row in self.records.catalog.list_studies()
            for film in self.records.catalog.instances(row.study_instance_uid)
            if film.sop_instance_uid == sop_instance_uid
        )
        self.window.study_list.activate_study(study)
        self.settle()
        films = self.records.catalog.instances(study)
        at = [film.sop_instance_uid for film in films].index(sop_instance_uid)
        if self.viewer.film is None or self.viewer.film.header.sop_instance_uid != sop_instance_uid:
            self.window.film_tabs.tabBarClicked.emit(at)
            self.settle()
        film = self.viewer.film
        assert film is not None, self.viewer.message
        assert film.header.sop_instance_uid == sop_instance_uid
        return film

    def press(
        self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        QTest.keyClick(self.viewer, key, held)

    def look(self, step: str) -> None:
        """Keep a picture, where one is wanted."""
        QApplication.processEvents()
        if PICTURES:
            self._pictures += 1
            self.window.grab().save(f"{PICTURES}/{self._name}-{self._pictures}-{step}.png")

    def seen(self) -> np.ndarray:
        """[height, width, 3] uint8: the film as painted, its texts left out."""
        self.viewer.set_overlay_visible(False)
        self.viewer.clearFocus()
        image = self.viewer.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        self.viewer.set_overlay_visible(True)
        raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
        return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    def words(self) -> str:
        """What is written over the film."""
        viewer = self.viewer
        assert viewer.picture is not None
        corners = viewer._overlay.corners(viewer.picture.film, viewer._shown_state(viewer.picture))
        lines = corners.top_left + corners.top_right + corners.bottom_left + corners.bottom_right
        return "\n".join(line.text for line in lines)

    def refused(self) -> dict[str, str]:
        """The list of refused files, by name."""
        model = self.window.refused_panel._model
        return {file.path.name: file.reason for file in model.files}

    def listed(self) -> set[str]:
        """Of every film in the catalog."""
        catalog = self.records.catalog
        return {
            film.sop_instance_uid
            for row in catalog.list_studies()
            for film in catalog.instances(row.study_instance_uid)
        }

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(60_000)
        self.database.dispose()


@pytest.fixture
def reader(tmp_path: Path, qtbot: QtBot, request: pytest.FixtureRequest) -> Iterator[Reader]:
    at_work = Reader(tmp_path / "data", qtbot, request.node.name.removeprefix("test_"))
    yield at_work
    at_work.close()


MakeFilm = Callable[..., str]


@pytest.fixture
def make_film(tmp_path: Path) -> MakeFilm:
    """make_film(name, stored, **elements) -> SOP Instance UID of a film in tmp_path / "films"."""

    def make(name: str, stored: np.ndarray, **elements: object) -> str:
        dataset = Dataset()
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
        dataset.SOPInstanceUID = generate_uid()
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.826.0.1.1", "1.2.826.0.1.2"
        dataset.PatientName, dataset.PatientID, dataset.Modality = "DOE^JANE", "A-17", "DX"
        dataset.StudyDate, dataset.ViewPosition = "20260412", "PA"
        dataset.PatientOrientation = ["L", "F"]
        dataset.Rows, dataset.Columns = stored.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation = 0
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        dataset.PixelData = stored.astype("<u2").tobytes()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = tmp_path / "films" / f"{name}.dcm"
        path.parent.mkdir(exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return dataset.SOPInstanceUID

    return make


def chest(size: int = 256) -> np.ndarray:
    """[size, size] uint16 of 12 bits that looks a little like a chest."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    film = 3200 - 900 * (x**2 + y**2)
    for side in (-0.45, 0.45):
        film = np.where(((x - side) / 0.32) ** 2 + (y / 0.6) ** 2 < 1, 1100 + 300 * y, film)
    return np.clip(film, 200, 4000).astype(np.uint16)


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


def test_3_one_film_in_four_polarities_looks_the_same(
    reader: Reader, make_film: MakeFilm, tmp_path: Path
) -> None:
    low = chest()
    window = {"WindowCenter": "2048", "WindowWidth": "4096"}
    inverse = {"PhotometricInterpretation": "MONOCHROME1", **window}
    uids = {
        "MONO2": make_film("a", low, **window),
        "MONO1": make_film("b", 4095 - low, **inverse),
        "MONO1+INVERSE": make_film("c", 4095 - low, PresentationLUTShape="INVERSE", **inverse),
        "MONO1+IDENTITY": make_film("d", 4095 - low, PresentationLUTShape="IDENTITY", **inverse),
    }
    reader.drop(tmp_path / "films")
    reader.window.films.perform("layout.1x1")
    reader.settle()
    seen: dict[str, np.ndarray] = {}
    for name, uid in uids.items():
        film = reader.open_film(uid)
        seen[name] = reader.seen()
        is_badged = name == "MONO1+IDENTITY"
        assert (BADGE_POLARITY in reader.words()) == is_badged, name
        reader.look(name)
        assert film.display.is_monochrome1 == (name != "MONO2")
    # 4096 levels in 256 greys: the two roundings may differ by one where a level lies between.
    for name, picture in seen.items():
        assert np.abs(picture.astype(int) - seen["MONO2"]).max() <= 1, name
    assert np.array_equal(seen["MONO1"], seen["MONO1+INVERSE"])
    assert np.array_equal(seen["MONO1"], seen["MONO1+IDENTITY"])


def voi_lut(first: int, entries: np.ndarray, bits: int, name: str) -> Dataset:
    item = Dataset()
    item.LUTDescriptor, item.LUTExplanation = [len(entries), first, bits], name
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return item


def test_4_every_window_and_lut_is_named_and_maps_as_its_formula_says(
    reader: Reader, make_film: MakeFilm, shared_data: Path, tmp_path: Path
) -> None:
    stored = chest(200)
    fine = np.floor(4095 * (np.arange(4096) / 4095) ** 2)
    coarse = np.floor(255 * np.sqrt(np.arange(4096) / 4095))
    luts = [voi_lut(0, fine, 12, "SQUARE 12"), voi_lut(0, coarse, 8, "ROOT 8")]
    three = make_film(
        "three",
        stored,
        WindowCenter=["2000", "1200", "2600"],
        WindowWidth=["4000", "1600", "900"],
        WindowCenterWidthExplanation=["WIDE", "LUNG", "BONE"],
        VOILUTSequence=Sequence(luts),
    )
    sigmoid = make_film(
        "sigmoid", stored, WindowCenter="2000", WindowWidth="2000", VOILUTFunction="SIGMOID"
    )
    reader.drop(tmp_path / "films")
    reader.window.films.perform("layout.1x1")
    reader.settle()
    values = stored.astype(float)

    def linear(c: float, w: float) -> np.ndarray:
        return np.clip((values - (c - 0.5)) / (w - 1) + 0.5, 0, 1)

    expected = {
        Qt.Key.Key_1: ("WIDE", linear(2000, 4000)),
        Qt.Key.Key_2: ("LUNG", linear(1200, 1600)),
        Qt.Key.Key_3: ("BONE", linear(2600, 900)),
        Qt.Key.Key_4: ("SQUARE 12", fine[stored] / 4095),
        Qt.Key.Key_5: ("ROOT 8", coarse[stored] / 255),
    }
    film = reader.open_film(three)
    for key, (name, shown) in expected.items():
        reader.press(key)
        assert name in reader.words()
        assert reader.viewer.picture is not None
        grey = render_grey(film, reader.viewer.picture.window)
        assert np.array_equal(grey, np.floor(shown * 255 + 0.5)), name
        reader.look(name)
    film = reader.open_film(sigmoid)
    assert "sigmoid" in reader.words()
    wanted = np.floor(255 / (1 + np.exp(-4 * (values - 2000) / 2000)) + 0.5)
    assert np.array_equal(render_grey(film), wanted)
    reader.viewer.zoom_to_pixels()
    at = QPoint(reader.viewer.width() // 2, reader.viewer.height() // 2)
    with reader.qtbot.waitSignal(reader.viewer.pixel_probed) as probed:
        QTest.mouseMove(reader.viewer, at)
        QTest.mouseMove(reader.viewer, at + QPoint(3, 2))
    column, row, value = probed.args or (0, 0, 0.0)
    assert value == stored[row, column]
    reader.look("SIGMOID")
    real = shared_data / "dicom" / "04_grayscale_pipeline" / "panimg_multi_window_2x3.dcm"
    reader.drop(real)
    named = reader.open_film(read_header(real).sop_instance_uid)
    choices = [name for name, _ in reader.viewer.picture.choices]  # type: ignore[union-attr]
    assert len(choices) == len(set(choices)) >= len(named.display.windows) + 2


@pytest.mark.parametrize(
    ("name", "elements"),
    [
        ("width 0", {"WindowCenter": "0", "WindowWidth": "0"}),
        ("no width", {"WindowCenter": "2000", "WindowWidth": ""}),
        ("padding", {"PixelPaddingValue": 4095}),
        ("high bit 15", {"HighBit": 15}),
    ],
)
def test_5_odd_headers_neither_crash_nor_wash_out(
    reader: Reader,
    make_film: MakeFilm,
    tmp_path: Path,
    name: str,
    elements: dict[str, object],
) -> None:
    stored = chest()
    if name == "padding":
        stored = np.pad(stored, 40, constant_values=4095)
    uid = make_film("odd", stored << 4 if name == "high bit 15" else stored, **elements)
    reader.drop(tmp_path / "films")
    film = reader.open_film(uid)
    assert np.array_equal(film.stored, stored)
    assert BADGE_PERCENTILE in reader.words()
    assert isinstance(reader.viewer.picture.window, Window)  # type: ignore[union-attr]
    grey = render_grey(film)
    inside = grey[40:-40, 40:-40] if name == "padding" else grey
    low, high = np.percentile(inside, [2, 98])
    assert high - low > 150  # lungs dark, mediastinum bright
    if name == "padding":
        assert (grey[:40] == 0).all()
    reader.look(name.replace(" ", "-"))


def test_6_each_transfer_syntax_shows_the_same_film_or_its_badge(
    reader: Reader, shared_data: Path, tmp_path: Path
) -> None:
    """They carry one SOP Instance UID: each copy is given its own, nothing else is touched."""
    folder = shared_data / "dicom" / "03_transfer_syntax" / "ctimage_18_syntaxes"
    original = read_header(folder / "CTImage.dcm").sop_instance_uid.encode()
    uids: dict[str, str] = {}
    (tmp_path / "in").mkdir()
    for number, path in enumerate(sorted(folder.iterdir())):
        written = tmp_path / "in" / path.name
        own = original[:-2] + b"%02d" % (number + 40)
        written.write_bytes(path.read_bytes().replace(original, own))
        is_retired = any(syntax in path.name for syntax in RETIRED)
        uids[path.name] = "" if is_retired else read_header(written).sop_instance_uid
    assert len(set(uids.values())) == len(uids) - len(RETIRED) + 1
    reader.drop(tmp_path / "in")
    reader.window.films.perform("layout.1x1")
    refused = reader.refused()
    plain = reader.open_film(uids["CTImage.dcm"])
    opened = 0
    for name, uid in uids.items():
        if any(syntax in name for syntax in RETIRED):
            assert "unsupported transfer syntax" in refused[name]
            continue
        film = reader.open_film(uid)
        is_lossy = any(syntax in name for syntax in LOSSY)
        assert (BADGE_LOSSY in reader.words()) == is_lossy, name
        if not is_lossy:
            assert np.array_equal(film.stored, plain.stored), name
        opened += 1
    assert opened == len(uids) - len(RETIRED)
    reader.look("last syntax")


def test_7_side_letters_follow_flips_and_turns_and_reset_restores(
    reader: Reader, make_film: MakeFilm, tmp_path: Path
) -> None:
    uid = make_film("film", chest(), WindowCenter="2048", WindowWidth="4096")
    reader.drop(tmp_path / "films")
    reader.open_film(uid)
    opened = reader.seen()

    def letters() -> str:
        picture = reader.viewer.picture
        assert picture is not None
        shown = picture.letters
        return shown.left + shown.top + shown.right + shown.bottom

    assert letters() == "RHLF"
    for key, shown in (
        (Qt.Key.Key_H, "LHRF"),
        (Qt.Key.Key_H, "RHLF"),
        (Qt.Key.Key_R, "FRHL"),
        (Qt.Key.Key_R, "LFRH"),
        (Qt.Key.Key_V, "LHRF"),
        (Qt.Key.Key_L, "HRFL"),
    ):
        reader.press(key)
        assert letters() == shown
        reader.look(shown)
    assert "mirrored" in reader.words()
    reader.press(Qt.Key.Key_Space)
    assert letters() == "RHLF"
    assert np.array_equal(reader.seen(), opened)


@pytest.mark.parametrize(
    ("name", "elements", "unit", "meaning"),
    [
        ("detector", {"ImagerPixelSpacing": ["0.2", "0.2"]}, "mm", "at detector"),
        (
            "calibrated",
            {"ImagerPixelSpacing": ["0.2", "0.2"], "PixelSpacing": ["0.18", "0.18"]},
            "mm",
            "",
        ),
        ("none", {}, "px", ""),
    ],
)
def test_8_a_length_says_what_its_millimetres_mean(
    reader: Reader,
    make_film: MakeFilm,
    tmp_path: Path,
    name: str,
    elements: dict[str, object],
    unit: str,
    meaning: str,
) -> None:
    uid = make_film("film", chest(), **elements)
    reader.drop(tmp_path / "films")
    film = reader.open_film(uid)
    reader.press(Qt.Key.Key_D)
    middle = QPoint(reader.viewer.width() // 2, reader.viewer.height() // 2)
    start, end = middle - QPoint(100, 0), middle + QPoint(100, 0)
    QTest.mousePress(reader.viewer, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(reader.viewer, middle)
    QTest.mouseMove(reader.viewer, end)
    QTest.mouseRelease(reader.viewer, Qt.MouseButton.LeftButton, pos=end)
    (sentence,) = reader.viewer.measurement_sentences()
    picture = reader.viewer.picture
    assert picture is not None
    pixels = 200 * reader.viewer.devicePixelRatioF() / picture.geometry.zoom
    spacing = film.display.pixel_spacing_mm
    length = pixels * (spacing[1] if spacing else 1)
    assert f"{length:.1f}" in sentence or f"{length:.0f}" in sentence
    assert ("detector" in sentence) == (name == "detector")
    assert (" mm" in sentence) == (unit == "mm")
    assert meaning in reader.words()
    reader.look(name)


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
