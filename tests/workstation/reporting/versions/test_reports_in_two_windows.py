"""One catalog open twice: no save takes the place of another's, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from tests.workstation.reported_studies import MakeStudy
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import write_transaction
from workstation.catalog.study_catalog import UnknownStudy
from workstation.catalog.study_removal import remove_study
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import ReportChangedElsewhere, ReportSigned
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.autosave import Autosave
from workstation.reporting.versions.report_store import ReportStore

SURROGATE = "Film of A\udcff."  # an undecodable file name, pasted


class Window:
    """What a window has of one study's report."""

    def __init__(self, engine: Engine, user: str, study_uid: str) -> None:
        self.store = ReportStore(engine, AuditLog(engine), user)
        stored = self.store.load(study_uid)
        kept = stored and (stored.correction or stored)
        self.report = DraftReport(kept.state if kept else None, reader=user)
        correction = stored.correction if stored is not None else None
        self.autosave = Autosave(self.store, study_uid, self.report, correction)

    def type(self, text: str) -> None:
        self.report.set_section_text("findings", text)


OpenWindow = Callable[[str], Window]


@pytest.fixture
def open_window(catalog_engine: Engine, study_uid: str) -> OpenWindow:
    return lambda user: Window(catalog_engine, user, study_uid)


def _text(window: Window, study_uid: str) -> str:
    stored = window.store.load(study_uid)
    assert stored is not None
    return stored.state.findings_text


def test_the_second_to_save_takes_nobodys_place(
    open_window: OpenWindow, catalog_engine: Engine, study_uid: str
) -> None:
    ann, bob = open_window("ann"), open_window("bob")
    ann.type("Small left effusion.")
    ann.autosave.flush()
    ann.type("Small left effusion. No pneumothorax.")
    ann.autosave.flush()
    bob.type("No effusion.")
    with pytest.raises(ReportChangedElsewhere, match="in another window") as changed:
        bob.autosave.flush()
    assert changed.value.study_instance_uid == study_uid
    assert bob.autosave.is_dirty
    assert _text(ann, study_uid) == "Small left effusion. No pneumothorax."
    bob.autosave.set_aside("another window was faster")
    assert _text(ann, study_uid) == "Small left effusion. No pneumothorax."
    (kept,) = ann.store.versions(study_uid)
    assert (kept.kind, kept.author, kept.reason) == (
        "set-aside",
        "bob",
        "another window was faster",
    )
    assert kept.state.findings_text == "No effusion."
    row = AuditLog(catalog_engine).entries()[-1]
    assert (row.event, row.user) == ("report-set-aside", "bob")
    assert [edit["after"] for edit in row.details["edits"]] == ["No effusion."]
    assert AuditLog(catalog_engine).verify().ok
    ann.type("Small left effusion. No pneumothorax. Scoliosis.")
    ann.autosave.flush()


def test_a_window_goes_on_from_what_it_saved_itself(
    open_window: OpenWindow, study_uid: str
) -> None:
    ann = open_window("ann")
    for text in ("One.", SURROGATE, "", "Again. 气胸。", "Again. Mass."):
        ann.type(text)
        ann.autosave.flush()
    again = open_window("ann")
    again.type("Again. Mass. More.")
    again.autosave.flush()
    assert _text(ann, study_uid) == "Again. Mass. More."


def test_what_was_signed_meanwhile_is_left_and_the_typing_kept(
    open_window: OpenWindow, catalog_engine: Engine, study_uid: str
) -> None:
    ann = open_window("ann")
    ann.type("No effusion.")
    ann.autosave.flush()
    bob = open_window("bob")
    sign_off = SignOff(catalog_engine, AuditLog(catalog_engine))
    sign_off.sign(study_uid, "Ann")
    bob.type("No effusion. Scoliosis.")
    with pytest.raises(ReportSigned):
        bob.autosave.flush()
    # A correction that somebody else began is no place for it either.
    sign_off.start_correction(study_uid, "Ann", "a fracture was missed")
    with pytest.raises(ReportChangedElsewhere):
        bob.autosave.flush()
    corrects = open_window("ann")
    corrects.type("No effusion. Fracture.")
    corrects.autosave.flush()
    bob.autosave.set_aside("signed")
    assert [version.kind for version in bob.store.versions(study_uid)] == ["final", "set-aside"]
    signature = sign_off.sign(study_uid, "Ann")
    assert sign_off.signature(study_uid) == signature
    assert _text(ann, study_uid) == "No effusion. Fracture."
    assert AuditLog(catalog_engine).verify().ok


def test_the_typing_outlives_a_study_removed_meanwhile(
    open_window: OpenWindow, catalog_engine: Engine, study_uid: str
) -> None:
    ann = open_window("ann")
    ann.type("Mass.")
    with write_transaction(catalog_engine) as connection:
        remove_study(connection, study_uid)
    with pytest.raises(UnknownStudy):
        ann.autosave.flush()
    ann.autosave.set_aside("removed")
    row = AuditLog(catalog_engine).entries(study_uid)[-1]
    assert "Mass." in row.details["text"]
    assert AuditLog(catalog_engine).verify().ok


def test_what_was_set_aside_is_never_exported(make_study: MakeStudy) -> None:
    study = make_study("en")
    before = study.bring_to("final")
    state = before.state.with_section("findings", before.state.findings[:1])
    study.sources.reports.set_aside(study.uid, state, [], "another window was faster")
    assert study.read() == before


def test_a_clock_set_back_leaves_the_correction_the_newest(
    make_study: MakeStudy, catalog_engine: Engine
) -> None:
    study = make_study("en")
    study.bring_to("addended")
    yesterday = AuditLog(catalog_engine, lambda: datetime.now(UTC) - timedelta(days=1))
    study.sign_off = SignOff(catalog_engine, yesterday)
    study.correct()
    read = study.read()
    assert (read.status, read.issue_number) == ("corrected", 3)
    assert read.state.impression_text == "Moderate left pleural effusion."
    assert yesterday.verify().ok
