"""The words of Chinese report prose: nouns, places, degrees, normals, remarks (no logic)."""

from __future__ import annotations

from inference.report_language.slots import Measure
from inference.report_language.statements import Severity, Side, Zone
from inference.report_language.vocabulary import Region

NOUNS: dict[str, tuple[str, ...]] = {
    "pneumomediastinum": ("纵隔积气", "纵隔气肿"),
    "pulmonary_edema": ("肺水肿", "肺水肿征象", "间质性肺水肿"),
    "vascular_congestion": ("肺淤血", "肺瘀血", "肺淤血征象"),
    "consolidation": ("实变", "实变影", "肺实变"),
    "opacity": ("密度增高影", "斑片状影", "模糊影", "斑片状密度增高影", "浸润影"),
    "pneumonia": ("炎症", "肺炎", "感染性病变", "炎性病变"),
    "atelectasis": ("肺不张", "不张", "膨胀不全", "盘状肺不张"),
    "interstitial_pattern": ("间质性改变", "间质改变", "网状影", "网格状影"),
    "nodule": ("结节", "结节影", "结节状影"),
    "mass": ("肿块", "肿块影", "团块影", "占位性病变"),
    "emphysema": ("肺气肿", "肺气肿征象"),
    "fibrosis": ("纤维化", "纤维灶", "纤维条索影", "索条影"),
    "granuloma": ("钙化灶", "钙化影", "钙化结节"),
    "pleural_effusion": ("胸腔积液", "胸水", "胸腔积液"),
    "pneumothorax": ("气胸",),
    "pleural_thickening": ("胸膜增厚", "胸膜肥厚"),
    "free_air": ("膈下游离气体", "气腹"),
    "fracture": ("肋骨骨折", "肋骨错位骨折"),
    "endotracheal_tube": ("气管插管", "气管导管"),
    "gastric_tube": ("胃管", "鼻胃管"),
    "central_venous_catheter": ("中心静脉导管", "颈内静脉置管", "深静脉置管", "锁骨下静脉导管"),
    "picc": ("PICC", "PICC导管", "PICC管"),
    "pacemaker": ("起搏器", "心脏起搏器"),
    "chest_tube": ("胸腔引流管", "胸腔闭式引流管"),
    "sternal_wires": ("胸骨钢丝", "胸骨金属缝线"),
    "surgical_clips": ("手术夹", "金属夹"),
}
# concept -> ((structure, change), ...); the degree stands between them.
CHANGES: dict[str, tuple[tuple[str, str], ...]] = {
    "mediastinal_widening": (("纵隔", "增宽"), ("纵隔影", "增宽"), ("上纵隔", "增宽")),
    "aortic_atherosclerosis": (("主动脉", "迂曲"), ("主动脉", "迂曲延长"), ("胸主动脉", "迂曲")),
    "emphysema": (("两肺", "过度充气"), ("双肺", "透亮度增高"), ("双肺", "过度充气")),
    "cardiomegaly": (("心影", "增大"), ("心脏", "增大"), ("心影", "扩大")),
    "hilar_enlargement": (("肺门影", "增大"), ("肺门", "增大"), ("肺门影", "增浓")),
    "diaphragm_elevation": (("膈肌", "抬高"), ("膈面", "抬高"), ("膈肌", "升高")),
    "scoliosis": (("脊柱", "侧弯"), ("胸椎", "侧弯"), ("脊柱", "侧凸")),
}
BLUNTED = ("肋膈角变钝", "肋膈角模糊", "肋膈角圆钝")
DEVICE_TAILS = ("在位", "留置", "置入", "在位", "影")
SIDES: dict[Side | None, tuple[str, ...]] = {
    None: ("",),
    "left": ("左侧", "左侧", "左"),
    "right": ("右侧", "右侧", "右"),
    "bilateral": ("双侧", "两侧"),
}
LUNGS: dict[Side | None, tuple[str, ...]] = {
    None: ("",),
    "left": ("左肺",),
    "right": ("右肺",),
    "bilateral": ("双肺", "两肺"),
}
_ZONES: dict[Zone, tuple[str, ...]] = {
    "upper": ("{}上肺", "{}上肺野", "{}肺上野", "{}肺上叶"),
    "mid": ("{}中肺野", "{}肺中野", "{}中肺"),
    "lower": ("{}下肺", "{}下肺野", "{}肺下野", "{}肺下叶"),
}
_SIDE_WORDS: dict[Side | None, tuple[str, ...]] = {
    None: ("",),
    "left": ("左",),
    "right": ("右",),
    "bilateral": ("双", "两"),
}
PLACES: dict[tuple[Side | None, Zone], tuple[str, ...]] = {
    (side, zone): tuple(form.format(word) for word in words for form in forms)
    for side, words in _SIDE_WORDS.items()
    for zone, forms in _ZONES.items()
}
DEGREES: dict[Measure, dict[Severity, tuple[str, ...]]] = {
    "amount": {
        "small": ("少量", "少许", "微量"),
        "moderate": ("中等量", "中量"),
        "large": ("大量",),
    },
    "size": {"small": ("小", "微小"), "moderate": ("中等大小",), "large": ("较大", "巨大")},
    "extent": {
        "small": ("小片状", "小斑片状"),
        "moderate": ("中等范围",),
        "large": ("大片状", "大片"),
    },
    "degree": {
        "mild": ("轻度", "轻微", "稍"),
        "moderate": ("中度",),
        "marked": ("明显", "重度", "显著"),
    },
}
COMPARISONS = ("，较前相仿", "，较前增多", "，同前", "，较前进展", "，较前片变化不大")
DENIED_NOUNS: dict[str, tuple[str, ...]] = {
    **NOUNS,
    "mediastinal_widening": ("纵隔增宽",),
    "aortic_atherosclerosis": ("主动脉迂曲",),
    "emphysema": ("肺气肿", "过度充气"),
    "cardiomegaly": ("心影增大",),
    "hilar_enlargement": ("肺门影增大", "肺门增大"),
    "diaphragm_elevation": ("膈肌抬高",),
    "scoliosis": ("脊柱侧弯",),
    "consolidation": ("实变", "实变影"),
    "opacity": ("密度增高影", "斑片状影", "浸润影"),
    "pleural_effusion": ("胸腔积液", "积液征象", "胸水"),
    "fracture": ("骨折", "肋骨骨折", "骨折征象"),
}
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
# region -> (findings that forbid it, (whole sentences, terse ones)).
NORMALS: dict[Region, tuple[Normal, ...]] = {
    "thorax": ((frozenset(), (("两侧胸廓对称", "胸廓对称"), ("胸廓对称",))),),
    "mediastinum": (
        (
            frozenset({"mediastinal_widening", "pneumomediastinum", "aortic_atherosclerosis"}),
            (("纵隔及气管居中", "纵隔未见明显增宽"), ("纵隔居中", "气管居中")),
        ),
    ),
    "lungs": (
        (
            _LUNG_FINDINGS | {"pleural_effusion", "pneumothorax"},
            (
                ("两肺野清晰", "两肺未见明显实质性病变", "两肺野内未见明显异常密度影"),
                ("双肺清晰", "两肺野清"),
            ),
        ),
        (
            _LUNG_FINDINGS,
            (("两肺纹理清晰、走行自然", "双肺纹理清晰"), ("肺纹理清晰",)),
        ),
    ),
    "pleura": (
        (
            frozenset({"pleural_effusion", "pleural_thickening"}),
            (("两侧肋膈角锐利", "双侧肋膈角清晰"), ("肋膈角锐利",)),
        ),
    ),
    "heart": (
        (
            frozenset({"cardiomegaly"}),
            (("心影大小、形态正常", "心影大小形态未见明显异常"), ("心影不大", "心影正常")),
        ),
    ),
    "hila": (
        (frozenset({"hilar_enlargement"}), (("两肺门影不大", "两侧肺门影不大"), ("肺门不大",))),
    ),
    "diaphragm": (
        (
            frozenset({"diaphragm_elevation", "free_air", "pleural_effusion"}),
            (("两侧膈面光整", "双侧膈肌光滑"), ("膈面光整",)),
        ),
    ),
    "bones": (
        (
            frozenset({"fracture", "scoliosis"}),
            (("所见诸骨未见明显异常", "所示骨质结构完整"), ("骨质未见异常",)),
        ),
    ),
}
ALL_NORMAL = ("心肺膈未见明显异常", "两肺野清晰，心影不大")
NORMAL_CONCLUSIONS = (
    "心肺膈未见明显异常",
    "心肺未见明显异常",
    "两肺未见明显活动性病变",
    "胸部正位片未见明显异常",
)
REMARKS = ("请结合临床", "建议随诊复查", "胸部正位片", "建议复查", "请结合临床及实验室检查")
INDICATIONS = (
    "临床诊断：发热待查。",
    "病史：咳嗽、胸痛，肺炎待排。",
    "检查方法：胸部正位摄片。",
    "临床资料：外伤后，气胸？",
)
HEADINGS = (
    ("影像所见：", "诊断意见："),
    ("检查所见：", "印象："),
    ("所见：", "结论："),
    ("X线表现：", "影像诊断："),
    ("", "印象："),
)
# Homophones and look-alikes that the keyboard offers first.
SLIPS = (
    ("纵隔", "纵膈"),
    ("肋膈角", "肋隔角"),
    ("膈肌", "隔肌"),
    ("积液", "积夜"),
    ("增大", "曾大"),
    ("增宽", "曾宽"),
    ("气胸", "气兄"),
)
