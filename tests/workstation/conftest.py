"""Fixtures of the app's tests: phantom films as real DICOM files, a catalog, headers to fill it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import Engine

from inference.phantom import sample_case
from inference.phantom.dicom_writer import build_dataset, write_film
from inference.report_language import Language
from tests.workstation.reported_studies import MakeStudy, ReportedStudy, add_study
from workstation.catalog.database import open_database
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.film import InstanceHeader

HEADER = InstanceHeader(
    sop_instance_uid="1.2.3.1",
    sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
    series_instance_uid="1.2.3.2",
    study_instance_uid="1.2.3",
    patient_name="DOE, JANE",
    patient_id="P-1",
    patient_birth_date="19700101",
    patient_sex="F",
    study_date="20260412",
    study_time="101500",
    study_description="Chest PA",
    accession_number="A-77",
    modality="DX",
    view_position="PA",
    image_laterality="",
    body_part="CHEST",
    patient_orientation=("L", "F"),
    rows=64,
    columns=48,
    source_format="DICOM",
)


@pytest.fixture
def make_header() -> Callable[..., InstanceHeader]:
    def make(**changes: Any) -> InstanceHeader:
        return replace(HEADER, **changes)

    return make


@pytest.fixture
def catalog_engine(tmp_path: Path) -> Iterator[Engine]:
    """An open, empty catalog in ``tmp_path / "records"``."""
    engine = open_database(tmp_path / "records")
    yield engine
    engine.dispose()


@pytest.fixture
def study_uid(catalog_engine: Engine) -> str:
    """A study with one film in that catalog."""
    StudyCatalog(catalog_engine).add_instance(HEADER, Path("/films/jane.dcm"))
    return HEADER.study_instance_uid


@pytest.fixture(scope="session")
def phantom_films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two studies of two patients, 256 pixels wide."""
    folder = tmp_path_factory.mktemp("films")
    return [write_film(sample_case(seed, kind="chest"), folder, 256) for seed in (1, 3)]


@pytest.fixture(scope="session")
def small_phantom() -> Dataset:
    return build_dataset(sample_case(1, kind="chest"), 128)


@pytest.fixture
def make_study(catalog_engine: Engine, tmp_path: Path, small_phantom: Dataset) -> MakeStudy:
    """make_study(language="en", **elements of the film): in the catalog of this test."""
    numbers = itertools.count(1)

    def make(language: Language = "en", **elements: object) -> ReportedStudy:
        return add_study(
            catalog_engine, small_phantom, tmp_path, next(numbers), language, **elements
        )

    return make


@pytest.fixture
def study(make_study: MakeStudy) -> ReportedStudy:
    return make_study("en")
