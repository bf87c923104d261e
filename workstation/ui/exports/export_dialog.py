"""In which forms a report leaves, and where to; with a look at what will be read there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from workstation.exports.export_formats import DICOM_FORMATS, FORMATS, ExportFormat, ExportOptions
from workstation.network.report_sender import ReportSender
from workstation.ui.exports.export_jobs import (
    ExportChoices,
    ExportJobs,
    ExportOutcome,
    ReportPreview,
)
from workstation.ui.exports.export_wording import describe_format, name_format, name_status
from workstation.ui.exports.page_view import PageView
from workstation.ui.screen_fit import resize_on_screen
from workstation.ui.theme import report_font


class ExportDialog(QDialog):
    """study_uid: whose report. senders: the servers it can be sent to. print_asked(), copy_asked():
    for who does that. chosen: what was chosen last, the formats and the folder."""

    print_asked = Signal()
    copy_asked = Signal()

    def __init__(
        self,
        study_uid: str,
        jobs: ExportJobs,
        senders: Sequence[ReportSender],
        chosen: ExportChoices,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle(self.tr("Export the report"))
        self.setModal(True)
        resize_on_screen(self, 1040, 760)
        self._study_uid, self._jobs, self._senders = study_uid, jobs, list(senders)
        self._is_stale = False
        self._make_choices(chosen)
        self._make_preview()
        self._make_buttons()
        self._lay_out()
        self._connect()
        self._update()
        self.refresh()

    @property
    def options(self) -> ExportOptions:
        return ExportOptions(
            self.images_box.isChecked(),
            self.measurements_box.isChecked(),
            self.images_box.isChecked() and self.films_box.isChecked(),
        )

    @property
    def choices(self) -> ExportChoices:
        """What is chosen now."""
        formats = tuple(form for form in FORMATS if self.format_boxes[form].isChecked())
        folder = self.folder_field.text().strip()
        is_saved = self.folder_box.isChecked() and folder
        index = self.server_combo.currentIndex()
        is_sent = self.server_box.isChecked() and index >= 0
        return ExportChoices(
            formats,
            self.options,
            Path(folder).expanduser() if is_saved else None,
            self._senders[index] if is_sent else None,
        )

    # -- making ------------------------------------------------------------------------------

    def _make_choices(self, chosen: ExportChoices) -> None:
        self.format_boxes: dict[ExportFormat, QCheckBox] = {}
        for form in FORMATS:
            box = QCheckBox(name_format(form), self)
            box.setObjectName(f"format_{form}")
            box.setToolTip(describe_format(form))
            box.setChecked(form in chosen.formats)
            self.format_boxes[form] = box
        self.images_box = self._check_box(
            "with_images", self.tr("&Key images in the PDF"), chosen.options.with_images
        )
        self.images_box.setToolTip(self.tr("What was kept of the films, else the whole films"))
        self.films_box = self._check_box(
            "with_whole_films", self.tr("&Whole films after them"), chosen.options.with_whole_films
        )
        self.measurements_box = self._check_box(
            "with_measurements", self.tr("&Measurements"), chosen.options.with_measurements
        )
        self.folder_box = self._check_box("to_folder", self.tr("Save in a &folder"), True)
        self.folder_field = QLineEdit(str(chosen.folder or ""), self)
        self.folder_field.setObjectName("export_folder")
        self.folder_field.setAccessibleName(self.tr("Folder"))
        self.folder_field.setPlaceholderText(self.tr("Choose a folder"))
        self.browse_button = QPushButton(self.tr("&Browse…"), self)
        self.server_box = self._check_box("to_server", self.tr("Send to a &server"), False)
        self.server_combo = QComboBox(self)
        self.server_combo.setObjectName("export_server")
        self.server_combo.setAccessibleName(self.tr("Server"))
        for sender in self._senders:
            self.server_combo.addItem(sender.destination)
        self.server_box.setEnabled(bool(self._senders))
        self.server_combo.setVisible(bool(self._senders))

    def _check_box(self, name: str, text: str, is_checked: bool) -> QCheckBox:
        box = QCheckBox(text, self)
        box.setObjectName(name)
        box.setChecked(is_checked)
        return box

    def _make_preview(self) -> None:
        self.status_label = QLabel(self.tr("Making the pages…"), self)
        self.status_label.setObjectName("export_status")
        self.status_label.setProperty("role", "heading")
        self.status_label.setWordWrap(True)
        self.page_view = PageView(self)
        self.text_view = QPlainTextEdit(self)
        self.text_view.setObjectName("export_text")
        self.text_view.setAccessibleName(self.tr("Report as text"))
        self.text_view.setReadOnly(True)
        self.text_view.setFont(report_font())
        self.text_view.setProperty("role", "report")
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("export_preview")
        self.tabs.tabBar().setAccessibleName(self.tr("Preview"))
        self.tabs.addTab(self.page_view, self.tr("Pages"))
        self.tabs.addTab(self.text_view, self.tr("Text"))

    def _make_buttons(self) -> None:
        self.result_label = self._label("export_result", "muted")
        self.failure_label = self._label("export_failure", "error")
        self.progress = QProgressBar(self)
        self.progress.setAccessibleName(self.tr("Export under way"))
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(4)
        self.export_button = self._button("do_export", self.tr("E&xport"))
        self.export_button.setProperty("role", "primary")
        self.export_button.setDefault(True)
        self.print_button = self._button("do_print", self.tr("&Print…"))
        self.copy_button = self._button("do_copy", self.tr("&Copy text"))
        self.close_button = self._button("close_export", self.tr("Close"))

    def _label(self, name: str, role: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.hide()
        return label

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAutoDefault(False)
        return button

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(6)
        self._add_group(left, self.tr("Forms"), list(self.format_boxes.values()))
        boxes = [self.images_box, self.films_box, self.measurements_box]
        self._add_group(left, self.tr("With"), boxes)
        folder = QHBoxLayout()
        folder.addWidget(self.folder_field, 1)
        folder.addWidget(self.browse_button)
        self._add_group(left, self.tr("Where to"), [self.folder_box])
        left.addLayout(folder)
        left.addSpacing(4)
        left.addWidget(self.server_box)
        left.addWidget(self.server_combo)
        note = QLabel(self._server_note(), self)
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        left.addWidget(note)
        left.addStretch(1)
        left.addWidget(self.result_label)
        left.addWidget(self.failure_label)
        right = QVBoxLayout()
        right.addWidget(self.status_label)
        right.addWidget(self.tabs, 1)
        columns = QHBoxLayout()
        columns.setSpacing(18)
        columns.addLayout(left, 0)
        columns.addLayout(right, 1)
        buttons = QHBoxLayout()
        for button in (self.copy_button, self.print_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.close_button, self.export_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addLayout(columns, 1)
        layout.addWidget(self.progress)
        layout.addLayout(buttons)
        self.folder_field.setMinimumWidth(220)

    def _add_group(self, layout: QVBoxLayout, title: str, boxes: Sequence[QCheckBox]) -> None:
        heading = QLabel(title, self)
        heading.setProperty("role", "heading")
        if layout.count():
            layout.addSpacing(10)
        layout.addWidget(heading)
        for box in boxes:
            layout.addWidget(box)

    def _server_note(self) -> str:
        if not self._senders:
            return self.tr("No DICOM server is set up: File → Network…")
        names = self.tr(" and ").join(name_format(form) for form in DICOM_FORMATS)
        return self.tr("A server takes {0}.").format(names)

    def _connect(self) -> None:
        for box in (*self.format_boxes.values(), self.folder_box, self.server_box):
            box.toggled.connect(self._update)
        self.folder_field.textChanged.connect(self._update)
        self.images_box.toggled.connect(self.refresh)
        self.films_box.toggled.connect(self.refresh)
        self.measurements_box.toggled.connect(self.refresh)
        self.browse_button.clicked.connect(self._browse)
        self.export_button.clicked.connect(self._export)
        self.print_button.clicked.connect(self.print_asked)
        self.copy_button.clicked.connect(self.copy_asked)
        self.close_button.clicked.connect(self.reject)
        self._jobs.previewed.connect(self._show_preview)
        self._jobs.exported.connect(self._show_outcome)
        self._jobs.failed.connect(self.show_failure)
        self._jobs.finished.connect(self._on_finished)

    # -- doing -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Make the preview anew, now or when what runs has ended."""
        self._is_stale = not self._jobs.preview(self._study_uid, self.options)
        self._update()

    def _browse(self) -> None:
        title = self.tr("Folder for the report")
        chosen = QFileDialog.getExistingDirectory(self, title, self.folder_field.text())
        if chosen:
            self.folder_field.setText(chosen)

    def _export(self) -> None:
        self._say("", "")
        self._jobs.export(self._study_uid, self.choices)
        self._update()

    def _show_preview(self, preview: ReportPreview) -> None:
        self.status_label.setText(name_status(preview.report))
        role = "heading" if preview.report.is_signed else "warning"
        self._set_role(self.status_label, role)
        scrolled = self.page_view.verticalScrollBar().value()
        self.page_view.show_pages(preview.pages)
        self.page_view.verticalScrollBar().setValue(scrolled)
        self.text_view.setPlainText(preview.text)

    def _show_outcome(self, outcome: ExportOutcome) -> None:
        done = [self.tr("✓ {0}").format(path.name) for path in outcome.written]
        done += [
            self.tr("✓ {0}: sent to {1}").format(name_format(form), where)
            for form, where in outcome.sent
        ]
        failures = [
            self.tr("✕ {0}: {1}").format(name_format(form), reason)
            for form, reason in outcome.failures
        ]
        self._say("\n".join(done), "\n".join(failures))

    def show_failure(self, reason: str) -> None:
        """Why nothing came of it."""
        self._say("", self.tr("✕ {0}").format(reason))

    def show_done(self, text: str) -> None:
        """Something that went well."""
        self._say(self.tr("✓ {0}").format(text), "")

    def _say(self, done: str, failures: str) -> None:
        for label, text in ((self.result_label, done), (self.failure_label, failures)):
            label.setText(text)
            label.setVisible(bool(text))

    def _set_role(self, label: QLabel, role: str) -> None:
        label.setProperty("role", role)
        label.style().unpolish(label)
        label.style().polish(label)

    def _on_finished(self) -> None:
        if self._is_stale:
            self.refresh()
        self._update()

    def _update(self) -> None:
        """What can be done now."""
        choices, is_idle = self.choices, not self._jobs.is_running
        is_for_server = bool(set(choices.formats) & set(DICOM_FORMATS))
        has_place = choices.folder is not None or (choices.sender is not None and is_for_server)
        is_ready = is_idle and bool(self.text_view.toPlainText())
        self.export_button.setEnabled(is_ready and bool(choices.formats) and has_place)
        self.print_button.setEnabled(is_ready)
        self.copy_button.setEnabled(is_ready)
        self.films_box.setEnabled(self.images_box.isChecked())
        self.folder_field.setEnabled(self.folder_box.isChecked())
        self.browse_button.setEnabled(self.folder_box.isChecked())
        self.server_combo.setEnabled(self.server_box.isChecked() and bool(self._senders))
        self.progress.setVisible(not is_idle)

    def closeEvent(self, event: QCloseEvent) -> None:
        """An export under way is waited for."""
        self._jobs.shutdown()
        super().closeEvent(event)
