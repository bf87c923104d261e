"""Which slots a canonical sentence expresses: what remains of a statement once it is worded.

One table for both languages, so that their canonical sentences say the same. A concept takes a
side, a zone and a degree only where a report would give one, and the degree on one scale: there
is a large effusion and a marked edema, but no marked effusion.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from inference.report_language.statements import Severity, Statement

# How much of a finding there is: an amount of fluid or air, the size of one shadow, the extent
# of many, or a degree.
Measure = Literal["amount", "size", "extent", "degree"]
MEASURES: dict[str, Measure] = {
    "pleural_effusion": "amount",
    "pneumothorax": "amount",
    "pneumomediastinum": "amount",
    "free_air": "amount",
    "nodule": "size",
    "mass": "size",
    "granuloma": "size",
    "opacity": "extent",
    "consolidation": "extent",
    "pulmonary_edema": "degree",
    "vascular_congestion": "degree",
    "pneumonia": "degree",
    "atelectasis": "degree",
    "interstitial_pattern": "degree",
    "fibrosis": "degree",
    "pleural_thickening": "degree",
    "cardiomegaly": "degree",
    "aortic_atherosclerosis": "degree",
    "scoliosis": "degree",
}
_AS_DEGREE: dict[Severity, Severity] = {"small": "mild", "large": "marked"}
_AS_AMOUNT: dict[Severity, Severity] = {"mild": "small", "marked": "large"}

ZONED = frozenset(
    {
        "consolidation",
        "opacity",
        "pneumonia",
        "atelectasis",
        "interstitial_pattern",
        "nodule",
        "mass",
        "fibrosis",
        "granuloma",
        "pleural_thickening",
    }
)
SIDED = ZONED | {
    "pulmonary_edema",
    "pleural_effusion",
    "pneumothorax",
    "hilar_enlargement",
    "diaphragm_elevation",
    "fracture",
    "central_venous_catheter",
    "picc",
    "pacemaker",
    "chest_tube",
    "surgical_clips",
}


def express_statement(statement: Statement) -> Statement:
    """The statement as its canonical sentence says it: unexpressed slots None, degrees as worded.

    ``extract_statements(word_statement(...))`` gives back exactly this (offsets and rule apart),
    in each language. Denials express no slot; enlarged hila without a side are both of them;
    the elevated diaphragm has no bilateral wording, so there bilateral becomes None.
    """
    concept, side = statement.concept, statement.side
    if statement.status == "absent":
        return replace(statement, side=None, zone=None, severity=None)
    if concept not in SIDED or (concept == "diaphragm_elevation" and side == "bilateral"):
        side = None
    elif concept == "hilar_enlargement":
        side = side or "bilateral"
    return replace(
        statement,
        side=side,
        zone=statement.zone if concept in ZONED else None,
        severity=_express_severity(concept, statement.severity),
    )


def _express_severity(concept: str, severity: Severity | None) -> Severity | None:
    measure = MEASURES.get(concept)
    if measure is None or severity is None:
        return None
    scale = _AS_DEGREE if measure == "degree" else _AS_AMOUNT
    return scale.get(severity, severity)
