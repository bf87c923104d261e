"""sha256 of model files, and a cache of them, so that 33 GB are not hashed at every start."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from inference.api import EngineError
from inference.model_folder.loading_progress import LoadProgress, ProgressListener
from inference.model_folder.model_files import check_file

_log = logging.getLogger(__name__)
_CHUNK_BYTES = 4 << 20
# A file written within this time of its hashing could change again under the same time stamp:
# the coarsest one in use (FAT) counts in 2 s.
_TIME_STAMP_NS = 2_000_000_000


@dataclass(frozen=True)
class FileDigest:
    """sha256 in lower-case hex, and the size in bytes."""

    sha256: str
    bytes: int


class DigestCache:
    """Digests by path, size, modification and change time and inode, in one JSON file.

    Whoever can rewrite a file and set back all of these can fool it: it is there against
    accidents. The change time is beside the modification time because no program can set it.
    force: never answer from the file, but renew it. A cache that can't be read is empty; one
    that can't be written is left alone. Safe to use from several threads.
    """

    def __init__(self, path: Path, force: bool = False) -> None:
        self._path, self._force = path, force
        self._entries = _read_entries(path)
        self._is_changed = False
        self._lock = threading.Lock()

    def find(self, path: Path, status: os.stat_result) -> FileDigest | None:
        entry = self._entries.get(str(path.resolve()))
        if self._force or not isinstance(entry, list) or entry[:-1] != _identify(status):
            return None
        return FileDigest(str(entry[-1]), status.st_size)

    def store(self, path: Path, status: os.stat_result, digest: FileDigest) -> None:
        if time.time_ns() - status.st_mtime_ns < _TIME_STAMP_NS:
            return
        with self._lock:
            self._entries[str(path.resolve())] = [*_identify(status), digest.sha256]
            self._is_changed = True

    def save(self) -> None:
        """Write what was stored, without files that are no more."""
        with self._lock:
            if not self._is_changed:
                return
            self._entries = {name: kept for name, kept in self._entries.items() if _is_file(name)}
            beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                beside.write_text(json.dumps(self._entries, indent=1), encoding="utf-8")
                beside.replace(self._path)
            except OSError as error:
                _log.warning("%s: digests can't be kept (%s)", self._path, error.strerror)
                return
            self._is_changed = False


def _read_entries(path: Path) -> dict[str, object]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _identify(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:
        return False


def hash_files(
    folder: Path,
    names: Iterable[str],
    cache: DigestCache | None = None,
    on_progress: ProgressListener | None = None,
) -> dict[str, FileDigest]:
    """sha256 and size of each file, in parallel; WeightsMismatch names one that is missing.

    A digest in the cache is taken for the file; what had to be hashed is kept there.
    """
    ordered = sorted(names)
    statuses = {name: _stat(check_file(folder, name)) for name in ordered}
    known = {
        name: found
        for name, status in statuses.items()
        if cache is not None and (found := cache.find(folder / name, status)) is not None
    }
    missing = [name for name in ordered if name not in known]
    meter = _Meter(sum(statuses[name].st_size for name in missing), on_progress)
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda name: _hash_file(folder / name, meter), missing)
        hashed = dict(zip(missing, results, strict=True))
    if cache is not None:
        for name, digest in hashed.items():
            if _identify(_stat(folder / name)) == _identify(statuses[name]):
                cache.store(folder / name, statuses[name], digest)
        cache.save()
    return {name: known.get(name) or hashed[name] for name in ordered}


def digest_of(digests: Mapping[str, FileDigest], left_out: Iterable[str] = ()) -> str:
    """One sha256 for all: over their sorted "relative name:sha256" lines."""
    names = sorted(digests.keys() - set(left_out))
    lines = "".join(f"{name}:{digests[name].sha256}\n" for name in names)
    return hashlib.sha256(lines.encode()).hexdigest()


class _Meter:
    """Adds up bytes over the hashing threads."""

    def __init__(self, total_bytes: int, on_progress: ProgressListener | None) -> None:
        self._total, self._done, self._tell = total_bytes, 0, on_progress
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        if self._tell is None:
            return
        with self._lock:
            self._done += count
            self._tell(LoadProgress("checking", self._done, self._total))


def _hash_file(path: Path, meter: _Meter) -> FileDigest:
    digest, size = hashlib.sha256(), 0
    chunk = memoryview(bytearray(_CHUNK_BYTES))
    try:
        with path.open("rb", buffering=0) as stream:
            while count := stream.readinto(chunk):
                digest.update(chunk[:count])  # without the interpreter's lock
                size += count
                meter.add(count)
    except OSError as error:
        raise EngineError(f"{path}: can't be read ({error.strerror})") from error
    return FileDigest(digest.hexdigest(), size)


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise EngineError(f"{path}: can't be read ({error.strerror})") from error
