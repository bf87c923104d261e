"""States found on disk beside the film."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from workstation.dicom.display_attributes import BADGE_PRESENTED
from workstation.dicom.instance_reader import read_film
from workstation.dicom.kept_folders import states_of_study
from workstation.dicom.model_image import model_image
from workstation.dicom.presentation_search import find_states, open_as_presented
from workstation.dicom.presentation_state import GRAYSCALE_SOFTCOPY
from workstation.dicom.window_choices import badges

WriteDicom = Callable[..., Path]
RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.fixture(autouse=True)
def series_folder(tmp_path: Path) -> None:
    """A folder for the study: the folders beside a film's are searched too, and beside tmp_path
    lie those of other tests."""
    (tmp_path / "study" / "series").mkdir(parents=True)


def state_about(uid: str, label: str = "A", date: str = "20260101") -> Dataset:
    image, series, state = Dataset(), Dataset(), Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = "1.2", uid
    series.ReferencedImageSequence = Sequence([image])
    state.SOPClassUID, state.Modality = GRAYSCALE_SOFTCOPY, "PR"
    state.SOPInstanceUID = f"1.2.9.{sum(label.encode())}"
    state.ContentLabel, state.PresentationCreationDate = label, date
    state.ReferencedSeriesSequence = Sequence([series])
    state.PresentationLUTShape = "INVERSE"
    return state


def test_states_in_the_folder_and_in_the_folders_beside_are_found(
    write_dicom: WriteDicom, tmp_path: Path
) -> None:
    (tmp_path / "study" / "states").mkdir()
    film = read_film(write_dicom(RAMP, name="study/series/film.dcm"))
    assert open_as_presented(film) is film
    write_dicom(dataset=state_about("1.2.3.4", "OLD"), name="study/series/old.dcm")
    write_dicom(dataset=state_about("1.2.3.4", "NEW", "20260202"), name="study/states/new.dcm")
    write_dicom(dataset=state_about("1.2.3.5", "OTHER"), name="study/states/other.dcm")
    strange = state_about("1.2.3.4", "STRANGE")
    strange.StudyInstanceUID = "1.2.4"
    write_dicom(dataset=strange, name="study/states/strange.dcm")
    assert [state.label for state in find_states(film)] == ["NEW", "OLD"]


def test_a_presented_film_says_so_and_leaves_the_model_its_own_pixels(
    write_dicom: WriteDicom,
) -> None:
    path = write_dicom(RAMP, name="study/series/film.dcm")
    write_dicom(dataset=state_about("1.2.3.4"), name="study/series/state.dcm")
    plain, film = read_film(path), open_as_presented(read_film(path))
    assert BADGE_PRESENTED in badges(film)
    assert film.display.is_inverse
    assert not model_image(film).is_monochrome1
    assert np.array_equal(model_image(film).pixels, model_image(plain).pixels)
    assert film.original is not None
    assert film.original.presentations == film.presentations


def test_a_state_that_comes_later_is_found_and_a_damaged_one_is_passed_over(
    write_dicom: WriteDicom, tmp_path: Path
) -> None:
    path = write_dicom(RAMP, name="study/series/film.dcm")
    assert not open_as_presented(read_film(path)).presentations
    written = write_dicom(dataset=state_about("1.2.3.4"), name="study/series/state.dcm")
    (path.parent / "cut.dcm").write_bytes(written.read_bytes()[:-40])
    os.utime(path.parent, ns=(1, 1))  # a folder's time may be as coarse as two seconds
    assert len(open_as_presented(read_film(path)).presentations) == 1


def test_each_frame_is_presented_by_itself(write_dicom: WriteDicom) -> None:
    frames = np.concatenate([RAMP, 255 - RAMP])
    dataset_path = write_dicom(frames, Rows=16, NumberOfFrames=2, name="study/series/film.dcm")
    state = state_about("1.2.3.4")
    reference = state.ReferencedSeriesSequence[0].ReferencedImageSequence[0]
    reference.ReferencedFrameNumber = [2]
    write_dicom(dataset=state, name="study/series/state.dcm")
    film = open_as_presented(read_film(dataset_path))
    assert film.presentation is None
    second = film.frame(1)
    assert second.presentation is not None
    assert second.frame(0).presentation is None


def test_a_state_of_another_patient_or_seen_twice_is_not_found_again(
    write_dicom: WriteDicom,
) -> None:
    film = read_film(write_dicom(RAMP, name="study/series/film.dcm", PatientID="P-1"))
    mine, theirs = state_about("1.2.3.4", "MINE"), state_about("1.2.3.4", "THEIRS")
    mine.PatientID, theirs.PatientID = "P-1", "P-2"
    write_dicom(dataset=mine, name="study/series/mine.dcm")
    write_dicom(dataset=mine, name="study/series/copy.dcm")
    write_dicom(dataset=theirs, name="study/series/theirs.dcm")
    assert [state.label for state in find_states(film)] == ["MINE"]


def test_received_states_are_found_for_films_kept_and_for_films_elsewhere(
    write_dicom: WriteDicom, tmp_path: Path
) -> None:
    elsewhere = read_film(write_dicom(RAMP, name="study/series/film.dcm"))
    (tmp_path / "data" / "kept-films" / "ab").mkdir(parents=True)
    kept = read_film(write_dicom(RAMP, name="data/kept-films/ab/abcd.dcm"))
    folder = states_of_study(tmp_path / "data", kept.header.study_instance_uid)
    folder.mkdir(parents=True)
    write_dicom(dataset=state_about("1.2.3.4", "SENT"), name=str(folder / "state.dcm"))
    assert [state.label for state in find_states(kept)] == ["SENT"]
    assert find_states(elsewhere) == ()
    assert [s.label for s in find_states(elsewhere, tmp_path / "data")] == ["SENT"]
