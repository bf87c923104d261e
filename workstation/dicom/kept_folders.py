"""Where ECHO keeps what came to it in archives or over the network, below its data folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

KEPT_FILMS = "kept-films"
_KEPT_STATES = "kept-states"


def states_of_study(data_folder: Path, study_instance_uid: str) -> Path:
    """The folder of a study's presentation states; there only if it has any.

    Named by a digest: a UID from outside never becomes a path.
    """
    digest = hashlib.sha256(study_instance_uid.encode("utf-8", "replace")).hexdigest()
    return data_folder / _KEPT_STATES / digest[:32]


def state_file_name(sop_instance_uid: str) -> str:
    """A UID is untrusted text: its digest names the file."""
    return hashlib.sha256(sop_instance_uid.encode("utf-8", "replace")).hexdigest() + ".dcm"


def data_folder_of(path: Path) -> Path | None:
    """The data folder of a film that is kept there: <folder>/kept-films/ab/ab....dcm; else None."""
    parents = path.absolute().parents
    if len(parents) > 2 and parents[1].name == KEPT_FILMS:
        return parents[2]
    return None
