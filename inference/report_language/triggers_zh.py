"""The trigger words of the extraction rules (Chinese), as patterns of ``tokens.expand_pattern``.

Kinds as in ``triggers``. Chinese uses most triggers on either side of the finding (不除外气胸,
气胸不除外); where a trigger stands with nothing left to say behind it, it speaks of what
precedes it (``status``), so one list serves both.
"""

from __future__ import annotations

_CLEARLY = "[明显|明确|确切|肯定|确切的|明显的|明确的|显著|典型|确定]"
_DEGREE = "[明显|显著|明确|著|显著的|明显的]"
_COMPARED = "较前|与前|较前片|与前片|较上次|与上次|同前|较旧片|与旧片|较前次|与前片比较|与前片相比"
_CHANGE = "变化|改变|吸收|好转|缩小|减少|减轻|进展|消散|增多|增大|加重|扩大"

CLAUSE_BREAKS = ("；|;", "但|但是|然而|而")
SCOPE_ENDS = (
    "可见|见|示|显示|可及|发现",
    "伴|伴有|并|合并|并有|并见",
)
PSEUDO_NEGATIONS = (
    f"{_COMPARED} 无|未见|未|没有 {_DEGREE} {_CHANGE}",
    f"无|未见|未|没有 {_DEGREE} 变化|吸收|好转|缩小|减少|减轻|进展|消散|加重",
    "未见|无 减少|吸收|消散",
)
NEGATIONS = (
    f"未见|无|未发现|未显示|未示|未及|未查见|未观察到|未探及|没有|未见到|未提示 {_CLEARLY}",
    f"未见|无 {_CLEARLY} 的",
    "无 [明显|明确|确切] 证据|征象 [提示|支持]",
    "不支持",
    "[暂] 不考虑",
    "否认",
    "不伴|不伴有|未伴",
    "已无|已未见",
    "未|不|非",
    "已除外|已排除|可除外|可排除|基本除外|基本排除",
)
POST_NEGATIONS = (
    "已|基本|完全|已完全|已基本 吸收|消失|消散|拔除|拔出|取出|撤除|移除",
    "消失|拔除",
    "不明显|未显示|未显影",
    "阴性",
)
UNCERTAINTIES = (
    "疑似|可疑|疑|怀疑|疑为|拟诊",
    "可能|可能为|可能是|可能系|有可能|可能性大|可能性较大|可能大|不无可能",
    "考虑|考虑为|首先考虑|多考虑|倾向|倾向于|倾向为",
    "更|较|可|或可 符合",  # one of several readings is favoured; 符合 alone is "consistent with"
    "似|似见|似有|似可见|或为|或许|大概|也许",
    "不|未|难以|不能|尚不能|未能|不可|难 [完全] 除外|排除|排外",
    # Asks for it to be excluded, which it is not yet.
    "[结合临床] [待|请|建议|以|注意|需|进一步] 除外|排除|鉴别",
    "是否|是否为 [存在]",
)
# Words that only soften what they follow: under a "no" it stays denied. 提示 is "suggests": weaker
# than 示, 见 and 符合, which state.
SUGGESTIONS = ("提示", "警惕", "注意")
POST_UNCERTAINTIES = (
    "待排|待查|待定|待诊|待鉴别",
    "可能|可能性 [较] 小|低",
    "可能|可能性 不大",
    "显示不清|显示欠清|观察不清|观察受限|评价受限|无法评价",
    "？|?",
)
AFFIRMATIONS = (
    "仍存在|仍在|同前|相仿|大致同前|如前",
    f"{_COMPARED} [明显|部分|略|稍|大部分|略有|稍有|有所] {_CHANGE}",
    "部分|大部分|大部|略|稍|明显|显著|逐渐 吸收|消散|好转|减少|减轻|缩小",
)
# The concept is named, yet nothing is said about this film.
HYPOTHETICALS = (
    "病史|既往|既往有|既往史|曾患|曾有",
    "有无|以明确|明确有无",
    "临床诊断|临床拟诊|申请单",
)
POST_HYPOTHETICALS = ("病史|史|复查|治疗后|高危", "筛查")

# Words that look like a side, a zone, a severity, a "no" or a finding and are not.
NEUTRAL = (
    "左|右 心|心室|心房|心耳|心缘|心影|主支气管|主气管|前斜|前斜位|后斜位|侧位",
    "侧位|侧位片|正位|正侧位|斜位",
    "两 枚|个|处|根|条|枝|次|支|组",
    "双腔|双极|双重|双轮廓|双边",
    "不|欠 规则|均|均匀|整|光整|对称|等|同|齐|良|透光|全|一|平|完整|连续|良好",
    "不明原因|无痛性|无名|无菌|非特异性|非对称|非钙化|非实性",
    "急性 异常|病变 [改变]",
    "较大|较小|最大 者|的",
    "性质待定|性质待查|定性待查",
    "大小|大小不等|大小不一|大血管|大气道|大部|大部分",
    "余|其余|余两|余双|其余两|其余双 肺 [野|内|叶|组织]",
    "余|其余 左|右 肺 [野|内|叶]",
    "心包 [腔] [内] [可] [未] [见] [明显] [少量|中等量|大量] 积液|积气",
    "纵隔 [内] 未见|无 [明显] 积气",
    "腹腔|盆腔|宫腔|关节 [腔] 积液",
    "皮下|软组织|胸壁 [内] [可] [未] [见] [明显] 气肿|积气|水肿|肿块|钙化|钙化影|结节",
    "胸膜炎|支气管炎|心肌炎|心包炎|肋软骨炎|食管炎",
    "乳头影|乳腺|乳房影",
    "胸椎|腰椎|颈椎",
    "较前|与前片比较|与前片相比|对比前片|结合临床|请结合临床",
    "无创|无殊",
    "胃|胃泡|肠|肠管|结肠|肠腔 [内] [可] [见] [少量|大量|多量|明显] 积气|积液|气体",
    "胃泡|肠管|结肠",
    "明确|显影|显示清晰|显示清楚",
    "类似|相似|近似|重叠",
    "符合|相符",
    "提示 ：|:",  # a heading
)

# Added in this order: of two equal phrases the first wins.
TRIGGERS_ZH = {
    "neutral": NEUTRAL,
    "break": CLAUSE_BREAKS,
    "pseudo": PSEUDO_NEGATIONS,
    "affirmation": AFFIRMATIONS,
    "hypothetical": HYPOTHETICALS,
    "post_hypothetical": POST_HYPOTHETICALS,
    "post_uncertainty": POST_UNCERTAINTIES,
    "uncertainty": UNCERTAINTIES,
    "suggestion": SUGGESTIONS,
    "post_negation": POST_NEGATIONS,
    "negation": NEGATIONS,
    "scope_end": SCOPE_ENDS,
}
