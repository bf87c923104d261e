"""Patient and view of a PNG or JPEG, asked once, skipped as easily."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workstation.intake.picture_details import LATERALITIES, SEXES, VIEWS, PictureDetails
from workstation.ui.film.header_wording import iso_date, parse_dicom_date

_PREVIEW = 112


@dataclass(frozen=True)
class UndescribedPicture:
    """A PNG or JPEG in the catalog, of which nobody has said yet whose it is."""

    study_instance_uid: str
    sop_instance_uid: str
    path: Path


class PictureForm(QDialog):
    """One picture at a time. details_given(PictureDetails, joins_study); skipped(all_of_them)."""

    details_given = Signal(object, bool)
    skipped = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("picture_form")
        self.setWindowTitle(self.tr("Patient and view"))
        self.setMinimumWidth(500)
        self.heading = QLabel(self)
        self.heading.setProperty("role", "heading")
        self.preview = QLabel(self)
        self.preview.setFixedSize(_PREVIEW, _PREVIEW)
        self.preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.preview.setAccessibleName(self.tr("The picture"))
        self.name_field = self._field(self.tr("Family^Given"))
        self.id_field = self._field("")
        self.birth_field = self._field(self.tr("YYYY-MM-DD"))
        self.date_field = self._field(self.tr("YYYY-MM-DD"))
        self.sex_box = self._box(SEXES, (self.tr("unknown"), self.tr("female"), self.tr("male"),
                                         self.tr("other")))  # fmt: skip
        self.view_box = self._box(
            VIEWS,
            (self.tr("unknown"), self.tr("PA, frontal"), self.tr("AP, frontal"),
             self.tr("LL, left lateral"), self.tr("RL, right lateral")),
        )  # fmt: skip
        self.laterality_box = self._box(
            LATERALITIES,
            (self.tr("not stated"), self.tr("right"), self.tr("left"), self.tr("both sides"),
             self.tr("unpaired")),
        )  # fmt: skip
        self.same_box = QCheckBox(self)
        self.same_box.setObjectName("same_study")
        self.trouble_label = QLabel(self)
        self.trouble_label.setProperty("role", "warning")
        self.trouble_label.setWordWrap(True)
        self._make_buttons()
        self._lay_out()
        for field in (self.birth_field, self.date_field):
            field.textChanged.connect(self._check)
        self._previous: PictureDetails | None = None

    def show_picture(
        self, picture: UndescribedPicture, guessed: PictureDetails, left: int, previous_study: str
    ) -> None:
        """Ask about this one. left: how many come after it; previous_study: the patient's whose
        study it may join, "" for none."""
        self.heading.setText(picture.path.name)
        self.preview.clear()
        given = self._previous
        for field, value in (
            (self.name_field, given.patient_name if given else guessed.patient_name),
            (self.id_field, given.patient_id if given else guessed.patient_id),
            (self.birth_field, iso_date(given.patient_birth_date) if given else ""),
            (self.date_field, iso_date(given.study_date if given else guessed.study_date)),
        ):
            field.setText(value)
        self.sex_box.setCurrentIndex(SEXES.index(given.patient_sex) if given else 0)
        self.view_box.setCurrentIndex(VIEWS.index(guessed.view_position))
        self.laterality_box.setCurrentIndex(0)
        self.same_box.setText(self.tr("Another view of the study of {0}").format(previous_study))
        self.same_box.setVisible(bool(previous_study))
        self.same_box.setChecked(bool(previous_study))
        self.skip_all_button.setVisible(left > 0)
        self.skip_all_button.setText(self.tr("Skip all {0}").format(left + 1))
        self.trouble_label.hide()
        self._set_busy(False)
        self._check()
        self.name_field.setFocus()
        self.name_field.selectAll()

    def show_preview(self, picture: QImage) -> None:
        """The small picture, when it has been made."""
        shown = QPixmap.fromImage(picture).scaled(
            self.preview.size(),
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self.preview.setPixmap(shown)

    def show_trouble(self, reason: str) -> None:
        """It could not be saved; what was typed stays."""
        self.trouble_label.setText(f"▲ {reason}")
        self.trouble_label.show()
        self._set_busy(False)

    @property
    def details(self) -> PictureDetails:
        return PictureDetails(
            patient_name=self.name_field.text().strip(),
            patient_id=self.id_field.text().strip(),
            patient_birth_date=_dicom_date(self.birth_field.text()),
            patient_sex=self.sex_box.currentData(),
            study_date=_dicom_date(self.date_field.text()),
            view_position=self.view_box.currentData(),
            image_laterality=self.laterality_box.currentData(),
        )

    def reject(self) -> None:
        """Esc and the window's cross: nothing more is asked."""
        super().reject()
        self.skipped.emit(True)

    def _field(self, hint: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setPlaceholderText(hint)
        return field

    def _box(self, values: tuple[str, ...], words: tuple[str, ...]) -> QComboBox:
        box = QComboBox(self)
        for value, word in zip(values, words, strict=True):
            box.addItem(word, value)
        return box

    def _make_buttons(self) -> None:
        self.save_button = QPushButton(self.tr("Save"), self)
        self.save_button.setObjectName("save_details")
        self.save_button.setProperty("role", "primary")
        self.save_button.setDefault(True)
        self.save_button.clicked.connect(self._save)
        self.skip_button = QPushButton(self.tr("Skip: anonymous"), self)
        self.skip_button.setToolTip(self.tr("The picture stays in the list without a patient"))
        self.skip_button.setAutoDefault(False)
        self.skip_button.clicked.connect(self._skip)
        self.skip_all_button = QPushButton(self)
        self.skip_all_button.setAutoDefault(False)
        self.skip_all_button.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(7)
        for words, widget in (
            (self.tr("&Name"), self.name_field),
            (self.tr("Patient &ID"), self.id_field),
            (self.tr("&Born"), self.birth_field),
            (self.tr("Se&x"), self.sex_box),
            (self.tr("&Date of the film"), self.date_field),
            (self.tr("&View"), self.view_box),
            (self.tr("Si&de"), self.laterality_box),
        ):
            form.addRow(words, widget)
            widget.setAccessibleName(words.replace("&", ""))
        upper = QHBoxLayout()
        upper.setSpacing(16)
        upper.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignTop)
        upper.addLayout(form, 1)
        note = QLabel(
            self.tr("A picture says nothing about the patient. What you write here is kept with "
                    "it and in the audit log; the file itself is not changed."),
            self,
        )  # fmt: skip
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.skip_all_button, self.skip_button, self.save_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        for part in (self.heading, note):
            layout.addWidget(part)
        layout.addLayout(upper)
        layout.addWidget(self.same_box)
        layout.addWidget(self.trouble_label)
        layout.addLayout(buttons)

    def _check(self) -> None:
        is_wrong = False
        for field in (self.birth_field, self.date_field):
            text = field.text().strip()
            is_bad = bool(text) and not _dicom_date(text)
            field.setToolTip(self.tr("Not a date: write it as 2026-04-12") if is_bad else "")
            is_wrong |= is_bad
        if is_wrong:
            self.trouble_label.setText(self.tr("▲ Write dates as 2026-04-12."))
        self.trouble_label.setVisible(is_wrong)
        self.save_button.setEnabled(not is_wrong)

    def _set_busy(self, is_busy: bool) -> None:
        for button in (self.save_button, self.skip_button, self.skip_all_button):
            button.setEnabled(not is_busy)

    def _save(self) -> None:
        self._previous = self.details
        self._set_busy(True)
        joins = self.same_box.isChecked() and not self.same_box.isHidden()
        self.details_given.emit(self.details, joins)

    def _skip(self) -> None:
        self.skipped.emit(False)


def _dicom_date(text: str) -> str:
    """ "2026-04-12", "20260412" and "2026.04.12" as YYYYMMDD; "" for anything else."""
    parsed = parse_dicom_date(text.replace("/", "-"))
    return parsed.strftime("%Y%m%d") if parsed else ""
