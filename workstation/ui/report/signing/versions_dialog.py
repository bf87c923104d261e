"""The versions of one report, and what differs between any two of them."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from workstation.reporting.report_state import SECTIONS, ReportState
from workstation.reporting.versions.report_version import ReportVersion
from workstation.reporting.versions.version_difference import (
    DifferencePiece,
    compare_texts,
    count_words,
)
from workstation.ui.report.signing.version_wording import format_utc, name_kind, name_version
from workstation.ui.screen_fit import resize_on_screen
from workstation.ui.theme import COLOURS, report_font

_DELETED = '<s style="color:{colour}">[−&nbsp;{text}&nbsp;−]</s>'
_INSERTED = '<b style="color:{colour}"><u>{{+&nbsp;{text}&nbsp;+}}</u></b>'

_INSERTED_INK = (_INSERTED, COLOURS.accent)


class VersionsDialog(QDialog):
    """versions: oldest first, at least one. current: the text under edit, compared as the newest.

    At the start the newest AI draft is compared with what was signed, or is being edited.
    """

    def __init__(
        self,
        versions: Sequence[ReportVersion],
        current: ReportState | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("versions_dialog")
        self.setWindowTitle(self.tr("Versions of the report"))
        resize_on_screen(self, 860, 620)
        self._versions = list(versions)
        self._texts: list[tuple[str, ReportState]] = [
            (name_version(each), each.state) for each in versions
        ]
        if current is not None:
            self._texts.append((self.tr("Now, being edited"), current))
        self._make_list()
        self.before_box = self._make_box(self.tr("From"))
        self.after_box = self._make_box(self.tr("To"))
        self.summary_label = QLabel(self)
        self.summary_label.setObjectName("difference_summary")
        self.view = QTextBrowser(self)
        self.view.setObjectName("difference_view")
        self.view.setAccessibleName(self.tr("Difference between the two versions"))
        self.view.setOpenLinks(False)
        self.view.setFont(report_font())
        self.view.setProperty("role", "report")
        self._lay_out()
        self._choose_first()
        self.before_box.currentIndexChanged.connect(self._compare)
        self.after_box.currentIndexChanged.connect(self._compare)
        self.list.currentRowChanged.connect(self._on_row)
        self._compare()

    def _make_list(self) -> None:
        self.list = QListWidget(self)
        self.list.setObjectName("versions_list")
        self.list.setAccessibleName(self.tr("Versions"))
        self.list.setWordWrap(True)
        self.list.setSpacing(4)
        for version in self._versions:
            lines = [f"{version.number}   {name_kind(version.kind)}"]
            lines += [each for each in self._about(version) if each]
            self.list.addItem(QListWidgetItem("\n".join(lines)))
        if len(self._texts) > len(self._versions):
            self.list.addItem(QListWidgetItem(self._texts[-1][0]))

    def _about(self, version: ReportVersion) -> tuple[str, ...]:
        if version.kind == "ai-draft":
            model = version.origin.model_name
            who = self.tr("by {0}").format(model) if model else ""
        elif version.kind == "set-aside":
            who = self.tr("written by {0}, not saved").format(version.author)
        else:
            who = self.tr("signed by {0}").format(version.author)
        reason = self.tr("Reason: {0}").format(version.reason) if version.reason else ""
        return who, format_utc(version.created_at), reason

    def _make_box(self, name: str) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for words, _ in self._texts:
            box.addItem(words)
        return box

    def _lay_out(self) -> None:
        legend = QLabel(self.tr("[− struck through −] was taken out   {+ underlined +} was put in"))
        legend.setProperty("role", "muted")
        right = QWidget(self)
        grid = QGridLayout(right)
        grid.setContentsMargins(8, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        for row, box in enumerate((self.before_box, self.after_box)):
            label = QLabel(box.accessibleName(), right)
            label.setBuddy(box)
            grid.addWidget(label, row, 0)
            grid.addWidget(box, row, 1)
        grid.addWidget(self.summary_label, 2, 0, 1, 2)
        grid.addWidget(self.view, 3, 0, 1, 2)
        grid.addWidget(legend, 4, 0, 1, 2)
        grid.setRowStretch(3, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal, self)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.list)
        splitter.addWidget(right)
        splitter.setSizes([230, 620])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 12)
        layout.addWidget(splitter, 1)
        layout.addWidget(buttons)

    def _choose_first(self) -> None:
        newest = len(self._texts) - 1
        drafts = [n for n, each in enumerate(self._versions) if each.kind == "ai-draft"]
        before = drafts[-1] if drafts else 0
        if self._versions[before].kind == "ai-draft" and before == newest and before > 0:
            before -= 1
        self.before_box.setCurrentIndex(before)
        self.after_box.setCurrentIndex(newest)
        self.list.setCurrentRow(newest)

    def _on_row(self, row: int) -> None:
        """A version of the list against the one before it."""
        self.after_box.setCurrentIndex(row)
        if row > 0 and self.before_box.currentIndex() >= row:
            self.before_box.setCurrentIndex(row - 1)

    def _compare(self) -> None:
        _, before = self._texts[self.before_box.currentIndex()]
        _, after = self._texts[self.after_box.currentIndex()]
        headings = {"findings": self.tr("Findings"), "impression": self.tr("Impression")}
        parts: list[str] = []
        all_pieces: list[DifferencePiece] = []
        for section in SECTIONS:
            pieces = compare_texts(before.text(section), after.text(section))
            all_pieces += pieces
            parts.append(f"<h4>{html.escape(headings[section])}</h4><p>{as_html(pieces)}</p>")
        self.view.setHtml("".join(parts))
        deleted, inserted = (count_words(all_pieces, kind) for kind in ("deleted", "inserted"))
        if deleted or inserted:
            words = self.tr("Words taken out: {0} · put in: {1}").format(deleted, inserted)
        else:
            words = self.tr("The two say the same.")
        self.summary_label.setText(words)


def as_html(pieces: Sequence[DifferencePiece]) -> str:
    """Deletions struck through in [− −], insertions bold and underlined in {+ +}: told apart
    without colour."""
    parts = []
    for piece in pieces:
        text = html.escape(piece.text).replace("\n", "<br>")
        if piece.kind == "same":
            parts.append(text)
            continue
        form, ink = (_DELETED, COLOURS.amber) if piece.kind == "deleted" else _INSERTED_INK
        marked = form.format(colour=ink, text=text.strip())
        before = " " if piece.text[:1].isspace() else ""
        after = " " if piece.text[-1:].isspace() or piece.kind == "deleted" else ""
        parts.append(before + marked + after)
    return "".join(parts) or "—"
