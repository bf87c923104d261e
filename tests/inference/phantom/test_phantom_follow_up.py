"""Later studies of a patient: findings appear, grow, shrink, stay, resolve; films agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from inference.phantom import PhantomCase, sample_case, sample_follow_up
from inference.phantom.case import _EXCLUSIVE, _LASTING
from inference.phantom.projection import render_thickness
from inference.report_language.consistency import find_contradictions
from inference.report_language.statements import LANGUAGES, Language, Side
from inference.report_language.template import compose_findings, compose_impression

_GRADES = ("small", "mild", "moderate", "marked", "large")


@pytest.fixture(scope="module")
def pairs() -> list[tuple[PhantomCase, PhantomCase]]:
    firsts = [sample_case(seed, normal=False, kind="chest") for seed in range(300)]
    return [(first, sample_follow_up(first)) for first in firsts]


def _fates(first: PhantomCase, later: PhantomCase) -> list[tuple[str, str]]:
    """(concept, fate) of everything on either study."""
    fates = []
    for concept in {s.concept for s in (*first.statements, *later.statements)}:
        before, after = first.find(concept), later.find(concept)
        if before is None or after is None:
            fates.append((concept, "appears" if before is None else "resolves"))
        elif before.severity == after.severity:
            fates.append((concept, "stays"))
        else:
            grades = [_GRADES.index(str(s.severity)) for s in (before, after)]
            fates.append((concept, "grows" if grades[1] > grades[0] else "shrinks"))
    return fates


def test_findings_have_every_fate(pairs: list[tuple[PhantomCase, PhantomCase]]) -> None:
    counted = Counter(fate for pair in pairs for _, fate in _fates(*pair))
    assert set(counted) == {"appears", "resolves", "stays", "grows", "shrinks"}
    assert min(counted.values()) >= 5


def test_what_lasts_stays_and_the_person_is_the_same(
    pairs: list[tuple[PhantomCase, PhantomCase]],
) -> None:
    for first, later in pairs:
        assert later.prior == first.statements
        assert (later.seed, later.build, later.study) == (first.seed, first.build, 1)
        for concept, fate in _fates(first, later):
            if concept in _LASTING:
                assert fate in ("stays", "appears"), (first.seed, concept)
        # one finding may be new, and of a concept that has resolved elsewhere
        moved = [
            s.concept
            for s in first.statements
            if (now := later.find(s.concept)) and (now.side, now.zone) != (s.side, s.zone)
        ]
        assert len(moved) <= 1, first.seed
        assert not set(moved) & _LASTING, first.seed


@pytest.mark.parametrize("language", LANGUAGES)
def test_later_reports_contradict_themselves_as_little_as_first_ones(
    pairs: list[tuple[PhantomCase, PhantomCase]], language: Language
) -> None:
    for _, later in pairs:
        findings = compose_findings(later.statements, language)
        impression = compose_impression(later.statements, language)
        assert not find_contradictions(findings, impression, language), later.seed
        present = [s.concept for s in later.statements]
        assert len(present) == len(set(present)), later.seed
        assert not [pair for pair in _EXCLUSIVE if pair <= set(present)], later.seed


@pytest.mark.parametrize("fate", ["grows", "resolves"])
def test_film_of_an_effusion_follows_its_fate(
    fate: str, pairs: list[tuple[PhantomCase, PhantomCase]]
) -> None:
    """The later body against the same body with the earlier fluid: only the fluid differs."""
    first, later = next(
        (a, b)
        for a, b in pairs
        if (effusion := a.find("pleural_effusion")) is not None
        and effusion.side != "bilateral"
        and ("pleural_effusion", fate) in _fates(a, b)
    )
    effusion = first.find("pleural_effusion")
    assert effusion is not None
    rest = tuple(s for s in later.statements if s.concept != "pleural_effusion")
    change = render_thickness(later, 112) - render_thickness(
        replace(later, statements=(*rest, effusion)), 112
    )
    halves: dict[Side, float] = {
        "right": float(change[:, :56].sum()), "left": float(change[:, 56:].sum())
    }  # fmt: skip
    assert effusion.side is not None
    own = halves[effusion.side]
    assert own > 200 if fate == "grows" else own < -200  # cm over the pixels
    assert abs(own) > 5 * abs(sum(halves.values()) - own)
