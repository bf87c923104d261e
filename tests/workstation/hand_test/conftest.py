"""A reader at the window, and films to open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pytestqt.qtbot import QtBot

from tests.workstation.hand_test.window_reader import Reader

MakeFilm = Callable[..., str]


@pytest.fixture
def reader(tmp_path: Path, qtbot: QtBot, request: pytest.FixtureRequest) -> Iterator[Reader]:
    at_work = Reader(tmp_path / "data", qtbot, request.node.name.removeprefix("test_"))
    yield at_work
    at_work.close()


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
