"""Reading the audit log by pages: which rows answer a filter, and the entries of a few of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, or_, select

from workstation.audit.audit_log import AuditEntry, parse_details, tolerant_text
from workstation.catalog.database import read_transaction
from workstation.catalog.schema import AuditRecord, StudyRecord, table_of
from workstation.catalog.study_search import search_words

_ROW = table_of(AuditRecord).c
_STUDY = table_of(StudyRecord).c


@dataclass(frozen=True)
class AuditFilter:
    """What is asked of the log; an empty field asks nothing.

    events: any of these. user: the whole name. study: a Study Instance UID, or words of patient
    name, Patient ID, accession number or study date. text: what is written in the details.
    first_day, last_day: days of the reader's clock, both included.
    """

    events: tuple[str, ...] = ()
    user: str = ""
    study: str = ""
    text: str = ""
    first_day: date | None = None
    last_day: date | None = None

    @property
    def is_empty(self) -> bool:
        return self == AuditFilter()


@dataclass(frozen=True)
class StudyLabel:
    """What a row's study is called."""

    patient_name: str
    patient_id: str
    study_date: str  # "YYYYMMDD" or ""


class AuditReader:
    """Reads only. Rows that hold text which isn't UTF-8 are shown, not refused.

    zone: of the reader's clock, None for the machine's own. Raises CatalogUnavailable.
    """

    def __init__(self, engine: Engine, zone: tzinfo | None = None) -> None:
        self._engine = engine
        self._zone = zone

    def row_numbers(self, wanted: AuditFilter | None = None) -> list[int]:
        """The rows that answer the filter, newest first."""
        query = self._filtered(select(_ROW.row), wanted or AuditFilter())
        query = query.order_by(_ROW.row.desc())
        with read_transaction(self._engine) as connection, tolerant_text(connection):
            return [row for (row,) in connection.execute(query)]

    def entries(self, rows: Sequence[int]) -> dict[int, AuditEntry]:
        """The entries of these rows, by row; those that are gone are left out."""
        if not rows:
            return {}
        query = select(table_of(AuditRecord)).where(_ROW.row.in_(rows))
        with read_transaction(self._engine) as connection, tolerant_text(connection):
            found = connection.execute(query).all()
        return {
            each.row: AuditEntry(**{**each._asdict(), "details": parse_details(each.details)})
            for each in found
        }

    def study_labels(self) -> dict[str, StudyLabel]:
        """Every study of the catalog, by its UID."""
        query = select(
            _STUDY.study_instance_uid, _STUDY.patient_name, _STUDY.patient_id, _STUDY.study_date
        )
        with read_transaction(self._engine) as connection, tolerant_text(connection):
            return {uid: StudyLabel(*rest) for uid, *rest in connection.execute(query)}

    def users(self) -> list[str]:
        """Everybody who is named in the log."""
        query = select(_ROW.user).distinct().order_by(_ROW.user)
        with read_transaction(self._engine) as connection, tolerant_text(connection):
            return [str(user) for user in connection.execute(query).scalars()]

    def _filtered(self, query: Select[Any], wanted: AuditFilter) -> Select[Any]:
        conditions: list[ColumnElement[bool]] = []
        if wanted.events:
            conditions.append(_ROW.event.in_(wanted.events))
        if wanted.user:
            conditions.append(_ROW.user == wanted.user)
        if wanted.first_day is not None:
            conditions.append(_ROW.recorded_at >= self._start_of(wanted.first_day))
        if wanted.last_day is not None:
            day_after = wanted.last_day + timedelta(days=1)
            conditions.append(_ROW.recorded_at < self._start_of(day_after))
        if wanted.study.strip():
            conditions.append(_is_of_study(wanted.study))
        for word in wanted.text.split():
            conditions.append(_details_hold(word))
        return query.where(and_(*conditions)) if conditions else query

    def _start_of(self, day: date) -> str:
        midnight = datetime.combine(day, time(), tzinfo=self._zone)
        # Rows are written as UTC with "+00:00": their text sorts as their time does.
        return midnight.astimezone(UTC).isoformat()


def _is_of_study(words: str) -> ColumnElement[bool]:
    named = and_(*(_STUDY.search_text.contains(w, autoescape=True) for w in search_words(words)))
    studies = select(_STUDY.study_instance_uid).where(named)
    return or_(_ROW.study_instance_uid == words.strip(), _ROW.study_instance_uid.in_(studies))


def _details_hold(word: str) -> ColumnElement[bool]:
    stored = json.dumps(word, ensure_ascii=False)[1:-1]  # as the details' JSON spells it
    return or_(
        _ROW.details.icontains(stored, autoescape=True),
        _ROW.event.icontains(word, autoescape=True),
    )
