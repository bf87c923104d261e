"""Items 3 to 8 of the reading room's hand test: what is seen of a film, in the real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.workstation.hand_test.conftest import MakeFilm
from tests.workstation.hand_test.window_reader import Reader
from workstation.dicom.display_attributes import BADGE_LOSSY, BADGE_PERCENTILE, BADGE_POLARITY
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.instance_reader import read_header
from workstation.dicom.voi import Window

LOSSY = ("4.50.", "4.51.", "4.81.", "JPEG2000TransferSyntax")
RETIRED = ("4.53.", "4.55.")


def chest(size: int = 256) -> np.ndarray:
    """[size, size] uint16 of 12 bits that looks a little like a chest."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    film = 3200 - 900 * (x**2 + y**2)
    for side in (-0.45, 0.45):
        film = np.where(((x - side) / 0.32) ** 2 + (y / 0.6) ** 2 < 1, 1100 + 300 * y, film)
    return np.clip(film, 200, 4000).astype(np.uint16)


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
