"""What a structure with a predicate says in any language: "heart ... enlarged" is cardiomegaly.

The names of structures and predicates are shared by the lexicons, which hold their words.
"""

from __future__ import annotations

from inference.report_language.statements import Status

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
    ("heart", "large"): _HEART,
    ("heart", "prominent"): (("cardiomegaly", "uncertain"),),
    ("cardiomediastinum", "normal"): (
        ("mediastinal_widening", "absent"),
        ("cardiomegaly", "absent"),
    ),
    ("cardiomediastinum", "borderline"): (("cardiomegaly", "uncertain"),),
    ("cardiomediastinum", "enlarged"): _HEART,
    ("cardiomediastinum", "large"): _HEART,
    ("cardiomediastinum", "prominent"): (("cardiomegaly", "uncertain"),),
    ("cardiomediastinum", "widened"): _WIDE,
    ("mediastinum", "normal"): (("mediastinal_widening", "absent"),),
    ("mediastinum", "widened"): _WIDE,
    ("mediastinum", "enlarged"): _WIDE,
    ("mediastinum", "large"): _WIDE,
    ("mediastinum", "deviated"): _WIDE,
    ("trachea", "normal"): (("mediastinal_widening", "absent"),),
    ("trachea", "deviated"): _WIDE,
    ("hila", "normal"): (("hilar_enlargement", "absent"),),
    ("hila", "enlarged"): _HILAR,
    ("hila", "large"): _HILAR,
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
    ("aorta", "widened"): (("aortic_atherosclerosis", "present"),),
    ("hila", "widened"): _HILAR,
    ("lungs", "congested"): (("vascular_congestion", "present"),),
    # Chinese reports describe the markings (肺纹理) of vessels, bronchi and interstitium as one
    # thing. More or coarser markings (增多, 增粗) come with age, smoking, bronchitis, congestion
    # or a shallow breath: no concept is stated, as with English "bronchovascular markings".
    # Blurred ones (模糊) are a sign of congestion, and of bronchitis too.
    ("markings", "normal"): (("vascular_congestion", "absent"),),
    ("markings", "blunted"): (("vascular_congestion", "uncertain"),),
    ("markings", "congested"): (("vascular_congestion", "present"),),
    ("heart and lungs", "normal"): (
        ("cardiomegaly", "absent"),
        ("consolidation", "absent"),
        ("opacity", "absent"),
    ),
    ("heart, lungs and diaphragm", "normal"): (
        ("cardiomegaly", "absent"),
        ("consolidation", "absent"),
        ("opacity", "absent"),
        ("diaphragm_elevation", "absent"),
    ),
}
