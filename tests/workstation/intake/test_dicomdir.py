"""DICOMDIRs of the shared test data, and broken ones made here."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from workstation.dicom.unreadable import UnreadableInstance
from workstation.intake.dicomdir import MEDIA_STORAGE_DIRECTORY, is_dicomdir, read_dicomdir
from workstation.intake.file_search import FileSearch


@pytest.fixture
def disc(shared_data: Path) -> Path:
    return shared_data / "dicom" / "08_dicomdir" / "pydicom_dicomdirtests"


@pytest.mark.parametrize(
    "name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-reordered"]
)
def test_every_listed_file_is_found(disc: Path, name: str) -> None:
    contents = read_dicomdir(disc / name)
    assert contents.is_followed
    assert len(contents.files) == 31
    assert all(path.is_file() for path in contents.files)
    assert set(contents.files) == set(read_dicomdir(disc / "DICOMDIR").files)


def test_records_that_nothing_leads_to_lose_no_file(disc: Path, tmp_path: Path) -> None:
    assert len(read_dicomdir(disc / "DICOMDIR-nooffset").files) == 31
    (tmp_path / "IM1").write_bytes(b"x")
    contents = read_dicomdir(write_index(tmp_path, ["IM1"]))
    assert (contents.files, contents.is_followed) == ((tmp_path / "IM1",), False)


def test_an_empty_index_lists_nothing_and_its_folder_is_searched(
    disc: Path, tmp_path: Path
) -> None:
    assert read_dicomdir(disc / "DICOMDIR-empty.dcm").files == ()
    shutil.copy(disc / "DICOMDIR-empty.dcm", tmp_path / "DICOMDIR")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "film").write_bytes(b"x")
    found = list(FileSearch(lambda path, reason: None).find([tmp_path / "DICOMDIR"]))
    assert [file.path for file in found] == [tmp_path / "sub" / "film"]


def write_index(folder: Path, *file_ids: list[str]) -> Path:
    """An index without links: every record counts."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MEDIA_STORAGE_DIRECTORY
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    records = []
    for file_id in file_ids:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's, of the File IDs that are not allowed
            record.ReferencedFileID = file_id
        records.append(record)
    dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    dataset.DirectoryRecordSequence = records
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, of the File IDs that are not allowed
        dataset.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def test_an_index_leads_nowhere_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "disc").mkdir()
    index = write_index(tmp_path / "disc", ["..", "secret"], ["/etc/passwd"], ["GONE", "IM1"])
    contents = read_dicomdir(index)
    assert (contents.files, contents.missing) == ((), ("GONE/IM1",))


def test_names_are_found_as_discs_are_copied(tmp_path: Path) -> None:
    (tmp_path / "dicom").mkdir()
    (tmp_path / "dicom" / "im1.dcm").write_bytes(b"x")
    index = write_index(tmp_path, ["DICOM", "IM1"])
    assert read_dicomdir(index).files == (tmp_path / "dicom" / "im1.dcm",)


def test_a_chosen_index_brings_what_it_lists_and_says_what_is_missing(tmp_path: Path) -> None:
    for name in ("IM1", "IM2", "OTHER"):
        (tmp_path / name).write_bytes(b"x")
    index = write_index(tmp_path, ["IM1"], ["IM2"], ["IM3"])
    refused: list[tuple[Path, str]] = []
    search = FileSearch(lambda path, reason: refused.append((path, reason)))
    assert [file.path.name for file in search.find([index])] == ["IM1", "IM2"]
    assert refused == [(tmp_path / "IM3", "listed in the DICOMDIR, but not there")]
    whole = FileSearch(lambda path, reason: None).find([tmp_path])
    assert [file.path.name for file in whole] == ["IM1", "IM2", "OTHER"]


def test_a_damaged_index_is_named_and_its_folder_searched(tmp_path: Path) -> None:
    (tmp_path / "IM1").write_bytes(b"x")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 40)
    assert is_dicomdir(tmp_path / "DICOMDIR")
    with pytest.raises(UnreadableInstance):
        read_dicomdir(tmp_path / "DICOMDIR")
    refused: list[str] = []
    search = FileSearch(lambda path, reason: refused.append(reason))
    assert [file.path.name for file in search.find([tmp_path / "DICOMDIR"])] == ["IM1"]
    assert refused
    assert all("folder was searched instead" in reason for reason in refused)
