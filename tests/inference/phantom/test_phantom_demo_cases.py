"""The demo's studies: each still shows what it was chosen for."""

from __future__ import annotations

from dataclasses import fields

import pytest

from inference.phantom import sample_case
from inference.phantom.demo_cases import DEMO_STUDIES, DemoStudy, find_seed
from inference.phantom.phantom_identity import identity_of

FIRST_TRAINING_SEED = 1_000_000
_ids = [study.shows for study in DEMO_STUDIES]


@pytest.mark.parametrize("study", DEMO_STUDIES, ids=_ids)
def test_demo_study_still_shows_what_it_promises(study: DemoStudy) -> None:
    first = study.cases()[0]
    assert study.is_wanted(first)
    assert not study.is_wanted(sample_case(study.seed + 1))  # the property picks, it is not all


@pytest.mark.parametrize("study", DEMO_STUDIES, ids=_ids)
def test_demo_study_is_held_out_from_training(study: DemoStudy) -> None:
    assert study.seed < FIRST_TRAINING_SEED


def test_demo_has_a_lateral_a_prior_chinese_names_and_a_film_to_refuse() -> None:
    cases = [study.cases() for study in DEMO_STUDIES]
    assert any(case.has_lateral for studies in cases for case in studies)
    assert [len(studies) for studies in cases].count(2) == 1
    encodings = {identity_of(case).character_set for studies in cases for case in studies}
    assert encodings == {"ISO_IR 192", "GB18030"}
    refused = [s for s in DEMO_STUDIES if s.cases()[0].kind != "chest"]
    assert [(s.cases()[0].kind, s.labelled_as) for s in refused] == [("hand", "chest")]
    assert len({study.seed for study in DEMO_STUDIES}) == len(DEMO_STUDIES)


def test_follow_up_of_the_demo_improves_on_its_prior() -> None:
    (study,) = (s for s in DEMO_STUDIES if s.follow_ups)
    prior, later = study.cases()
    assert later.prior == prior.statements
    sizes = ("small", "moderate", "large")
    before, after = prior.find("pleural_effusion"), later.find("pleural_effusion")
    assert before is not None
    assert after is not None
    assert sizes.index(str(after.severity)) < sizes.index(str(before.severity))
    assert {s.concept for s in later.statements} < {s.concept for s in prior.statements}


def test_find_seed_finds_the_first_and_refuses_where_there_is_none() -> None:
    seed = find_seed(lambda case: case.kind == "hand")
    assert sample_case(seed).kind == "hand"
    assert not [s for s in range(seed) if sample_case(s).kind == "hand"]
    with pytest.raises(LookupError, match="no such case among seeds 0 to 3"):
        find_seed(lambda _case: False, stop=3)


def test_every_attribute_of_an_identity_is_filled() -> None:
    for study in DEMO_STUDIES:
        who = identity_of(study.cases()[0])
        assert all(getattr(who, field.name) for field in fields(who))
