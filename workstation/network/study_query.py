"""What may be asked of a server, and what it answers: studies, by study root (PS3.4 C.6.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Event
from typing import Protocol

from pydicom.dataset import Dataset

from workstation.dicom.element_values import first_int, text_of, values_of
from workstation.dicom.header_text import format_person_name, read_date
from workstation.network.failures import InvalidSettings
from workstation.network.instance_store import InstanceStore
from workstation.network.storage_service import Report

MAX_STUDIES = 500
"""Asked for at most; a search that finds more is to be narrowed."""

_FILM_MODALITIES = frozenset({"CR", "DX", "DR", "RG"})
_WILDCARDS = re.compile(r"[*?]")


@dataclass(frozen=True)
class StudyQuery:
    """Search fields as typed; "" asks nothing. Dates are YYYYMMDD. At least one must be given."""

    patient_name: str = ""
    patient_id: str = ""
    date_from: str = ""
    date_to: str = ""
    modality: str = ""
    accession_number: str = ""

    @property
    def name_pattern(self) -> str:
        """Patient's Name for matching: "doe, jane" as DOE^JANE's "doe^jane*" (PS3.4 C.2.2.2.4)."""
        name = "^".join(part.strip() for part in self.patient_name.split(",", 1)).strip("^ ")
        return name if not name or _WILDCARDS.search(name) else f"{name}*"

    @property
    def date_range(self) -> str:
        """Range matching (PS3.4 C.2.2.2.5): "20260101-20260131", one side may be open."""
        if not self.date_from and not self.date_to:
            return ""
        return self.date_from if self.date_from == self.date_to else (
            f"{self.date_from}-{self.date_to}"
        )  # fmt: skip


@dataclass(frozen=True)
class FoundStudy:
    """One answer, as displayable text; "" and 0 where the server didn't say."""

    study_instance_uid: str
    patient_name: str = ""
    patient_id: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    accession_number: str = ""
    modalities: tuple[str, ...] = ()
    instance_count: int = 0


@dataclass(frozen=True)
class RetrieveOutcome:
    """Of one study: films added, known before, refused by us, and not sent by the server."""

    stored: int = 0
    known: int = 0
    refused: int = 0
    failed: int = 0
    reason: str = ""


Progress = Callable[[int, int], None]
"""(done, total) of one study's films; total 0 while unknown. Called on the caller's thread."""


class StudySource(Protocol):
    """A server that can be searched. Every method blocks; call them off the UI thread.

    Raises NetworkFailure, and Stopped once stop is set.
    """

    def check(self) -> str:
        """Ask whether it is there (C-ECHO, or a search for nothing); a line that says so."""

    def find_studies(self, query: StudyQuery, stop: Event) -> list[FoundStudy]:
        """At most MAX_STUDIES, newest first."""

    def retrieve(
        self,
        study: FoundStudy,
        store: InstanceStore,
        report: Report,
        progress: Progress,
        stop: Event,
    ) -> RetrieveOutcome:
        """Fetch the study's films; what arrives is stored at once, what is refused is reported."""


def check_query(query: StudyQuery) -> None:
    """Raises InvalidSettings for a query that asks for everything or that can't be encoded."""
    asked = [getattr(query, field) for field in query.__dataclass_fields__]
    if not any(asked):
        raise InvalidSettings("query", "say what to search for")
    for field in query.__dataclass_fields__:
        value = getattr(query, field)
        if "\\" in value or not value.isprintable() or len(value) > 64:
            raise InvalidSettings(field, "not searchable: too long, or with control characters")
    for field in ("date_from", "date_to"):
        value = getattr(query, field)
        if value and not re.fullmatch(r"\d{8}", value):
            raise InvalidSettings(field, "a date like 20260412 is needed")
    if query.date_from and query.date_to and query.date_from > query.date_to:
        raise InvalidSettings("date_to", "the last day is before the first")
    if query.patient_name and not _WILDCARDS.sub("", query.name_pattern).strip("^ "):
        raise InvalidSettings("patient_name", "a name of wildcards only would ask for everybody")


def spellings(query: StudyQuery) -> tuple[StudyQuery, ...]:
    """The query, then with the name in capitals, as most archives have it, and as Title: whether
    case matters is the server's choice (PS3.4 C.2.2.2.1)."""
    name = query.patient_name
    names = dict.fromkeys((name, name.upper(), name.title()))
    return tuple(replace(query, patient_name=each) for each in names)


def read_found_study(answer: Dataset) -> FoundStudy | None:
    """From a C-FIND identifier or a QIDO-RS object; None without a Study Instance UID."""
    uid = text_of(answer, "StudyInstanceUID")
    if not uid or not re.fullmatch(r"[0-9.]{1,64}", uid):
        return None
    modalities = values_of(answer, "ModalitiesInStudy") or values_of(answer, "Modality")
    return FoundStudy(
        study_instance_uid=uid,
        patient_name=format_person_name(answer, "PatientName"),
        patient_id=text_of(answer, "PatientID"),
        patient_birth_date=read_date(answer, "PatientBirthDate"),
        patient_sex=text_of(answer, "PatientSex"),
        study_date=read_date(answer, "StudyDate"),
        study_time=text_of(answer, "StudyTime"),
        study_description=text_of(answer, "StudyDescription"),
        accession_number=text_of(answer, "AccessionNumber"),
        modalities=tuple(sorted({str(each).strip() for each in modalities if str(each).strip()})),
        instance_count=max(0, first_int(answer, "NumberOfStudyRelatedInstances") or 0),
    )


def newest_first(studies: Iterable[FoundStudy]) -> list[FoundStudy]:
    """Each study once, by date and time."""
    unique = {study.study_instance_uid: study for study in studies}
    return sorted(unique.values(), key=lambda s: (s.study_date, s.study_time), reverse=True)


def choose_priors(
    found: Iterable[FoundStudy],
    *,
    patient_id: str,
    patient_birth_date: str,
    known_uids: frozenset[str],
) -> list[FoundStudy]:
    """Plain films of certainly the same patient that are not here yet, in the order found.

    The same Patient ID, and birth dates that don't contradict each other; servers may match
    more loosely than they were asked to (PS3.4 C.2.2.2.1 leaves case to them).
    """
    return [
        study
        for study in found
        if study.study_instance_uid not in known_uids
        and study.patient_id == patient_id
        and not (
            study.patient_birth_date
            and patient_birth_date
            and study.patient_birth_date != patient_birth_date
        )
        and (not study.modalities or not _FILM_MODALITIES.isdisjoint(study.modalities))
    ]
