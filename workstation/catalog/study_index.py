"""All studies in memory: searched, filtered, sorted and grouped by patient as fast as one types.

SQLite answers a search over 100,000 studies quickly too, but making rows of what it found does
not fit between two keystrokes (python -m workstation.benchmarks studies).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from workstation.catalog.study_rows import StudyRow, StudyStatus
from workstation.catalog.study_search import make_search_text, search_words
from workstation.dicom.view_position import FRONTAL_VIEWS, LATERAL_VIEWS

SortKey = Literal["date", "name", "id", "modality", "status"]
ViewKind = Literal["frontal", "lateral"]

_STATUS_ORDER = {"new": 0, "draft": 1, "preliminary": 2, "signed": 3, "addended": 4, "corrected": 5}
_SORT_KEYS: dict[SortKey, Callable[[StudyRow], tuple[object, ...]]] = {
    "date": lambda row: (row.study_date, row.study_time),
    "name": lambda row: (not row.patient_name, row.patient_name.casefold()),
    "id": lambda row: (not row.patient_id, row.patient_id.casefold()),
    "modality": lambda row: (row.modalities, row.study_description.casefold()),
    "status": lambda row: (_STATUS_ORDER.get(row.status, 5),),
}


@dataclass(frozen=True)
class StudyFilter:
    """What has to hold for a study to be found; the defaults hold for every listed one.

    since: "YYYYMMDD", studies without a date are before it. Removed studies (their signed reports
    are kept) are found only where is_removed is set, and then nothing else.
    """

    search: str = ""
    status: StudyStatus | None = None
    since: str = ""
    modality: str = ""
    view: ViewKind | None = None
    is_removed: bool = False

    @property
    def is_empty(self) -> bool:
        return self == StudyFilter()

    def accepts_films(self, modalities: Sequence[str], views: Sequence[str]) -> bool:
        """Whether a study of these modalities and views passes."""
        if self.modality and self.modality not in modalities:
            return False
        if self.view is None:
            return True
        wanted = FRONTAL_VIEWS if self.view == "frontal" else LATERAL_VIEWS
        return any(view.upper() in wanted for view in views)


@dataclass(frozen=True)
class StudyHits:
    """Positions in the index. heads: one a patient, in order (every hit where not grouped);
    others: by head, the same patient's other hits. found: all hits; counts: of their statuses."""

    heads: list[int]
    others: Mapping[int, list[int]] = field(default_factory=dict)
    found: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


class StudyIndex:
    """Rows by position; positions stay until `replace_all` or `discard`."""

    def __init__(self, rows: Sequence[StudyRow] = ()) -> None:
        self.replace_all(rows)

    @property
    def rows(self) -> Sequence[StudyRow]:
        return self._rows

    def replace_all(self, rows: Sequence[StudyRow]) -> None:
        """Take these rows, newest first as the catalog lists them."""
        self._rows = list(rows)
        # Beside the rows, because one list is walked twice as fast as one attribute of rows.
        self._texts = [row.search_text or _search_text_of(row) for row in rows]
        self._statuses: list[str] = [row.status for row in rows]
        self._removed = {at for at, row in enumerate(rows) if row.is_removed}
        self._patient_numbers: dict[object, int] = {}
        self._patients = [self._patient_number(row) for row in rows]
        self._positions = {row.study_instance_uid: at for at, row in enumerate(rows)}
        self._orders: dict[tuple[SortKey, bool], list[int]] = {}
        self._unfiltered: dict[tuple[SortKey, bool, bool], StudyHits] = {}

    def position_of(self, study_instance_uid: str) -> int | None:
        return self._positions.get(study_instance_uid)

    def put(self, row: StudyRow) -> None:
        """One study that is new or has changed."""
        at = self._positions.get(row.study_instance_uid)
        if at is None:
            self.replace_all(sorted([row, *self._rows], key=_SORT_KEYS["date"], reverse=True))
            return
        before, self._rows[at] = self._rows[at], row
        self._texts[at], self._statuses[at] = _search_text_of(row), row.status
        self._patients[at] = self._patient_number(row)
        (self._removed.add if row.is_removed else self._removed.discard)(at)
        self._unfiltered.clear()
        for key, is_descending in list(self._orders):
            if _SORT_KEYS[key](before) != _SORT_KEYS[key](row):
                del self._orders[key, is_descending]

    def discard(self, study_instance_uids: set[str]) -> None:
        """Forget these studies."""
        kept = [row for row in self._rows if row.study_instance_uid not in study_instance_uids]
        self.replace_all(kept)

    def modalities(self) -> list[str]:
        """Every modality there is, for a filter to offer."""
        distinct = {row.modalities for row in self._rows}
        return sorted({modality for several in distinct for modality in several})

    def find(
        self,
        wanted: StudyFilter,
        sort: SortKey = "date",
        *,
        is_descending: bool = True,
        is_grouped: bool = True,
    ) -> StudyHits:
        """The studies that pass, in order; equal ones newest first."""
        asked = (sort, is_descending, is_grouped)
        if wanted.is_empty and asked in self._unfiltered:
            return self._unfiltered[asked]
        hits = self._filtered(self._order(sort, is_descending), wanted)
        counts = Counter(map(self._statuses.__getitem__, hits))
        heads, others = self._grouped(hits) if is_grouped else (hits, {})
        found = StudyHits(heads, others, len(hits), counts)
        if wanted.is_empty:
            self._unfiltered[asked] = found
        return found

    def _grouped(self, hits: list[int]) -> tuple[list[int], dict[int, list[int]]]:
        heads: list[int] = []
        others: dict[int, list[int]] = {}
        head_of: dict[int, int] = {}
        patients = self._patients
        for at in hits:
            head = head_of.setdefault(patients[at], at)
            if head == at:
                heads.append(at)
            elif head in others:
                others[head].append(at)
            else:
                others[head] = [at]
        return heads, others

    def _patient_number(self, row: StudyRow) -> int:
        """Equal for studies whose `patient_key` is."""
        numbers = self._patient_numbers
        raw = (row.patient_id, row.patient_birth_date, row.patient_name)
        number = numbers.get(raw) if row.patient_id else None
        if number is None:
            number = numbers.setdefault(patient_key(row), len(numbers))
            if row.patient_id and (row.patient_name or row.patient_birth_date):
                numbers[raw] = number
        return number

    def _order(self, sort: SortKey, is_descending: bool) -> list[int]:
        order = self._orders.get((sort, is_descending))
        if order is None:
            rows, key = self._rows, _SORT_KEYS[sort]
            # Stable, so what the key leaves equal stays newest first.
            order = list(range(len(rows)))
            order.sort(key=lambda at: key(rows[at]), reverse=is_descending)
            self._orders[sort, is_descending] = order
        return order

    def _filtered(self, hits: list[int], wanted: StudyFilter) -> list[int]:
        rows, texts = self._rows, self._texts
        for word in search_words(wanted.search):
            hits = [at for at in hits if word in texts[at]]
        if self._removed or wanted.is_removed:
            removed = self._removed
            hits = [at for at in hits if (at in removed) == wanted.is_removed]
        if wanted.status is not None:
            statuses = self._statuses
            hits = [at for at in hits if statuses[at] == wanted.status]
        if wanted.since:
            hits = [at for at in hits if rows[at].study_date >= wanted.since]
        if wanted.modality or wanted.view:
            verdicts: dict[tuple[tuple[str, ...], tuple[str, ...]], bool] = {}
            passed = []
            for at in hits:
                films = (rows[at].modalities, rows[at].views)
                if films not in verdicts:
                    verdicts[films] = wanted.accepts_films(*films)
                if verdicts[films]:
                    passed.append(at)
            hits = passed
        return hits


def patient_key(row: StudyRow) -> object:
    """Equal for studies that are surely of one patient: same Patient ID, and same name and birth
    date, one of which is known. Anyone else is a patient of their own: IDs are mistyped and
    given out twice."""
    patient_id = row.patient_id.strip()
    if patient_id and (row.patient_name or row.patient_birth_date):
        name = " ".join(row.patient_name.casefold().replace(",", " ").split())
        return "patient", patient_id, row.patient_birth_date, name
    return "study", row.study_instance_uid


def _search_text_of(row: StudyRow) -> str:
    return row.search_text or make_search_text(
        row.patient_name, row.patient_id, row.accession_number, row.study_date
    )
