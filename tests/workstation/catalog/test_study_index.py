from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.catalog.study_index import StudyFilter, StudyIndex
from workstation.catalog.study_rows import StudyRow

NEW = StudyRow(
    study_instance_uid="a",
    patient_name="DOE, JANE",
    patient_id="P-1",
    patient_birth_date="19700101",
    patient_sex="F",
    study_date="20260412",
    study_description="Chest",
    accession_number="A-77",
    modalities=("DX",),
    instance_count=2,
    status="new",
    views=("LL", "PA"),
)
ROWS = [
    NEW,
    replace(NEW, study_instance_uid="b", patient_name="ÅSTRÖM, EVA", patient_id="7",
            study_date="20260411", status="draft", modalities=("CR",), views=("LATERAL",)),
    replace(NEW, study_instance_uid="c", study_date="20250311", status="signed", views=("PA",)),
    replace(NEW, study_instance_uid="d", patient_id="", patient_name="", study_date="", views=()),
    replace(NEW, study_instance_uid="e", study_date="20200101", status="signed", is_removed=True),
]  # fmt: skip


def found(index: StudyIndex, wanted: StudyFilter, **how: object) -> list[str]:
    hits = index.find(wanted, is_grouped=False, **how)  # type: ignore[arg-type]
    return [index.rows[at].study_instance_uid for at in hits.heads]


@pytest.mark.parametrize(
    ("wanted", "uids"),
    [
        (StudyFilter(), ["a", "b", "c", "d"]),
        (StudyFilter(search="doe"), ["a", "c"]),
        (StudyFilter(search="åström 7"), ["b"]),
        (StudyFilter(search="2026-04"), ["a", "b"]),
        (StudyFilter(status="draft"), ["b"]),
        (StudyFilter(since="20260101"), ["a", "b"]),
        (StudyFilter(modality="CR"), ["b"]),
        (StudyFilter(view="frontal"), ["a", "c"]),
        (StudyFilter(view="lateral"), ["a", "b"]),
        (StudyFilter(search="doe", status="signed", view="frontal"), ["c"]),
        (StudyFilter(is_removed=True), ["e"]),
    ],
)
def test_filters_hold_all_at_once(wanted: StudyFilter, uids: list[str]) -> None:
    assert found(StudyIndex(ROWS), wanted) == uids


@pytest.mark.parametrize(
    ("sort", "is_descending", "uids"),
    [
        ("date", True, ["a", "b", "c", "d"]),
        ("date", False, ["d", "c", "b", "a"]),
        ("name", False, ["a", "c", "b", "d"]),
        ("id", False, ["b", "a", "c", "d"]),
        ("status", False, ["a", "d", "b", "c"]),
        ("modality", True, ["a", "c", "d", "b"]),
    ],
)
def test_every_column_sorts_and_equal_studies_stay_newest_first(
    sort: str, is_descending: bool, uids: list[str]
) -> None:
    index = StudyIndex(ROWS)
    assert found(index, StudyFilter(), sort=sort, is_descending=is_descending) == uids


def test_earlier_studies_stand_under_their_patient_and_nobody_elses() -> None:
    index = StudyIndex([
        *ROWS,
        replace(NEW, study_instance_uid="f", patient_birth_date="19991231", study_date="20190101"),
    ])  # fmt: skip
    hits = index.find(StudyFilter())
    heads = [index.rows[at].study_instance_uid for at in hits.heads]
    assert heads == ["a", "b", "f", "d"]  # f has the ID of a, but another birth date
    assert [index.rows[at].study_instance_uid for at in hits.others[0]] == ["c"]
    assert (hits.found, dict(hits.counts)) == (5, {"new": 3, "draft": 1, "signed": 1})


def test_studies_without_id_are_never_put_together() -> None:
    nobody = replace(NEW, patient_id="", patient_name="")
    index = StudyIndex([replace(nobody, study_instance_uid=uid) for uid in "xyz"])
    assert len(index.find(StudyFilter()).heads) == 3


def test_a_changed_study_is_found_as_it_is_now() -> None:
    index = StudyIndex(ROWS)
    assert found(index, StudyFilter(), sort="status", is_descending=False)[0] == "a"
    index.put(replace(NEW, status="signed"))
    assert found(index, StudyFilter(), sort="status", is_descending=False)[0] == "d"
    assert found(index, StudyFilter(status="signed")) == ["a", "c"]
    index.put(replace(NEW, study_instance_uid="z", study_date="20260501"))
    assert found(index, StudyFilter())[0] == "z"
    index.discard({"a", "z"})
    assert found(index, StudyFilter()) == ["b", "c", "d"]
    assert index.position_of("a") is None


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("123"), st.booleans())))
def test_grouping_neither_loses_nor_repeats_a_study(studies: list[tuple[str, str, bool]]) -> None:
    rows = [
        replace(NEW, study_instance_uid=str(number), patient_id=patient, study_date=date,
                status="new" if is_new else "signed")
        for number, (patient, date, is_new) in enumerate(studies)
    ]  # fmt: skip
    hits = StudyIndex(rows).find(StudyFilter(), "name", is_descending=False)
    shown = [at for head in hits.heads for at in (head, *hits.others.get(head, []))]
    assert sorted(shown) == list(range(len(rows)))
    assert hits.found == len(rows)
