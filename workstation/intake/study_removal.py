"""Taking studies off the list: what it would mean, doing it, and the audit rows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import read_transaction, write_transaction
from workstation.catalog.study_catalog import StudyCatalog
from workstation.catalog.study_removal import RemovedStudy, describe_study, remove_study
from workstation.dicom.instance_reader import read_header
from workstation.dicom.kept_folders import states_of_study
from workstation.dicom.unreadable import UnreadableInstance


@dataclass(frozen=True)
class RemovalPlan:
    """What would be removed. drafts are lost; signed reports are kept, their studies unlisted."""

    studies: tuple[RemovedStudy, ...]

    @property
    def film_count(self) -> int:
        return sum(len(study.films) for study in self.studies)

    @property
    def draft_count(self) -> int:
        return sum(study.status == "draft" for study in self.studies)

    @property
    def signed_count(self) -> int:
        return sum(study.keeps_report for study in self.studies)


@dataclass(frozen=True)
class RemovalOutcome:
    """kept_files: those that were to be deleted and were not, with the reason of each."""

    removed: tuple[str, ...] = ()
    deleted_files: tuple[Path, ...] = ()
    kept_files: dict[Path, str] = field(default_factory=dict)


class StudyChanged(Exception):
    """A study is no longer what was to be removed: a film came, or somebody wrote a report."""

    def __init__(self, study: RemovedStudy) -> None:
        films = "one film" if len(study.films) == 1 else f"{len(study.films)} films"
        super().__init__(
            f"Nothing was removed: study {study.study_instance_uid} has changed meanwhile "
            f"({study.status}, {films}). Please look at it again."
        )


class StudyRemoval:
    """Every method may raise CatalogUnavailable, and UnknownStudy for what is gone already."""

    def __init__(self, catalog: StudyCatalog, audit: AuditLog, user: str) -> None:
        self._catalog, self._audit, self._user = catalog, audit, user

    def plan(self, study_instance_uids: Sequence[str]) -> RemovalPlan:
        """What `remove` would do. Changes nothing."""
        with read_transaction(self._catalog.engine) as connection:
            return RemovalPlan(
                tuple(describe_study(connection, uid) for uid in study_instance_uids)
            )

    def remove(self, plan: RemovalPlan, *, delete_files: bool = False) -> RemovalOutcome:
        """All of them and their audit rows in one transaction, then, if asked, the files.

        Files of signed studies are always kept: they are what the signature was given on. Raises
        StudyChanged, with nothing removed, where one is not as it was planned any more.
        """
        removed: list[RemovedStudy] = []
        with write_transaction(self._catalog.engine) as connection:
            for study in plan.studies:
                removed.append(remove_study(connection, study.study_instance_uid))
                if removed[-1] != study:
                    raise StudyChanged(removed[-1])
                self._audit.append(
                    "study-removed",
                    user=self._user,
                    study_instance_uid=study.study_instance_uid,
                    details={
                        "status": removed[-1].status,
                        "films": [uid for uid, _path in removed[-1].films],
                        "report_kept": removed[-1].keeps_report,
                        "delete_files": delete_files,
                    },
                    connection=connection,
                )
        uids = tuple(study.study_instance_uid for study in removed)
        if not delete_files:
            return RemovalOutcome(uids)
        outcome = RemovalOutcome(uids, *self._delete_files(removed))
        return outcome

    def _delete_files(
        self, studies: Sequence[RemovedStudy]
    ) -> tuple[tuple[Path, ...], dict[Path, str]]:
        deleted: list[Path] = []
        kept: dict[Path, str] = {}
        for study in studies:
            if study.keeps_report:
                kept.update({path: "its report is signed" for _uid, path in study.films})
                continue
            for sop_instance_uid, path in study.films:
                reason = _delete_film(path, sop_instance_uid)
                if reason:
                    kept[path] = reason
                else:
                    deleted.append(path)
            states, unmoved = _delete_states(self._catalog.folder, study.study_instance_uid)
            deleted += states
            kept.update(unmoved)
        self._audit.append(
            "files-deleted",
            user=self._user,
            details={
                "deleted": [str(path) for path in deleted],
                "kept": {str(path): reason for path, reason in kept.items()},
            },
        )
        return tuple(deleted), kept


def _delete_states(data_folder: Path, uid: str) -> tuple[list[Path], dict[Path, str]]:
    """The study's received presentation states: (deleted, kept with the reason of each)."""
    deleted: list[Path] = []
    kept: dict[Path, str] = {}
    for path in sorted(states_of_study(data_folder, uid).glob("*.dcm")):
        try:
            path.unlink()
            deleted.append(path)
        except OSError as error:
            kept[path] = error.strerror or str(error)
    return deleted, kept


def _delete_film(path: Path, sop_instance_uid: str) -> str:
    """Delete the file if it is still the film that was listed; else why not, "" if deleted."""
    try:
        if not path.exists():
            return "it was not there any more"
        if read_header(path).sop_instance_uid != sop_instance_uid:
            return "another film is in the file now"
        path.unlink()
    except UnreadableInstance as refusal:
        return f"it can't be read any more: {refusal.reason}"
    except OSError as error:
        return error.strerror or str(error)
    return ""
