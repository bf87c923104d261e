"""One phantom study: who, which findings and devices, how the film was taken; all from one seed.

Ranges leave a gap between normal and abnormal (a cardiothoracic ratio of 0.50 is drawn for
nobody), so that each film has one true description. What hides another thing, or can't be told
from it on a film, is not drawn together with it (``_EXCLUSIVE``, ``_Lungs``).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from inference.phantom.geometry import View
from inference.phantom.patient import Build, Patient, draw_build, draw_patient
from inference.report_language.statements import Language, Severity, Side, Statement, Zone
from inference.report_language.template import compose_refusal, compose_report

Kind = Literal["chest", "lateral", "hand", "knee", "abdomen", "blank", "inverted"]
Mimic = Literal["nipple_shadow", "skin_fold", "ecg_leads", "rotation"]
NOT_FRONTAL_CHEST: tuple[Kind, ...] = ("lateral", "hand", "knee", "abdomen", "blank", "inverted")

_BOTH: tuple[Side, Side] = ("left", "right")
_ZONES: tuple[Zone, ...] = ("upper", "mid", "lower")
# Share of abnormal films that show each finding; the rest of the film's findings are drawn alike.
FINDING_WEIGHTS = {
    "mediastinal_widening": 0.8,
    "pneumomediastinum": 0.7,
    "aortic_atherosclerosis": 0.8,
    "pulmonary_edema": 0.9,
    "vascular_congestion": 0.7,
    "consolidation": 1.2,
    "opacity": 1.0,
    "atelectasis": 1.0,
    "interstitial_pattern": 0.8,
    "nodule": 1.2,
    "mass": 0.9,
    "emphysema": 0.8,
    "fibrosis": 0.8,
    "granuloma": 0.9,
    "pleural_effusion": 1.5,
    "pneumothorax": 1.2,
    "pleural_thickening": 0.8,
    "cardiomegaly": 1.2,
    "hilar_enlargement": 0.9,
    "diaphragm_elevation": 0.9,
    "free_air": 0.7,
    "fracture": 1.0,
    "scoliosis": 0.7,
}
DEVICE_WEIGHTS = {
    "endotracheal_tube": 1.0,
    "gastric_tube": 1.0,
    "central_venous_catheter": 1.1,
    "picc": 0.9,
    "pacemaker": 1.0,
    "chest_tube": 0.9,
    "sternal_wires": 0.9,
    "surgical_clips": 0.8,
}
_SIDED_DEVICES = {"central_venous_catheter", "picc", "pacemaker", "chest_tube"}
# Pairs that hide each other or look alike on a film; a later one of the draw gives way.
_EXCLUSIVE: tuple[frozenset[str], ...] = tuple(
    frozenset(pair)
    for pair in (
        ("emphysema", "cardiomegaly"),
        ("emphysema", "diaphragm_elevation"),
        ("emphysema", "pulmonary_edema"),
        ("emphysema", "vascular_congestion"),
        ("emphysema", "interstitial_pattern"),
        ("pulmonary_edema", "vascular_congestion"),
        ("pulmonary_edema", "interstitial_pattern"),
        ("vascular_congestion", "interstitial_pattern"),
        ("hilar_enlargement", "pulmonary_edema"),
        ("hilar_enlargement", "vascular_congestion"),
        ("mediastinal_widening", "aortic_atherosclerosis"),
        ("mediastinal_widening", "pneumomediastinum"),
        ("free_air", "diaphragm_elevation"),
        ("free_air", "pleural_effusion"),
        ("central_venous_catheter", "picc"),
    )
)
# What stays with a patient from one study to the next.
_LASTING = {
    "aortic_atherosclerosis", "emphysema", "fibrosis", "granuloma", "scoliosis",
    "pleural_thickening", "pacemaker", "sternal_wires", "surgical_clips",
}  # fmt: skip
_SIZES: dict[str, tuple[Severity, ...]] = {
    "pleural_effusion": ("small", "moderate", "large"),
    "pneumothorax": ("small", "large"),
    "cardiomegaly": ("mild", "marked"),
}


@dataclass(frozen=True)
class PhantomCase:
    """A study of one patient and everything present on it; what is not listed is absent.

    kind: "chest", or what the film shows instead. mimics: things on the film that are no finding.
    study: 0 for the first, 1 for the next of the same patient ... prior: the statements before.
    """

    seed: int
    build: Build
    patient: Patient
    statements: tuple[Statement, ...]
    kind: Kind = "chest"
    has_lateral: bool = False
    mimics: tuple[Mimic, ...] = ()
    study: int = 0
    prior: tuple[Statement, ...] = field(default=())

    @property
    def view(self) -> View:
        return "LL" if self.kind == "lateral" else self.patient.view

    def report(self, language: Language = "en") -> str:
        """The normalised answer; for a film that is no frontal chest, the refusal."""
        if self.kind != "chest":
            return compose_refusal(language)
        return compose_report(self.statements, language)

    def find(self, concept: str) -> Statement | None:
        return next((s for s in self.statements if s.concept == concept), None)

    def rng(self, purpose: str) -> np.random.Generator:
        """Details of one thing: the same on each view, size and study of the patient."""
        return np.random.default_rng((self.seed, zlib.crc32(purpose.encode())))


def sample_case(seed: int, *, normal: bool | None = None, kind: Kind | None = None) -> PhantomCase:
    """Draw one first study. normal=True forbids findings and devices, False forces a finding."""
    rng = np.random.default_rng((seed, 20261121))
    build = draw_build(rng)
    is_normal = bool(rng.random() < 0.12) if normal is None else normal
    statements = () if is_normal else _draw_statements(rng)
    drawn: Kind = "chest"
    if normal is None and rng.random() < 0.05:
        drawn = NOT_FRONTAL_CHEST[int(rng.integers(len(NOT_FRONTAL_CHEST)))]
    return _assemble(seed, rng, build, statements, kind or drawn)


def sample_follow_up(case: PhantomCase, study: int = 1) -> PhantomCase:
    """A later study of the same patient: findings appear, grow, shrink, stay or resolve."""
    rng = np.random.default_rng((case.seed, 20261121, study))
    kept = [change for s in case.statements if (change := _evolve(s, rng)) is not None]
    if rng.random() < 0.5:
        kept += [new for new in _draw_statements(rng) if _fits(new, kept)][:1]
    following = _assemble(case.seed, rng, case.build, tuple(kept), "chest")
    return replace(following, study=study, prior=case.statements)


def _assemble(
    seed: int, rng: np.random.Generator, build: Build, statements: tuple[Statement, ...], kind: Kind
) -> PhantomCase:
    lying = {"endotracheal_tube", "chest_tube", "gastric_tube"} & {s.concept for s in statements}
    view: View = "AP" if rng.random() < (0.7 if lying else 0.15) else "PA"
    mimics: list[Mimic] = []
    if rng.random() < 0.25:
        choices: tuple[Mimic, ...] = ("nipple_shadow", "skin_fold", "ecg_leads", "rotation")
        mimics.append(choices[int(rng.integers(len(choices)))])
    patient = draw_patient(rng, build, statements, view, is_rotated="rotation" in mimics)
    has_lateral = view == "PA" and kind == "chest" and bool(rng.random() < 0.35)
    return PhantomCase(seed, build, patient, statements, kind, has_lateral, tuple(mimics))


def _choose(rng: np.random.Generator, weights: dict[str, float], count: int) -> list[str]:
    names = list(weights)
    share = np.array(list(weights.values()))
    chosen = rng.choice(len(names), size=count, replace=False, p=share / share.sum())
    return [names[index] for index in chosen]


def _draw_statements(rng: np.random.Generator) -> tuple[Statement, ...]:
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.2, 0.3, 0.27, 0.15, 0.08]))
    findings = _choose(rng, FINDING_WEIGHTS, count)
    count = int(rng.choice([0, 1, 2, 3], p=[0.42, 0.32, 0.2, 0.06]))
    devices = _choose(rng, DEVICE_WEIGHTS, count)
    said: list[Statement] = []
    lungs = _Lungs()
    first = ("pleural_effusion", "pneumothorax")  # they decide what of the lungs can be seen
    for concept in sorted(findings, key=lambda name: name not in first):
        if any({concept, other.concept} in _EXCLUSIVE for other in said):
            continue
        statement = _draw_finding(rng, concept, lungs)
        if statement is not None:
            said.append(statement)
    for concept in devices:
        if not any({concept, other.concept} in _EXCLUSIVE for other in said):
            side = _BOTH[int(rng.integers(2))] if concept in _SIDED_DEVICES else None
            said.append(Statement(concept, "present", side))
    return tuple(said)


class _Lungs:
    """Which zones of which lung can still show something of their own."""

    def __init__(self) -> None:
        self._free: set[tuple[Side, Zone]] = {(side, zone) for side in _BOTH for zone in _ZONES}

    def take(self, sides: tuple[Side, ...], zones: tuple[Zone, ...] = _ZONES) -> None:
        self._free -= {(side, zone) for side in sides for zone in zones}

    def has(self, side: Side, *zones: Zone) -> bool:
        return all((side, zone) in self._free for zone in zones)

    def pick(
        self, rng: np.random.Generator, zones: tuple[Zone, ...] = _ZONES
    ) -> tuple[Side, Zone] | None:
        free = sorted(place for place in self._free if place[1] in zones)
        return free[int(rng.integers(len(free)))] if free else None


def _draw_finding(rng: np.random.Generator, concept: str, lungs: _Lungs) -> Statement | None:
    """One finding where there is room for it; None where there is none."""
    one: Side = _BOTH[int(rng.integers(2))]
    side: Side | None = one
    zone: Zone | None = None
    severity: Severity | None = None
    match concept:
        case "pleural_effusion":
            side, severity = _draw_effusion(rng, lungs)
        case "pneumothorax":
            if not lungs.has(one, *_ZONES):
                return None
            severity = _SIZES[concept][int(rng.integers(2))]
            lungs.take((one,), _ZONES if severity == "large" else ("upper",))
        case "consolidation" | "opacity" | "nodule" | "mass" | "granuloma":
            place = lungs.pick(rng)
            if place is None:
                return None
            side, zone = place
            lungs.take((side,), (zone,))
        case "atelectasis":
            place = lungs.pick(rng, ("lower",))
            if place is None:
                return None
            side, zone = place
            lungs.take((side,), (zone,))
        case "fibrosis" | "pleural_thickening":  # apical scar; apical cap
            place = lungs.pick(rng, ("upper",))
            if place is None:
                return None
            side = place[0]
            lungs.take((side,), ("upper",))
        case "diaphragm_elevation":
            if not lungs.has(one, "lower"):
                return None
            lungs.take((one,), ("lower",))
        case "free_air":
            side = ("right", "bilateral")[int(rng.integers(2))]
        case "hilar_enlargement":
            drawn: Side = ("left", "right", "bilateral")[int(rng.integers(3))]
            side, sides = drawn, _BOTH if drawn == "bilateral" else (drawn,)
            if not all(lungs.has(s, "mid") for s in sides):
                return None
            lungs.take(sides, ("mid",))
        case "fracture":
            pass
        case _:
            side = None
            if concept == "cardiomegaly":
                severity = _SIZES[concept][int(rng.integers(2))]
    return Statement(concept, "present", side, zone, severity)


def _draw_effusion(rng: np.random.Generator, lungs: _Lungs) -> tuple[Side, Severity]:
    side: Side = ("left", "right", "bilateral")[int(rng.choice(3, p=[0.35, 0.35, 0.3]))]
    sizes = _SIZES["pleural_effusion"]
    severity = sizes[int(rng.integers(2 if side == "bilateral" else 3))]
    hidden: dict[str, tuple[Zone, ...]] = {
        "small": ("lower",), "moderate": ("lower", "mid"), "large": _ZONES
    }  # fmt: skip
    lungs.take(_BOTH if side == "bilateral" else (side,), hidden[severity])
    return side, severity


def _evolve(statement: Statement, rng: np.random.Generator) -> Statement | None:
    if statement.concept in _LASTING:
        return statement
    fate = rng.choice(["same", "grows", "shrinks", "resolves"], p=[0.35, 0.2, 0.2, 0.25])
    if fate == "resolves":
        return None
    sizes = _SIZES.get(statement.concept)
    if sizes is None or statement.severity not in sizes or fate == "same":
        return statement
    at = sizes.index(statement.severity) + (1 if fate == "grows" else -1)
    if statement.side == "bilateral":
        at = min(at, 1)
    return None if at < 0 else replace(statement, severity=sizes[min(at, len(sizes) - 1)])


def _fits(new: Statement, kept: list[Statement]) -> bool:
    """Whether a new finding can be seen beside what is there."""
    return all(
        new.concept != old.concept
        and {new.concept, old.concept} not in _EXCLUSIVE
        and (new.side is None or old.side is None or {new.side, old.side} == set(_BOTH))
        for old in kept
    )
