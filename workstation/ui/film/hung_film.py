"""A film that hangs, or can hang, in a viewport: whose it is, and how that is said on screen."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject

from workstation.catalog.study_rows import InstanceRow, StudyRow
from workstation.reading.hanging import PatientMatch, days_between
from workstation.ui.film.header_wording import iso_date
from workstation.ui.viewer.viewport import FilmRole


@dataclass(frozen=True)
class HungFilm:
    """row: the catalog's line about it. caption: date, view and, of another study, how long
    before or after it was taken and what of the patient agrees."""

    study_instance_uid: str
    row: InstanceRow
    role: FilmRole
    caption: str
    date: str = ""

    @property
    def is_current(self) -> bool:
        """Of the study being read."""
        return self.role == "current"


class HangingWording(QObject):
    """Captions, translated."""

    def current(self, study: StudyRow, row: InstanceRow) -> HungFilm:
        words = (iso_date(study.study_date), self.view(row))
        caption = " · ".join(word for word in words if word)
        return HungFilm(study.study_instance_uid, row, "current", caption, study.study_date)

    def of_other_study(
        self, study: StudyRow, other: StudyRow, row: InstanceRow, match: PatientMatch
    ) -> HungFilm:
        """A film of another study of the same patient; match: how that is known."""
        days = days_between(other.study_date, study.study_date)
        taken = (other.study_date, other.study_time)
        role: FilmRole = "later" if taken > (study.study_date, study.study_time) else "prior"
        words = (
            iso_date(other.study_date) or self.tr("no date"),
            self.gap(days) if days is not None else "",
            self.view(row),
            self.agreement(match),
        )
        caption = " · ".join(word for word in words if word)
        return HungFilm(other.study_instance_uid, row, role, caption, other.study_date)

    def view(self, row: InstanceRow) -> str:
        return row.view_position or row.modality or "?"

    def agreement(self, match: PatientMatch) -> str:
        names = {
            "ID": self.tr("patient ID"),
            "birth date": self.tr("birth date"),
            "name": self.tr("name"),
        }
        agreed = ", ".join(names[each] for each in match.agreed)
        return self.tr("same {0}").format(agreed)

    def difference(self, match: PatientMatch) -> str:
        """Why two studies are not taken for one patient's."""
        names = {
            "ID": self.tr("the patient IDs differ"),
            "birth date": self.tr("the birth dates differ"),
            "name": self.tr("the names differ"),
        }
        if match.differing:
            return ", ".join(names[each] for each in match.differing)
        return self.tr("patient ID and birth date or name must agree")

    def gap(self, days: int) -> str:
        """How long before the current study; negative: after it."""
        count, unit = _largest_unit(abs(days))
        if count == 0:
            return self.tr("same day")
        words = {
            "day": (self.tr("1 day"), self.tr("{0} days")),
            "week": (self.tr("1 week"), self.tr("{0} weeks")),
            "month": (self.tr("1 month"), self.tr("{0} months")),
            "year": (self.tr("1 year"), self.tr("{0} years")),
        }[unit]
        span = words[0] if count == 1 else words[1].format(count)
        direction = self.tr("{0} earlier") if days > 0 else self.tr("{0} later")
        return direction.format(span)


def _largest_unit(days: int) -> tuple[int, str]:
    """Days up to two weeks, weeks up to nine, months up to two years, then years."""
    if days < 14:
        return days, "day"
    if days < 63:
        return days // 7, "week"
    if days < 731:
        return round(days / 30.44), "month"
    return int(days / 365.25), "year"
