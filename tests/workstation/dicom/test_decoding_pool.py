"""A decoder that dies, hangs or wants too much costs its frame and nothing else."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.dicom import decoding_child, decoding_pool
from workstation.dicom.acceptance import MAX_PIXELS
from workstation.dicom.decoding_child import RUN_LENGTH, Truncated, unpack_bits
from workstation.dicom.decoding_pool import (
    BASE_TIMEOUT_S,
    LONGEST_S,
    PIXELS_PER_SECOND,
    DecodingChild,
    DecodingPool,
    decode_in_child,
    time_limit_s,
)
from workstation.dicom.unreadable import Refusal

FRAME = np.array([1, 64, *[0] * 14], "<u4").tobytes() + b"\x03abcd"  # 4 literal bytes


def test_frames_are_decoded_by_one_child_again_and_again() -> None:
    pool = DecodingPool(1)
    for _ in range(3):
        assert pool.decode(RUN_LENGTH, 2, 2, 8, FRAME, 10) == b"abcd"
    assert len(pool._idle) == 1
    (child,) = pool._idle
    pool.close()
    assert not child.is_usable


def test_child_that_was_killed_is_replaced() -> None:
    pool = DecodingPool(1)
    pool.decode(RUN_LENGTH, 2, 2, 8, FRAME, 10)
    (child,) = pool._idle
    child._process.kill()
    child._process.wait()
    assert pool.decode(RUN_LENGTH, 2, 2, 8, FRAME, 10) == b"abcd"
    pool.close()


def test_child_that_dies_while_decoding_is_named_as_the_reason() -> None:
    pool = DecodingPool(1)
    pool.decode(RUN_LENGTH, 2, 2, 8, FRAME, 10)
    (child,) = pool._idle
    requests = child._process.stdin
    assert requests is not None
    requests.write(b"\0" * decoding_child.REQUEST.size)  # asks for the unknown codec 0 ...
    child._process.kill()
    with pytest.raises(Refusal, match="gave up and was ended"):
        child.decode(RUN_LENGTH, 2, 2, 8, FRAME, 10)
    child.close()
    pool._idle.clear()
    assert pool.decode(RUN_LENGTH, 2, 2, 8, FRAME, 10) == b"abcd"
    pool.close()


def test_child_that_takes_too_long_is_ended() -> None:
    child = DecodingChild()
    # 100 million literal bytes, one by one: minutes of work.
    endless = np.array([1, 64, *[0] * 14], "<u4").tobytes() + b"\x00a" * 100_000_000
    began = time.monotonic()
    with pytest.raises(Refusal, match="in time"):
        child.decode(RUN_LENGTH, 10_000, 10_000, 8, endless, 1.0)
    assert time.monotonic() - began < 30
    assert not child.is_usable
    child.close()


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_child_may_not_take_more_memory_than_its_limit() -> None:
    with pytest.raises(Refusal, match="memory"):
        decode_in_child(RUN_LENGTH, 60_000, 60_000, 32, np.array([4, *[64] * 15], "<u4").tobytes())
    assert decode_in_child(RUN_LENGTH, 2, 2, 8, FRAME).tolist() == list(b"abcd")


def test_damaged_frame_leaves_the_child_alive() -> None:
    pool = DecodingPool(1)
    with pytest.raises(Refusal, match="gave up"):
        pool.decode(decoding_child.JPEG_2000, 2, 2, 8, b"garbage", 20)
    (child,) = pool._idle
    with pytest.raises(Refusal, match="truncated"):
        pool.decode(RUN_LENGTH, 9, 9, 8, FRAME, 10)
    assert pool._idle == [child]
    pool.close()


def test_threads_share_the_pool() -> None:
    pool = DecodingPool(2)
    answers: list[bytes] = []

    def decode() -> None:
        answers.append(pool.decode(RUN_LENGTH, 2, 2, 8, FRAME, 30))

    threads = [threading.Thread(target=decode) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"abcd"] * 6
    assert len(pool._idle) <= 2
    pool.close()


def test_children_end_with_the_app() -> None:
    program = (
        "import sys; from workstation.dicom import decoding_pool as p;"
        f"p.decode_in_child({RUN_LENGTH}, 2, 2, 8, {FRAME!r});"
        "print(p._pool._idle[0]._process.pid)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    pid = int(ended.stdout)
    with pytest.raises(ProcessLookupError):
        decoding_pool.os.kill(pid, 0)


def pack_bits(content: bytes) -> bytes:
    """The plainest encoder: runs of two and more, else literals of one."""
    packed = bytearray()
    position = 0
    while position < len(content):
        run = 1
        while run < 128 and content[position : position + run + 1] == bytes(
            [content[position]] * (run + 1)
        ):
            run += 1
        packed += bytes([257 - run if run > 1 else 0, content[position]])
        position += run
    return bytes(packed)


@given(st.binary(min_size=1, max_size=300), st.integers(1, 300))
def test_run_lengths_unpack_to_what_was_packed_and_never_beyond(content: bytes, count: int) -> None:
    packed = memoryview(pack_bits(content))
    if count <= len(content):
        assert unpack_bits(packed, count) == content[:count]
    else:
        with pytest.raises(Truncated):
            unpack_bits(packed, count)


def test_no_declared_size_buys_a_file_ten_seconds() -> None:
    assert time_limit_s(0.0) == BASE_TIMEOUT_S
    assert time_limit_s(MAX_PIXELS / PIXELS_PER_SECOND) == LONGEST_S < 10
