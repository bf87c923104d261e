"""Canonical Chinese wording of one statement (see ``template``).

The sentences of a Chinese chest report: place, then amount, then finding (左下肺野小结节), or
structure, degree, change (心影轻度增大). No space, no comma, one full stop (。).
"""

from __future__ import annotations

from inference.report_language.slots import MEASURES, ZONED, Measure
from inference.report_language.statements import Severity, Side, Statement, Zone

NORMAL_THORAX = "两侧胸廓对称。"
NORMAL_IMPRESSION = "心肺未见急性异常。"
NOT_A_FRONTAL_CHEST = "非正位胸部X光片。"
NO_REPORT = "不予报告。"

# concept -> its denial.
ABSENT = {
    "mediastinal_widening": "纵隔未见增宽。",
    "pneumomediastinum": "未见纵隔积气。",
    "aortic_atherosclerosis": "主动脉未见迂曲。",
    "pulmonary_edema": "未见肺水肿。",
    "vascular_congestion": "未见肺淤血。",
    "consolidation": "未见实变。",
    "opacity": "未见密度增高影。",
    "pneumonia": "未见炎症。",
    "atelectasis": "未见肺不张。",
    "interstitial_pattern": "未见间质性改变。",
    "nodule": "未见结节。",
    "mass": "未见肿块。",
    "emphysema": "两肺未见过度充气。",
    "fibrosis": "未见纤维化。",
    "granuloma": "未见钙化灶。",
    "pleural_effusion": "未见胸腔积液。",
    "pneumothorax": "未见气胸。",
    "pleural_thickening": "未见胸膜增厚。",
    "cardiomegaly": "心影不大。",
    "hilar_enlargement": "两肺门影不大。",
    "diaphragm_elevation": "膈肌未见抬高。",
    "free_air": "未见膈下游离气体。",
    "fracture": "未见错位骨折。",
    "scoliosis": "脊柱未见侧弯。",
    "endotracheal_tube": "未见气管插管。",
    "gastric_tube": "未见胃管。",
    "central_venous_catheter": "未见中心静脉导管。",
    "picc": "未见PICC。",
    "pacemaker": "未见起搏器。",
    "chest_tube": "未见胸腔引流管。",
    "sternal_wires": "未见胸骨钢丝。",
    "surgical_clips": "未见手术夹。",
}

# concept -> (structure, change); the degree stands between them.
_CHANGES = {
    "mediastinal_widening": ("纵隔", "增宽"),
    "aortic_atherosclerosis": ("主动脉", "迂曲"),
    "emphysema": ("两肺", "过度充气"),
    "cardiomegaly": ("心影", "增大"),
    "hilar_enlargement": ("肺门影", "增大"),
    "diaphragm_elevation": ("膈肌", "抬高"),
    "scoliosis": ("脊柱", "侧弯"),
}
_NOUNS = {
    "pneumomediastinum": "纵隔积气",
    "pulmonary_edema": "肺水肿",
    "vascular_congestion": "肺淤血",
    "consolidation": "实变",
    "opacity": "密度增高影",
    "pneumonia": "炎症",
    "atelectasis": "不张",
    "interstitial_pattern": "间质性改变",
    "nodule": "结节",
    "mass": "肿块",
    "fibrosis": "纤维化",
    "granuloma": "钙化灶",
    "pleural_effusion": "胸腔积液",
    "pneumothorax": "气胸",
    "pleural_thickening": "胸膜增厚",
    "free_air": "膈下游离气体",
    "fracture": "肋骨骨折",
    "endotracheal_tube": "气管插管在位",
    "gastric_tube": "胃管在位",
    "central_venous_catheter": "中心静脉导管在位",
    "picc": "PICC在位",
    "pacemaker": "起搏器在位",
    "chest_tube": "胸腔引流管在位",
    "sternal_wires": "胸骨钢丝在位",
    "surgical_clips": "手术夹在位",
}
_SIDES: dict[Side | None, str] = {None: "", "left": "左侧", "right": "右侧", "bilateral": "双侧"}
_LUNGS: dict[Side | None, str] = {None: "", "left": "左", "right": "右", "bilateral": "双"}
_ZONES: dict[Zone, str] = {"upper": "上肺野", "mid": "中肺野", "lower": "下肺野"}
DEGREES: dict[Measure, dict[Severity, str]] = {
    "amount": {"small": "少量", "moderate": "中等量", "large": "大量"},
    "size": {"small": "小", "moderate": "中等大小", "large": "较大"},
    "extent": {"small": "小片状", "moderate": "中等范围", "large": "大片状"},
    "degree": {"mild": "轻度", "moderate": "中度", "marked": "明显"},
}


def word_expressed(said: Statement) -> str:
    """The sentence of a statement as ``slots.express_statement`` gives it."""
    if said.status == "absent":
        return ABSENT[said.concept]
    degree = DEGREES[MEASURES[said.concept]][said.severity] if said.severity else ""
    if said.concept in _CHANGES:
        structure, change = _CHANGES[said.concept]
        words = _SIDES[said.side] + structure + degree + change
    else:
        words = _place(said) + degree + _NOUNS[said.concept]
    return ("疑似" if said.status == "uncertain" else "") + words + "。"


def _place(said: Statement) -> str:
    if said.zone is not None:
        return _LUNGS[said.side] + _ZONES[said.zone]
    if said.concept not in ZONED or said.concept == "pleural_thickening":
        return _SIDES[said.side]
    return _LUNGS[said.side] + "肺" if said.side is not None else "肺部"
