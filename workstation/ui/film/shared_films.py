"""Films decoded once for everybody who holds them: two viewports, and the draft's lateral one.

A film lives as long as somebody shows it; nothing is kept for its own sake.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock
from weakref import WeakKeyDictionary, WeakValueDictionary

from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.presentation_search import open_as_presented
from workstation.reading.patient_issuer import read_issuer

_FileState = tuple[Path, int, int]
_films: WeakValueDictionary[_FileState, Film] = WeakValueDictionary()
_issuers: WeakKeyDictionary[Film, str] = WeakKeyDictionary()
_decoding: dict[_FileState, Lock] = {}
_lock = Lock()


def open_film(path: Path, data_folder: Path | None = None) -> Film:
    """The film as presented; the one already in memory where the file is unchanged since.

    data_folder: of the app, with the presentation states it received. From any thread but the
    UI's. Raises UnreadableInstance as `read_film` does.
    """
    state = _file_state(path)
    if state is None:
        return _decode(path, data_folder)
    with _lock:
        film = _films.get(state)
        turn = _decoding.setdefault(state, Lock())
    if film is not None:
        return film
    with turn:  # a second thread that wants this film waits for the first one's
        with _lock:
            film = _films.get(state)
        try:
            if film is None:
                film = _decode(path, data_folder)
        finally:
            with _lock:
                _decoding.pop(state, None)
                if film is not None:
                    _films[state] = film
    return film


def give_back_memory() -> None:
    """Films nobody shows any more, back to the system: glibc keeps freed blocks of up to 32 MB
    for itself once it has seen some (mallopt, M_MMAP_THRESHOLD), 180 MB after four large films."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def issuer_of(film: Film) -> str:
    """Issuer of Patient ID of a film opened here, "" where its file names none."""
    with _lock:
        return _issuers.get(film, "")


def _decode(path: Path, data_folder: Path | None) -> Film:
    film = open_as_presented(read_film(path), data_folder)
    issuer = read_issuer(path) if film.header.source_format == "DICOM" else ""
    with _lock:
        _issuers[film] = issuer
    return film


def _file_state(path: Path) -> _FileState | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return path, found.st_size, found.st_mtime_ns
