"""Small pictures of films, made once and kept in ``<data folder>/thumbnails``."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from workstation.catalog.study_catalog import file_state
from workstation.catalog.study_rows import InstanceRow
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.unreadable import UnreadableInstance
from workstation.whole_file import file_beside

THUMBNAIL_SIDE = 96  # px, of the longer side: 48 on a screen of twice the density
MAX_KEPT = 20_000


class ThumbnailStore:
    """Named by instance and state of its file: a file that changes gets a new one. Any thread."""

    def __init__(self, data_folder: Path) -> None:
        self._folder = data_folder / "thumbnails"

    def get(self, film: InstanceRow) -> np.ndarray | None:
        """[rows, columns] uint8, as the viewer would first show it; None for an unreadable film.

        Decodes the whole film where there is none yet: not for the UI's thread.
        """
        kept = self._path_of(film)
        found = _load(kept)
        if found is not None:
            return found
        try:
            small = shrink(read_film(film.path))
        except UnreadableInstance:
            return None
        self._save(kept, small)
        return small

    def forget(self, films: Sequence[InstanceRow]) -> None:
        """Delete those of these films; call while their files are still there."""
        for film in films:
            with contextlib.suppress(OSError):
                self._path_of(film).unlink(missing_ok=True)

    def prune(self) -> None:
        """Keep the newest three quarters of MAX_KEPT once there are more than that."""
        try:
            kept = list(self._folder.glob("*.png"))
            if len(kept) <= MAX_KEPT:
                return
            kept.sort(key=lambda path: path.stat().st_mtime)
            for path in kept[: -3 * MAX_KEPT // 4]:
                path.unlink()
        except OSError:
            return  # another process prunes, or the disk is gone: nothing depends on it

    def _path_of(self, film: InstanceRow) -> Path:
        size, mtime_ns = file_state(film.path)
        name = f"{film.sop_instance_uid}|{size}|{mtime_ns}"
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.png"

    def _save(self, path: Path, small: np.ndarray) -> None:
        with contextlib.suppress(OSError):  # a full disk: it is made again another time
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file_beside(path) as beside:
                Image.fromarray(small).save(beside.stream, "PNG")
                beside.move()


def shrink(film: Film) -> np.ndarray:
    """[rows, columns] uint8 of at most THUMBNAIL_SIDE, pixels made square."""
    grey = render_grey(film)
    rows, columns = grey.shape
    height, width = rows * film.display.pixel_aspect_ratio, float(columns)
    scale = THUMBNAIL_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.array(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def _load(path: Path) -> np.ndarray | None:
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return np.array(picture.convert("L"))
    except (OSError, ValueError):
        return None
