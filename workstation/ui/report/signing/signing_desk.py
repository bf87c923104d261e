"""Signatures of the open study: preliminary, final, addendum, correction, and the versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox, QVBoxLayout

from workstation.accounts.account import Account, AccountError
from workstation.accounts.account_store import AccountStore, Authentication
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.reporting.checks.site_rules import DEFAULT_RULES
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import ReportSigned, report_text
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.signing.signature import (
    ChecksOpen,
    CorrectionOpen,
    NothingToSign,
    NotSigned,
    SignRequest,
    UnsavedEdits,
)
from workstation.reporting.versions.report_store import ReportStore
from workstation.reporting.versions.stored_report import StoredReport
from workstation.ui.accounts.secret_dialogs import ReauthenticationDialog
from workstation.ui.report.report_panel import ReportPanel
from workstation.ui.report.signing.reason_dialog import ReasonDialog
from workstation.ui.report.signing.sign_dialog import SignDialog
from workstation.ui.report.signing.stage_line import StageLine
from workstation.ui.report.signing.version_wording import describe_stage, name_stage
from workstation.ui.report.signing.versions_dialog import VersionsDialog

AskSigner = Callable[[DraftReport], "SignRequest | str | None"]
_REFUSALS = (
    AccountError,
    CatalogUnavailable,
    ChecksOpen,
    CorrectionOpen,
    NotSigned,
    NothingToSign,
    ReportSigned,
    UnsavedEdits,
    ValueError,
)


class SigningDesk(QObject):
    """Signals: changed() after a signature, an addendum, or a correction begun or given up."""

    changed = Signal()

    def __init__(
        self,
        reports: ReportStore,
        sign_off: SignOff,
        audit: AuditLog,
        user: str,
        panel: ReportPanel,
        accounts: AccountStore | None,
        account: Account | None,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reports, self._sign_off, self._audit = reports, sign_off, audit
        self._user, self._panel = user, panel
        self._accounts, self._account = accounts, account
        self.study_instance_uid = ""
        self._stored: StoredReport | None = None
        self.rules = DEFAULT_RULES
        """What the site wants settled before a signature."""
        page = panel.signed_page
        page.correction_requested.connect(self.start_correction)
        page.versions_requested.connect(self.show_versions)
        self.stage_line = StageLine(panel)
        column = panel.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(1, self.stage_line)
        panel.editor.report_changed.connect(self._on_report_changed)
        self.stage_line.versions_requested.connect(self.show_versions)
        self.stage_line.abandon_requested.connect(self.abandon_correction)
        panel.addendum_requested.connect(self._add_addendum)
        page.allow_signing(self._why_not_final())
        if self._why_not_final():
            panel.sign_button.setText(self.tr("Sign off…"))
            panel.sign_button.setToolTip(self._why_not_final())

    @property
    def signer(self) -> str:
        """The name under signatures of whoever is here."""
        return self._account.full_name if self._account is not None else self._user

    def _why_not_final(self) -> str:
        """Why whoever is here signs nothing finally; "" where they may."""
        if self._account is None or self._account.can_sign:
            return ""
        return self.tr(
            "Your account reads, drafts and edits; a final signature needs an account that may "
            "sign. You can sign off as preliminary."
        )

    # -- showing -----------------------------------------------------------------------------

    def show_stage(self, stored: StoredReport | None) -> None:
        """Say what the report shown is; a line more for a preliminary one and a correction."""
        self._stored = stored
        text = describe_stage(stored) if stored is not None else ""
        is_correction = stored is not None and stored.correction is not None
        self.stage_line.show_stage(text, is_correction=is_correction)
        self._panel.head.show_stage(name_stage(stored))

    def _on_report_changed(self) -> None:
        """A preliminary report says at once whether it still is what was signed off."""
        stored, report = self._stored, self._panel.report
        if stored is None or stored.preliminary is None or report is None:
            return
        is_edited = report_text(report.state) != report_text(stored.preliminary.state)
        if is_edited != stored.is_edited_since:
            self.show_stage(replace(stored, is_edited_since=is_edited))

    def show_versions(self) -> None:
        """The version history, and what differs between any two versions."""
        uid, report = self.study_instance_uid, self._panel.report
        if not uid:
            return
        self._panel.flush_typing()
        try:
            versions = self._reports.versions(uid)
        except CatalogUnavailable as error:
            self._panel.show_notice(str(error))
            return
        if not versions:
            self._panel.show_notice(
                self.tr("There are no versions yet: one is kept of every draft and signature.")
            )
            return
        current = report.state if report is not None else None
        dialog = VersionsDialog(versions, current, self._panel.window())
        dialog.exec()
        dialog.deleteLater()

    # -- signing -----------------------------------------------------------------------------

    def ask(self, report: DraftReport) -> SignRequest | None:
        """Show what would be signed; None where the reader thinks better of it."""
        uid = self.study_instance_uid
        entries = self._audit.entries(uid)
        edits = sum(e.event == "edit" and e.details.get("kind") != "draft" for e in entries)
        stored = self._reports.load(uid)
        reason = stored.correction.reason if stored is not None and stored.correction else ""
        dialog = SignDialog(
            report.state,
            signer=self.signer,
            edit_count=edits,
            patient=self._panel.head.patient,
            unseen=self._panel.unseen_label.text(),
            correction_reason=reason,
            accounts=self._accounts,
            account=self._account,
            rules=self.rules,
            parent=self._panel.window(),
        )
        request = dialog.request if dialog.exec() else None
        dialog.deleteLater()
        return request

    def sign(self, report: DraftReport, ask: AskSigner) -> bool:
        """Sign the saved report. True if it is final or corrected now."""
        try:
            answer = ask(report)
            if answer is None:
                return False
            request = SignRequest(answer) if isinstance(answer, str) else answer
            is_preliminary = request.is_preliminary
            sign = self._sign_off.sign_preliminary if is_preliminary else self._sign_off.sign
            sign(
                self.study_instance_uid,
                request.signer,
                seen=report.state,
                authentication=request.authentication,
            )
        except _REFUSALS as error:
            self._panel.show_notice(self.tr("Not signed: {0}").format(error))
            return False
        if is_preliminary:
            self.show_stage(self._reports.load(self.study_instance_uid))
            self.changed.emit()
        return not is_preliminary

    def _add_addendum(self, text: str) -> None:
        authentication = None
        if self._account is not None:
            authentication = self._authenticate(self.tr("An addendum is signed."))
            if authentication is None:
                return
        try:
            self._sign_off.add_addendum(
                self.study_instance_uid, self.signer, text, authentication=authentication
            )
        except _REFUSALS as error:
            self._panel.show_notice(self.tr("Addendum not saved: {0}").format(error))
            return
        self.changed.emit()

    def _authenticate(self, purpose: str) -> Authentication | None:
        if self._accounts is None or self._account is None:
            return None
        dialog = ReauthenticationDialog(
            self._accounts, self._account, purpose, self._panel.window()
        )
        given = dialog.authentication if dialog.exec() else None
        dialog.deleteLater()
        return given

    # -- correcting --------------------------------------------------------------------------

    def start_correction(self) -> None:
        """Ask why, and open the signed text for a corrected version."""
        dialog = ReasonDialog(self._panel.window())
        reason = dialog.reason if dialog.exec() else ""
        dialog.deleteLater()
        if reason:
            self.correct(reason)

    def correct(self, reason: str) -> None:
        try:
            self._sign_off.start_correction(
                self.study_instance_uid, self.signer, reason, account=self._account
            )
        except _REFUSALS as error:
            self._panel.show_notice(self.tr("Not opened for correction: {0}").format(error))
            return
        self.changed.emit()

    def abandon_correction(self) -> None:
        """Give the correction up after a yes; the signed report is shown again."""
        question = self.tr("Give up this correction? The signed report stays as it is.")
        answer = QMessageBox.question(
            self._panel.window(), self.tr("Correction"), question,
            QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )  # fmt: skip
        if answer == QMessageBox.StandardButton.Discard:
            self.drop_correction()

    def drop_correction(self) -> None:
        try:
            self._sign_off.abandon_correction(self.study_instance_uid, self.signer)
        except _REFUSALS as error:
            self._panel.show_notice(str(error))
            return
        self.changed.emit()
