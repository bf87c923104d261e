"""The one exception by which a file refuses to be opened, and its path-less inner form."""

from __future__ import annotations

import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# warnings.catch_warnings swaps process-wide state: two readers must not interleave.
_warnings_lock = threading.RLock()


class UnreadableInstance(Exception):
    """A file that is not a film we can show. path: the file; reason: for the reader of the list."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Refusal(Exception):
    """Raised inside this package with the reason only; instance_reader adds the path."""


@contextmanager
def as_unreadable(path: Path) -> Iterator[None]:
    """Anything at all that reading raises becomes UnreadableInstance."""
    try:
        yield
    except UnreadableInstance:
        raise
    except Exception as error:
        # from None: a kept traceback would hold the pixels and, in a log, the patient's name.
        raise UnreadableInstance(path, reason_for(error)) from None


@contextmanager
def muted_warnings() -> Iterator[None]:
    """What pydicom and Pillow warn of is decided here anyway. One thread at a time: keep
    decoding, which takes long, outside."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def reason_for(error: BaseException) -> str:
    """One line a radiographer can act on, for whatever reading a file may raise."""
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, RecursionError):
        return "sequences are nested too deeply; the file is damaged or hostile"
    if isinstance(error, MemoryError):
        return "needs more memory than this computer can give"
    if isinstance(error, zlib.error):
        return "compressed data are damaged and can't be inflated"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    words = " ".join(str(error).split())[:160]
    return f"damaged or unsupported file ({type(error).__name__}: {words})"
