"""The lines of the study list and the films of a study, as the catalog answers them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Select, and_, case, exists, func, select

from workstation.catalog.schema import (
    AddendumRecord,
    InstanceRecord,
    ReportRecord,
    ReportVersionRecord,
    SignatureRecord,
    StudyRecord,
)

StudyStatus = Literal["new", "draft", "preliminary", "signed", "addended", "corrected"]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One line of the study list. Dates are "YYYYMMDD" or "". modalities: e.g. ("CR",); views:
    e.g. ("PA", "LL"), without blanks. search_text: folded, what a search looks in."""

    study_instance_uid: str
    patient_name: str
    patient_id: str
    patient_birth_date: str
    patient_sex: str
    study_date: str
    study_description: str
    accession_number: str
    modalities: tuple[str, ...]
    instance_count: int
    status: StudyStatus
    study_time: str = ""
    views: tuple[str, ...] = ()
    is_removed: bool = False
    search_text: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class InstanceRow:
    """One film of a study, and where its file is."""

    sop_instance_uid: str
    path: Path
    view_position: str
    series_instance_uid: str = ""
    modality: str = ""
    image_laterality: str = ""
    rows: int = 0
    columns: int = 0
    source_format: str = "DICOM"


def query_studies(wanted: Select[Any], *, counts_few: bool) -> Select[Any]:
    """The rows of the studies wanted. counts_few: they are few of many, so that counting the
    films of all would take most of the time."""
    counted = select(
        InstanceRecord.study_instance_uid,
        func.count().label("instance_count"),
        func.group_concat(InstanceRecord.modality.distinct()).label("modalities"),
        func.group_concat(InstanceRecord.view_position.distinct()).label("views"),
    ).group_by(InstanceRecord.study_instance_uid)
    if counts_few:
        counted = counted.where(InstanceRecord.study_instance_uid.in_(wanted))
    films = counted.subquery()
    is_corrected = exists().where(
        ReportVersionRecord.study_instance_uid == SignatureRecord.study_instance_uid,
        ReportVersionRecord.kind == "corrected",
    )
    has_addendum = exists().where(
        AddendumRecord.study_instance_uid == SignatureRecord.study_instance_uid
    )
    status = case(
        (and_(SignatureRecord.study_instance_uid.is_not(None), is_corrected), "corrected"),
        (and_(SignatureRecord.study_instance_uid.is_not(None), has_addendum), "addended"),
        (SignatureRecord.study_instance_uid.is_not(None), "signed"),
        (ReportRecord.stage == "preliminary", "preliminary"),
        (ReportRecord.study_instance_uid.is_not(None), "draft"),
        else_="new",
    )
    study = StudyRecord
    same_report = ReportRecord.study_instance_uid == study.study_instance_uid
    same_signature = SignatureRecord.study_instance_uid == study.study_instance_uid
    return (
        select(
            study.study_instance_uid,
            study.patient_name,
            study.patient_id,
            study.patient_birth_date,
            study.patient_sex,
            study.study_date,
            study.study_description,
            study.accession_number,
            films.c.modalities,
            func.coalesce(films.c.instance_count, 0).label("instance_count"),
            status.label("status"),
            study.study_time,
            films.c.views,
            study.removed_at,
            study.search_text,
        )
        .outerjoin(films, films.c.study_instance_uid == study.study_instance_uid)
        .outerjoin(ReportRecord, same_report)
        .outerjoin(SignatureRecord, same_signature)
        .where(study.study_instance_uid.in_(wanted))
        .order_by(study.study_date.desc(), study.study_time.desc(), study.added_at.desc())
    )


def make_study_row(*columns: Any) -> StudyRow:
    """The columns of `query_studies`, which are in the order of StudyRow's fields."""
    *first, modalities, count, status, time, views, removed_at, search_text = columns
    values: tuple[Any, ...] = (
        *first,
        _split_distinct(modalities or ""),
        count,
        status,
        time,
        _split_distinct(views or ""),
        bool(removed_at),
        search_text,
    )
    return StudyRow(*values)


@lru_cache(maxsize=1024)
def _split_distinct(joined: str) -> tuple[str, ...]:
    # Cached: a hundred thousand studies share a few dozen of these tuples.
    return tuple(sorted(filter(None, joined.split(","))))
