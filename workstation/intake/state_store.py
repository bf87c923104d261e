"""Presentation states that came in an archive or over the network: kept by study, not listed.

They are no images, so the catalog has no row of them; the search for states looks here
(`dicom.presentation_search`). A state that is there is whole, audited, and of the patient that
the catalog knows the study of.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import write_transaction
from workstation.catalog.study_catalog import PatientConflict, StudyCatalog, UnknownStudy
from workstation.dicom.kept_folders import state_file_name, states_of_study
from workstation.dicom.presentation_search import is_state_file
from workstation.dicom.presentation_state import PresentationState, read_presentation_state
from workstation.dicom.unreadable import UnreadableInstance


@dataclass(frozen=True)
class KeptState:
    """is_new: False where a state of this SOP Instance UID was there before (it stays)."""

    sop_instance_uid: str
    study_instance_uid: str
    path: Path
    is_new: bool


class StateStore:
    """Any thread may call; two at once about one state do no harm."""

    def __init__(self, catalog: StudyCatalog, audit: AuditLog, user: str) -> None:
        self._catalog, self._audit, self._user = catalog, audit, user

    def holds(self, study_instance_uid: str, sop_instance_uid: str) -> bool:
        return self._place_of(study_instance_uid, sop_instance_uid).is_file()

    def take_over(self, state: PresentationState, source: str) -> KeptState:
        """Move a state's file, which lies in the film store, here.

        Raises UnreadableInstance, its PatientConflict where the catalog has the study for another
        patient, OSError and CatalogUnavailable; the file is then where it was.
        """
        study_uid, sop_uid = state.study_instance_uid, state.sop_instance_uid
        if not study_uid or not sop_uid:
            reason = "presentation state without Study or SOP Instance UID"
            raise UnreadableInstance(state.path, reason)
        self._check_patient(state, study_uid)
        place = self._place_of(study_uid, sop_uid)
        if place.is_file():
            state.path.unlink()
            return KeptState(sop_uid, study_uid, place, False)
        self._move(state.path, place, study_uid, sop_uid, source)
        return KeptState(sop_uid, study_uid, place, True)

    def _place_of(self, study_instance_uid: str, sop_instance_uid: str) -> Path:
        folder = states_of_study(self._catalog.folder, study_instance_uid)
        return folder / state_file_name(sop_instance_uid)

    def _check_patient(self, state: PresentationState, study_uid: str) -> None:
        try:
            known = self._catalog.study(study_uid).patient_id
        except UnknownStudy:
            return
        stated = state.patient_id
        if stated != known:
            reason = (
                f"its study is there for another patient (Patient ID {known!r}, in this "
                f"presentation state {stated!r}); it was not kept"
            )
            raise PatientConflict(state.path, reason)

    def _move(self, path: Path, place: Path, study_uid: str, sop_uid: str, source: str) -> None:
        """The audit row and the file, or neither."""
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        details = {
            "path": str(place),
            "sop_instance_uid": sop_uid,
            "source": source,
            "kind": "presentation state",
        }
        try:
            with write_transaction(self._catalog.engine) as connection:
                self._audit.append(
                    "import",
                    user=self._user,
                    study_instance_uid=study_uid,
                    details=details,
                    connection=connection,
                )
                os.replace(path, place)
        except BaseException:
            if place.is_file():  # the commit failed: as it was
                os.replace(place, path)
            raise


def read_if_state(path: Path) -> PresentationState | None:
    """None for anything but a grayscale presentation state; a damaged one: UnreadableInstance."""
    return read_presentation_state(path) if is_state_file(path) else None
