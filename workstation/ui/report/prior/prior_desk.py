"""Which prior report is offered beside the open study's, and that its opening is audited."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import UnknownStudy
from workstation.reading.hanging import Prior
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.versions.report_store import ReportStore
from workstation.reporting.versions.stored_report import StoredReport
from workstation.ui.film.header_wording import iso_date
from workstation.ui.report.prior.prior_pane import PriorPane


class PriorDesk(QObject):
    """Offers the newest signed report of an earlier study that is surely of the same patient."""

    trouble = Signal(str)

    def __init__(
        self, reports: ReportStore, audit: AuditLog, user: str, pane: PriorPane,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._reports, self._audit, self._user, self._pane = reports, audit, user, pane
        self._study_uid = ""
        pane.opened.connect(self._audit_opened)

    def open(
        self, study_instance_uid: str, report: DraftReport | None, priors: Sequence[Prior]
    ) -> None:
        """priors: those of the study, the newest first. report: the one being written, to compare
        with; None where it is signed, which is then compared as it stands."""
        self._study_uid = study_instance_uid
        self._pane.offer(None, "", None)
        try:
            found = self._find_signed(priors)
            if found is not None:
                prior, stored = found
                now = report or self._signed(study_instance_uid)
                self._pane.offer(stored, iso_date(prior.study.study_date), now)
        except (CatalogUnavailable, UnknownStudy) as error:
            self.trouble.emit(str(error))

    def _signed(self, study_uid: str) -> DraftReport | None:
        stored = self._reports.load(study_uid)
        return DraftReport(stored.state, signed=True) if stored is not None else None

    def close(self) -> None:
        self._study_uid = ""
        self._pane.offer(None, "", None)

    def _find_signed(self, priors: Sequence[Prior]) -> tuple[Prior, StoredReport] | None:
        for prior in priors:
            stored = self._reports.load(prior.study.study_instance_uid)
            if stored is not None and stored.status == "signed":
                return prior, stored
        return None

    def _audit_opened(self) -> None:
        prior = self._pane.prior
        if prior is None:
            return
        try:
            self._audit.append(
                "prior-report-opened",
                user=self._user,
                study_instance_uid=prior.study_instance_uid,
                details={"beside": self._study_uid, "signed_by": prior.signed_by},
            )
        except CatalogUnavailable as error:
            self._pane.fold()
            self.trouble.emit(str(error))
