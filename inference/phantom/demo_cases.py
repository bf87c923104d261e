"""The studies of the demo: chosen for what they show the app can do, not for what the model says.

Seeds are held out: training starts at 1,000,000. ``find_seed`` found them; a change of
``sample_case`` moves them, and the tests say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inference.phantom.case import (
    DEVICE_WEIGHTS,
    Kind,
    PhantomCase,
    sample_case,
    sample_follow_up,
)

Wanted = Callable[[PhantomCase], bool]


@dataclass(frozen=True)
class DemoStudy:
    """One patient of the demo. labelled_as: what the header claims, None for the truth."""

    shows: str
    seed: int
    is_wanted: Wanted
    follow_ups: int = 0
    labelled_as: Kind | None = None

    def cases(self) -> list[PhantomCase]:
        """The patient's studies in order of time."""
        first = sample_case(self.seed)
        return [first, *(sample_follow_up(first, study) for study in range(1, self.follow_ups + 1))]


def find_seed(is_wanted: Wanted, start: int = 0, stop: int = 100_000) -> int:
    """The first seed whose case has a property; LookupError where there is none."""
    for seed in range(start, stop):
        if is_wanted(sample_case(seed)):
            return seed
    raise LookupError(f"no such case among seeds {start} to {stop}")


def _concepts(case: PhantomCase) -> set[str]:
    return {statement.concept for statement in case.statements}


def _is_normal(case: PhantomCase) -> bool:
    return case.kind == "chest" and not case.statements and not case.mimics and case.has_lateral


def _is_failing_heart(case: PhantomCase) -> bool:
    """Effusion and a large heart, nothing else but perhaps a pacemaker; with a lateral."""
    wanted = {"pleural_effusion", "cardiomegaly"}
    found = _concepts(case)
    effusion = case.find("pleural_effusion")
    return (
        case.kind == "chest" and case.has_lateral
        and wanted <= found <= wanted | {"pacemaker", "sternal_wires"}
        and effusion is not None and effusion.severity == "moderate"
    )  # fmt: skip


def _is_drained_pneumothorax(case: PhantomCase) -> bool:
    """A pneumothorax with its chest tube on the same side, and another device."""
    air, tube = case.find("pneumothorax"), case.find("chest_tube")
    if case.kind != "chest" or air is None or tube is None or air.side != tube.side:
        return False
    devices = _concepts(case) & set(DEVICE_WEIGHTS)
    return len(devices) >= 2 and _concepts(case) - devices == {"pneumothorax"} and not case.mimics


def _is_improving(case: PhantomCase) -> bool:
    """An effusion that is smaller on the next study, beside a finding that is gone by then.

    The name is Chinese, in GB18030 (``phantom_identity``).
    """
    effusion = case.find("pleural_effusion")
    if case.kind != "chest" or case.seed % 6 != 3 or effusion is None or case.mimics:
        return False
    following = sample_follow_up(case)
    later = following.find("pleural_effusion")
    return (
        later is not None
        and (effusion.severity, later.severity) in (("large", "moderate"), ("moderate", "small"))
        and len(case.statements) <= 3
        and _concepts(following) < _concepts(case)
        and not following.mimics
    )


def _is_mass(case: PhantomCase) -> bool:
    mass = case.find("mass")
    return (
        case.kind == "chest" and mass is not None and mass.zone == "mid"
        and _concepts(case) == {"mass"} and not case.mimics
    )  # fmt: skip


def _is_hand(case: PhantomCase) -> bool:
    return case.kind == "hand"


DEMO_STUDIES = (
    DemoStudy("a normal chest in two projections", 62, _is_normal),
    DemoStudy("effusion and a large heart, with a lateral", 4368, _is_failing_heart),
    DemoStudy("a pneumothorax with tubes", 9575, _is_drained_pneumothorax),
    DemoStudy("a prior and a follow-up", 18825, _is_improving, follow_ups=1),
    DemoStudy("a mass", 30, _is_mass),
    DemoStudy("a hand filed as a chest, to be refused", 96, _is_hand, labelled_as="chest"),
)
