"""Child processes that decode compressed frames, kept for the next one, replaced when they die.

A child that crashes, hangs or asks for too much memory costs its frame, never the app. Any
thread may call `decode_in_child`; as many frames decode at once as there are children.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from typing import IO

import numpy as np

from workstation.dicom import decoding_child
from workstation.dicom.acceptance import COLOURED_REASON
from workstation.dicom.decoding_child import DECODED, PICTURE_HEAD, REFUSED, REQUEST, RESPONSE
from workstation.dicom.unreadable import Refusal

CHILD_COUNT = 2
FRAMES_PER_CHILD = 500
"""A child is replaced after as many: what a codec leaked on damaged streams goes with it."""

BASE_TIMEOUT_S = 6.0
LONGEST_S = 9.0
"""By the clock, whatever size a file declares: nobody waits ten seconds for a damaged one."""

PIXELS_PER_SECOND = 4_000_000
"""The slowest codec (JPEG 2000) decodes some three times as many on one core."""

PICTURE_BYTES_PER_SECOND = 2_000_000
"""PNG and JPEG files are read some ten times as fast."""

_REASONS = {
    decoding_child.FAILED: "compressed image is damaged or truncated: its decoder gave up",
    decoding_child.OUT_OF_MEMORY: "compressed image needs more memory than a decoder may use",
    decoding_child.TRUNCATED: "compressed image is damaged or truncated",
    decoding_child.COLOURED: COLOURED_REASON,
}


class DecodingChild:
    """One child process and the pipes to it. Used by one thread at a time."""

    def __init__(self) -> None:
        # One thread each: thread pools of BLAS would eat the child's address space.
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", decoding_child.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **threads},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._frames_left = FRAMES_PER_CHILD

    @property
    def is_usable(self) -> bool:
        return self._frames_left > 0 and self._process.poll() is None

    def decode(
        self, codec: int, rows: int, columns: int, bits: int, frame: bytes, timeout_s: float
    ) -> bytes:
        """Raw values of a frame; Refusal with the reason, after which the child may be dead."""
        self._frames_left -= 1
        timed_out = threading.Event()

        def end_child() -> None:
            timed_out.set()
            self._process.kill()

        timer = threading.Timer(timeout_s, end_child)
        timer.daemon = True
        timer.start()
        try:
            return self._exchange(REQUEST.pack(codec, rows, columns, bits, len(frame)), frame)
        except (OSError, EOFError):
            self._process.kill()
            status = self._process.wait()
            if timed_out.is_set():
                raise Refusal("compressed image could not be decoded in time") from None
            raise Refusal(
                f"{_REASONS[decoding_child.FAILED]} and was ended (status {status})"
            ) from None
        finally:
            timer.cancel()
            if timed_out.is_set():  # killed, perhaps just after it answered
                self._frames_left = 0

    def _exchange(self, request: bytes, frame: bytes) -> bytes:
        requests, responses = self._process.stdin, self._process.stdout
        assert requests is not None
        assert responses is not None
        requests.write(request)
        requests.write(frame)
        requests.flush()
        outcome, length = RESPONSE.unpack(_read_exactly(responses, RESPONSE.size))
        payload = _read_exactly(responses, length)
        if outcome == REFUSED:
            raise Refusal(payload.decode())
        if outcome != DECODED:
            raise Refusal(_REASONS[outcome])
        return payload

    def close(self) -> None:
        """End the process and its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                # A request that could not be sent is still in the buffer.
                try:
                    pipe.close()
                except OSError:
                    continue


class DecodingPool:
    """At most `size` children; the most recently used is asked first, so that one stays warm."""

    def __init__(self, size: int = CHILD_COUNT) -> None:
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[DecodingChild] = []

    def decode(
        self, codec: int, rows: int, columns: int, bits: int, frame: bytes, timeout_s: float
    ) -> bytes:
        """Raw values of a frame, from whichever child is free; waits for one."""
        with self._free:
            child = self._take()
            try:
                return child.decode(codec, rows, columns, bits, frame, timeout_s)
            finally:
                self._give_back(child)

    def close(self) -> None:
        """End the idle children; a later frame starts a new one."""
        with self._lock:
            children, self._idle = self._idle, []
        for child in children:
            child.close()

    def _take(self) -> DecodingChild:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.is_usable:
                    return child
                child.close()
        return DecodingChild()

    def _give_back(self, child: DecodingChild) -> None:
        if not child.is_usable:
            child.close()
            return
        with self._lock:
            self._idle.append(child)


_pool = DecodingPool()
atexit.register(_pool.close)


def close_children() -> None:
    """End the children that wait for frames; the next frame starts a new one."""
    _pool.close()


def time_limit_s(expected_s: float) -> float:
    """When a child is ended that should need `expected_s` at the most."""
    return min(BASE_TIMEOUT_S + expected_s, LONGEST_S)


def decode_in_child(codec: int, rows: int, columns: int, bits: int, frame: bytes) -> np.ndarray:
    """[rows * columns] unsigned values; codec and bits as decoding_child has them."""
    count = rows * columns
    timeout_s = time_limit_s(count / PIXELS_PER_SECOND)
    decoded = _pool.decode(codec, rows, columns, bits, frame, timeout_s)
    item = len(decoded) // count
    if item not in (1, 2, 4) or len(decoded) != item * count:
        raise Refusal("compressed image is damaged: the decoder returned another size")
    return np.frombuffer(decoded, f"<u{item}").astype(f"u{item}")


def decode_picture_in_child(file_bytes: bytes) -> np.ndarray:
    """[rows, columns] uint8 or uint16 of a whole PNG or JPEG file; Refusal where it is coloured,
    transparent, animated, a bomb or damaged."""
    timeout_s = time_limit_s(len(file_bytes) / PICTURE_BYTES_PER_SECOND)
    decoded = _pool.decode(decoding_child.PICTURE, 0, 0, 0, file_bytes, timeout_s)
    rows, columns, item = PICTURE_HEAD.unpack_from(decoded)
    values = np.frombuffer(decoded, f"<u{item}", offset=PICTURE_HEAD.size)
    return values.astype(f"u{item}").reshape(rows, columns)


def _read_exactly(stream: IO[bytes], count: int) -> bytes:
    read = stream.read(count)
    if len(read) != count:
        raise EOFError
    return read
