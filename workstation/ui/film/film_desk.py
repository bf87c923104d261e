"""The films on the desk: those of the open study, the prior beside them, who hangs where.

The draft is always of the open study: whatever a viewport shows, `film` and `lateral` never come
from a prior.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import StudyCatalog, UnknownStudy
from workstation.catalog.study_rows import InstanceRow, StudyRow
from workstation.dicom.film import Film
from workstation.reading.hanging import LayoutName, Prior, plan_hanging
from workstation.ui.film.compared_films import AnotherPatient, ComparedFilms
from workstation.ui.film.drafted_films import DraftedFilms
from workstation.ui.film.film_comparison import FilmComparison
from workstation.ui.film.film_loader import FilmLoader
from workstation.ui.film.hung_film import HangingWording, HungFilm
from workstation.ui.film.shared_films import give_back_memory
from workstation.ui.film.viewport_place import ViewportPlace
from workstation.ui.viewer.film_dragging import DraggedFilm
from workstation.ui.viewer.viewport_grid import ViewportGrid

_ARRIVALS_MS = 400  # a study's films come in a row; they are looked for once


class FilmDesk(QObject):
    """Holds the films of at most one study, and of the studies compared with it.

    Signals: films_changed(list[HungFilm], which one the active viewport shows, -1 for none);
    film_changed() when the film that would be drafted may be another, or is there;
    companion_settled() when a lateral film asked for is there, or can't be read;
    other_study_shown(study_instance_uid) the first time a film of it hangs;
    study_requested(study_instance_uid) when one is dropped while none is open;
    layout_chosen(LayoutName, "" for as the study asks); films_arrived(list[SOP Instance UID]) while
    the study was open; trouble(text).
    """

    films_changed = Signal(list, int)
    film_changed = Signal()
    companion_settled = Signal()
    other_study_shown = Signal(str)
    study_requested = Signal(str)
    layout_chosen = Signal(str)
    films_arrived = Signal(list)
    trouble = Signal(str)

    def __init__(
        self,
        catalog: StudyCatalog,
        grid: ViewportGrid,
        loader: FilmLoader,
        parent: QObject | None = None,
    ) -> None:
        """loader: for the first viewport; the others have their own, so that none waits."""
        super().__init__(parent)
        self._catalog, self._grid = catalog, grid
        self.layout_choice: LayoutName | None = None  # None: as the study asks
        self._wording = HangingWording(self)
        loaders = [loader, *(FilmLoader(self, catalog.folder) for _ in grid.viewports[1:])]
        self._places = [
            ViewportPlace(viewport, each, grid.links, self._reason_to_refuse, self)
            for viewport, each in zip(grid.viewports, loaders, strict=True)
        ]
        self._study: StudyRow | None = None
        self._films: list[HungFilm] = []
        self._compared = ComparedFilms(catalog, self._wording, self)
        self._drafted = DraftedFilms(self._shown_active_first, catalog.folder, self)
        self._comparison = FilmComparison(grid, self._compared, self, self)
        self._told_of: set[str] = set()
        self._is_filling = False
        self._arrivals = QTimer(self)
        self._arrivals.setSingleShot(True)
        self._arrivals.setInterval(_ARRIVALS_MS)
        self._arrivals.timeout.connect(self.look_for_arrivals)
        for place in self._places:
            place.settled.connect(self._on_place_settled)
        grid.active_changed.connect(self._on_active_changed)
        grid.film_dropped.connect(self._on_film_dropped)
        grid.desk_action_requested.connect(self.perform)
        self._drafted.companion.settled.connect(self.companion_settled)
        self._comparison.trouble.connect(self.trouble)

    # -- what is drafted ---------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many films the study has."""
        return len(self._films)

    @property
    def film(self) -> Film | None:
        """The film a draft is asked of: of the open study, on screen, frontal if there is one.
        None while it is decoded."""
        return self._drafted.film

    @property
    def lateral(self) -> Film | None:
        """The lateral film that goes to the model with the other one."""
        return self._drafted.companion.film

    @property
    def is_lateral_loading(self) -> bool:
        return self._drafted.companion.is_loading

    @property
    def is_current_film_active(self) -> bool:
        """Whether the active viewport shows a film of the open study just now."""
        shown = self.active_place.showing
        return shown is not None and shown.is_current

    def set_max_images(self, max_images: int) -> None:
        """How many films the model takes."""
        self._drafted.set_max_images(max_images)

    # -- opening -----------------------------------------------------------------------------

    def open(
        self, study_instance_uid: str, films: list[InstanceRow], priors: Sequence[Prior]
    ) -> None:
        """Hang a study: frontal, lateral, and the newest of its priors, which come first."""
        self._study = None
        self._films = []
        self._compared.clear()
        self._told_of = set()
        self._is_filling = False
        try:
            self._study = self._catalog.study(study_instance_uid)
            self._films = [self._wording.current(self._study, row) for row in films]
            self._compared.open(self._study, priors)
        except (CatalogUnavailable, UnknownStudy) as error:
            self.trouble.emit(str(error))
        self.hang()

    def clear(self) -> None:
        """Show no study."""
        self._study, self._films = None, []
        self._compared.clear()
        self._drafted.find_lateral(())
        for place in self._places:
            place.clear()
        self._grid.links.set_on(False)
        self._grid.set_layout("1x1")
        give_back_memory()
        self.films_changed.emit([], -1)

    def hang(self) -> None:
        """Everything to its place, as the study and the layout chosen ask."""
        if not self._films:
            self._grid.set_layout("1x1")
            self._places[0].say(self.tr("This study has no films."))
            return
        sources = {"current": self._films, "prior": self._compared.priors}
        rows = {source: [film.row for film in films] for source, films in sources.items()}
        plan = plan_hanging(rows["current"], rows["prior"], self.layout_choice)
        self._grid.set_layout(plan.layout)
        hung = [sources[each.source][each.index] if each else None for each in plan.places]
        self._grid.links.set_on(any(film is not None and not film.is_current for film in hung))
        for number, (place, film) in enumerate(zip(self._places, hung, strict=False)):
            place.hang(film, at_once=number == 0)
        if self._places[0].film is not None:
            self._begin_others()
        for place in self._places[len(hung) :]:
            place.clear()
        self._grid.activate(0)
        for film in hung:
            self._tell_of(film)
        self._announce()

    def show_film(self, index: int) -> None:
        """Show a film of the list (the study's, then those compared with it) in the active
        viewport."""
        films = self._all_films()
        if 0 <= index < len(films):
            self.hang_in(self._grid.active_index, films[index])

    def choose_layout(self, layout: LayoutName | None) -> None:
        """1×1, 1×2 or 2×2 for this and other studies; None lets each study choose."""
        self.layout_choice = layout
        self.layout_chosen.emit(layout or "")
        if self._films:
            self.hang()
        else:
            self._grid.set_layout(layout or "1x1")

    def shutdown(self) -> None:
        """When the window is gone: end the threads that read films."""
        self._arrivals.stop()
        self._drafted.companion.shutdown()
        for place in self._places:
            place.shutdown()

    # -- films that come while the study is open ---------------------------------------------

    def expect_arrivals(self, study_instance_uid: str = "") -> None:
        """A film was listed, of this study or ("") of any: look for it soon, once for many."""
        is_ours = self._study is not None and study_instance_uid in (
            "",
            self._study.study_instance_uid,
        )
        if is_ours and not self._arrivals.isActive():
            self._arrivals.start()

    def fill_while_importing(self, is_on: bool) -> None:
        """While the import runs that the study was opened from, its films hang as they come."""
        self._is_filling = is_on

    def look_for_arrivals(self) -> None:
        """New films of the study, or of its prior, join the tabs. What hangs stays as it is until
        the reader asks; they hang at once where nothing did, or nothing was touched yet of a
        study that is just being imported."""
        if self._study is None:
            return
        before = self._all_films()
        try:
            self._study = self._catalog.study(self._study.study_instance_uid)
            rows = self._catalog.instances(self._study.study_instance_uid)
            self._compared.look_for_prior(self._study)
        except (CatalogUnavailable, UnknownStudy) as error:
            self.trouble.emit(str(error))
            return
        known = {film.row.sop_instance_uid for film in before}
        hangs_at_once = not self._films or (self._is_filling and self._is_untouched())
        self._films = [self._wording.current(self._study, row) for row in rows]
        new = [each for each in self._all_films() if each.row.sop_instance_uid not in known]
        if not new:
            return
        if hangs_at_once:
            self.hang()
            return
        self._announce()
        self.films_arrived.emit([film.row.sop_instance_uid for film in new])
        self.trouble.emit(self._arrival_words(new))

    def _is_untouched(self) -> bool:
        pictures = [place.viewport.viewer.picture for place in self._shown_places()]
        is_viewed = any(picture is not None and not picture.is_as_opened for picture in pictures)
        return not is_viewed and self._grid.active_index == 0 and not self.active_place.is_blinking

    def _arrival_words(self, new: list[HungFilm]) -> str:
        own = sum(film.is_current for film in new)
        parts = []
        if own:
            parts.append(self.tr("New films of this study: {0}.").format(own))
        if len(new) > own:
            parts.append(self.tr("New films of this patient's prior: {0}.").format(len(new) - own))
        parts.append(self.tr("They are in the tabs; “Hang as the study asks” puts them up."))
        return " ".join(parts)

    # -- comparing ---------------------------------------------------------------------------

    def perform(self, action_id: str) -> None:
        """Do an action of the viewer's table that is done to the viewports."""
        name, _, argument = action_id.partition(".")
        if name == "layout":
            self.choose_layout(argument)  # type: ignore[arg-type]
        elif name == "hang":
            self.choose_layout(None)
        elif name == "viewport":
            self._grid.cycle(1 if argument == "next" else -1)
        elif name == "film":
            self._step_film(1 if argument == "next" else -1)
        elif name == "link":
            self._comparison.toggle_links()
        elif name == "compare":
            self._comparison.compare()
        elif name == "blink":
            self._comparison.blink()

    # -- dropping ----------------------------------------------------------------------------

    def _on_film_dropped(self, number: int, dragged: DraggedFilm) -> None:
        if self._study is None:
            self.study_requested.emit(dragged.study_instance_uid)
            return
        uid = dragged.study_instance_uid
        is_open = uid == self._study.study_instance_uid
        try:
            films = self._films if is_open else self._compared.bring(uid)
        except AnotherPatient as refusal:
            text = self.tr("Not shown beside this study: {0}. Open that study by itself.")
            self.trouble.emit(text.format(refusal))
            return
        except (CatalogUnavailable, UnknownStudy) as error:
            self.trouble.emit(str(error))
            return
        asked = [film for film in films if film.row.sop_instance_uid == dragged.sop_instance_uid]
        if asked or films:
            self.hang_in(number, (asked or films)[0])
            self._grid.activate(number, take_focus=True)

    def _reason_to_refuse(self, film: Film) -> str:
        current = (each.film for each in self._places if each.is_of_current_study and each.film)
        return self._compared.reason_to_refuse(film, next(current, None))

    # -- viewports ---------------------------------------------------------------------------

    @property
    def active_place(self) -> ViewportPlace:
        return self._places[self._grid.active_index]

    @property
    def study_films(self) -> list[HungFilm]:
        """Those of the open study."""
        return self._films

    def hang_in(self, number: int, film: HungFilm) -> None:
        """In a viewport, in place of what hangs there."""
        self._places[number].hang(film)
        self.announce(film)

    def announce(self, brought: HungFilm) -> None:
        """What the active viewport shows has changed, perhaps to a film of another study."""
        self._tell_of(brought)
        self._announce()

    def _step_film(self, step: int) -> None:
        films = self._all_films()
        if films:
            shown = self.active_place.showing
            at = films.index(shown) if shown in films else -step
            self.show_film((at + step) % len(films))

    def _all_films(self) -> list[HungFilm]:
        return [*self._films, *self._compared.films]

    def _shown_places(self) -> list[ViewportPlace]:
        return self._places[: len(self._grid.shown)]

    def _shown_active_first(self) -> list[ViewportPlace]:
        active = self.active_place
        return [active, *(place for place in self._shown_places() if place is not active)]

    def _on_active_changed(self) -> None:
        if self._films:
            self._announce()

    def _on_place_settled(self) -> None:
        place = self.sender()
        if isinstance(place, ViewportPlace) and place in self._shown_places():
            self._begin_others()
            self._follow(place)
        self.film_changed.emit()

    def _begin_others(self) -> None:
        for place in self._places:
            place.begin()

    def _follow(self, arrived: ViewportPlace) -> None:
        """A film that just came takes the scale and window of the one read beside it."""
        others = [
            place for place in self._shown_places() if place.film is not None and place != arrived
        ]
        drafted = self._drafted.place
        leader = drafted if drafted in others else next(iter(others), arrived)
        assert leader is not None
        self._grid.links.follow(leader.viewport.viewer)

    def _announce(self) -> None:
        self._drafted.find_lateral(self._films)
        films = self._all_films()
        shown = self.active_place.showing
        self.films_changed.emit(films, films.index(shown) if shown in films else -1)
        self.film_changed.emit()

    def _tell_of(self, film: HungFilm | None) -> None:
        """That a film of another study is looked at is worth a line in the audit log."""
        if film is not None and not film.is_current:
            uid = film.study_instance_uid
            if uid not in self._told_of:
                self._told_of.add(uid)
                self.other_study_shown.emit(uid)
