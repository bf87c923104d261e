"""The words the extraction rules go by (English), as patterns of ``tokens.expand_pattern``.

Kinds: term (a concept), structure and predicate (together a concept: "heart ... enlarged"),
side/zone/severity, and the triggers of ConText (Harkema et al., J Biomed Inform 2009):
negation and uncertainty before and after the term, pseudo-negation, and where a scope ends.
"""

from __future__ import annotations

from functools import cache

from inference.report_language.statements import Status
from inference.report_language.tokens import PhraseTable, expand_pattern, tokenize
from inference.report_language.vocabulary import CONCEPTS

_ADVERB = "[definitely|definitively|clearly|well|currently|convincingly|significantly|grossly]"
_SEEN = (
    "seen|identified|visualized|visualised|evident|demonstrated|present|appreciated|noted|detected"
    "|visible|observed|apparent|found|shown"
)
_CHANGE = (
    "change|changes|increase|decrease|difference|progression|worsening|improvement|interval_enlargement"
)

# Deny the word beside them, before or after: "resolved effusion", "effusion, resolved".
EITHER_SIDE = ("resolved", "absent")
# What ends the reach of a trigger without ending the clause.
SCOPE_ENDS = (
    "with",
    "which",
    "because",
    "given",
    "despite",
    "though",
    "due to",
    "secondary to",
    "related to",
    "there is|are|was|were",
    ", stable|persistent|unchanged|again|old|chronic",
)
CLAUSE_BREAKS = (
    ";",
    "but",
    "[,] however [,]",
    "although",
    "yet",
    "while",
    "whereas",
    "except [for]",
    "with the exception of",
    "with exception of",
    "other than",
    "apart from",
    "aside from",
    "otherwise",
)
PSEUDO_NEGATIONS = (
    "no|without [definite|significant|appreciable|substantial|major|acute|large|marked] "
    f"[interval|short_interval] {_CHANGE} [in|of|to|since|from|for]",
    "not [significantly|substantially|appreciably] changed|increased|decreased [in]",
    "no longer as",
    "not only",
    "not limited to",
    "no significant interval|further",
)
NEGATIONS = (
    "no [definite|convincing|specific|clear|obvious|radiographic|new|acute] evidence|sign|signs"
    "|findings|finding|indication|suggestion|suspicion of|for|to_suggest|suggesting|suggestive_of",
    "no",
    "without [definite|radiographic|convincing] evidence|sign|signs of|for",
    "without",
    "negative for",
    "free of|from",
    "clear of",
    "absence of",
    "lack of",
    "neither",
    "nor",
    "not",
    "isn't|aren't|wasn't|doesn't",
    "never",
    "denies",
    "resolution|clearing of",
    "rather than",
    "instead of",
    "no longer",
    "non",
    "interval removal of",
    "removal of",
)
POST_NEGATIONS = (
    f"not {_ADVERB} {_SEEN}",
    f"no longer {_ADVERB} {_SEEN}",
    "is|are|was|were absent|negative|gone",
    "has|have [now|completely|nearly] resolved|cleared|disappeared",
    "is|are|has|have now resolved",
    "has|have been removed",
    "was|were removed",
    "is|are|was|were|has_been|have_been ruled out",
    "is|are|was|were excluded",
)
UNCERTAINTIES = (
    "may|might|could",
    "may|might|could [also|possibly|potentially] represent|reflect|indicate|suggest|be|relate_to"
    "|be_due_to|be_secondary_to|be_related_to|be_consistent_with|be_compatible_with"
    "|be_associated_with|be_seen_with",
    "possible|possibly",
    "probable|probably",
    "potential|potentially",
    "questionable",
    "question [of]",
    "suspected|suspect",
    "suspicious|suspicion for|of",
    "concern|concerning|worrisome for",
    "cannot|can't|can_not|could_not|unable_to|difficult_to|not [entirely|completely|definitely] "
    "exclude|rule_out",
    "does|do not exclude",
    "differential [diagnosis|considerations] [includes|include|considerations_include]",
    "equivocal",
    "favor|favored|favors|favoring [to_represent|to_be]",
    "versus|vs",
    "if",
    "presumed|presumably",
    "unlikely",
    "considered|consider",
)
# Uncertain words that only soften what precedes them: under a "no" they stay denied.
SUGGESTIONS = (
    "[most] suggest|suggests|suggesting|suggestive [of]",
    "suspicious",
    "concerning",
)
POST_UNCERTAINTIES = (
    "cannot|can't|can_not|could_not|not [be] [entirely|completely|definitely|definitively] [be] "
    "excluded|ruled_out",
    "is|are not [entirely|completely|definitely] excluded",
    "not [entirely|completely] excluded",
    "difficult|hard|impossible to exclude",
    "is|are [also] possible|suspected|questioned|unlikely|questionable|considered|probable",
    "would be difficult to exclude",
    "is|are a possibility|consideration",
    "[are|is] [also] suspected",
    "difficult to entirely|completely|definitively exclude",
)
AFFIRMATIONS = (
    f"is|are|was|were [again|also|now] {_SEEN.replace('|found|shown', '')}",
    "remains|remain|persists|persist",
)
# The concept is named, yet nothing is said about this film.
HYPOTHETICALS = (
    "history of",
    "correlate|correlation [clinically] for",
    "in view of [the] history",
    "evaluate|evaluation|assess|assessment|evaluating for|of [possible]",
    "limits|limit [the] evaluation|assessment|detection for|of",
    "patient's known",
)

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
# Words that look like a side, a zone, a severity or a finding and are not.
NEUTRAL = (
    "left|right heart border",
    "left|right ventricle|ventricular|atrium|atrial|atrial_enlargement|ventricular_enlargement",
    "lower|upper thoracic|lumbar|cervical|abdomen|extremity|spine|trachea",
    "breast|chest_wall mass|masses|density|densities",
    "body|soft_tissue mass index",
    "bone|bony density|mineralization",
    "pericardial effusion|effusions",
    "hepatic|bowel|colonic opacity",
    "or less likely",
    "grossly",
    "in|for comparison",
    "consistent|compatible|associated|in_keeping|combination|along with",
    "subcutaneous|soft_tissue|mediastinal emphysema",
    "subcutaneous|soft_tissue|peripheral|leg edema",
    "cystic fibrosis",
    f"not [previously|definitely|clearly] {_SEEN} on|in [the|a] prior|previous|prior_exam|prior_study",
    "large body habitus",
    "small bowel",
    "clear of the",
)

# Further wordings of concepts, too variable for the vocabulary's plain terms.
MORE_TERMS = {
    "interstitial_pattern": (
        "interstitial opacity|opacities|density|densities|changes|prominence|thickening",
        "reticulonodular|reticular opacity|opacities|densities|changes",
    ),
    "pneumonia": ("pneumonitis",),
    "mass": ("masslike|mass_like opacity|opacification|density|consolidation|lesion",),
    "nodule": ("nodular opacity|opacities|densities",),
    "pleural_effusion": ("hydrothorax|hemothorax|empyema",),
    "opacity": ("airspace|air_space|alveolar opacities|infiltrate|infiltrates|densities", "densities"),
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
        "interstitial [markings|lung_markings|pattern]",
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
        "is|are|appears|remains [slightly|mildly|moderately|markedly] large",
        "increase in",
    ),
    "prominent": ("prominent|prominence|fullness",),
    "increased": ("increased|coarsened|coarse|accentuated",),
    "widened": ("widened|widening|wide",),
    "deviated": ("deviated|deviation|shifted|shift|displaced",),
    "elevated": ("elevated|elevation|raised",),
    "blunted": ("blunted|blunting|obscured",),
    "tortuous": (
        "tortuous|tortuosity|ectatic|ectasia|unfolded|uncoiled|calcified|calcification"
        "|calcifications|atherosclerotic_calcifications",
    ),
    "thickened": ("thickened|thickening",),
    "congested": ("congested|congestion|engorged|engorgement|cephalized|indistinct|redistribution",),
}

# Added in this order: of two equal phrases the first wins.
TRIGGERS = {
    "neutral": NEUTRAL,
    "break": CLAUSE_BREAKS,
    "pseudo": PSEUDO_NEGATIONS,
    "hypothetical": HYPOTHETICALS,
    "post_uncertainty": POST_UNCERTAINTIES,
    "uncertainty": UNCERTAINTIES,
    "suggestion": SUGGESTIONS,
    "post_negation": POST_NEGATIONS,
    "negation": NEGATIONS,
    "either_side": EITHER_SIDE,
    "affirmation": AFFIRMATIONS,
    "scope_end": SCOPE_ENDS,
}

Meaning = tuple[tuple[str, Status], ...]
_HEART: Meaning = (("cardiomegaly", "present"),)
_INTERSTITIAL: Meaning = (("interstitial_pattern", "present"),)
_HILAR: Meaning = (("hilar_enlargement", "present"),)
_WIDE: Meaning = (("mediastinal_widening", "present"),)
# structure x predicate -> what is said; a pair not listed says nothing about our concepts.
RELATIONS: dict[tuple[str, str], Meaning] = {
    ("heart", "normal"): (("cardiomegaly", "absent"),),
    ("heart", "borderline"): (("cardiomegaly", "uncertain"),),
    ("heart", "enlarged"): _HEART,
    ("heart", "prominent"): (("cardiomegaly", "uncertain"),),
    ("cardiomediastinum", "normal"): (
        ("mediastinal_widening", "absent"),
        ("cardiomegaly", "absent"),
    ),
    ("cardiomediastinum", "borderline"): (("cardiomegaly", "uncertain"),),
    ("cardiomediastinum", "enlarged"): _HEART,
    ("cardiomediastinum", "prominent"): (("cardiomegaly", "uncertain"),),
    ("cardiomediastinum", "widened"): _WIDE,
    ("mediastinum", "normal"): (("mediastinal_widening", "absent"),),
    ("mediastinum", "widened"): _WIDE,
    ("mediastinum", "enlarged"): _WIDE,
    ("mediastinum", "deviated"): _WIDE,
    ("trachea", "normal"): (("mediastinal_widening", "absent"),),
    ("trachea", "deviated"): _WIDE,
    ("hila", "normal"): (("hilar_enlargement", "absent"),),
    ("hila", "enlarged"): _HILAR,
    ("hila", "prominent"): _HILAR,
    ("diaphragm", "normal"): (("diaphragm_elevation", "absent"),),
    ("diaphragm", "elevated"): (("diaphragm_elevation", "present"),),
    ("angles", "normal"): (("pleural_effusion", "absent"),),
    ("angles", "blunted"): (("pleural_effusion", "present"),),
    ("pleura", "normal"): (("pleural_effusion", "absent"), ("pneumothorax", "absent")),
    ("pleura", "thickened"): (("pleural_thickening", "present"),),
    ("fissure", "thickened"): (("pleural_thickening", "present"),),
    # "The lungs are clear" denies what would make them not clear, and no more than that.
    ("lungs", "normal"): (("consolidation", "absent"), ("opacity", "absent")),
    ("vessels", "normal"): (("vascular_congestion", "absent"),),
    ("vessels", "congested"): (("vascular_congestion", "present"),),
    ("vessels", "prominent"): (("vascular_congestion", "present"),),
    ("vessels", "increased"): (("vascular_congestion", "present"),),
    ("interstitium", "normal"): (("interstitial_pattern", "absent"),),
    ("interstitium", "increased"): _INTERSTITIAL,
    ("interstitium", "prominent"): _INTERSTITIAL,
    ("bones", "normal"): (("fracture", "absent"),),
    ("aorta", "normal"): (("aortic_atherosclerosis", "absent"),),
    ("aorta", "tortuous"): (("aortic_atherosclerosis", "present"),),
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
    """Whether a term needs no entry of its own, being structure and predicate, or structure only."""
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
