"""What a report has to say here, and what has to be settled before it is signed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from inference.report_language import CONCEPTS, REGIONS
from workstation.reporting.checks.report_check import CheckRule
from workstation.reporting.checks.site_rules import CHOOSABLE, DEFAULT_RULES, SiteRules, make_rules


class RulesDialog(QDialog):
    """rules_chosen(SiteRules) when Save is pressed. may_change: False only shows them."""

    rules_chosen = Signal(object)

    def __init__(
        self, rules: SiteRules, *, may_change: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("rules_dialog")
        self.setWindowTitle(self.tr("Required of a report"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(True)
        self.resize(760, 560)
        self._may_change = may_change
        self.concept_boxes = {
            concept.name: self._box(concept.label[0].upper() + concept.label[1:])
            for concept in CONCEPTS
        }
        self.rule_boxes = {rule: self._box(words) for rule, words in self._rule_words().items()}
        self._make_buttons()
        self._lay_out()
        self.show_rules(rules)

    def _rule_words(self) -> dict[CheckRule, str]:
        words: dict[CheckRule, str] = {
            "not_stated": self.tr("A required finding is neither stated nor denied"),
            "section_empty": self.tr("Findings or impression are empty"),
            "finding_without_impression": self.tr("An acute finding is not in the impression"),
            "impression_without_finding": self.tr("The impression names what the findings don't"),
            "repeated_sentence": self.tr("The same sentence stands twice"),
            "side_left_out": self.tr("The impression names one of two affected sides"),
        }
        return {rule: words[rule] for rule in CHOOSABLE}

    def _box(self, text: str) -> QCheckBox:
        box = QCheckBox(text, self)
        box.setEnabled(self._may_change)
        return box

    def _make_buttons(self) -> None:
        self.buttons = QDialogButtonBox(self)
        self.save_button = QPushButton(self.tr("Save"), self)
        self.save_button.setProperty("role", "primary")
        self.default_button = QPushButton(self.tr("As delivered"), self)
        self.close_button = QPushButton(
            self.tr("Cancel") if self._may_change else self.tr("Close"), self
        )
        roles = QDialogButtonBox.ButtonRole
        self.buttons.addButton(self.save_button, roles.AcceptRole)
        self.buttons.addButton(self.default_button, roles.ResetRole)
        self.buttons.addButton(self.close_button, roles.RejectRole)
        for button in (self.save_button, self.default_button):
            button.setVisible(self._may_change)
        self.default_button.clicked.connect(self._show_defaults)
        self.buttons.accepted.connect(self._save)
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        columns = QHBoxLayout()
        columns.setSpacing(22)
        columns.addLayout(self._concepts_column(), 1)
        columns.addLayout(self._rules_column(), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addLayout(columns, 1)
        if not self._may_change:
            layout.addWidget(self._note(self.tr("Only who keeps the accounts may change this.")))
        layout.addWidget(self.buttons)

    def _concepts_column(self) -> QVBoxLayout:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(2, 2, 8, 2)
        column.setSpacing(3)
        for region in REGIONS:
            named = [concept for concept in CONCEPTS if concept.region == region]
            if not named:
                continue
            label = QLabel(region.capitalize(), inside)
            label.setProperty("role", "muted")
            label.setContentsMargins(0, 7, 0, 0)
            column.addWidget(label)
            for concept in named:
                column.addWidget(self.concept_boxes[concept.name])
        column.addStretch(1)
        area = QScrollArea(self)
        area.setObjectName("required_concepts")
        area.setAccessibleName(self.tr("Findings every report has to state or deny"))
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        whole = QVBoxLayout()
        whole.addWidget(self._heading(self.tr("Every report states or denies")))
        whole.addWidget(area, 1)
        return whole

    def _rules_column(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(self._heading(self.tr("To be settled before signing")))
        column.addWidget(
            self._note(
                self.tr(
                    "Ticked: the report can't be signed as final until it is solved, or set aside "
                    "with a reason that is kept. Otherwise it is only shown."
                )
            )
        )
        for box in self.rule_boxes.values():
            column.addWidget(box)
        column.addSpacing(8)
        column.addWidget(
            self._note(
                self.tr(
                    "Always to be settled: contradictions, sides that differ between findings and "
                    "impression, and placeholders that are still to be filled in."
                )
            )
        )
        column.addStretch(1)
        return column

    def _heading(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("role", "heading")
        return label

    def _note(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("role", "muted")
        label.setWordWrap(True)
        return label

    # -- what is chosen ----------------------------------------------------------------------

    def show_rules(self, rules: SiteRules) -> None:
        for name, box in self.concept_boxes.items():
            box.setChecked(name in rules.required)
        for rule, box in self.rule_boxes.items():
            box.setChecked(rule in rules.must_settle)

    @property
    def rules(self) -> SiteRules:
        """As ticked now."""
        return make_rules(
            (name for name, box in self.concept_boxes.items() if box.isChecked()),
            (rule for rule, box in self.rule_boxes.items() if box.isChecked()),
        )

    def _show_defaults(self) -> None:
        self.show_rules(DEFAULT_RULES)

    def _save(self) -> None:
        self.rules_chosen.emit(self.rules)
        self.accept()
