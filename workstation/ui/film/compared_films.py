"""Films of other studies that may hang beside the open one: only of surely the same patient."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from workstation.catalog.study_catalog import StudyCatalog
from workstation.catalog.study_rows import StudyRow
from workstation.dicom.film import Film
from workstation.reading.hanging import Prior, find_counterpart, find_priors, match_patients
from workstation.ui.film.hung_film import HangingWording, HungFilm
from workstation.ui.film.shared_films import issuer_of


class AnotherPatient(ValueError):
    """The study is not surely of the same patient; the argument says why."""


class ComparedFilms(QObject):
    """Of one open study: its newest prior's films, and those of other studies brought in."""

    def __init__(
        self, catalog: StudyCatalog, wording: HangingWording, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._catalog, self._wording = catalog, wording
        self._study: StudyRow | None = None
        self.films: list[HungFilm] = []

    @property
    def priors(self) -> list[HungFilm]:
        """The films taken before the open study."""
        return [film for film in self.films if film.role == "prior"]

    def clear(self) -> None:
        self._study, self.films = None, []

    def open(self, study: StudyRow, priors: Sequence[Prior]) -> None:
        """priors: those of the study, the newest first. Raises CatalogUnavailable."""
        self.clear()
        self._study = study
        self._add_newest(priors)

    def look_for_prior(self, study: StudyRow) -> None:
        """A prior that came since, before those that are there. Raises CatalogUnavailable,
        UnknownStudy."""
        self._study = study
        self._add_newest(find_priors(self._catalog, study.study_instance_uid))

    def _add_newest(self, priors: Sequence[Prior]) -> None:
        """The newest prior's films that are not there yet, before those that are."""
        if self._study is None or not priors:
            return
        study, prior = self._study, priors[0]
        known = {film.row.sop_instance_uid for film in self.films}
        rows = self._catalog.instances(prior.study.study_instance_uid)
        word = self._wording.of_other_study
        new = [row for row in rows if row.sop_instance_uid not in known]
        self.films[:0] = [word(study, prior.study, row, prior.match) for row in new]

    def bring(self, study_instance_uid: str) -> list[HungFilm]:
        """The films of another study. Raises AnotherPatient, CatalogUnavailable, UnknownStudy."""
        assert self._study is not None
        known = [each for each in self.films if each.study_instance_uid == study_instance_uid]
        if known:
            return known
        other = self._catalog.study(study_instance_uid)
        match = match_patients(self._study, other)
        if not match.is_same:
            raise AnotherPatient(self._wording.difference(match))
        rows = self._catalog.instances(study_instance_uid)
        word = self._wording.of_other_study
        films = [word(self._study, other, row, match) for row in rows]
        self.films.extend(films)
        return films

    def like(self, film: HungFilm | None, among: list[HungFilm]) -> HungFilm | None:
        """The film of the same view, to compare one with."""
        if film is None or not among:
            return None
        index = find_counterpart([each.row for each in among], film.row.view_position)
        return among[index] if index is not None else None

    def reason_to_refuse(self, film: Film, current: Film | None) -> str:
        """The files have the last word on whose a prior is, not the catalog. "" for nothing
        against it."""
        if current is None:
            return ""
        match = match_patients(current.header, film.header)
        if not match.is_same:
            reason = self._wording.difference(match)
            return self.tr("not surely the same patient: {0}").format(reason)
        issuers = issuer_of(current), issuer_of(film)
        if all(issuers) and issuers[0] != issuers[1]:
            text = self.tr("the patient IDs have different issuers: {0} and {1}")
            return text.format(*issuers)
        return ""
