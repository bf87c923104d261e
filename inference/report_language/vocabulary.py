"""The finding vocabulary: 24 concepts and the devices, in report order.

Codes are RadLex (RID), SNOMED CT (bare number) and DICOM (DCM); an unverified code is left
empty rather than guessed. Terms are lower case, matched longest first at word boundaries; the
Chinese ones stand in ``vocabulary_zh``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from inference.report_language.vocabulary_zh import LABELS_ZH, TERMS_ZH

# Report order of ECHO's Stage I normalisation (arXiv 2604.09450), pleura set apart from the lungs.
Region = Literal[
    "thorax", "mediastinum", "lungs", "pleura", "heart", "hila", "diaphragm", "bones", "devices"
]
REGIONS: tuple[Region, ...] = (
    "thorax",
    "mediastinum",
    "lungs",
    "pleura",
    "heart",
    "hila",
    "diaphragm",
    "bones",
    "devices",
)


@dataclass(frozen=True)
class Concept:
    """One thing a chest report states. name is the stable key kept in catalogs and audit logs."""

    name: str
    label: str
    region: Region
    terms: tuple[str, ...]
    codes: tuple[str, ...] = ()
    is_device: bool = False
    label_zh: str = ""
    terms_zh: tuple[str, ...] = ()


_ENGLISH: tuple[Concept, ...] = (
    Concept(
        "mediastinal_widening",
        "mediastinal widening",
        "mediastinum",
        (
            "mediastinal widening",
            "widened mediastinum",
            "widening of the mediastinum",
            "mediastinum is widened",
            "mediastinum widened",
            "mediastinal shift",
            "tracheal deviation",
            "trachea is deviated",
            "shift of the mediastinum",
        ),
    ),
    Concept(
        "pneumomediastinum",
        "pneumomediastinum",
        "mediastinum",
        ("pneumomediastinum", "mediastinal air"),
        ("RID28523", "16838000"),
    ),
    Concept(
        "aortic_atherosclerosis",
        "aortic tortuosity or atherosclerosis",
        "mediastinum",
        (
            "tortuous aorta",
            "aortic tortuosity",
            "tortuosity of the aorta",
            "tortuous thoracic aorta",
            "aorta is tortuous",
            "ectatic aorta",
            "aortic ectasia",
            "atherosclerosis",
            "atherosclerotic",
            "aortic calcification",
            "calcified aorta",
        ),
        ("RID39049",),
    ),
    Concept(
        "pulmonary_edema",
        "pulmonary edema",
        "lungs",
        ("pulmonary edema", "interstitial edema", "alveolar edema", "pulmonary oedema", "edema"),
        ("RID4866", "19242006"),
    ),
    Concept(
        "vascular_congestion",
        "vascular congestion",
        "lungs",
        (
            "vascular congestion",
            "pulmonary vascular congestion",
            "cephalization",
            "pulmonary venous hypertension",
            "vascular engorgement",
            "congestion",
        ),
    ),
    Concept(
        "consolidation",
        "consolidation",
        "lungs",
        ("consolidation", "consolidations", "consolidative"),
        ("RID43255",),
    ),
    Concept(
        "opacity",
        "opacity",
        "lungs",
        (
            "opacity",
            "opacities",
            "airspace disease",
            "air space disease",
            "infiltrate",
            "infiltrates",
            "opacification",
            "airspace opacity",
            "density",
        ),
        ("RID28530", "DCM 112001"),
    ),
    Concept(
        "pneumonia",
        "pneumonia",
        "lungs",
        ("pneumonia", "bronchopneumonia", "aspiration"),
        ("RID5350",),
    ),
    Concept(
        "atelectasis",
        "atelectasis",
        "lungs",
        ("atelectasis", "atelectatic", "volume loss", "collapse"),
        ("RID28493",),
    ),
    Concept(
        "interstitial_pattern",
        "interstitial pattern",
        "lungs",
        (
            "interstitial pattern",
            "interstitial markings",
            "reticular pattern",
            "reticular markings",
            "interstitial disease",
            "interstitial lung disease",
            "reticulation",
        ),
        ("DCM 112004",),
    ),
    Concept(
        "nodule",
        "nodule",
        "lungs",
        ("nodule", "nodules", "nodular density"),
        ("RID50149", "27925004"),
    ),
    Concept("mass", "mass", "lungs", ("mass", "masses", "mass lesion"), ("RID39056", "4147007")),
    Concept(
        "emphysema",
        "emphysema or hyperinflation",
        "lungs",
        (
            "emphysema",
            "emphysematous",
            "hyperinflation",
            "hyperinflated",
            "hyperexpanded",
            "hyperexpansion",
            "hyperaeration",
            "copd",
        ),
        ("RID4799",),
    ),
    Concept(
        "fibrosis",
        "scar or fibrosis",
        "lungs",
        ("fibrosis", "fibrotic", "scarring", "scar", "scars"),
        ("RID3829", "12402003"),
    ),
    Concept(
        "granuloma",
        "granuloma or calcification",
        "lungs",
        (
            "granuloma",
            "granulomas",
            "granulomatous disease",
            "calcified granuloma",
            "calcified nodule",
            "calcified nodules",
            "calcified pulmonary nodule",
            "calcified pulmonary nodules",
            "calcified lung nodule",
            "calcified lung nodules",
        ),
        ("RID3953", "RID5196"),
    ),
    Concept(
        "pleural_effusion",
        "pleural effusion",
        "pleura",
        (
            "pleural effusion",
            "pleural effusions",
            "effusion",
            "effusions",
            "pleural fluid",
            "blunted costophrenic angle",
            "costophrenic angle is blunted",
            "blunting of the costophrenic angle",
            "costophrenic angle blunting",
        ),
        ("RID34539", "60046008"),
    ),
    Concept(
        "pneumothorax",
        "pneumothorax",
        "pleura",
        ("pneumothorax", "pneumothoraces", "hydropneumothorax"),
        ("RID5352", "36118008"),
    ),
    Concept(
        "pleural_thickening",
        "pleural thickening",
        "pleura",
        (
            "pleural thickening",
            "pleural thickenings",
            "apical cap",
            "apical capping",
            "pleural scarring",
        ),
    ),
    Concept(
        "cardiomegaly",
        "cardiomegaly",
        "heart",
        (
            "cardiomegaly",
            "enlarged cardiac silhouette",
            "enlargement of the cardiac silhouette",
            "enlarged heart",
            "cardiac enlargement",
            "cardiac silhouette is enlarged",
            "heart is enlarged",
            "heart size is enlarged",
            "heart enlarged",
        ),
        ("287272002",),
    ),
    Concept(
        "hilar_enlargement",
        "hilar enlargement",
        "hila",
        (
            "hilar enlargement",
            "hilar adenopathy",
            "hilar lymphadenopathy",
            "enlarged hilum",
            "enlarged hila",
            "hilum is enlarged",
            "hila are enlarged",
            "adenopathy",
            "lymphadenopathy",
        ),
        ("RID3798", "30746006"),
    ),
    Concept(
        "diaphragm_elevation",
        "diaphragm elevation or hiatal hernia",
        "diaphragm",
        (
            "elevated hemidiaphragm",
            "hemidiaphragm is elevated",
            "elevation of the hemidiaphragm",
            "diaphragm elevation",
            "hemidiaphragm elevation",
            "elevated diaphragm",
            "hiatal hernia",
            "hiatus hernia",
        ),
        ("RID4897",),
    ),
    Concept(
        "free_air",
        "free air",
        "diaphragm",
        ("free air", "pneumoperitoneum", "free intraperitoneal air", "free subdiaphragmatic air"),
        ("RID4803",),
    ),
    Concept("fracture", "fracture", "bones", ("fracture", "fractures", "fractured"), ("RID4650",)),
    Concept(
        "scoliosis",
        "scoliosis or degenerative change",
        "bones",
        (
            "scoliosis",
            "degenerative change",
            "degenerative changes",
            "degenerative disc disease",
            "spondylosis",
            "osteophyte",
            "osteophytes",
            "kyphosis",
            "dextroscoliosis",
            "levoscoliosis",
        ),
        ("RID4756",),
    ),
    Concept(
        "endotracheal_tube",
        "endotracheal tube",
        "devices",
        ("endotracheal tube", "et tube", "ett", "tracheostomy tube"),
        ("RID5557",),
        True,
    ),
    Concept(
        "gastric_tube",
        "gastric tube",
        "devices",
        (
            "gastric tube",
            "nasogastric tube",
            "orogastric tube",
            "ng tube",
            "og tube",
            "feeding tube",
            "enteric tube",
            "dobbhoff tube",
        ),
        ("RID5566",),
        True,
    ),
    Concept(
        "central_venous_catheter",
        "central venous catheter",
        "devices",
        (
            "central venous catheter",
            "central line",
            "central venous line",
            "internal jugular catheter",
            "subclavian catheter",
            "port-a-cath",
            "mediport",
            "dialysis catheter",
            "cvc",
        ),
        ("RID5578",),
        True,
    ),
    Concept(
        "picc",
        "PICC",
        "devices",
        ("picc", "picc line", "peripherally inserted central catheter"),
        ("RID5581",),
        True,
    ),
    Concept(
        "pacemaker",
        "pacemaker",
        "devices",
        ("pacemaker", "pacer", "defibrillator", "icd", "aicd", "pacing device"),
        ("RID5436",),
        True,
    ),
    Concept(
        "chest_tube",
        "chest tube",
        "devices",
        (
            "chest tube",
            "chest tubes",
            "pleural drain",
            "thoracostomy tube",
            "pleural catheter",
            "pigtail catheter",
        ),
        ("RID5573",),
        True,
    ),
    Concept(
        "sternal_wires",
        "sternal wires",
        "devices",
        ("sternal wires", "sternotomy wires", "median sternotomy wires", "sternotomy"),
        (),
        True,
    ),
    Concept("surgical_clips", "surgical clips", "devices", ("surgical clips", "clips"), (), True),
)

CONCEPTS: tuple[Concept, ...] = tuple(
    replace(concept, label_zh=LABELS_ZH[concept.name], terms_zh=TERMS_ZH[concept.name])
    for concept in _ENGLISH
)
CONCEPT_BY_NAME: dict[str, Concept] = {concept.name: concept for concept in CONCEPTS}
