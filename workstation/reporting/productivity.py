"""Figures of reading and reporting, all from the audit log: nothing is measured for them alone.

What each figure is, exactly:

- **At the desk**: from the last opening of a study before its final signature to that signature.
  Pauses while the study stayed open are in it; earlier visits to the study are not.
- **Since first opened**: from the study's first opening ever to its final signature.
- **Sentences kept**: of the sentences of signed reports that a draft had gone into, how many were
  the model's and untouched, the model's and edited, the reader's own.
- **Edits by concept**: an edit counts once for each finding whose statements it changed. Drafts
  and redrafts taken over, undone and redone edits, and locks do not count.
- **Drafts a day**: drafts and redrafts that ended with a report, and those that ended otherwise,
  by the day they ended.

A signature counts where it was given in the period by the person asked for; edits and drafts
likewise.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import Engine, select

from inference.report_language import Language, split_sentences
from workstation.audit.audit_log import parse_details, tolerant_text
from workstation.catalog.database import read_transaction
from workstation.catalog.schema import AuditRecord, table_of
from workstation.reporting.sentences.sentence_statements import statements_of

_OPENED, _SIGNED, _EDIT, _FINISHED = "study-opened", "sign", "edit", "draft-finished"
_ENDED_OTHERWISE = ("draft-refused", "draft-cancelled", "draft-failed")
_COUNTED_EDITS = frozenset({"edit", "add", "delete", "flip", "restate", "text"})
_DRAFTED_EDITS = frozenset({"draft", "redraft"})  # the model's words came into the report
_LONGEST_GAP_DAYS = 366
_Key = tuple[str, str, str | None, str | None, str | None]


@dataclass(frozen=True)
class LoggedEvent:
    """What of an audit row is needed here; at is aware of its zone. user: the account, where a
    signature names its signer in full."""

    event: str
    user: str
    study_instance_uid: str
    at: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True)
class SignedReport:
    """One final signature. at_desk, since_first: None where no opening is in the log.

    untouched, edited, own: sentences the model wrote, that were edited, that are the reader's.
    """

    study_instance_uid: str
    had_draft: bool
    at_desk: timedelta | None
    since_first: timedelta | None
    untouched: int
    edited: int
    own: int


@dataclass(frozen=True)
class DayOfDrafts:
    """How many drafts and redrafts ended that day, with a report and otherwise."""

    day: date
    finished: int
    ended_otherwise: int


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of a number of values; all 0 for none."""

    count: int
    lower: float = 0.0
    median: float = 0.0
    upper: float = 0.0


@dataclass(frozen=True)
class Productivity:
    """The figures of one period. edits: how many were counted; plain_edits: those of them that
    changed no statement; edits_by_concept: most first. people: everybody these events name, of
    whatever period."""

    signed: tuple[SignedReport, ...]
    edits: int
    plain_edits: int
    edits_by_concept: tuple[tuple[str, int], ...]
    drafts_by_day: tuple[DayOfDrafts, ...]
    people: tuple[str, ...] = ()

    @property
    def drafted(self) -> tuple[SignedReport, ...]:
        """The signed reports that a draft had gone into."""
        return tuple(report for report in self.signed if report.had_draft)

    @property
    def sentences(self) -> tuple[int, int, int]:
        """Untouched, edited and own sentences of all of those together."""
        drafted = self.drafted
        return (
            sum(report.untouched for report in drafted),
            sum(report.edited for report in drafted),
            sum(report.own for report in drafted),
        )

    @property
    def minutes_at_desk(self) -> tuple[float, ...]:
        return _minutes(report.at_desk for report in self.signed)

    @property
    def minutes_since_first(self) -> tuple[float, ...]:
        return _minutes(report.since_first for report in self.signed)


def measure_productivity(
    engine: Engine,
    first_day: date | None = None,
    last_day: date | None = None,
    user: str = "",
    zone: tzinfo | None = None,
) -> Productivity:
    """The figures of the days asked for (None: no limit), of everybody where user is "".

    zone: of the reader's clock, None for the machine's own. Raises CatalogUnavailable.
    """
    return compute_productivity(_read_events(engine), first_day, last_day, user, zone)


def compute_productivity(
    events: Iterable[LoggedEvent],
    first_day: date | None = None,
    last_day: date | None = None,
    user: str = "",
    zone: tzinfo | None = None,
) -> Productivity:
    """The same from events in the log's order."""
    opened: dict[str, tuple[datetime, datetime]] = {}  # first and last opening
    with_draft: set[str] = set()
    signed: list[SignedReport] = []
    concepts: Counter[str] = Counter()
    days: dict[date, list[int]] = {}
    people: set[str] = set()
    edits = plain_edits = 0
    for each in events:
        people.add(each.user)
        day, uid = each.at.astimezone(zone).date(), each.study_instance_uid
        is_asked = (
            (not user or each.user == user)
            and (first_day is None or day >= first_day)
            and (last_day is None or day <= last_day)
        )
        if each.event == _OPENED and "beside" not in each.details:
            opened[uid] = (opened[uid][0] if uid in opened else each.at, each.at)
        elif each.event == _FINISHED and is_asked:
            days.setdefault(day, [0, 0])[0] += 1
        elif each.event in _ENDED_OTHERWISE and is_asked:
            days.setdefault(day, [0, 0])[1] += 1
        elif each.event == _SIGNED and is_asked:
            signed.append(_signed_report(each, opened.get(uid), uid in with_draft))
        elif each.event == _EDIT and each.details.get("kind") in _DRAFTED_EDITS:
            with_draft.add(uid)
        elif each.event == _EDIT and is_asked and each.details.get("kind") in _COUNTED_EDITS:
            edits += 1
            changed = find_changed_concepts(
                str(each.details.get("before", "")), str(each.details.get("after", ""))
            )
            concepts.update(changed)
            plain_edits += not changed
    return Productivity(
        tuple(signed),
        edits,
        plain_edits,
        tuple(sorted(concepts.items(), key=lambda pair: (-pair[1], pair[0]))),
        _fill_days(days),
        tuple(sorted(people)),
    )


def find_changed_concepts(before: str, after: str) -> frozenset[str]:
    """The findings of which an edit stated something it had not, or no longer states something."""
    old, new = Counter(_sentences(before)), Counter(_sentences(after))
    went = Counter(_keys(old - new))
    came = Counter(_keys(new - old))
    return frozenset(key[0] for key in [*(went - came), *(came - went)])


def summarize(values: Sequence[float]) -> Spread:
    """Median and quartiles (inclusive method)."""
    if not values:
        return Spread(0)
    if len(values) == 1:
        return Spread(1, values[0], values[0], values[0])
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(len(values), lower, median, upper)


def _signed_report(
    event: LoggedEvent, opened: tuple[datetime, datetime] | None, had_draft: bool
) -> SignedReport:
    counts = event.details.get("provenance")
    shares = counts if isinstance(counts, dict) else {}
    first, last = opened or (None, None)
    return SignedReport(
        event.study_instance_uid,
        had_draft,
        _span(last, event.at),
        _span(first, event.at),
        int(shares.get("ai", 0)),
        int(shares.get("edited", 0)),
        int(shares.get("human", 0)),
    )


def _span(since: datetime | None, until: datetime) -> timedelta | None:
    """None where it is not known, or where the clock was set back meanwhile."""
    return until - since if since is not None and until >= since else None


def _fill_days(days: Mapping[date, Sequence[int]]) -> tuple[DayOfDrafts, ...]:
    """Every day from the first to the last, those without a draft too; but for years without any,
    which a computer that has lost its clock brings about."""
    told: list[date] = []
    for day in sorted(days):
        gap = (day - told[-1]).days if told else 1
        if gap <= _LONGEST_GAP_DAYS:
            told += [day - timedelta(days=back) for back in range(gap - 1, 0, -1)]
        told.append(day)
    return tuple(DayOfDrafts(day, *days.get(day, (0, 0))) for day in told)


def _minutes(spans: Iterable[timedelta | None]) -> tuple[float, ...]:
    return tuple(span.total_seconds() / 60 for span in spans if span is not None)


def _sentences(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in split_sentences(text)]


def _keys(sentences: Mapping[str, int]) -> Iterable[_Key]:
    for sentence, count in sentences.items():
        language: Language = (
            "zh" if any("\u3400" <= each <= "\u9fff" for each in sentence) else "en"
        )
        for statement in statements_of(sentence, language):
            key = (
                statement.concept,
                statement.status,
                statement.side,
                statement.zone,
                statement.severity,
            )
            yield from [key] * count


def _read_events(engine: Engine) -> list[LoggedEvent]:
    row = table_of(AuditRecord).c
    wanted = (_OPENED, _SIGNED, _EDIT, _FINISHED, *_ENDED_OTHERWISE)
    query = (
        select(row.event, row.user, row.study_instance_uid, row.recorded_at, row.details)
        .where(row.event.in_(wanted))
        .order_by(row.row)
    )
    with read_transaction(engine) as connection, tolerant_text(connection):
        rows = connection.execute(query).all()
    events: list[LoggedEvent] = []
    for event, user, uid, recorded_at, stored in rows:
        at, details = _moment(recorded_at), parse_details(stored)
        if at is not None:
            person = str(details.get("account") or user) if event == _SIGNED else str(user)
            events.append(LoggedEvent(event, person, str(uid), at, details))
    return events


def _moment(recorded_at: object) -> datetime | None:
    """None for a time that another program made unreadable: `verify` names that row."""
    try:
        moment = datetime.fromisoformat(str(recorded_at))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
