"""Checks find what a reader should look at, say it in two languages, and can mend it."""

from __future__ import annotations

import re

import pytest

from inference.report_language import Language
from workstation.reporting.check_override import CheckOverride
from workstation.reporting.checks.report_check import ReportCheck, ReportContext
from workstation.reporting.checks.report_checks import apply_fix, check_report, open_checks
from workstation.reporting.draft_report import DraftReport

NORMAL = "No pleural effusion. No pneumothorax."
NORMAL_ZH = "未见胸腔积液。未见气胸。"
DENIED: dict[Language, str] = {"en": "No pneumothorax.", "zh": "未见气胸。"}


def written(findings: str, impression: str, language: Language = "en") -> DraftReport:
    report = DraftReport()
    report.set_from_draft(findings, impression, language=language)
    return report


def checks_of(report: DraftReport, **known) -> dict[str, ReportCheck]:
    return {c.rule: c for c in check_report(report.state, ReportContext(**known))}


def texts_of(report: DraftReport, check: ReportCheck) -> list[str]:
    sentences = {s.id: s.text for s in (*report.state.findings, *report.state.impression)}
    return [sentences[each] for each in check.sentence_ids]


CASES: list[tuple[Language, str, str, str, bool]] = [
    ("en", f"{NORMAL} Left pneumothorax.", "Left pneumothorax.", "present_and_absent", True),
    ("en", "Left effusion. Both costophrenic angles are sharp. No pneumothorax.",
     "Left effusion.", "normal_beside_finding", True),
    ("en", "Left effusion. No pneumothorax.", "No acute cardiopulmonary abnormality.",
     "normal_beside_finding", True),
    ("en", "Small left effusion. No pneumothorax.", "Right effusion.", "side_differs", True),
    ("en", "Small bilateral effusions. No pneumothorax.", "Left effusion.", "side_differs", True),
    ("en", "Left nodule. Right nodule. No pneumothorax.", "Left nodule.", "side_left_out", False),
    ("en", "Small left effusion. No pneumothorax.", "Cough.", "finding_without_impression", False),
    ("en", NORMAL, "Cardiomegaly.", "impression_without_finding", False),
    ("en", "No pneumothorax.", "Normal.", "not_stated", False),
    ("en", f"{NORMAL} No mass. Old scar. No mass.", "Scar.", "repeated_sentence", False),
    ("en", f"{NORMAL} Nodule of [size] mm.", "Nodule.", "placeholder", True),
    ("en", NORMAL, "", "section_empty", False),
    ("zh", f"{NORMAL_ZH}左侧气胸。", "左侧气胸。", "present_and_absent", True),
    ("zh", "左侧胸腔积液。未见气胸。", "右侧胸腔积液。", "side_differs", True),
    ("zh", "双侧胸腔积液。未见气胸。", "右侧胸腔积液。", "side_differs", True),
    ("zh", "左肺结节。右肺结节。未见气胸。", "右肺结节。", "side_left_out", False),
    ("zh", "左侧胸腔积液。未见气胸。", "请结合临床。", "finding_without_impression", False),
    ("zh", "未见气胸。", "正常。", "not_stated", False),
    ("zh", f"{NORMAL_ZH}左肺结节，大小【】毫米。", "左肺结节。", "placeholder", True),
]  # fmt: skip


@pytest.mark.parametrize(("language", "findings", "impression", "rule", "blocks"), CASES)
def test_check_is_found_and_worded(language, findings, impression, rule, blocks) -> None:
    report = written(findings, impression, language)
    check = checks_of(report)[rule]
    assert check.is_blocking is blocks
    for words in ("en", "zh"):
        (same,) = (c for c in check_report(report.state, language=words) if c.key == check.key)
        assert same.message
        assert "{" not in same.message.replace("{size}", "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_of_the_template_passes_every_check(language) -> None:
    from inference.report_language import Statement, compose_findings, compose_impression

    for case in ((), (Statement("pneumothorax", "present", "left"),)):
        report = written(
            compose_findings(case, language), compose_impression(case, language), language
        )
        assert check_report(report.state) == ()


def test_a_blank_report_fails_nothing() -> None:
    assert check_report(DraftReport().state) == ()


def test_sentences_concerned_are_named_with_where_to_look_first() -> None:
    report = written("Small left effusion. No pneumothorax.", "Right effusion.")
    check = checks_of(report)["side_differs"]
    assert check.section == "impression"
    assert texts_of(report, check) == ["Right effusion.", "Small left effusion."]
    assert check.message == "Pleural effusion: left in the findings, right in the impression."


@pytest.mark.parametrize(("language", "findings", "impression", "rule", "blocks"), CASES)
def test_fix_mends_the_check_in_one_undo_step(language, findings, impression, rule, blocks) -> None:
    report = written(findings, impression, language)
    check = checks_of(report)[rule]
    if check.fix is None:
        assert rule in ("placeholder", "section_empty", "normal_beside_finding")
        return
    before, had = report.state, {c.key for c in check_report(report.state)}
    apply_fix(report, check.fix)
    now = {c.key for c in check_report(report.state)}
    assert check.key not in now
    assert not {c for c in now - had if c.split(":")[0] in ("present_and_absent", "side_differs")}
    report.undo()
    assert report.state == before


def test_both_sides_found_and_one_concluded() -> None:
    report = written("Moderate bilateral pleural effusions.", "Moderate right pleural effusion.")
    check = checks_of(report)["side_differs"]
    assert check.message == "Pleural effusion: bilateral in the findings, right in the impression."
    assert texts_of(report, check)[0] == "Moderate right pleural effusion."
    assert check.fix is not None
    apply_fix(report, check.fix)
    assert report.state.impression_text == "Moderate bilateral pleural effusions."
    report = written("Small left effusion. Trace right effusion.", "Small left effusion.")
    check = checks_of(report)["side_left_out"]
    assert check.message == (
        "Pleural effusion: also right in the findings, only left in the impression."
    )


@pytest.mark.parametrize(
    ("findings", "impression"),
    [
        ("Small bilateral effusions.", "Effusions, left greater than right."),
        ("Small left effusion. Trace right effusion.", "Small bilateral effusions."),
        ("Small bilateral effusions.", "Pleural effusion."),
        ("Small bilateral effusions.", "Left effusion. Right effusion."),
        ("Possible bilateral nodules.", "Left nodule."),
        ("Small left effusion. No right effusion.", "Small left effusion."),
        ("Left scar. Right scar.", "Left scar."),
    ],
)
def test_one_side_concluded_where_nothing_is_left_out(findings: str, impression: str) -> None:
    rules = checks_of(written(findings, impression)).keys()
    assert not rules & {"side_differs", "side_left_out"}


def test_impression_takes_the_side_of_the_findings_and_keeps_its_words() -> None:
    report = written(
        "Small left effusion. No pneumothorax.", "Right pleural effusion, to be drained."
    )
    fix = checks_of(report)["side_differs"].fix
    assert fix is not None
    apply_fix(report, fix)
    assert report.state.impression_text == "Left pleural effusion, to be drained."
    assert report.state.impression[0].provenance == "edited"


def test_normal_impression_becomes_the_finding() -> None:
    report = written(
        "Small left effusion. No pneumothorax.", "No acute cardiopulmonary abnormality."
    )
    check = checks_of(report)["normal_beside_finding"]
    assert "finding_without_impression" not in checks_of(report)  # said once
    assert check.fix is not None
    apply_fix(report, check.fix)
    assert report.state.impression_text == "Small left pleural effusion."


def test_added_denial_goes_to_its_place() -> None:
    report = written("No focal consolidation. The heart is normal.", "Normal.")
    missing = [c for c in check_report(report.state) if c.rule == "not_stated"]
    assert [c.concept for c in missing] == ["pleural_effusion", "pneumothorax"]
    for check in missing:
        assert check.fix is not None
        apply_fix(report, check.fix)
    assert report.state.findings_text == (
        "No focal consolidation. No pleural effusion. No pneumothorax. The heart is normal."
    )


def test_key_stays_while_the_sentences_concerned_stay() -> None:
    report = written("Small left effusion. No pneumothorax.", "Right effusion.")
    key = checks_of(report)["side_differs"].key
    report.add_sentence("findings", "The patient is rotated.", 0)
    assert checks_of(report)["side_differs"].key == key
    report.edit_sentence("impression", report.state.impression[0].id, "Large right effusion.")
    assert checks_of(report)["side_differs"].key != key


def test_an_override_closes_its_check_only() -> None:
    report = written("Small left effusion. Left pneumothorax. No pneumothorax.", "Right effusion.")
    checks = check_report(report.state)
    blocking = [c for c in checks if c.is_blocking]
    assert {c.rule for c in blocking} == {"side_differs", "present_and_absent"}
    first = blocking[0]
    override = CheckOverride(first.key, first.rule, first.message, "Two effusions, see CT.")
    assert open_checks(checks, (override,)) == tuple(c for c in checks if c != first)


@pytest.mark.parametrize(
    ("language", "sentence", "rule", "known"),
    [
        ("en", "Unchanged cardiomegaly.", "comparison_without_prior", "has_prior"),
        ("zh", "心影增大，较前相仿。", "comparison_without_prior", "has_prior"),
        ("en", "The lateral view shows a nodule.", "view_not_taken", "has_lateral"),
        ("zh", "侧位片见结节。", "view_not_taken", "has_lateral"),
    ],
)
def test_words_about_films_nobody_has(language, sentence, rule, known) -> None:
    report = written(sentence, DENIED[language], language)
    assert rule in checks_of(report, **{known: False})
    assert rule not in checks_of(report, **{known: True})
    assert rule not in checks_of(report)  # not known: not checked


@pytest.mark.parametrize(
    ("language", "findings", "impression", "quoted"),
    [
        (
            "en",
            "Small left pleural effusion. No pleural effusion. Both costophrenic angles appear "
            "normal. No mass. No mass. Nodule in the [side] upper zone.",
            "Small right pleural effusion.",
            {"Small left pleural effusion", "No pleural effusion", "No mass", "[side]"},
        ),
        (
            "zh",
            "左侧少量胸腔积液。未见胸腔积液。两侧肋膈角尚可。未见肿块。未见肿块。【部位】结节。",
            "右侧少量胸腔积液。",
            {"左侧少量胸腔积液", "未见胸腔积液", "未见肿块", "【部位】"},
        ),
    ],
)
def test_messages_are_in_one_language_and_quote_the_report_in_its_own(
    language: Language, findings: str, impression: str, quoted: set[str]
) -> None:
    report = DraftReport()
    report.set_from_draft(findings, impression, language=language)
    known = ReportContext(has_prior=False, has_lateral=False)
    for words in ("en", "zh"):
        checks = check_report(report.state, known, words)  # type: ignore[arg-type]
        quotes = {quote for check in checks for quote in re.findall("“(.+?)”", check.message)}
        assert quoted <= quotes
        assert all(quote in f"{findings} {impression}" for quote in quotes)
        for check in checks:
            for said in (check.message, check.fix.label if check.fix else ""):
                own_words = re.sub("“.+?”", "", said)
                stranger = "[\u4e00-\u9fff]" if words == "en" else "[A-Za-z]"
                assert not re.search(stranger, own_words), said
    messages = [check.message for check in check_report(report.state, known)]
    assert len(set(messages)) == len(messages)  # each says which sentences it means


def test_a_row_without_a_full_stop_reads_as_one_sentence_with_the_next() -> None:
    report = written("Stable since May. Large left effusion. No pneumothorax.", "Left effusion.")
    first, second = (sentence.id for sentence in report.state.findings[:2])
    report.edit_sentence("findings", second, "Moderate edema of both lungs, Kerley B lines")
    found = checks_of(report)["finding_without_impression"]
    assert second in found.sentence_ids
    assert first not in found.sentence_ids
