"""Find the presentation states that lie with a film on disk, and show the film as they ask.

States are no images, so the catalog does not list them: they are looked for where the film's
file is, which is where discs and PACS exports put them (PS3.10 leaves it open), and among those
that ECHO received itself.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from workstation.dicom.display_attributes import BADGE_PRESENTATION_UNREADABLE
from workstation.dicom.film import Film
from workstation.dicom.kept_folders import data_folder_of, states_of_study
from workstation.dicom.presentation_state import (
    GRAYSCALE_SOFTCOPY,
    ImagePresentation,
    PresentationState,
    present,
    read_presentation_state,
)
from workstation.dicom.unreadable import UnreadableInstance

MAX_FILES = 4000
SEARCH_LIMIT_S = 1.0
"""A film on a slow share opens without its states rather than late."""

_HEAD_BYTES = 1024  # file meta of a Part 10 file, with its Media Storage SOP Class UID
_MAX_STATE_BYTES = 16 * 2**20
_KEPT_FOLDERS = 64
_STATE_UID = re.compile(re.escape(GRAYSCALE_SOFTCOPY).encode() + rb"(?![0-9.])")
_kept: OrderedDict[Path, tuple[int, tuple[PresentationState, ...]]] = OrderedDict()
_kept_lock = threading.Lock()


def open_as_presented(film: Film, data_folder: Path | None = None) -> Film:
    """The film with every state found, the newest one applied; itself without any.

    data_folder: of the app, whose received states are looked through too; a film that is kept
    there need not say so. Reads files: not for the UI's thread.
    """
    if film.header.source_format != "DICOM":
        return film
    return apply_states(film, find_states(film, data_folder))


def apply_states(film: Film, states: tuple[PresentationState, ...]) -> Film:
    """The film as the newest state about it asks, its other frames likewise. A state whose part
    about this film is damaged leaves a badge."""
    if not states:
        return film
    found: list[ImagePresentation] = []
    for state in states:
        try:
            presentation = state.for_film(film)
        except UnreadableInstance:
            badges = (*film.display.badges, BADGE_PRESENTATION_UNREADABLE)
            film = replace(film, display=replace(film.display, badges=badges))
            continue
        if presentation is not None:
            found.append(presentation)
    if film.decode_frame is not None:
        decode = film.decode_frame
        film = replace(film, decode_frame=lambda index: apply_states(decode(index), states))
    film = replace(film, presentations=tuple(found))
    return present(film, found[0]) if found else film


def find_states(film: Film, data_folder: Path | None = None) -> tuple[PresentationState, ...]:
    """States about the film's image among those received, in its folder and in the folders beside
    it, each SOP Instance UID once, newest first.

    At most MAX_FILES files a folder and SEARCH_LIMIT_S are spent on it.
    """
    deadline = time.monotonic() + SEARCH_LIMIT_S
    data_folder = data_folder or data_folder_of(film.path)
    folders = list(_folders_of(film.path))
    if data_folder is not None:
        folders.insert(0, states_of_study(data_folder, film.header.study_instance_uid))
    about: dict[str, PresentationState] = {}
    for folder in folders:
        for state in _states_in(folder, deadline):
            if _is_about(state, film):
                about.setdefault(state.sop_instance_uid or str(state.path), state)
    return tuple(sorted(about.values(), key=lambda s: (s.created, s.label), reverse=True))


def _is_about(state: PresentationState, film: Film) -> bool:
    """Names the image, and is of its study and patient where it says of which."""
    header = film.header
    if state.study_instance_uid and state.study_instance_uid != header.study_instance_uid:
        return False
    if state.patient_id and header.patient_id and state.patient_id != header.patient_id:
        return False
    uid = film.header.sop_instance_uid
    return any(reference.sop_instance_uid == uid for reference in state.references)


def _folders_of(path: Path) -> Iterator[Path]:
    """The film's own folder, then its neighbours: a study's series often have one each."""
    own = path.absolute().parent
    yield own
    try:
        with os.scandir(own.parent) as entries:
            beside = sorted(e.path for e in entries if e.is_dir(follow_symlinks=False))
    except OSError:
        return
    # A folder of many folders is an archive, not a study.
    if len(beside) <= 32:
        yield from (Path(folder) for folder in beside if Path(folder) != own)


def _states_in(folder: Path, deadline: float) -> tuple[PresentationState, ...]:
    """Kept until the folder changes."""
    try:
        changed_ns = folder.stat().st_mtime_ns
    except OSError:
        return ()
    with _kept_lock:
        kept = _kept.get(folder)
    if kept is not None and kept[0] == changed_ns:
        return kept[1]
    states, is_complete = _read_states(folder, deadline)
    if is_complete:
        with _kept_lock:
            _kept[folder] = changed_ns, states
            while len(_kept) > _KEPT_FOLDERS:
                _kept.popitem(last=False)
    return states


def _read_states(folder: Path, deadline: float) -> tuple[tuple[PresentationState, ...], bool]:
    """(states, whether the time was enough)."""
    states: list[PresentationState] = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= MAX_FILES or time.monotonic() > deadline:
                    return tuple(states), number >= MAX_FILES
                if _is_small_file(entry) and is_state_file(Path(entry.path)):
                    try:
                        states.append(read_presentation_state(Path(entry.path)))
                    except UnreadableInstance:
                        continue
    except OSError:
        return (), False
    return tuple(states), True


def _is_small_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file() and entry.stat().st_size <= _MAX_STATE_BYTES
    except OSError:
        return False


def is_state_file(path: Path) -> bool:
    """By the file meta's SOP class; a file without file meta is not found."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return False
    return head[128:132] == b"DICM" and _STATE_UID.search(head) is not None
