"""What concepts are called in prose (English), as patterns of ``tokens.expand_pattern``.

Kinds: term (a concept), structure and predicate (together a concept: "heart ... enlarged"),
side, zone and severity; the triggers are in ``triggers``. ``phrase_table`` holds them all.
"""

from __future__ import annotations

from functools import cache

from inference.report_language.relations import RELATIONS
from inference.report_language.tokens import PhraseTable, expand_pattern, tokenize
from inference.report_language.triggers import TRIGGERS
from inference.report_language.vocabulary import CONCEPTS

SIDES = {
    "bilateral": (
        "bilateral|bilaterally|both|biapical|bibasilar|bibasal|bihilar",
        "right|left and|or left|right",
        "right|left [side] greater|worse|more|larger|less than [the] [on] [the] left|right",
    ),
    "left": ("left", "left sided|side", "lingula|lingular", "lll|lul"),
    "right": ("right", "right sided|side", "rll|rul|rml", "middle lobe"),
}
ZONES = {
    "upper": ("upper [lobe|lobes|lung|lungs|zone|zones]", "apex|apices|apical|biapical|rul|lul"),
    "mid": ("mid [lung|lungs|zone|zones]", "midlung|midlungs|middle_lobe|lingula|lingular|rml"),
    "lower": (
        "lower [lobe|lobes|lung|lungs|zone|zones]",
        "base|bases|basilar|basal|bibasilar|bibasal|rll|lll|retrocardiac",
    ),
}
SEVERITIES = {
    "small": ("small|tiny|trace",),
    "mild": ("mild|mildly|minimal|minimally|slight|slightly|minor",),
    "moderate": ("moderate|moderately",),
    "large": ("large|massive",),
    "marked": ("marked|markedly|severe|severely|gross|extensive",),
}
# Further wordings of concepts, too variable for the vocabulary's plain terms.
MORE_TERMS = {
    "interstitial_pattern": (
        "interstitial opacity|opacities|density|densities|changes|prominence|thickening",
        "reticulonodular|reticular opacity|opacities|densities|changes",
    ),
    "pneumonia": ("pneumonitis",),
    "mass": ("masslike|mass_like opacity|opacification|density|consolidation|lesion",),
    "nodule": ("nodular opacity|opacities|densities",),
    "pleural_effusion": (
        "hydrothorax|hemothorax|empyema",
        "pleural and|or pericardial effusion|effusions",
    ),
    "opacity": (
        "airspace|air_space|alveolar opacities|infiltrate|infiltrates|densities",
        "densities",
    ),
    "central_venous_catheter": (
        "jugular|ij|subclavian [central] [venous] line|catheter",
        "port catheter",
        "portacath",
        "venous catheter",
    ),
    "pacemaker": ("pacing leads|wires", "cardiac device"),
    "picc": ("picc catheter",),
    "surgical_clips": ("surgical staples",),
}

# Denying these denies the concept; affirming them says too little to affirm it.
DENIED_WITH = {
    "fracture": (
        "bony|osseous|bone|skeletal [structure] abnormality|abnormalities|findings|finding",
        "rib abnormality|abnormalities",
    ),
}

STRUCTURES = {
    "cardiomediastinum": (
        "cardiomediastinal [silhouette|contour|contours|size|outline|structures|borders]",
        "cardiac|heart and mediastinal silhouette|silhouettes|contour|contours|size",
        "cardiac mediastinal silhouette|contour|contours",
    ),
    "heart": (
        "heart [size|silhouette|shadow|contour|contours]",
        "cardiac [silhouette|silhouettes|size|shadow|contour|contours|and]",
        "cardiopericardial silhouette|shadow",
        "cardiac and pericardial silhouette",
    ),
    "mediastinum": (
        "mediastinum",
        "mediastinal [silhouette|contour|contours|structures|size|shadow|borders]",
    ),
    "trachea": ("trachea",),
    "hila": ("hila|hilum|hili", "hilar [structures|contour|contours|regions|region|shadows]"),
    "diaphragm": ("diaphragm|diaphragms|hemidiaphragm|hemidiaphragms",),
    "angles": ("costophrenic [angle|angles|sulcus|sulci|recess|recesses|xxxx]", "cp angle|angles"),
    "pleura": ("pleural space|spaces|surfaces|surface", "pleura"),
    "fissure": ("[major|minor|horizontal|oblique|interlobar|xxxx] fissure|fissures", "fissural"),
    "lungs": (
        "lung|lungs [field|fields|parenchyma|zones|xxxx]",
        "pulmonary parenchyma",
        "lungs and pleural spaces",
    ),
    "vessels": (
        "pulmonary vascularity|vasculature|vascular|vessels|venous [markings|pattern|structures]",
        "vascularity|vasculature",
        "vascular markings|pattern",
    ),
    "interstitium": (
        "interstitial [markings|lung_markings]",
        "reticular markings",
        "interstitium",
    ),
    "bones": (
        "bony|osseous|skeletal structures|structure|thorax",
        "bones|skeleton",
    ),
    "aorta": ("[thoracic|descending_thoracic|ascending] aorta", "aortic [arch|knob|contour]"),
}
PREDICATES = {
    "normal": (
        "normal [in_size|size|limits|appearance|caliber]",
        "within [the] normal limits",
        "in|of normal size|limits",
        "unremarkable",
        "clear|sharp|intact|midline",
        "not remarkable",
    ),
    "borderline": (
        "[at|within|to|the] upper|top [limits|limit] [of] normal [limits|size|in_size]",
    ),
    "enlarged": (
        "[borderline] enlarged|enlargement|enlarging",
        # Read as slight enlargement, as Open-i's annotators did in 25 of 33 reports.
        "borderline [size|in_size]",
        "increase in",
    ),
    "large": ("is|are|appears|remains [slightly|mildly|moderately|markedly] large",),
    "prominent": ("prominent|prominence|fullness",),
    "increased": ("increased|coarsened|coarse|accentuated",),
    "widened": ("widened|widening|wide",),
    # Where it deviates to is no side of another finding.
    "deviated": (
        "deviated|deviation|shifted|shift|displaced [to|toward|towards] [the] [left|right]",
    ),
    "elevated": ("elevated|elevation|raised",),
    "blunted": ("blunted|blunting|obscured",),
    "tortuous": (
        "tortuous|tortuosity|ectatic|ectasia|unfolded|uncoiled|calcified|calcification"
        "|calcifications|atherosclerotic_calcifications",
    ),
    "thickened": ("thickened|thickening",),
    "congested": (
        "congested|congestion|engorged|engorgement|cephalized|indistinct|redistribution",
    ),
}


@cache
def phrase_table() -> PhraseTable:
    """The one table of every phrase above; built once per process."""
    relations = _relation_table()
    table = PhraseTable()
    for kind, patterns in TRIGGERS.items():
        table.add(kind, "", patterns)
    for concept in CONCEPTS:
        # "heart is enlarged" is read as structure and predicate, which also finds it when
        # other words stand in between, and lets a clause begin at it.
        terms = [t for t in concept.terms if not _is_relation(relations, concept.name, t)]
        table.add("term", concept.name, [*terms, *MORE_TERMS.get(concept.name, ())])
    for concept_name, patterns in DENIED_WITH.items():
        table.add("denied_with", concept_name, patterns)
    _add_relations(table)
    for severity, patterns in SEVERITIES.items():
        table.add("severity", severity, patterns)
    _add_places(table)
    return table


def _relation_table() -> PhraseTable:
    table = PhraseTable()
    _add_relations(table)
    return table


def _add_relations(table: PhraseTable) -> None:
    for structure, patterns in STRUCTURES.items():
        table.add("structure", structure, patterns)
    for predicate, patterns in PREDICATES.items():
        table.add("predicate", predicate, patterns)


def _is_relation(table: PhraseTable, concept: str, term: str) -> bool:
    """Whether a term needs no entry of its own: structure and predicate, or structure only."""
    phrases = table.find_phrases(tokenize(term))
    structures = [p.value for p in phrases if p.kind == "structure"]
    predicates = [p.value for p in phrases if p.kind == "predicate"]
    if len(phrases) == 1 and structures and phrases[0].last == len(tokenize(term)):
        return True  # "interstitial markings" alone name no finding
    return any(
        (concept, "present") in RELATIONS.get((structure, predicate), ())
        for structure in structures
        for predicate in predicates
    )


def _add_places(table: PhraseTable) -> None:
    """Sides and zones; a word that names both ("bibasilar") carries "bilateral lower"."""
    sides = {p: side for side, ps in SIDES.items() for pat in ps for p in expand_pattern(pat)}
    zones = {p: zone for zone, ps in ZONES.items() for pat in ps for p in expand_pattern(pat)}
    for phrase in sorted(sides.keys() | zones.keys()):
        place = " ".join(word for word in (sides.get(phrase), zones.get(phrase)) if word)
        table.add("place", place, [phrase])
