"""The site's rules of reports: read once, changed in their dialog, in force at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from workstation.accounts.account import Account
from workstation.reporting.checks.site_rules import (
    DEFAULT_RULES,
    SiteRules,
    UnreadableRules,
    describe_rules,
    load_rules,
    save_rules,
)
from workstation.ui.report.checks.rules_dialog import RulesDialog
from workstation.ui.report.report_editor import ReportEditor
from workstation.ui.report.signing.signing_desk import SigningDesk


class RulesDesk(QObject):
    """Tells the editor and the sign dialog what the site asks. trouble(text): the file is no rules,
    or can't be written. changed(details): they were changed, for the audit log."""

    trouble = Signal(str)
    changed = Signal(dict)

    def __init__(
        self,
        folder: Path,
        editor: ReportEditor,
        signing: SigningDesk,
        account: Account | None,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._folder, self._editor, self._signing = folder, editor, signing
        self._account = account
        self.rules = DEFAULT_RULES

    def load(self) -> None:
        """Read them; the defaults count on screen where that fails, and nothing is signed."""
        try:
            self.rules = load_rules(self._folder)
        except UnreadableRules as error:
            self.rules = DEFAULT_RULES
            words = self.tr("The rules of reports can't be read, nothing can be signed: {0}")
            self.trouble.emit(words.format(error))
        self._apply()

    def open_dialog(self) -> None:
        """Show the rules; only who keeps the accounts may change them, where there are any."""
        may_change = self._account is None or self._account.can_administer
        dialog = RulesDialog(self.rules, may_change=may_change, parent=self._editor.window())
        dialog.rules_chosen.connect(self.choose)
        dialog.open()

    def choose(self, rules: SiteRules) -> None:
        """Keep other rules; nothing changes where they can't be written."""
        if rules == self.rules and rules == self._kept():
            return
        try:
            save_rules(self._folder, rules)
        except OSError as error:
            self.trouble.emit(self.tr("The rules were not kept: {0}").format(error))
            return
        before, self.rules = self.rules, rules
        self._apply()
        details = {"before": describe_rules(before), "after": describe_rules(rules)}
        self.changed.emit({"report_rules": details})

    def _kept(self) -> SiteRules | None:
        try:
            return load_rules(self._folder)
        except UnreadableRules:
            return None  # to be replaced by what is chosen

    def _apply(self) -> None:
        context, rules = self._editor.context, self.rules
        self._editor.set_context(
            replace(context, required=rules.required, must_settle=rules.must_settle)
        )
        self._signing.rules = self.rules
