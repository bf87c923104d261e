"""What concepts are called in prose (Chinese), as patterns of ``tokens.expand_pattern``.

Kinds as in ``lexicon``; each character is a word. ``phrase_table_zh`` holds them all.
"""

from __future__ import annotations

from functools import cache

from inference.report_language.tokens import PhraseTable, expand_pattern
from inference.report_language.triggers_zh import TRIGGERS_ZH
from inference.report_language.vocabulary import CONCEPTS

_PART = "肺野|肺叶|肺|叶|野"
SIDES = {
    "bilateral": ("双侧|两侧|双|两|左右|左右侧|左右两侧|左、右|左右两|左右双",),
    "left": ("左侧|左|左边|左半",),
    "right": ("右侧|右|右边|右半",),
}
ZONES = {
    "upper": (f"上 {_PART}", "肺尖|肺尖部|肺上野|肺上叶|尖段|锁骨下区"),
    "mid": (f"中 {_PART}", "肺中野|肺中叶|舌叶|舌段"),
    "lower": (f"下 {_PART}", "肺底|肺底部|基底段|基底部|肺下野|肺下叶|心影后|心后区"),
    "upper mid": (f"上中|中上 {_PART}", "肺上中野|肺中上野|上、中肺野|肺上、中野"),
    "mid lower": (f"中下|下中 {_PART}", "肺中下野|中、下肺野|肺中、下野"),
    "upper lower": (f"上下 {_PART}", "上、下肺野"),
}
SEVERITIES = {
    "small": ("少量|微量|少许|细小|微小|小",),
    "mild": ("轻度|轻微|略|稍|稍许|略微|轻中度",),
    "moderate": ("中等量|中量|中等|中等大小|中等范围|中度|中大量|中等程度",),
    "large": ("大量|较大|巨大|多量|大|较多量",),
    "marked": ("明显|显著|重度|严重|广泛|极度|中重度|弥漫|弥漫性",),
}
# Further wordings of concepts, too variable for the vocabulary's plain terms.
MORE_TERMS = {
    "opacity": (
        "斑片|片|条片|斑点|云絮|絮|团絮|斑点片|毛玻璃|磨玻璃 [样|状] "
        "[模糊|密度|致密|高密度|增高|密度增高|密度增浓|渗出|浸润] 影|灶",
        "密度 增高|增浓 [灶|区|阴影]",
        "异常|高 [高] 密度 灶|阴影",
        "[炎性] 渗出 [性] 病变|灶|病灶",
        "浸润 [性] 病变|灶|病灶",
    ),
    "consolidation": ("[肺|肺组织] 实变 [影|灶|区]",),
    "pneumonia": (
        "[肺|肺部] 感染|炎症|炎性 [性] [病变|病灶|改变|渗出|浸润|可能性]",
        "支气管|大叶性|小叶性|吸入性|病毒性 肺炎",
        "肺炎性 病变|改变|渗出|浸润",
    ),
    "atelectasis": (
        "[盘状|节段性|线状|亚段|压迫性|阻塞性|肺组织] 肺 不张|膨胀不全",
        "[肺] 容积|体积 缩小|减小|减少",
    ),
    "interstitial_pattern": (
        "[肺] 间质 [性] [炎症|纹理] 增多|增厚|增粗|增重|改变|病变|浸润",
        "网格|网|蜂窝|网结节|细网 [样|状] 影|改变|阴影",
    ),
    "nodule": ("结节 [样|状] [高|密度|增高|密度增高|高密度] 影|灶|病灶",),
    "mass": (
        "肿块|团块 [样|状|型] [软组织|高|密度|增高|密度增高|高密度] 影|灶",
        "占位 [性] 病灶",
    ),
    "emphysema": ("透亮|透光|透过 度 增高|增加|增强|增大", "充气 过度", "桶状胸"),
    "fibrosis": (
        "[肺] [间质] 纤维 化|灶|性变|增殖灶|条索|索条 [影|灶]",
        "条索|索条|条 [样|状] [高密度|密度增高|致密] 影|灶",
        "陈旧|陈旧性 病灶|病变|灶|结核|肺结核",
        "瘢痕 [灶|影|形成]",
    ),
    "granuloma": (
        "钙化 [性] 灶|影|点|斑|结节|淋巴结|病灶",
        "结节 [状] 钙化 [影|灶]",
    ),
    "pleural_effusion": (
        "胸腔|胸膜腔|胸膜|叶间|包裹性|肺底|叶间裂 [内|包裹性] 积液|积血",
        "肋膈角|肋膈窦|肋膈隐窝 消失|闭塞|填塞",
    ),
    "pneumothorax": ("[胸腔|胸膜腔] [内] 积气",),
    "pleural_thickening": ("胸膜 [略|稍|轻度|局限性] 增厚|肥厚|粘连|钙化",),
    "cardiomegaly": ("心影|心脏 [明显] 较大|偏大|大",),
    "hilar_enlargement": (
        "[肺门|纵隔] 淋巴结 肿大|增大",
        "肿大|增大 淋巴结",
    ),
    "diaphragm_elevation": ("膈|膈肌|横膈 膨升|膨出", "膈疝"),
    "free_air": ("[膈下] 游离 气|气体 [影]", "膈下新月形气体 [影]", "膈下积气"),
    "fracture": ("[肋骨|锁骨|肩胛骨|椎体] [陈旧性|陈旧|压缩性|错位|错位性|新鲜] 骨折",),
    "scoliosis": (
        "[脊柱] [向] 左|右 侧弯|侧凸|弯",
        "退行 [性] 改变|变|病变",
        "[椎体] 骨质|骨 增生|赘 [形成]",
    ),
    "endotracheal_tube": ("气管 [内|切开] 插管|套管|导管 [影]",),
    "gastric_tube": ("鼻胃|胃肠|鼻肠|鼻饲|空肠营养 管 [影]",),
    "central_venous_catheter": (
        "[颈内|锁骨下|中心|深|颈] 静脉 导管|置管|插管 [影]",
        "静脉输液港|输液港 [影]",
    ),
    "pacemaker": ("[心脏] [永久|临时|双腔|单腔] 起搏器 [植入术后|影]", "起搏 电极|导线"),
    "chest_tube": ("胸腔 [闭式] 引流 [管] [影]", "引流管影"),
    "sternal_wires": ("[胸骨] [金属|固定|缝合|环形] 钢丝|缝线 [影]", "胸骨 [金属] 内固定 [影]"),
    "surgical_clips": ("[手术|金属|止血|外科] 夹 [影]", "吻合钉影"),
}
STRUCTURES = {
    "heart, lungs and diaphragm": ("心肺膈|心、肺、膈|两肺心膈|心肺及膈|两肺、心、膈",),
    "heart and lungs": ("心肺|心、肺|心肺部",),
    "cardiomediastinum": ("心影及纵隔|心纵隔|纵隔心影|心脏纵隔|心影纵隔 [影|轮廓]",),
    "heart": ("心影|心脏|心|心脏影|心胸比|心胸比率|心脏轮廓 [大小|形态|大小形态|大小、形态]",),
    "mediastinum": ("纵隔|上纵隔|纵隔影|纵隔阴影|纵膈|纵隔轮廓",),
    "trachea": ("气管",),
    "hila": ("肺门|肺门影|肺门阴影|肺门结构",),
    "diaphragm": ("膈|膈肌|横膈|膈面|横隔|隔面|半膈|膈顶|膈肌面",),
    "angles": ("肋膈角|肋膈窦|肋隔角|心膈角|肋膈隐窝",),
    "pleura": ("胸膜|胸膜腔|胸腔",),
    "fissure": ("叶间裂|水平裂|斜裂|叶间胸膜|水平叶间裂",),
    "lungs": ("肺|肺野|肺部|肺内|肺野内|肺实质|肺组织|肺叶",),
    "markings": ("肺纹理|纹理|支气管血管束|肺血管纹理",),
    "vessels": (
        "肺血管 [影]",
        "肺动脉段|肺血|肺门血管",
    ),
    "interstitium": ("间质|肺间质|间质纹理",),
    "bones": (
        "骨质|骨骼|骨性结构|胸廓骨质|胸廓骨骼|骨|肋骨|各骨|胸骨|胸廓诸骨|诸骨|骨性胸廓 [结构]",
    ),
    "aorta": ("主动脉|主动脉结|主动脉弓|主动脉影|胸主动脉|升主动脉|降主动脉 [壁]",),
}
PREDICATES = {
    # Says something only when denied: 未见异常 is the normal state.
    "abnormal": ("异常 [改变|征象|表现|变化|所见]", "[实质性|活动性] 病变|病灶", "破坏|中断"),
    "normal": (
        "正常|尚正常|无殊|无异常|如常|大致正常|尚可",
        "不大|不宽|不高|未增大|不增大|不增宽|不厚",
        "居中|位置居中|无移位|无偏移|清晰|清|清楚|尚清|清亮|尚清晰",
        "锐利|光滑|光整|光滑完整|完整|规整|存在|尚锐利|平滑|清晰锐利|自然|走行自然|尚光整",
    ),
    "borderline": ("饱满|丰满|大小在正常高限|正常高限|正常上限",),
    "enlarged": ("增大|扩大|肿大|略大|稍大",),
    "prominent": ("增浓|增重|突出|隆起|膨隆",),
    "increased": ("增多|增粗|增强|紊乱|粗乱|粗重|增重|增多增粗|增粗紊乱|毛糙",),
    "widened": ("增宽|变宽|宽大|扩张",),
    "deviated": (
        "[向] [左|右|左侧|右侧|健侧|患侧|对侧] 移位|偏移|偏",
        "左|右 移|偏",
        "移位|偏移",
    ),
    "elevated": ("抬高|升高|上抬|上移|高位",),
    "blunted": ("变钝|钝|圆钝|模糊|增强模糊|增粗模糊|变浅|不锐利|欠锐利|欠清|消失|闭塞|不清",),
    "tortuous": (
        "迂曲|纡曲|屈曲|延长|迂曲延长|硬化|粥样硬化|钙化|迂曲增宽|迂曲硬化|迂曲扩张|迂曲钙化",
    ),
    "thickened": ("增厚|肥厚|粘连",),
    "congested": ("淤血|瘀血|充血|再分布|重新分布|上移",),
}


@cache
def phrase_table_zh() -> PhraseTable:
    """The one table of every phrase above; built once per process."""
    table = PhraseTable()
    for kind, patterns in TRIGGERS_ZH.items():
        table.add(kind, "", patterns)
    for concept in CONCEPTS:
        table.add("term", concept.name, [*concept.terms_zh, *MORE_TERMS.get(concept.name, ())])
    for structure, patterns in STRUCTURES.items():
        table.add("structure", structure, patterns)
    for predicate, patterns in PREDICATES.items():
        table.add("predicate", predicate, patterns)
    for severity, patterns in SEVERITIES.items():
        table.add("severity", severity, patterns)
    for places in (SIDES, ZONES):
        for place, patterns in places.items():
            table.add("place", place, [p for pattern in patterns for p in expand_pattern(pattern)])
    return table
