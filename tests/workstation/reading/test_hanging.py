from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from workstation.catalog.study_catalog import StudyCatalog
from workstation.catalog.study_rows import InstanceRow, StudyRow
from workstation.reading.hanging import (
    HangingPlan,
    PlannedFilm,
    choose_priors,
    days_between,
    find_beside,
    find_counterpart,
    find_priors,
    match_patients,
    plan_hanging,
)

STUDY = StudyRow(
    "1.2", "DOE, JANE", "P-1", "19700101", "F", "20260412", "", "", ("DX",), 2, "new", "1015"
)
EARLIER = replace(STUDY, study_instance_uid="1.1", study_date="20250410")


@pytest.mark.parametrize(
    ("changes", "is_same", "differing"),
    [
        ({}, True, ()),
        ({"patient_name": "Doe^Jane"}, True, ()),
        ({"patient_name": ""}, True, ()),
        ({"patient_birth_date": ""}, True, ()),
        ({"patient_birth_date": "", "patient_name": ""}, False, ()),
        ({"patient_id": "P-2"}, False, ("ID",)),
        ({"patient_id": ""}, False, ()),
        ({"patient_birth_date": "19700102"}, False, ("birth date",)),
        ({"patient_name": "ROE, RICHARD"}, False, ("name",)),
    ],
)
def test_a_patient_needs_id_and_one_more_agreement(
    changes: dict[str, str], is_same: bool, differing: tuple[str, ...]
) -> None:
    match = match_patients(STUDY, replace(STUDY, **changes))
    assert (match.is_same, match.differing) == (is_same, differing)


def test_newest_earlier_study_of_the_patient_is_the_prior() -> None:
    older = replace(EARLIER, study_instance_uid="1.0", study_date="20200101")
    later = replace(EARLIER, study_instance_uid="1.3", study_date="20260501")
    stranger = replace(EARLIER, patient_name="ROE, RICHARD", study_date="20260101")
    empty = replace(EARLIER, instance_count=0, study_date="20260201")
    prior = next(iter(choose_priors(STUDY, [older, later, STUDY, EARLIER, stranger, empty])))
    assert prior is not None
    assert prior.study == EARLIER
    assert prior.days_before == 367
    assert prior.match.agreed == ("ID", "birth date", "name")
    assert choose_priors(STUDY, [later, stranger]) == []
    assert choose_priors(replace(STUDY, study_date=""), [EARLIER]) == []


def test_prior_comes_from_the_catalog(
    catalog_engine: Engine, study_uid: str, make_header: Callable[..., object]
) -> None:
    catalog = StudyCatalog(catalog_engine)
    assert find_priors(catalog, study_uid) == []
    for number, name in (("8", "DOE, JANE"), ("9", "ROE, RICHARD")):
        header = make_header(
            study_instance_uid=number,
            sop_instance_uid=f"{number}.1",
            patient_name=name,
            study_date=f"2025010{number}",
        )
        catalog.add_instance(header, Path(f"/films/{number}.dcm"))  # type: ignore[arg-type]
    (prior,) = find_priors(catalog, study_uid)
    assert prior.study.study_instance_uid == "8"


def test_lateral_hangs_beside_frontal_and_views_are_compared_with_their_like() -> None:
    films = [InstanceRow("1", Path("a"), "PA"), InstanceRow("2", Path("b"), "LL")]
    assert find_beside(films, 0) == 1
    assert find_beside(films, 1) is None
    assert find_beside(films[:1], 0) is None
    assert find_counterpart(films, "AP") == 0
    assert find_counterpart(films, "LATERAL") == 1
    assert find_counterpart(films[:1], "LL") is None
    assert find_counterpart([], "PA") is None


PA, LATERAL = InstanceRow("1", Path("a"), "PA"), InstanceRow("2", Path("b"), "LL")
UNMARKED = InstanceRow("3", Path("c"), "")
FRONT, SIDE = PlannedFilm("current", 0), PlannedFilm("current", 1)
PRIOR_FRONT, PRIOR_SIDE = PlannedFilm("prior", 0), PlannedFilm("prior", 1)


@pytest.mark.parametrize(
    ("films", "prior", "layout", "planned"),
    [
        ([PA], [], None, HangingPlan("1x1", (FRONT,))),
        ([LATERAL], [], None, HangingPlan("1x1", (FRONT,))),
        ([PA, LATERAL], [], None, HangingPlan("1x2", (FRONT, SIDE))),
        ([LATERAL, PA], [], None, HangingPlan("1x2", (SIDE, FRONT))),
        ([PA], [PA], None, HangingPlan("1x2", (FRONT, PRIOR_FRONT))),
        ([PA], [LATERAL], None, HangingPlan("1x1", (FRONT,))),
        ([PA, LATERAL], [PA], None, HangingPlan("2x2", (FRONT, SIDE, PRIOR_FRONT, None))),
        (
            [PA, LATERAL], [PA, LATERAL], None,
            HangingPlan("2x2", (FRONT, SIDE, PRIOR_FRONT, PRIOR_SIDE)),
        ),
        ([PA, LATERAL], [PA], "1x2", HangingPlan("1x2", (FRONT, SIDE))),
        ([PA, LATERAL], [PA], "1x1", HangingPlan("1x1", (FRONT,))),
        (
            [PA, LATERAL, UNMARKED], [], "2x2",
            HangingPlan("2x2", (FRONT, SIDE, PlannedFilm("current", 2), None)),
        ),
        ([], [PA], None, HangingPlan("1x1", (None,))),
        ([], [], "1x2", HangingPlan("1x2", (None, None))),
    ],
)  # fmt: skip
def test_films_hang_frontal_left_lateral_right_prior_below_or_beside(
    films: list[InstanceRow], prior: list[InstanceRow], layout: str | None, planned: HangingPlan
) -> None:
    assert plan_hanging(films, prior, layout) == planned  # type: ignore[arg-type]


def test_days_between_dates_and_none_for_what_is_no_date() -> None:
    assert days_between("20250812", "20260412") == 243
    assert days_between("", "20260412") is None
