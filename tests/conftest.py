"""Fixtures for every test: Qt offscreen, the shared test data, no network."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_collection_finish() -> None:
    """What the imports made stays: no full collection has to walk through all of torch again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real DICOM files and reports, beside the checkout; never part of the repository."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"test data not on this machine: {folder}")
    return folder


_tests_done = 0


@pytest.fixture(autouse=True)
def _cycles_collected_on_the_main_thread() -> Iterator[None]:
    """As in the app (ui/cycle_collection): a widget that is garbage must not end on a thread."""
    global _tests_done
    gc.disable()
    yield
    _tests_done += 1
    gc.collect(1 if _tests_done % 20 else 2)
