"""What a site asks of its reports: kept in the data folder, in force in checks and signatures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.reporting.check_override import CheckOverride
from workstation.reporting.checks.report_checks import check_report, context_of
from workstation.reporting.checks.site_rules import (
    CHOOSABLE,
    DEFAULT_RULES,
    RULES_NAME,
    SiteRules,
    UnreadableRules,
    load_rules,
    make_rules,
    save_rules,
)
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.signing.signature import ChecksOpen
from workstation.reporting.versions.report_store import ReportStore

NO_FREE_AIR = make_rules(["free_air", "pneumothorax"], ["not_stated"])


def written(findings: str, impression: str = "No acute abnormality.") -> DraftReport:
    report = DraftReport()
    report.add_sentence("findings", findings)
    if impression:
        report.add_sentence("impression", impression)
    return report


def test_rules_come_back_from_disk(tmp_path: Path) -> None:
    assert load_rules(tmp_path) == DEFAULT_RULES
    save_rules(tmp_path, NO_FREE_AIR)
    assert load_rules(tmp_path) == NO_FREE_AIR
    save_rules(tmp_path, SiteRules((), frozenset(CHOOSABLE)))
    assert load_rules(tmp_path) == SiteRules((), frozenset(CHOOSABLE))
    assert [path.name for path in tmp_path.iterdir()] == [RULES_NAME]


@pytest.mark.parametrize(
    "text",
    [
        "[]", "{}", "not json", '{"required": "free_air", "must_settle": []}',
        '{"required": ["no_such_finding"], "must_settle": []}',
        '{"required": [], "must_settle": ["comparison_without_prior"]}',
        '{"required": [["x"]], "must_settle": []}',
    ],
)  # fmt: skip
def test_file_that_is_no_rules_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / RULES_NAME).write_text(text)
    with pytest.raises(UnreadableRules, match=RULES_NAME):
        load_rules(tmp_path)


def test_required_concept_is_asked_for_and_another_is_not() -> None:
    state = written("No pneumothorax.").state
    missing = [check for check in check_report(state, context_of(NO_FREE_AIR)) if check.concept]
    assert [(check.rule, check.concept) for check in missing] == [("not_stated", "free_air")]
    assert missing[0].is_blocking
    by_default = [check for check in check_report(state) if check.rule == "not_stated"]
    assert [(check.concept, check.is_blocking) for check in by_default] == [
        ("pleural_effusion", False)
    ]


@pytest.mark.parametrize("rule", CHOOSABLE)
def test_every_choosable_check_blocks_once_it_is_chosen(rule: str) -> None:
    failing = {
        "not_stated": written("Clips."),
        "section_empty": written("No pneumothorax. No pleural effusion.", ""),
        "finding_without_impression": written("Left pneumothorax. No pleural effusion.", "Clips."),
        "impression_without_finding": written("No pleural effusion.", "Left pneumothorax."),
        "side_left_out": written(
            "Left nodule. Right nodule. No pneumothorax. No pleural effusion.", "Left nodule."
        ),
        "repeated_sentence": written("No mass. No mass. No pneumothorax. No pleural effusion."),
    }[rule]
    chosen = context_of(make_rules(DEFAULT_RULES.required, [rule]))
    for context, blocks in ((chosen, True), (context_of(DEFAULT_RULES), False)):
        checks = [check for check in check_report(failing.state, context) if check.rule == rule]
        assert checks
        assert {check.is_blocking for check in checks} == {blocks}


def test_signature_waits_for_what_the_site_wants_settled(
    reported: tuple[SignOff, ReportStore], study_uid: str
) -> None:
    sign_off, store = reported
    state = store.load(study_uid).state
    with pytest.raises(ChecksOpen) as refused:
        sign_off.sign(study_uid, "Dr. Roe", seen=state)
    [check] = refused.value.checks
    assert (check.rule, check.concept) == ("not_stated", "free_air")
    override = CheckOverride(check.key, check.rule, check.message, "supine film")
    settled = replace(state, overrides=(override,))
    store.save_draft(study_uid, settled, [])
    assert sign_off.sign(study_uid, "Dr. Roe", seen=settled).signer == "Dr. Roe"


def test_nothing_is_signed_by_rules_nobody_can_read(
    reported: tuple[SignOff, ReportStore], catalog_engine: Engine, study_uid: str
) -> None:
    sign_off, store = reported
    folder = AuditLog(catalog_engine).data_folder
    (folder / RULES_NAME).write_text("[]")
    with pytest.raises(UnreadableRules):
        sign_off.sign(study_uid, "Dr. Roe")
    assert sign_off.sign_preliminary(study_uid, "Dr. Roe").kind == "preliminary"
    assert store.load(study_uid).stage == "preliminary"


@pytest.fixture
def reported(catalog_engine: Engine, study_uid: str) -> tuple[SignOff, ReportStore]:
    """A saved report that says nothing of free air, at a site that wants it said."""
    audit = AuditLog(catalog_engine)
    save_rules(audit.data_folder, NO_FREE_AIR)
    store = ReportStore(catalog_engine, audit, "roe")
    store.save_draft(study_uid, written("No pneumothorax. No pleural effusion.").state, [])
    return SignOff(catalog_engine, audit), store
