"""The words around a report, in its own language: headings, status, provenance."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import groupby

from inference.report_language import Language
from workstation.exports.exported_report import ExportedReport, ReportStatus
from workstation.exports.person_names import display_name
from workstation.reporting.report_state import Provenance, Section, Sentence
from workstation.reporting.signing.signature import MEANINGS

RESEARCH_USE: dict[Language, str] = {
    "en": "Research use — not for diagnosis",
    "zh": "仅供研究使用，不用于诊断 · Research use — not for diagnosis",
}

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Chest X-ray report", "findings": "Findings", "impression": "Impression",
        "addendum": "Addendum", "measurements": "Measurements", "images": "Key images",
        "patient": "Patient", "patient_id": "Patient ID", "birth_date": "Date of birth",
        "sex": "Sex", "study": "Study", "accession": "Accession", "study_date": "Study date",
        "referring": "Referring", "films": "Films",
        "signed": "Signed by {0}, {1}", "signed_preliminary": "Signed as preliminary by {0}, {1}",
        "added": "{0}, {1}", "reason": "Reason of the correction", "provenance": "Provenance",
        "sentences": "Sentences", "model": "Model", "weights": "Weights (SHA-256)",
        "decoding": "Decoding", "image_hash": "Images seen (SHA-256)",
        "text_hash": "Signed text (SHA-256)", "audit_head": "Audit chain head",
        "confidence": "confidence {0} as drafted", "drafted": "drafted {0}",
        "own_words": "the model wrote: “{0}”", "accepted": "accepted {0}", "edited": "edited {0}",
        "written": "written {0}", "each_sentence": "Each sentence",
        "page": "Page {0} of {1}", "no_model": "No model took part in this report.",
        "issue": "Issue {0}", "not_signed": "Not signed.", "document": "Document",
        "replaces": "Replaces", "M": "male", "F": "female", "O": "other",
    },
    "zh": {
        "title": "胸部X线检查报告", "findings": "影像所见", "impression": "诊断结论",
        "addendum": "补充报告", "measurements": "测量", "images": "关键图像",
        "patient": "姓名", "patient_id": "患者编号", "birth_date": "出生日期",
        "sex": "性别", "study": "检查", "accession": "检查号", "study_date": "检查日期",
        "referring": "申请医师", "films": "图像",
        "signed": "{0} 签署，{1}", "signed_preliminary": "{0} 签署（初步报告），{1}",
        "added": "{0}，{1}", "reason": "更正原因", "provenance": "来源",
        "sentences": "句子", "model": "模型", "weights": "模型权重 (SHA-256)",
        "decoding": "解码方式", "image_hash": "模型所见图像 (SHA-256)",
        "text_hash": "签署文本 (SHA-256)", "audit_head": "审计链头",
        "confidence": "生成时置信度 {0}", "drafted": "生成于 {0}",
        "own_words": "模型原文：“{0}”", "accepted": "{0} 确认", "edited": "{0} 修改",
        "written": "{0} 书写", "each_sentence": "逐句来源",
        "page": "第 {0} 页，共 {1} 页", "no_model": "本报告没有模型参与。",
        "issue": "第 {0} 版", "not_signed": "未签署。", "document": "文档",
        "replaces": "替代", "M": "男", "F": "女", "O": "其他",
    },
}  # fmt: skip

_STATUS: dict[Language, dict[ReportStatus, str]] = {
    "en": {
        "draft": "DRAFT — not signed",
        "preliminary": "PRELIMINARY",
        "final": "Final report",
        "addended": "Final report with addendum",
        "corrected": "Corrected report",
    },
    "zh": {
        "draft": "草稿，未签署 · DRAFT — not signed",
        "preliminary": "初步报告 · PRELIMINARY",
        "final": "正式报告",
        "addended": "正式报告（含补充）",
        "corrected": "更正报告",
    },
}
_DRAFT_AGAIN: dict[Language, str] = {
    "en": "DRAFT — edited since the preliminary report, not signed",
    "zh": "草稿，初步报告后有改动，未签署 · DRAFT — edited since the preliminary report",
}
WATERMARK: dict[ReportStatus, str] = {"draft": "DRAFT — not signed", "preliminary": "PRELIMINARY"}

_PROVENANCE: dict[Language, dict[Provenance, str]] = {
    "en": {
        "ai": "written by the model, unchanged",
        "edited": "written by the model, edited",
        "human": "written by a person",
    },
    "zh": {"ai": "模型生成，未改动", "edited": "模型生成，经人工修改", "human": "人工书写"},
}
PROVENANCE_MARKS: dict[Provenance, str] = {"ai": "AI", "edited": "AI+", "human": "H"}

_MEANINGS_ZH = {
    MEANINGS["preliminary"]: "本报告为初步报告，尚未作为正式报告批准。",
    MEANINGS["final"]: "本人已审阅图像并批准本报告。",
    MEANINGS["corrected"]: "本人已审阅图像并批准本更正报告。",
}


def word(key: str, language: Language) -> str:
    """A heading or label. Raises KeyError for one that is not in the table."""
    return _WORDS[language][key]


def status_words(report: ExportedReport) -> str:
    """A preliminary report that was edited since is nobody's: a draft, and which is said."""
    if report.status == "draft" and report.predecessor is not None:
        return _DRAFT_AGAIN[report.language]
    return _STATUS[report.language][report.status]


def provenance_words(provenance: Provenance, language: Language) -> str:
    """Who a sentence is by, as the legend says it."""
    return _PROVENANCE[language][provenance]


def meaning_words(meaning: str, language: Language) -> str:
    """What a signature says; in Chinese with the words that were signed."""
    translated = _MEANINGS_ZH.get(meaning) if language == "zh" else None
    return f"{translated} {meaning}" if translated else meaning


def section_heading(section: Section, language: Language) -> str:
    return word(section, language)


def word_date(date: str) -> str:
    """YYYYMMDD as 2026-04-12."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else date


def word_time(timestamp: str) -> str:
    """An ISO 8601 time as local time to the minute, with what that is against UTC."""
    try:
        local = datetime.fromisoformat(timestamp).astimezone()
    except ValueError:
        return timestamp
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M} (UTC{offset[:3]}:{offset[3:]})"


def word_signature(report: ExportedReport) -> str:
    """Who signed and when; or that nobody has."""
    signature = report.signature
    if signature is None or report.status == "draft":
        return word("not_signed", report.language)
    key = "signed_preliminary" if report.status == "preliminary" else "signed"
    signer = f"{signature.signer}, {signature.role}" if signature.role else signature.signer
    return word(key, report.language).format(signer, word_time(signature.signed_at))


def study_lines(report: ExportedReport) -> list[tuple[str, str]]:
    """Label and value of what identifies patient and study; those without a value left out."""
    study, language = report.study, report.language
    day = word_date(study.study_date)
    if len(study.study_time) >= 4:
        day += f" {study.study_time[:2]}:{study.study_time[2:4]}"
    sex = word(study.patient_sex, language) if study.patient_sex else ""
    lines = [
        ("patient", display_name(study.patient_name)),
        ("patient_id", study.patient_id),
        ("birth_date", word_date(study.patient_birth_date)),
        ("sex", sex),
        ("study", study.study_description or study.study_instance_uid),
        ("study_date", day),
        ("accession", study.accession_number),
        ("referring", display_name(study.referring_physician)),
        ("films", ", ".join(image.technique for image in report.images)),
    ]
    return [(word(key, language), value) for key, value in lines if value]


def provenance_lines(report: ExportedReport) -> list[tuple[str, str]]:
    """Label and value: how the sentences came to be, by which model, under which chain head."""
    language = report.language
    counts = {provenance: 0 for provenance in PROVENANCE_MARKS}
    for _, sentence in report.sentences:
        counts[sentence.provenance] += 1
    told = "; ".join(
        f"{count} {provenance_words(each, language)} [{PROVENANCE_MARKS[each]}]"
        for each, count in counts.items()
        if count
    )
    lines = [("sentences", told)]
    if report.model_sha256:
        lines.append(("model", report.model_name or "–"))
        lines.append(("weights", report.model_sha256))
        lines.append(("decoding", word_decoding(report)))
        lines.append(("image_hash", ", ".join(report.image_sha256)))
    else:
        lines.append(("model", word("no_model", language)))
    if report.signature is not None:
        lines.append(("text_hash", report.signature.text_sha256))
    lines.append(("audit_head", report.audit_head))
    return [(word(key, language), value) for key, value in lines if value]


def sentence_lines(report: ExportedReport) -> list[tuple[str, str]]:
    """Mark and origin of each sentence in order: the model, how sure it was, when; who touched it,
    and when. Neighbours of one origin share a line, "3–5. [AI]". Empty for a report of which no
    more is kept than the marks in its text."""
    if not any(each.origin or each.touched_at for _, each in report.sentences):
        return []
    told = [
        (PROVENANCE_MARKS[each.provenance], " · ".join(origin_words(each, report.language)))
        for _, each in report.sentences
    ]
    lines: list[tuple[str, str]] = []
    first = 1
    for (mark, words), run in groupby(told):
        last = first + len(list(run)) - 1
        numbers = str(first) if first == last else f"{first}–{last}"
        lines.append((f"{numbers}. [{mark}]", words))
        first = last + 1
    return lines


def origin_words(sentence: Sentence, language: Language) -> list[str]:
    """All that is kept of where a sentence comes from, beginning with who wrote it."""
    origin, told = sentence.origin, [provenance_words(sentence.provenance, language)]
    if origin is not None:
        told.append(origin.model_name)
        if origin.confidence is not None:
            told.append(word("confidence", language).format(f"{origin.confidence:.2f}"))
        told.append(word("drafted", language).format(word_time(origin.drafted_at)))
        if origin.text:
            told.append(word("own_words", language).format(origin.text))
    if sentence.touched_at:
        hand = {"ai": "accepted", "edited": "edited", "human": "written"}[sentence.provenance]
        at = word_time(sentence.touched_at)
        who = f"{at}, {sentence.touched_by}" if sentence.touched_by else at
        told.append(word(hand, language).format(who))
    return [each for each in told if each]


def word_decoding(report: ExportedReport) -> str:
    """The decoding settings that were kept, as "mode one-step; steps 1"."""
    settings = report.decoding.items()
    return "; ".join(
        f"{key} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in sorted(settings)
    )
