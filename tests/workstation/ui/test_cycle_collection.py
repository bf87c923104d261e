"""Garbage in cycles ends on the main thread, whoever makes it due."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QObject

from workstation.ui.cycle_collection import CycleCollection


class Ring:
    """Garbage that only the cycle collector finds; it tells where it ended."""

    def __init__(self, ends: list[str]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: ends.append(threading.current_thread().name))


@pytest.fixture
def collection(qapp: object) -> CycleCollection:
    owner = QObject()
    collection = CycleCollection(owner)
    collection.owner = owner  # type: ignore[attr-defined]
    return collection


def _allocate() -> None:
    kept = [[number] for number in range(5 * gc.get_threshold()[0])]
    assert kept


def test_a_thread_that_allocates_leaves_cycles_to_the_main_thread(
    collection: CycleCollection,
) -> None:
    ends: list[str] = []
    gc.collect()
    Ring(ends)
    worker = threading.Thread(target=_allocate, name="worker")
    worker.start()
    worker.join()
    assert ends == []
    kept = [[number] for number in range(5 * gc.get_threshold()[0])]
    collection.collect_if_due()
    assert ends == [threading.main_thread().name]
    assert kept


def test_nothing_due_collects_nothing(collection: CycleCollection) -> None:
    ends: list[str] = []
    gc.collect()
    Ring(ends)
    collection.collect_if_due()
    assert ends == []
    gc.collect()
    assert len(ends) == 1
