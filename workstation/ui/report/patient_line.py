"""Whose report it is: said over the report and in the dialog that signs it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from workstation.catalog.study_rows import StudyRow
from workstation.ui.film.header_wording import age_at, iso_date, join_present


@dataclass(frozen=True)
class ReportPatient:
    """name: as the study list has it. details: ID, birth date, age and sex, then the study."""

    name: str
    details: str

    @property
    def line(self) -> str:
        return join_present(self.name, self.details)


def describe_patient(study: StudyRow) -> ReportPatient:
    translate = QCoreApplication.translate
    born = iso_date(study.patient_birth_date)
    return ReportPatient(
        study.patient_name or translate("report", "(no name)"),
        join_present(
            translate("report", "ID {0}").format(study.patient_id) if study.patient_id else "",
            translate("report", "born {0}").format(born) if born else "",
            age_at(study.patient_birth_date, study.study_date),
            study.patient_sex,
            iso_date(study.study_date),
            "/".join(study.modalities),
            study.study_description,
        ),
    )
