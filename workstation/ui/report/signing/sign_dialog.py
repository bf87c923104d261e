"""The last look before signing: the text, how much of it nobody touched, what is still open, what
the model did not see, in which sense it is signed, and by whom."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore, Authentication
from workstation.reporting.checks.report_checks import check_report, context_of, open_checks
from workstation.reporting.checks.site_rules import DEFAULT_RULES, SiteRules
from workstation.reporting.report_state import HEADINGS, ReportState, report_text
from workstation.reporting.signing.signature import MEANINGS, SignatureKind, SignRequest
from workstation.ui.accounts.secret_prompt import SecretPrompt
from workstation.ui.report.patient_line import ReportPatient
from workstation.ui.screen_fit import resize_on_screen
from workstation.ui.theme import COLOURS, report_font, ui_font

_CHECKS_HEIGHT = 132
# Fusion draws a dark ring on the dark ground.
_RADIO_STYLE = f"""
QRadioButton::indicator {{ width: 11px; height: 11px; border-radius: 7px;
    border: 2px solid {COLOURS.muted_text}; background: {COLOURS.panel}; }}
QRadioButton::indicator:checked {{ border: 4px solid {COLOURS.accent}; width: 7px; height: 7px;
    background: {COLOURS.bright_text}; }}
QRadioButton::indicator:disabled {{ border-color: {COLOURS.line}; }}
QRadioButton:focus {{ text-decoration: underline; }}
"""


class SignDialog(QDialog):
    """Accepted only by the Sign button, with a name, and where there are accounts with the
    password or PIN once more; there is no way to skip the look.

    patient: whose report it is. unseen: what the model did not see. correction_reason: given where
    a signed report is being corrected. accounts, account: where there are accounts; the name is
    then the account's. rules: what the site wants settled first.
    """

    def __init__(
        self,
        state: ReportState,
        *,
        signer: str = "",
        edit_count: int = 0,
        patient: ReportPatient | None = None,
        unseen: str = "",
        correction_reason: str = "",
        accounts: AccountStore | None = None,
        account: Account | None = None,
        rules: SiteRules = DEFAULT_RULES,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sign_dialog")
        self._correction_reason = correction_reason
        self._accounts, self._account = accounts, account
        self.authentication: Authentication | None = None
        self.setWindowTitle(
            self.tr("Sign the corrected report")
            if correction_reason
            else self.tr("Sign the report")
        )
        self.setModal(True)
        resize_on_screen(self, 600, 700)
        self._context = context_of(rules)
        self._checks = open_checks(check_report(state, self._context), state.overrides)
        self._make_text(state)
        self._make_patient(patient)
        self._make_labels(state, edit_count, unseen)
        self._make_signer(account.full_name if account is not None else signer)
        self._make_kinds()
        self._make_buttons()
        self._lay_out()
        self._show_kind()

    # -- making ------------------------------------------------------------------------------

    def _make_text(self, state: ReportState) -> None:
        self.text_view = QPlainTextEdit(self)
        self.text_view.setObjectName("final_text")
        self.text_view.setAccessibleName(self.tr("Text to be signed"))
        self.text_view.setPlainText(_spaced(state))
        self.text_view.setReadOnly(True)
        self.text_view.setTabChangesFocus(True)
        self.text_view.setFont(report_font())
        self.text_view.setProperty("role", "report")

    def _make_patient(self, patient: ReportPatient | None) -> None:
        self.patient_label = self._label("sign_patient", patient.name if patient else "")
        self.patient_label.setFont(ui_font(12.5, bold=True))
        self.details_label = self._label("sign_patient_details", patient.details if patient else "")
        for label in (self.patient_label, self.details_label):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setVisible(patient is not None)

    def _make_labels(self, state: ReportState, edit_count: int, unseen: str) -> None:
        self.summary_label = self._label("sign_summary", self._summary(state, edit_count))
        self.unseen_label = self._label("sign_unseen", unseen)
        self.unseen_label.setProperty("role", "muted")
        is_drafted = any(each.provenance != "human" for each in state.findings + state.impression)
        self.unseen_label.setVisible(bool(unseen) and is_drafted)
        self.checks_label = self._label("sign_checks", self._describe_checks(state))
        self.checks_label.setTextFormat(Qt.TextFormat.PlainText)
        self.meaning_label = self._label("sign_meaning", "")
        self.problem_label = self._label("sign_problem", "")
        self.problem_label.setProperty("role", "warning")

    def _label(self, name: str, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setObjectName(name)
        label.setWordWrap(True)
        return label

    def _make_signer(self, signer: str) -> None:
        self.name_field = QLineEdit(signer, self)
        self.name_field.setObjectName("signer_name")
        self.name_field.setAccessibleName(self.tr("Name of the signer"))
        self.name_field.textChanged.connect(self._show_buttons)
        self.role_label = QLabel(self)
        self.role_label.setObjectName("signer_role")
        self.role_label.setProperty("role", "muted")
        self.prompt = SecretPrompt(self)
        self.prompt.setVisible(self._account is not None)
        if self._account is None:
            self.role_label.hide()
            return
        self.name_field.setReadOnly(True)
        self.name_field.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        roles = {"signer": self.tr("signer"), "reader": self.tr("reader")}
        self.role_label.setText(roles[self._account.signing_role])
        self.prompt.name_kind(self._account.secret_kind)
        self.prompt.changed.connect(self._show_buttons)
        self.prompt.passed.connect(self._on_authenticated)

    def _make_kinds(self) -> None:
        """Final or preliminary; of a correction there is only one kind."""
        self.final_button = QRadioButton(self.tr("&Final"), self)
        self.preliminary_button = QRadioButton(self.tr("&Preliminary, stays editable"), self)
        is_reader = self._account is not None and not self._account.can_sign
        if is_reader or self._has_blocking:
            self.final_button.setEnabled(bool(self._correction_reason) and not is_reader)
            self.preliminary_button.setChecked(not self._correction_reason)
            self.final_button.setChecked(bool(self._correction_reason))
        else:
            self.final_button.setChecked(True)
        for button in (self.final_button, self.preliminary_button):
            button.setStyleSheet(_RADIO_STYLE)
            button.setVisible(not self._correction_reason)
            button.toggled.connect(self._show_kind)

    def _make_buttons(self) -> None:
        self.buttons = QDialogButtonBox(self)
        self.sign_button = QPushButton(self.tr("Sign"), self)
        self.sign_button.setObjectName("confirm_sign")
        self.sign_button.setProperty("role", "primary")
        self.sign_button.setDefault(True)
        self.cancel_button = QPushButton(self.tr("Cancel"), self)
        self.cancel_button.setObjectName("cancel_sign")
        self.cancel_button.setAutoDefault(False)
        self.buttons.addButton(self.sign_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.addButton(self.cancel_button, QDialogButtonBox.ButtonRole.RejectRole)
        self.sign_button.clicked.connect(self._sign)
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        heading = QLabel(self.windowTitle(), self)
        heading.setProperty("role", "heading")
        name_label = QLabel(self.tr("Name"), self)
        name_label.setBuddy(self.name_field)
        name_row = QHBoxLayout()
        name_row.setSpacing(10)
        name_row.addWidget(name_label)
        name_row.addWidget(self.name_field, 1)
        name_row.addWidget(self.role_label)
        kind_row = QHBoxLayout()
        kind_row.addWidget(self.final_button)
        kind_row.addWidget(self.preliminary_button)
        kind_row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(9)
        layout.addWidget(heading)
        layout.addWidget(self.patient_label)
        layout.addWidget(self.details_label)
        layout.addWidget(self.text_view, 1)
        layout.addWidget(self.summary_label)
        layout.addWidget(self.unseen_label)
        layout.addWidget(self._scrolled_checks())
        layout.addLayout(kind_row)
        layout.addWidget(self.meaning_label)
        layout.addLayout(name_row)
        layout.addWidget(self.prompt)
        layout.addWidget(self.problem_label)
        layout.addWidget(self.buttons)
        if self._account is not None:
            self.prompt.setFocus()
        else:
            self.name_field.setFocus()

    def _scrolled_checks(self) -> QScrollArea:
        area = QScrollArea(self)
        area.setObjectName("sign_checks_area")
        area.setWidgetResizable(True)
        area.setMaximumHeight(_CHECKS_HEIGHT)
        area.setWidget(self.checks_label)
        area.setVisible(bool(self.checks_label.text()))
        self.checks_label.setContentsMargins(2, 2, 8, 2)
        return area

    # -- words -------------------------------------------------------------------------------

    def _summary(self, state: ReportState, edit_count: int) -> str:
        sentences = state.findings + state.impression
        untouched = sum(1 for each in sentences if each.provenance == "ai")
        edited = sum(1 for each in sentences if each.provenance == "edited")
        by_hand = len(sentences) - untouched - edited
        if not untouched and not edited:
            origin = self.tr("All {0} sentences were written by hand.").format(len(sentences))
        else:
            origin = self.tr(
                "{0} of {1} sentences are the model's and untouched; {2} edited, {3} by hand."
            ).format(untouched, len(sentences), edited, by_hand)
        return origin + " " + self.tr("Edits made: {0}.").format(edit_count)

    def _describe_checks(self, state: ReportState) -> str:
        blocks, looks = self.tr("✕ Open: {0}"), self.tr("△ Look again: {0}")
        set_aside = self.tr("✓ Set aside: {0} — {1}")
        still_true = {check.key for check in check_report(state, self._context)}
        lines = [
            (blocks if check.is_blocking else looks).format(check.message) for check in self._checks
        ]
        lines += [
            set_aside.format(override.message, override.reason)
            for override in state.overrides
            if override.key in still_true
        ]
        return "\n".join(lines)

    @property
    def _has_blocking(self) -> bool:
        return any(check.is_blocking for check in self._checks)

    @property
    def kind(self) -> SignatureKind:
        """In which sense it is signed."""
        if self._correction_reason:
            return "corrected"
        return "final" if self.final_button.isChecked() else "preliminary"

    @property
    def meaning(self) -> str:
        """What the signature says."""
        return MEANINGS[self.kind]

    @property
    def signer_name(self) -> str:
        return self.name_field.text().strip()

    @property
    def request(self) -> SignRequest:
        """What was asked for; of an accepted dialog."""
        return SignRequest(self.signer_name, self.kind == "preliminary", self.authentication)

    def _problem(self) -> str:
        """Why a final signature can't be given here, "" where it can."""
        if self._account is not None and not self._account.can_sign:
            return self.tr(
                "Your account reads, drafts and edits. A final signature needs an account that "
                "may sign; you can sign off as preliminary."
            )
        if self._has_blocking:
            return self.tr(
                "Final only once what is open (✕) is solved, or set aside with a reason."
            )
        return ""

    # -- signing -----------------------------------------------------------------------------

    def _show_kind(self) -> None:
        texts = {
            "final": self.tr(
                "{0}\nA final report can't be changed; an addendum or a corrected version can "
                "follow."
            ),
            "preliminary": self.tr("{0}\nIt is marked PRELIMINARY everywhere."),
            "corrected": self.tr("{0}\nReason: {1}"),
        }
        self.meaning_label.setText(texts[self.kind].format(self.meaning, self._correction_reason))
        self._show_buttons()

    def _show_buttons(self) -> None:
        problem = self._problem()
        self.problem_label.setText(problem)
        self.problem_label.setVisible(bool(problem))
        self.final_button.setToolTip(problem)
        is_ready = bool(self.signer_name) and (self.kind == "preliminary" or not problem)
        if self._account is not None:
            is_ready = is_ready and self.prompt.can_check
        words = {"preliminary": self.tr("Sign off as preliminary")}
        self.sign_button.setText(words.get(self.kind, self.tr("Sign")))
        self.sign_button.setEnabled(is_ready)

    def _sign(self) -> None:
        store, account = self._accounts, self._account
        if store is None or account is None:
            self.accept()
        else:
            self.prompt.check(lambda secret: store.prove(account.name, secret))

    def _on_authenticated(self, authentication: Authentication) -> None:
        self.authentication = authentication
        self.accept()

    def done(self, result: int) -> None:
        self.prompt.wait()
        super().done(result)


def _spaced(state: ReportState) -> str:
    """The text that is signed, with an empty line before the impression."""
    heading = HEADINGS[state.language]["impression"]
    findings, impression = report_text(state).rsplit(f"\n{heading}", 1)
    return f"{findings}\n\n{heading}{impression}"
