from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workstation.catalog.study_rows import InstanceRow
from workstation.dicom.film import Film
from workstation.intake import thumbnails
from workstation.intake.thumbnails import THUMBNAIL_SIDE, ThumbnailStore

WriteSmall = Callable[..., Path]


def row(path: Path) -> InstanceRow:
    return InstanceRow("1.2.3.1", path, "PA")


def test_a_thumbnail_is_made_once_and_anew_for_a_changed_file(
    tmp_path: Path, write_small: WriteSmall, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = row(write_small(tmp_path / "a.dcm", 1))
    store = ThumbnailStore(tmp_path)
    made = store.get(film)
    assert made is not None
    assert made.shape == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    assert made[-1, -1] > made[0, 0]
    reads: list[Path] = []
    read_film = thumbnails.read_film

    def read_and_count(path: Path) -> Film:
        reads.append(path)
        return read_film(path)

    monkeypatch.setattr(thumbnails, "read_film", read_and_count)
    assert np.array_equal(store.get(film), made)
    assert reads == []
    write_small(film.path, 1, PhotometricInterpretation="MONOCHROME1", StudyID="x")
    inverted = store.get(film)
    assert inverted is not None
    assert inverted[-1, -1] < inverted[0, 0]
    assert reads == [film.path]


def test_an_unreadable_film_has_none_and_forgotten_ones_are_deleted(
    tmp_path: Path, write_small: WriteSmall
) -> None:
    store = ThumbnailStore(tmp_path)
    (tmp_path / "b.dcm").write_bytes(b"nothing")
    assert store.get(row(tmp_path / "b.dcm")) is None
    film = row(write_small(tmp_path / "a.dcm", 1))
    store.get(film)
    assert len(list((tmp_path / "thumbnails").iterdir())) == 1
    store.forget([film])
    assert list((tmp_path / "thumbnails").iterdir()) == []


def test_the_oldest_go_when_there_are_too_many(
    tmp_path: Path, write_small: WriteSmall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "MAX_KEPT", 4)
    store = ThumbnailStore(tmp_path)
    for number in range(6):
        store.get(InstanceRow(str(number), write_small(tmp_path / f"{number}.dcm", number), ""))
    store.prune()
    assert len(list((tmp_path / "thumbnails").glob("*.png"))) == 3
