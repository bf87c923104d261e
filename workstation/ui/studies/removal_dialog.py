"""The question before studies leave the list: what goes, what stays, and whether files go too."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workstation.intake.study_removal import RemovalPlan


class RemovalDialog(QDialog):
    """Accepted only by its Remove button; Cancel is what Enter does."""

    def __init__(self, plan: RemovalPlan, names: list[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("removal_dialog")
        self.setModal(True)
        self.setMinimumWidth(420)
        count = len(plan.studies)
        title = (
            self.tr("Remove {0} from the list?").format(names[0])
            if count == 1
            else self.tr("Remove {0} studies from the list?").format(count)
        )
        self.setWindowTitle(self.tr("Remove studies"))
        heading = QLabel(title, self)
        heading.setProperty("role", "heading")
        heading.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(heading)
        self.lines = self._describe(plan, names)
        for text, role in self.lines:
            label = QLabel(text, self)
            label.setProperty("role", role)
            label.setWordWrap(True)
            layout.addWidget(label)
        self.delete_box = QCheckBox(self._deletion_words(plan), self)
        self.delete_box.setObjectName("delete_files")
        self.delete_box.setVisible(any(s.films and not s.keeps_report for s in plan.studies))
        layout.addWidget(self.delete_box)
        layout.addSpacing(4)
        layout.addWidget(self._make_buttons())

    @property
    def deletes_files(self) -> bool:
        return self.delete_box.isChecked()

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(self)
        self.remove_button = QPushButton(self.tr("Remove"), self)
        self.remove_button.setObjectName("confirm_removal")
        self.remove_button.setProperty("role", "danger")
        self.remove_button.setAutoDefault(False)
        self.cancel_button = QPushButton(self.tr("Cancel"), self)
        buttons.addButton(self.remove_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.cancel_button, QDialogButtonBox.ButtonRole.RejectRole)
        self.cancel_button.setDefault(True)
        self.cancel_button.setFocus()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _describe(self, plan: RemovalPlan, names: list[str]) -> list[tuple[str, str]]:
        lines: list[tuple[str, str]] = []
        if len(names) > 1:
            shown = "\n".join(names[:4])
            more = self.tr("\nand {0} more").format(len(names) - 4) if len(names) > 4 else ""
            lines.append((shown + more, "muted"))
        if plan.draft_count:
            text = (
                self.tr("▲ An unsigned draft report will be lost.")
                if plan.draft_count == 1
                else self.tr("▲ {0} unsigned draft reports will be lost.").format(plan.draft_count)
            )
            lines.append((text, "warning"))
        if plan.signed_count:
            text = self.tr(
                "Signed reports are kept. Studies that have one ({0} here) only leave the list; "
                "the filter “Removed, report kept” shows them."
            )
            lines.append((text.format(plan.signed_count), ""))
        text = self.tr(
            "The film files stay where they are, unless you ask otherwise; importing them again "
            "lists the study again. The removal is written to the audit log."
        )
        lines.append((text, ""))
        return lines

    def _deletion_words(self, plan: RemovalPlan) -> str:
        films = sum(len(study.films) for study in plan.studies if not study.keeps_report)
        if films == 1:
            return self.tr("Also delete the film file from the disk")
        return self.tr("Also delete the {0} film files from the disk").format(films)
