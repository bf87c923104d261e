"""The words of English report prose: nouns, places, degrees, normals, remarks (no logic)."""

from __future__ import annotations

from inference.report_language.statements import Severity, Side, Zone
from inference.report_language.vocabulary import Region

# concept -> (noun, its plural; "" where it has none and takes no article).
NOUNS: dict[str, tuple[tuple[str, str], ...]] = {
    "pneumomediastinum": (("pneumomediastinum", ""), ("mediastinal air", "")),
    "aortic_atherosclerosis": (("aortic tortuosity", ""), ("tortuosity of the aorta", "")),
    "pulmonary_edema": (("pulmonary edema", ""), ("edema", ""), ("interstitial edema", "")),
    "vascular_congestion": (
        ("pulmonary vascular congestion", ""),
        ("vascular congestion", ""),
        ("pulmonary venous congestion", ""),
    ),
    "consolidation": (
        ("consolidation", ""),
        ("airspace consolidation", ""),
        ("dense consolidation", ""),
    ),
    "opacity": (
        ("opacity", "opacities"),
        ("airspace opacity", "airspace opacities"),
        ("patchy opacity", "patchy opacities"),
        ("hazy opacity", "hazy opacities"),
        ("infiltrate", "infiltrates"),
        ("airspace disease", ""),
    ),
    "pneumonia": (("pneumonia", ""), ("bronchopneumonia", "")),
    "atelectasis": (
        ("atelectasis", ""),
        ("subsegmental atelectasis", ""),
        ("linear atelectasis", ""),
        ("atelectatic changes", ""),
        ("volume loss", ""),
    ),
    "interstitial_pattern": (
        ("coarse interstitial markings", ""),
        ("increased interstitial markings", ""),
        ("reticular opacities", ""),
        ("interstitial opacities", ""),
        ("interstitial prominence", ""),
    ),
    "nodule": (
        ("nodule", "nodules"),
        ("pulmonary nodule", "pulmonary nodules"),
        ("nodular opacity", "nodular opacities"),
        ("lung nodule", "lung nodules"),
    ),
    "mass": (("mass", "masses"), ("lung mass", "lung masses"), ("mass lesion", "mass lesions")),
    "emphysema": (("hyperinflation", ""), ("emphysematous changes", "")),
    "fibrosis": (("scarring", ""), ("fibrosis", ""), ("fibrotic changes", "")),
    "granuloma": (
        ("granuloma", "granulomas"),
        ("calcified granuloma", "calcified granulomas"),
        ("calcified nodule", "calcified nodules"),
    ),
    "pleural_effusion": (
        ("pleural effusion", "pleural effusions"),
        ("effusion", "effusions"),
        ("pleural fluid", ""),
    ),
    "pneumothorax": (("pneumothorax", "pneumothoraces"), ("PTX", "")),
    "pleural_thickening": (("pleural thickening", ""),),
    "cardiomegaly": (("cardiomegaly", ""), ("cardiac enlargement", "")),
    "mediastinal_widening": (("mediastinal widening", ""), ("widening of the mediastinum", "")),
    "hilar_enlargement": (
        ("hilar enlargement", ""),
        ("hilar adenopathy", ""),
        ("hilar prominence", ""),
    ),
    "free_air": (
        ("free air under the diaphragm", ""),
        ("subdiaphragmatic free air", ""),
        ("pneumoperitoneum", ""),
    ),
    "fracture": (("rib fracture", "rib fractures"), ("displaced rib fracture", "rib fractures")),
    "scoliosis": (("scoliosis", ""), ("scoliosis of the thoracic spine", "")),
    "endotracheal_tube": (("endotracheal tube", ""), ("ET tube", ""), ("ETT", "")),
    "gastric_tube": (("nasogastric tube", ""), ("NG tube", ""), ("enteric tube", ""), ("NGT", "")),
    "central_venous_catheter": (
        ("central venous catheter", ""),
        ("central line", ""),
        ("IJ central venous catheter", ""),
        ("subclavian catheter", ""),
    ),
    "picc": (("PICC", ""), ("PICC line", "")),
    "pacemaker": (("pacemaker", ""), ("dual-lead pacemaker", ""), ("chest wall pacemaker", "")),
    "chest_tube": (("chest tube", ""), ("pleural drain", ""), ("pigtail catheter", "")),
    "sternal_wires": (("median sternotomy wires", ""), ("sternal wires", "")),
    "surgical_clips": (("surgical clips", ""),),
}
DEVICE_TAILS: dict[str, tuple[str, ...]] = {
    "endotracheal_tube": (
        "in place",
        "terminates above the carina",
        "with tip 4 cm above the carina",
        "in satisfactory position",
    ),
    "gastric_tube": (
        "in place",
        "with tip in the stomach",
        "courses below the diaphragm",
        "extends into the stomach",
    ),
    "central_venous_catheter": (
        "in place",
        "with tip in the SVC",
        "tip projects over the cavoatrial junction",
        "unchanged",
    ),
    "picc": ("in place", "with tip in the SVC", "terminates in the mid SVC", "unchanged"),
    "pacemaker": ("in place", "is noted", "with leads in standard position", "unchanged"),
    "chest_tube": ("in place", "is noted", "remains in place", "unchanged in position"),
    "sternal_wires": ("are intact", "noted", "in place", "are present"),
    "surgical_clips": ("are noted", "noted", "in place", "are seen"),
}
SEVERITIES: dict[Severity, tuple[str, ...]] = {
    "small": ("small", "small", "tiny", "trace"),
    "mild": ("mild", "mild", "minimal", "slight"),
    "moderate": ("moderate",),
    "large": ("large", "large", "massive"),
    "marked": ("marked", "severe", "extensive"),
}
ADVERBS: dict[Severity, tuple[str, ...]] = {
    "small": ("mildly", "slightly"),
    "mild": ("mildly", "slightly"),
    "moderate": ("moderately",),
    "large": ("markedly", "severely"),
    "marked": ("markedly", "severely"),
}
_SIDES: tuple[Side, ...] = ("left", "right")
_LOBES: dict[Zone, tuple[str, ...]] = {
    "upper": ("upper lobe", "upper lung zone", "upper lung", "upper zone"),
    "mid": ("mid lung", "mid lung zone", "midlung", "mid zone"),
    "lower": ("lower lobe", "lung base", "lower lung", "lower zone"),
}
AFTER_ZONES: dict[tuple[Side | None, Zone], tuple[str, ...]] = {
    **{(s, z): tuple(f"in the {s} {w}" for w in ws) for s in _SIDES for z, ws in _LOBES.items()},
    ("bilateral", "upper"): ("in both upper lobes", "in the upper lungs bilaterally"),
    ("bilateral", "mid"): ("in both mid lungs", "in the mid lungs bilaterally"),
    ("bilateral", "lower"): (
        "in both lower lobes",
        "at both lung bases",
        "at the bases bilaterally",
    ),
    (None, "upper"): ("in the upper lobe", "in the upper lung zone"),
    (None, "mid"): ("in the mid lung", "in the mid lung zone"),
    (None, "lower"): ("in the lower lobe", "in the lower lung zone", "at the lung base"),
}
BEFORE_ZONES: dict[tuple[Side | None, Zone], tuple[str, ...]] = {
    **{(s, z): tuple(f"{s} {w}" for w in ws[:3]) for s in _SIDES for z, ws in _LOBES.items()},
    **{(s, "lower"): (f"{s} lower lobe", f"{s} basilar", f"{s} basal") for s in _SIDES},
    **{(s, "upper"): (f"{s} upper lobe", f"{s} apical") for s in _SIDES},
    ("bilateral", "upper"): ("bilateral upper lobe", "biapical"),
    ("bilateral", "mid"): ("bilateral mid lung",),
    ("bilateral", "lower"): ("bilateral lower lobe", "bibasilar", "bibasal"),
    (None, "upper"): ("upper lobe", "upper lung zone", "apical"),
    (None, "mid"): ("mid lung",),
    (None, "lower"): ("lower lobe", "basilar"),
}
SHORT_ZONES: dict[tuple[Side | None, Zone], tuple[str, ...]] = {
    ("left", "upper"): ("LUL", "L upper lobe", "LUZ"),
    ("right", "upper"): ("RUL", "R upper lobe", "RUZ"),
    ("right", "mid"): ("RML", "R mid lung", "RMZ"),
    ("left", "mid"): ("lingular", "L mid lung", "LMZ"),
    ("left", "lower"): ("LLL", "L basilar", "LLZ"),
    ("right", "lower"): ("RLL", "R basilar", "RLZ"),
}
# What stands before and after a finding that was there before, or was not.
CHANGES = (
    ("unchanged", ""),
    ("stable", ""),
    ("persistent", ""),
    ("new", ""),
    ("interval development of", ""),
    ("redemonstration of", ""),
    ("", ", unchanged"),
    ("", ", stable compared to prior"),
    ("", " is again seen"),
    ("", ", slightly increased from prior"),
)
DENIED_NOUNS: dict[str, tuple[str, ...]] = {
    **{name: tuple(noun for noun, _ in nouns) for name, nouns in NOUNS.items()},
    "consolidation": ("focal consolidation", "consolidation", "airspace consolidation"),
    "opacity": ("focal opacity", "focal airspace disease", "infiltrate"),
    "interstitial_pattern": ("interstitial disease", "reticulation"),
    "nodule": ("nodule", "pulmonary nodules", "suspicious nodule"),
    "mass": ("mass", "lung mass"),
    "emphysema": ("hyperinflation", "emphysema"),
    "granuloma": ("granuloma", "calcified granulomas"),
    "pleural_effusion": ("pleural effusion", "effusion", "pleural effusions"),
    "pneumothorax": ("pneumothorax", "PTX", "pneumothoraces"),
    "diaphragm_elevation": ("elevation of the hemidiaphragm", "hemidiaphragm elevation"),
    "fracture": ("acute fracture", "displaced fracture", "rib fracture", "fracture"),
    "sternal_wires": ("sternal wires",),
}
# What writers deny of their own accord.
PERTINENT = ("pleural_effusion", "pneumothorax", "consolidation", "pulmonary_edema", "fracture")

_LUNG_FINDINGS = frozenset(
    {
        "pulmonary_edema",
        "vascular_congestion",
        "consolidation",
        "opacity",
        "pneumonia",
        "atelectasis",
        "interstitial_pattern",
        "nodule",
        "mass",
        "emphysema",
        "fibrosis",
        "granuloma",
    }
)
Normal = tuple[frozenset[str], tuple[tuple[str, ...], tuple[str, ...]]]
# region -> (findings that forbid it, (whole sentences, telegraphic ones)).
NORMALS: dict[Region, tuple[Normal, ...]] = {
    "thorax": ((frozenset(), (("the thorax is symmetric",), ("thorax symmetric",))),),
    "mediastinum": (
        (
            frozenset({"mediastinal_widening", "pneumomediastinum", "aortic_atherosclerosis"}),
            (
                ("the mediastinum is unremarkable", "mediastinal contours are normal"),
                ("mediastinum normal", "trachea midline"),
            ),
        ),
    ),
    "lungs": (
        (
            _LUNG_FINDINGS | {"pleural_effusion", "pneumothorax"},
            (("the lungs are clear", "both lungs are clear"), ("lungs clear", "clear lungs")),
        ),
        (
            frozenset({"vascular_congestion", "pulmonary_edema", "interstitial_pattern"}),
            (("pulmonary vascularity is within normal limits",), ("pulmonary vasculature normal",)),
        ),
    ),
    "pleura": (
        (
            frozenset({"pleural_effusion", "pleural_thickening"}),
            (("the costophrenic angles are sharp",), ("CP angles clear", "CP angles sharp")),
        ),
    ),
    "heart": (
        (
            frozenset({"cardiomegaly"}),
            (
                ("heart size is normal", "the cardiac silhouette is within normal limits"),
                ("heart normal", "heart size normal", "heart not enlarged"),
            ),
        ),
    ),
    "hila": ((frozenset({"hilar_enlargement"}), (("the hila are normal",), ("hila normal",))),),
    "diaphragm": (
        (
            frozenset({"diaphragm_elevation", "free_air", "pleural_effusion"}),
            (("the hemidiaphragms are normal",), ("diaphragm normal",)),
        ),
    ),
    "bones": (
        (
            frozenset({"fracture", "scoliosis"}),
            (
                ("the osseous structures are intact", "bony structures are unremarkable"),
                ("bones intact", "bones unremarkable"),
            ),
        ),
    ),
}
ALL_NORMAL = ("normal chest", "unremarkable chest radiograph", "the lungs are clear")
NORMAL_CONCLUSIONS = (
    "no acute cardiopulmonary abnormality",
    "no acute cardiopulmonary process",
    "no acute disease",
    "no acute findings",
    "no evidence of active disease",
)
REMARKS = (
    "clinical correlation is recommended",
    "frontal view of the chest",
    "the patient is slightly rotated",
    "follow-up as clinically indicated",
    "comparison is made to the prior study",
)
INDICATIONS = (
    "INDICATION: Shortness of breath.",
    "HISTORY: Cough, rule out pneumonia.",
    "CLINICAL HISTORY: Chest pain.",
    "INDICATION: Evaluate for pneumothorax.\nCOMPARISON: None.",
    "TECHNIQUE: Frontal chest radiograph.",
)
# (before the findings, before the impression)
HEADINGS = (
    ("FINDINGS: ", "IMPRESSION: "),
    ("Findings: ", "Impression: "),
    ("FINDINGS:\n", "IMPRESSION:\n"),
    ("", "IMPRESSION: "),
    ("FINDINGS: ", "CONCLUSION: "),
)
