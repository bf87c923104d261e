"""One study on the desk: its film, its draft, its edits, its signature.

Joins the services (catalog, reports, audit, drafting) to the two widgets a reader looks at.
Everything here runs on the main thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from inference import DecodingMode, DraftFinished, EngineDescription
from inference.report_language import Language
from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import StudyCatalog, UnknownStudy
from workstation.drafting.drafting_service import DraftingService
from workstation.reading.hanging import find_priors
from workstation.reading.measurement_store import MeasurementStore
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import (
    ReportChangedElsewhere,
    ReportSigned,
    ReportState,
)
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.autosave import Autosave
from workstation.reporting.versions.report_store import ReportStore
from workstation.reporting.versions.report_version import DraftOrigin
from workstation.reporting.versions.stored_report import StoredReport
from workstation.ui.draft.block_rail import BlockRail
from workstation.ui.draft.draft_desk import DraftDesk
from workstation.ui.draft.draft_ledger import RunningDraft
from workstation.ui.film.film_desk import FilmDesk
from workstation.ui.report.checks.spelling_desk import SpellingDesk
from workstation.ui.report.patient_line import describe_patient
from workstation.ui.report.prior.prior_desk import PriorDesk
from workstation.ui.report.report_context import describe_context
from workstation.ui.report.report_panel import ReportPanel
from workstation.ui.report.signing.signing_desk import AskSigner, SigningDesk
from workstation.ui.viewer.image_viewer import ImageViewer

SAVE_RETRY_MS = 2000


@dataclass(frozen=True)
class Records:
    """The services behind the desk, all on one database."""

    catalog: StudyCatalog
    audit: AuditLog
    reports: ReportStore
    sign_off: SignOff
    user: str
    measurements: MeasurementStore
    accounts: AccountStore | None = None
    account: Account | None = None  # who has logged in, where there are accounts


class ReadingDesk(QObject):
    """Holds at most one open study. Signals: study_changed(study_instance_uid) after its report's
    status may have changed; trouble(text) for what the reader has to know.

    Its films are the `FilmDesk`'s, drafting them is the `DraftDesk`'s part.
    """

    study_changed = Signal(str)
    trouble = Signal(str)

    def __init__(
        self, records: Records, drafting: DraftingService, films: FilmDesk,
        panel: ReportPanel, rail: BlockRail, parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._records, self._films, self._panel = records, films, panel
        self._drafts = DraftDesk(drafting, films, panel, rail, records.audit, records.user, self)
        self._study_uid = ""
        self._model_sha256 = ""  # of the model that drafted the report shown
        self._autosave: Autosave | None = None
        self._retry = QTimer(self)
        self._retry.setInterval(SAVE_RETRY_MS)
        self._retry.timeout.connect(self.save)
        self._drafts.draft_finished.connect(self._take_over)
        self._drafts.redraft_accepted.connect(self._keep_origin)
        self._drafts.engine_changed.connect(self._show_calibration)
        self._drafts.trouble.connect(self.trouble)
        panel.edits_made.connect(self.save)
        self.signing = SigningDesk(
            records.reports, records.sign_off, records.audit, records.user, panel,
            records.accounts, records.account, self,
        )  # fmt: skip
        self.signing.changed.connect(self._show_report_anew)
        self._priors = PriorDesk(
            records.reports, records.audit, records.user, panel.prior_pane, self
        )
        self._priors.trouble.connect(self.trouble)
        self._spelling = SpellingDesk(panel.editor, records.audit.data_folder, self)
        self._spelling.trouble.connect(self.trouble)
        films.other_study_shown.connect(self._audit_other_study)
        rail.block_clicked.connect(panel.jump_to_block)

    @property
    def study_instance_uid(self) -> str:
        """The open study, "" for none."""
        return self._study_uid

    @property
    def language(self) -> Language:
        """What new drafts, and reports not begun yet, are written in."""
        return self._drafts.requests.language

    def choose_language(self, language: Language) -> None:
        """For new drafts; a report with a text keeps its own."""
        self._drafts.requests.language = language
        if self._panel.report is not None:
            self._panel.report.choose_language(language)

    @property
    def decoding(self) -> DecodingMode:
        """How new drafts are decoded, where the model offers it."""
        return self._drafts.requests.decoding

    @decoding.setter
    def decoding(self, mode: DecodingMode) -> None:
        self._drafts.requests.decoding = mode

    def mode_of(self, description: EngineDescription) -> DecodingMode:
        """How a first draft with this model will be decoded: as chosen, or the like of it."""
        return self._drafts.requests.mode_of(description)

    @property
    def is_reading_first(self) -> bool:
        """Whether first drafts are made in the background and covered until they are revealed."""
        return self._drafts.is_reading_first

    @is_reading_first.setter
    def is_reading_first(self, is_on: bool) -> None:
        self._drafts.is_reading_first = is_on

    def read_first(self, is_on: bool) -> None:
        """For drafts from now on; audited, since it changes what the reader has seen before
        writing."""
        self.is_reading_first = is_on
        self._append_audit("settings", "", {"read_first": is_on})
        self._drafts.show_whether_draftable()

    # -- opening -----------------------------------------------------------------------------

    def open_study(self, study_instance_uid: str) -> bool:
        """Put a study on the desk. False where the one before could not be saved: it stays."""
        if study_instance_uid == self._study_uid:
            return True
        if not self.leave_study():
            return False
        try:
            study = self._records.catalog.study(study_instance_uid)
            films = self._records.catalog.instances(study_instance_uid)
            priors = find_priors(self._records.catalog, study_instance_uid)
            stored = self._records.reports.load(study_instance_uid)
            self._records.audit.append(
                "study-opened",
                user=self._records.user,
                study_instance_uid=study_instance_uid,
                details={"films": len(films)},
            )
        except (CatalogUnavailable, UnknownStudy) as error:
            self.trouble.emit(str(error))
            return True
        self._study_uid = study_instance_uid
        self._panel.head.show_patient(describe_patient(study))
        self._drafts.open_study(study_instance_uid)
        self._show_stored(stored)
        self._panel.editor.set_context(describe_context(films, priors, self.signing.rules))
        self._model_sha256 = stored.model_sha256 if stored is not None else ""
        self._show_calibration()
        self._priors.open(study_instance_uid, self._panel.report, priors)
        self._films.open(study_instance_uid, films, priors)
        return True

    def _audit_other_study(self, study_instance_uid: str) -> None:
        """A prior that hangs beside the open study was opened too."""
        self._append_audit("study-opened", study_instance_uid, {"beside": self._study_uid})

    def _append_audit(self, event: str, study_uid: str, details: dict[str, object]) -> None:
        try:
            self._records.audit.append(
                event, user=self._records.user, study_instance_uid=study_uid, details=details
            )
        except CatalogUnavailable as error:
            self.trouble.emit(str(error))

    def leave_study(self) -> bool:
        """Save and clear the desk. False (and nothing changed) where saving failed."""
        self._panel.flush_typing()
        if not self.save():
            return False
        self._drafts.leave_study()
        if self._autosave is not None:
            self._autosave.close()
        self._autosave, self._study_uid, self._model_sha256 = None, "", ""
        self.signing.study_instance_uid = ""
        self.signing.show_stage(None)
        self._films.clear()
        self._priors.close()
        self._panel.head.show_patient(None)
        self._panel.show_no_study()
        return True

    # -- drafts ------------------------------------------------------------------------------

    def _take_over(self, event: DraftFinished, draft: RunningDraft) -> None:
        if self._autosave is None:
            return
        self._note_origin(event, draft)
        self._panel.finish_drafting(event, draft.language, draft.sentence_origin())
        self.save()

    def _keep_origin(self, event: DraftFinished, draft: RunningDraft) -> None:
        """What was accepted of a redraft is in the report already."""
        if self._autosave is not None:
            self._note_origin(event, draft)
            self.save()

    def _note_origin(self, event: DraftFinished, draft: RunningDraft) -> None:
        assert self._autosave is not None
        self._autosave.set_origin(
            DraftOrigin(
                model_sha256=draft.details["model_sha256"],
                decoding=draft.details["decoding"],
                ai_findings=event.findings,
                ai_impression=event.impression,
                model_name=draft.details["model_name"],
                image_sha256=draft.image_sha256,
            )
        )
        self._model_sha256 = draft.details["model_sha256"]
        self._show_calibration()

    def _show_calibration(self) -> None:
        self._drafts.show_calibration(self._model_sha256)

    # -- measurements ------------------------------------------------------------------------

    def add_measurements(self, viewer: ImageViewer) -> None:
        """The figures of the film shown, as sentences at the end of the findings."""
        report = self._panel.report
        if report is None or report.is_signed:
            self.trouble.emit(self.tr("There is no open report to write into."))
            return
        if not self._films.is_current_film_active:
            self.trouble.emit(self.tr("These figures are on a film of another study."))
            return
        self._panel.flush_typing()
        there = {sentence.text for sentence in report.state.findings}
        sentences = viewer.measurement_sentences(report.language)
        new = [sentence for sentence in sentences if sentence not in there]
        for sentence in new:
            report.add_sentence("findings", sentence)
        self.save()
        self.trouble.emit(self.tr("{0} measurements written.").format(len(new)))

    # -- saving, signing ---------------------------------------------------------------------

    @property
    def is_unsaved(self) -> bool:
        """Whether anything would be lost now."""
        return self._autosave is not None and self._autosave.is_dirty

    def save(self) -> bool:
        """Save what is unsaved; on failure say so, keep it, and try again every two seconds."""
        if self._autosave is None:
            return True
        try:
            was_saved = self._autosave.flush()
        except (ReportChangedElsewhere, ReportSigned) as error:
            return self._set_aside(str(error))
        except UnknownStudy as error:
            return self._set_aside(str(error), is_gone=True)
        except CatalogUnavailable as error:
            if not self._retry.isActive():
                self._retry.start()
            text = self.tr("Not saved yet: {0}. Your text is kept and will be tried again.")
            self._panel.show_notice(text.format(error))
            self.trouble.emit(str(error))
            return False
        if self._retry.isActive():
            self._retry.stop()
            self._panel.show_notice(self.tr("Saved."))
        if was_saved:
            self.study_changed.emit(self._study_uid)
        return True

    def _set_aside(self, reason: str, *, is_gone: bool = False) -> bool:
        """What can never be saved in its place: another window was faster. Kept as a version, and
        the report is shown as it is now, so that nobody is locked in with it. is_gone: the study
        was removed, and leaves the desk."""
        autosave, self._autosave = self._autosave, None
        assert autosave is not None
        self._panel.flush_typing()
        try:
            autosave.set_aside(reason)
            stored = self._records.reports.load(self._study_uid)
        except CatalogUnavailable as error:
            self._autosave = autosave
            self.trouble.emit(str(error))
            self._retry.start()
            return False
        self._retry.stop()
        self._drafts.cancel()
        if is_gone:
            self.leave_study()
            text = self.tr("The study was removed meanwhile. What you wrote is in the audit log.")
            self.trouble.emit(text)
            return False
        self._show_stored(stored)
        text = self.tr(
            "{0} It is shown as it is now. What you wrote is kept: see its versions (Set aside)."
        ).format(reason)
        self._panel.show_notice(text)
        self.trouble.emit(text)
        self.study_changed.emit(self._study_uid)
        return False  # the reader is to see it before the study is left or signed

    def sign(self, ask_signer: AskSigner) -> bool:
        """Sign the report as it stands. ask_signer shows it and returns what is asked for: a bare
        name is a final signature where there are no accounts; None to stop."""
        report = self._panel.report
        if report is None or not self.save() or not self.signing.sign(report, ask_signer):
            return False
        self._drafts.cancel()
        self._show_report_anew()
        return True

    def _show_report_anew(self) -> None:
        """After a signature, or a correction begun or given up."""
        try:
            stored = self._records.reports.load(self._study_uid)
        except CatalogUnavailable as error:  # what is typed meanwhile is set aside, not lost
            self.trouble.emit(str(error))
            return
        if stored is None or stored.status == "draft":  # preliminary: undo and edits stay
            self.signing.show_stage(stored)
        else:
            self._autosave = None
            self._show_stored(stored)
            try:
                priors = find_priors(self._records.catalog, self._study_uid)
                self._priors.open(self._study_uid, self._panel.report, priors)
            except (CatalogUnavailable, UnknownStudy) as error:
                self.trouble.emit(str(error))
        self.study_changed.emit(self._study_uid)

    def _show_stored(self, stored: StoredReport | None) -> None:
        """The report of the open study: to be edited, or signed and read-only."""
        self.signing.study_instance_uid = self._study_uid
        if stored is not None and stored.status == "signed" and stored.correction is None:
            self._panel.show_signed(stored)
        else:
            blank = ReportState(language=self.language)
            kept = stored and (stored.correction or stored)
            report = DraftReport(kept.state if kept else blank, reader=self.signing.signer)
            correction = stored.correction if stored is not None else None
            self._autosave = Autosave(self._records.reports, self._study_uid, report, correction)
            self._panel.show_report(report)
        self.signing.show_stage(stored)

    def close(self) -> bool:
        """Before the window closes: stop drafting, save. False where saving failed."""
        self._drafts.end_all()
        return self.leave_study()
