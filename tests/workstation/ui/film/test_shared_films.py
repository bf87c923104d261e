from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pytest

from workstation.dicom.unreadable import UnreadableInstance
from workstation.ui.film.shared_films import give_back_memory, issuer_of, open_film

GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)


def test_whoever_asks_for_a_film_gets_the_same_one(write_film: Callable[..., Path]) -> None:
    path = write_film("a.dcm", GREY, IssuerOfPatientID="CITY")
    with ThreadPoolExecutor(4) as threads:
        films = list(threads.map(open_film, [path] * 4))
    assert all(film is films[0] for film in films)
    assert issuer_of(films[0]) == "CITY"


def test_a_file_that_changed_is_read_again(write_film: Callable[..., Path]) -> None:
    path = write_film("a.dcm", GREY)
    first = open_film(path)
    changed = pydicom.dcmread(path)
    changed.PatientName = "ROE^RICHARD"
    changed.save_as(path)
    second = open_film(path)
    assert second is not first
    assert second.header.patient_name == "ROE, RICHARD"
    assert issuer_of(second) == ""


def test_a_film_nobody_holds_is_gone(write_film: Callable[..., Path]) -> None:
    path = write_film("a.dcm", GREY)
    image = open_film(path).image_sha256
    gc.collect()
    give_back_memory()
    assert open_film(path).image_sha256 == image


@pytest.mark.parametrize("name", ["missing.dcm", "broken.dcm"])
def test_what_cannot_be_read_is_refused_every_time(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.dcm").write_bytes(b"no film at all")
    for _ in range(2):
        with pytest.raises(UnreadableInstance):
            open_film(tmp_path / name)
