"""Fixtures of the app's tests: phantom films as real DICOM files."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.phantom import sample_case
from inference.phantom.dicom_writer import write_dicom


@pytest.fixture(scope="session")
def phantom_films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two studies of two patients, 256 pixels wide."""
    folder = tmp_path_factory.mktemp("films")
    return [write_dicom(sample_case(seed), folder, 256) for seed in (1, 3)]
