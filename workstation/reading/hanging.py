"""Which films hang beside which: PA left, lateral right, the newest prior of the same patient.

A prior needs the same Patient ID and a second agreement, birth date or name, with no
contradiction in either: hospitals reuse and mistype IDs. What agreed is said beside the film.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from workstation.catalog.study_catalog import StudyCatalog
from workstation.catalog.study_rows import InstanceRow, StudyRow
from workstation.dicom.view_position import (
    FRONTAL_VIEWS,
    LATERAL_VIEWS,
    choose_model_films,
    find_lateral,
)

LayoutName = Literal["1x1", "1x2", "2x2"]
PLACES: dict[LayoutName, int] = {"1x1": 1, "1x2": 2, "2x2": 4}
FilmSource = Literal["current", "prior"]


@dataclass(frozen=True)
class PlannedFilm:
    """Which film hangs in a place: its index among the films of that study."""

    source: FilmSource
    index: int


@dataclass(frozen=True)
class HangingPlan:
    """places: from left to right, then down; None for an empty one."""

    layout: LayoutName
    places: tuple[PlannedFilm | None, ...]


class PatientIdentity(Protocol):
    """Whom a study or a film is of, as a catalog row or a header says it."""

    @property
    def patient_id(self) -> str: ...
    @property
    def patient_name(self) -> str: ...
    @property
    def patient_birth_date(self) -> str: ...


@dataclass(frozen=True)
class PatientMatch:
    """Whether two studies are of one patient. agreed: "ID", "birth date", "name" that are equal;
    differing: those that contradict."""

    is_same: bool
    agreed: tuple[str, ...]
    differing: tuple[str, ...]


@dataclass(frozen=True)
class Prior:
    """The newest earlier study of the same patient. days_before: None where a date is unclear."""

    study: StudyRow
    match: PatientMatch
    days_before: int | None


def match_patients(study: PatientIdentity, other: PatientIdentity) -> PatientMatch:
    """Compare whom two studies or films are of; what one of them leaves blank neither agrees nor
    differs."""
    agreed: list[str] = []
    differing: list[str] = []
    for what, one, two in (
        ("ID", study.patient_id.strip(), other.patient_id.strip()),
        ("birth date", study.patient_birth_date, other.patient_birth_date),
        ("name", _folded_name(study.patient_name), _folded_name(other.patient_name)),
    ):
        if one and two:
            (agreed if one == two else differing).append(what)
    is_same = "ID" in agreed and len(agreed) >= 2 and not differing
    return PatientMatch(is_same, tuple(agreed), tuple(differing))


def choose_priors(study: StudyRow, others: Sequence[StudyRow]) -> list[Prior]:
    """Every study before this one that is surely of the same patient, the newest first."""
    taken = (study.study_date, study.study_time)
    if not study.study_date:
        return []
    earlier = [
        (other, match)
        for other in others
        if other.study_instance_uid != study.study_instance_uid
        and other.instance_count > 0
        and other.study_date
        and (other.study_date, other.study_time) < taken
        and (match := match_patients(study, other)).is_same
    ]
    earlier.sort(key=lambda pair: (pair[0].study_date, pair[0].study_time), reverse=True)
    return [
        Prior(other, match, days_between(other.study_date, study.study_date))
        for other, match in earlier
    ]


def find_priors(catalog: StudyCatalog, study_instance_uid: str) -> list[Prior]:
    """The newest first. Raises CatalogUnavailable, UnknownStudy."""
    study = catalog.study(study_instance_uid)
    if not study.patient_id.strip():
        return []
    return choose_priors(study, catalog.list_studies(study.patient_id))


def find_beside(films: Sequence[InstanceRow], shown: int) -> int | None:
    """The film of the same study that belongs beside one: the lateral beside a frontal film."""
    views = [film.view_position for film in films]
    lateral = find_lateral(views)
    return lateral if lateral is not None and lateral != shown else None


def find_counterpart(films: Sequence[InstanceRow], view: str) -> int | None:
    """The prior's film to compare with a film of this view."""
    if view.upper() in FRONTAL_VIEWS or not view:
        chosen = choose_model_films([film.view_position for film in films], max_images=1)
        is_like = bool(chosen) and films[chosen[0]].view_position.upper() not in LATERAL_VIEWS
        return chosen[0] if is_like else None
    return find_lateral([film.view_position for film in films])


def plan_hanging(
    films: Sequence[InstanceRow],
    prior_films: Sequence[InstanceRow] = (),
    layout: LayoutName | None = None,
) -> HangingPlan:
    """The frontal film left, its lateral right, the prior's like below them, or right where there
    is no lateral. layout: None takes the smallest that shows all of these; in a given one whatever
    has no room is left out, and further films of the study fill what is empty."""
    frontal = choose_model_films([film.view_position for film in films], max_images=1)
    if not frontal:
        return HangingPlan(layout or "1x1", (None,) * PLACES[layout or "1x1"])
    first = PlannedFilm("current", frontal[0])
    beside = find_beside(films, first.index)
    lateral = PlannedFilm("current", beside) if beside is not None else None
    prior = _planned_prior(prior_films, films[first.index].view_position)
    prior_lateral = _planned_prior(prior_films, "LATERAL") if lateral is not None else None
    if lateral is None:
        row: list[PlannedFilm | None] = [first, prior] if prior is not None else [first]
    else:
        row = [first, lateral]
        if prior is not None or prior_lateral is not None:
            row += [prior, prior_lateral]
    chosen = layout or _least_layout(len(row))
    row = row[: PLACES[chosen]]
    if layout is not None:
        others = [PlannedFilm("current", index) for index in range(len(films))]
        row += [film for film in others if film not in row][: PLACES[chosen] - len(row)]
    return HangingPlan(chosen, tuple(row) + (None,) * (PLACES[chosen] - len(row)))


def _planned_prior(films: Sequence[InstanceRow], view: str) -> PlannedFilm | None:
    index = find_counterpart(films, view)
    return PlannedFilm("prior", index) if index is not None else None


def _least_layout(count: int) -> LayoutName:
    return next(name for name, places in PLACES.items() if places >= count)


def days_between(earlier: str, later: str) -> int | None:
    """Dates as YYYYMMDD; None where one of them is none."""
    try:
        return (date.fromisoformat(later) - date.fromisoformat(earlier)).days
    except ValueError:
        return None


def _folded_name(name: str) -> str:
    """Case, width, commas and carets do not make another name."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(folded.replace("^", " ").replace(",", " ").split())
