"""A film or a study on its way from a list into a viewport, by drag and drop inside the app."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from PySide6.QtCore import QMimeData

MIME_TYPE = "application/x-echo-film"


@dataclass(frozen=True)
class DraggedFilm:
    """sop_instance_uid: "" for whatever film of the study is to be shown first."""

    study_instance_uid: str
    sop_instance_uid: str = ""


def drag_data(dragged: DraggedFilm) -> QMimeData:
    """What a drag carries. No file names: nothing leaves the app by being dropped elsewhere."""
    carried = QMimeData()
    carried.setData(MIME_TYPE, json.dumps(asdict(dragged)).encode())
    return carried


def dragged_film(carried: QMimeData) -> DraggedFilm | None:
    """What is carried, None for anything else."""
    if not carried.hasFormat(MIME_TYPE):
        return None
    try:
        return DraggedFilm(**json.loads(bytes(carried.data(MIME_TYPE).data())))
    except (TypeError, ValueError):
        return None
