"""Decodes the frames of one DICOM file, each when it is asked for."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np

from workstation.dicom.acceptance import PixelFormat
from workstation.dicom.dataset_reading import BoundedReader, ParsedInstance
from workstation.dicom.display_attributes import DisplayAttributes, padding_mask
from workstation.dicom.display_header import read_display_attributes
from workstation.dicom.film import Film, InstanceHeader
from workstation.dicom.overlays import has_embedded_overlay, read_overlays
from workstation.dicom.pixel_decoding import decode_pixels
from workstation.dicom.pixel_frames import locate_frames
from workstation.dicom.shutters import read_shutter
from workstation.dicom.unreadable import Refusal, as_unreadable, muted_warnings

KEPT_BYTES = 256 * 2**20
"""Of decoded frames, so that a slider moved back and forth decodes each once."""


class FrameSource:
    """The frames of one accepted instance. Any thread may ask, the UI's should not.

    The file is opened anew for each frame; one that changed meanwhile is refused, because the
    parsed header would no longer be its own.
    """

    def __init__(
        self, path: Path, header: InstanceHeader, parsed: ParsedInstance, pixel_format: PixelFormat
    ) -> None:
        self._path = path
        self._header = header
        self._parsed = parsed
        self._format = pixel_format
        self._table = locate_frames(parsed, pixel_format)
        self._state = _state_of(path)
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Film] = OrderedDict()

    def decode(self, index: int) -> Film:
        """One frame, counted from 0; UnreadableInstance if it can't be read any more."""
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        with as_unreadable(self._path), self._path.open("rb") as stream:
            if _state_of(self._path) != self._state:
                raise Refusal("the file changed after it was opened")
            source = self._parsed.source
            if not source.is_inflated:
                source = BoundedReader(stream, source.size)
            film = self.decode_from(replace(self._parsed, source=source), index)
        self._keep(film)
        return film

    def decode_from(self, parsed: ParsedInstance, index: int) -> Film:
        """One frame of the instance while its file is open."""
        frame = decode_pixels(parsed, self._format, self._table, index)
        with muted_warnings():
            display = read_display_attributes(parsed, self._format, index)
            is_plain = self._format.samples == 1 and has_embedded_overlay(parsed.dataset)
            words = frame.words if is_plain else None
            overlays, badges = read_overlays(
                parsed.dataset, words, index, is_little_endian=parsed.is_little_endian
            )
            shutter = read_shutter(parsed.dataset, overlays)
        display = replace(display, shutter=shutter, badges=(*display.badges, *badges))
        stored = frame.stored
        stored.setflags(write=False)
        film = Film(
            header=self._header,
            path=self._path,
            stored=stored,
            display=check_padding(display, stored),
            image_sha256=hash_stored(stored),
            overlays=overlays,
            frame_index=index,
            decode_frame=self.decode if self._format.frame_count > 1 else None,
        )
        return measure(film)

    def _keep(self, film: Film) -> None:
        with self._lock:
            self._kept[film.frame_index] = film
            while sum(kept.stored.nbytes for kept in self._kept.values()) > KEPT_BYTES:
                self._kept.popitem(last=False)


def measure(film: Film) -> Film:
    """Takes the film's measures here, on the reader's thread, so that painting need not."""
    assert film.stored_range[0] <= film.stored_range[1]
    assert film.robust_range[0] <= film.robust_range[1]
    for mask in (film.hidden_mask, film.overlay_mask):
        assert mask is None or mask.shape == film.stored.shape
    return film


def hash_stored(stored: np.ndarray) -> str:
    """sha256 over dtype, shape and little endian values: what the engine saw, reproducibly."""
    little = np.ascontiguousarray(stored, stored.dtype.newbyteorder("<"))
    shape = "x".join(str(n) for n in stored.shape)
    digest = hashlib.sha256(f"{little.dtype.str} {shape} ".encode())
    digest.update(little.data)
    return digest.hexdigest()


def check_padding(display: DisplayAttributes, stored: np.ndarray) -> DisplayAttributes:
    """Without a padding range that would blank the film: less than 1% of it would be left."""
    padding = padding_mask(stored, display)
    if padding is None or np.count_nonzero(~padding) >= 0.01 * padding.size:
        return display
    return replace(display, padding_range=None, badges=(*display.badges, "pixel padding ignored"))


def _state_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
