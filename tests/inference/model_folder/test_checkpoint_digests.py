"""The cache of sha256: answers only for the very file, and never stands in the way."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from inference.model_folder.file_digests import DigestCache, FileDigest, hash_files
from inference.model_folder.loading_progress import LoadProgress

LONG_AGO_NS = 1_600_000_000 * 10**9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("a.json", "b.safetensors"):
        (folder / name).write_bytes(name.encode() * 100)
        os.utime(folder / name, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return folder


NAMES = ("a.json", "b.safetensors")


def _hash(folder: Path, cache: Path, force: bool = False) -> tuple[dict[str, FileDigest], int]:
    """Digests with a cache opened anew, and how many bytes were really hashed."""
    told: list[LoadProgress] = []
    digests = hash_files(folder, NAMES, DigestCache(cache, force), told.append)
    return digests, told[-1].total_bytes if told else 0


def _expected(folder: Path) -> dict[str, FileDigest]:
    contents = {name: (folder / name).read_bytes() for name in NAMES}
    return {
        name: FileDigest(hashlib.sha256(content).hexdigest(), len(content))
        for name, content in contents.items()
    }


def test_unchanged_files_are_hashed_once(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "data" / "digests.json"
    size = sum(digest.bytes for digest in _expected(folder).values())
    assert _hash(folder, cache) == (_expected(folder), size)
    assert _hash(folder, cache) == (_expected(folder), 0)


def test_force_hashes_again(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "digests.json"
    _, size = _hash(folder, cache)
    assert _hash(folder, cache, force=True)[1] == size


def test_changed_file_is_hashed_though_size_and_time_are_the_same(
    folder: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "digests.json"
    _hash(folder, cache)
    path = folder / "a.json"
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    assert _hash(folder, cache) == (_expected(folder), path.stat().st_size)


def test_file_put_in_its_place_is_hashed(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "digests.json"
    _hash(folder, cache)
    beside = folder / "other"
    beside.write_bytes((folder / "a.json").read_bytes()[::-1])
    os.utime(beside, ns=(LONG_AGO_NS, LONG_AGO_NS))
    beside.replace(folder / "a.json")
    assert _hash(folder, cache)[0] == _expected(folder)


def test_file_written_just_now_is_not_kept(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "digests.json"
    (folder / "a.json").write_bytes(b"now")
    _hash(folder, cache)
    assert _hash(folder, cache)[1] == 3


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"/x": 3}'])
def test_damaged_cache_is_as_none(folder: Path, tmp_path: Path, content: bytes) -> None:
    cache = tmp_path / "digests.json"
    cache.write_bytes(content)
    assert _hash(folder, cache)[0] == _expected(folder)
    assert _hash(folder, cache)[1] == 0


def test_cache_that_cannot_be_written_changes_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert _hash(folder, tmp_path / "file" / "digests.json")[0] == _expected(folder)


def test_deleted_files_are_forgotten(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "digests.json"
    _hash(folder, cache)
    moved = folder.rename(tmp_path / "moved")
    _hash(moved, cache)
    assert "moved" in cache.read_text()
    assert str(folder / "a.json") not in cache.read_text()
