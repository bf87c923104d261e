"""What a reader leaves on the film in one viewer: figures, where they are kept, what is done to
them, key images, how they are painted; and how the film itself was left. The pointer's part is
`image_viewer`'s."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QPainter

from workstation.catalog.database import CatalogUnavailable
from workstation.dicom.film import Film
from workstation.reading.display_state import DisplayState
from workstation.reading.figure_wording import WordingLanguage, word_for_report
from workstation.reading.film_history import FilmHistory
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import Measurement, MeasurementKind, Point
from workstation.ui.viewer.figure_label import FigureLabel
from workstation.ui.viewer.film_histories import FilmHistories
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.measurement_editor import MeasurementEditor
from workstation.ui.viewer.measurement_painter import MeasurementPainter
from workstation.ui.viewer.view_geometry import ViewGeometry

_NUDGE_PX = 1.0


class FilmFigures(QObject):
    """Figures of at most one film.

    Signals: changed() after every kept change and with every other film; repaint_needed();
    trouble(text) where figures could not be kept or read.
    """

    changed = Signal()
    repaint_needed = Signal()
    trouble = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.editor = MeasurementEditor()
        self.are_visible = True
        self._film: Film | None = None
        self._store: MeasurementStore | None = None
        self._left: DisplayState | None = None  # as it is kept
        self._is_telling = False
        self._histories = FilmHistories(self)
        self._painter = MeasurementPainter()

    def set_store(self, store: MeasurementStore, histories: FilmHistories | None = None) -> None:
        """Where figures are kept from now on, and come from when a film is shown. histories:
        shared by the viewports that may show the same film."""
        self._store = store
        self._histories = histories or FilmHistories(self)
        self._histories.changed.connect(self._on_history_changed)

    def open_film(self, film: Film | None) -> None:
        """Take the figures kept for a film; announced by `changed` once the film is shown."""
        self._film, self._left = film, None
        self.editor = MeasurementEditor(self._open_history(film) if film is not None else None)
        self._painter = MeasurementPainter()  # the one before keeps its film in memory

    def replace_film(self, film: Film) -> None:
        """Another frame or presentation of the same film: the figures stay."""
        self._film = film

    def sentences(self, language: WordingLanguage = "en") -> list[str]:
        """The figures in sentences for the report."""
        film = self._film
        if film is None:
            return []
        worded = (
            word_for_report(each, film.stored, film.display, language)
            for each in self.editor.history.measurements
        )
        return [sentence for sentence in worded if sentence]

    def keep_if(self, changed: bool) -> bool:
        """Keep figures and key images in the catalog after a change."""
        self.repaint_needed.emit()
        if not changed or self._film is None:
            return changed
        self.are_visible = True
        uid = self._film.header.sop_instance_uid
        if self._store is not None:
            try:
                self._store.save(uid, self.editor.history.measurements)
                self._keep_views(self._store, uid)
            except CatalogUnavailable as error:
                self.trouble.emit(self.tr("Figures not kept: {0}").format(error))
        self._is_telling = True
        self._histories.changed.emit(uid)
        self._is_telling = False
        self.changed.emit()
        return changed

    def keep_key_images(self, changed: bool) -> bool:
        """The same after one was kept or dropped: figures that are hidden stay so."""
        were_visible = self.are_visible
        self.keep_if(changed)
        self.are_visible = were_visible
        return changed

    def _keep_views(self, store: MeasurementStore, uid: str) -> None:
        history = self.editor.history
        stored = store.load_key_views(uid)
        if history.key_views != stored and not store.save_key_views(uid, history.key_views):
            history.pin_key_views(stored)
            self.trouble.emit(self.tr("The report is signed: its key images stay as they are."))

    def _on_history_changed(self, uid: str) -> None:
        """In this viewport, or in another one with the same film."""
        is_ours = self._film is not None and uid == self._film.header.sop_instance_uid
        if is_ours and not self._is_telling:
            self.repaint_needed.emit()
            self.changed.emit()

    def place(self, kind: MeasurementKind, geometry: ViewGeometry, text: str = "") -> bool:
        """Put a figure into the middle of the view."""
        return self.keep_if(self.editor.place(kind, geometry, text))

    def put_text(self, at: Point, geometry: ViewGeometry, text: str) -> bool:
        """at: device pixels."""
        return self.keep_if(self.editor.put_text(at, geometry, text))

    # By pointer, at device pixels of the view

    def grip(self, at: Point, geometry: ViewGeometry, pixel_ratio: float) -> bool:
        """Take hold of a handle, a line or the words under the pointer; False for nothing."""
        if self.editor.find_at(at, geometry, pixel_ratio) is None:
            measurement = self.find_label(at, geometry, pixel_ratio)
            if measurement is not None:
                middle = self._label_middle(measurement, geometry, pixel_ratio)
                assert middle is not None
                self.editor.grip_label(measurement, middle, at, geometry)
                return True
        return self.editor.grip(at, geometry, pixel_ratio)

    def is_over(self, at: Point, geometry: ViewGeometry, pixel_ratio: float) -> bool:
        """Whether there is something to take hold of."""
        if not self.are_visible or not self.editor.history.measurements:
            return False
        found = self.editor.find_at(at, geometry, pixel_ratio)
        return found is not None or self.find_label(at, geometry, pixel_ratio) is not None

    def find_label(
        self, at: Point, geometry: ViewGeometry, pixel_ratio: float
    ) -> Measurement | None:
        """The newest figure whose words are under the pointer."""
        place = QPointF(at[0] / pixel_ratio, at[1] / pixel_ratio)
        for measurement in reversed(self.editor.history.measurements):
            label = self._label_of(measurement, geometry, pixel_ratio)
            if label is not None and label.box.contains(place):
                return measurement
        return None

    def put_label_back(self, measurement: Measurement) -> bool:
        """Its words beside the figure again."""
        return self.keep_if(self.editor.history.put(replace(measurement, label=None)))

    def change_text(self, measurement: Measurement, text: str) -> bool:
        """Other words on the film."""
        return self.keep_if(self.editor.history.put(replace(measurement, text=text)))

    def _label_of(
        self, measurement: Measurement, geometry: ViewGeometry, pixel_ratio: float
    ) -> FigureLabel | None:
        if self._film is None:
            return None
        return self._painter.label_of(measurement, self._film, geometry, pixel_ratio)

    def _label_middle(
        self, measurement: Measurement, geometry: ViewGeometry, pixel_ratio: float
    ) -> Point | None:
        label = self._label_of(measurement, geometry, pixel_ratio)
        if label is None:
            return None
        return label.middle[0] * pixel_ratio, label.middle[1] * pixel_ratio

    # By key

    def nudge(self, direction: str, geometry: ViewGeometry, pixel_ratio: float) -> bool:
        """Move the chosen handle, or the chosen words, one pixel "left", "right", "up" or
        "down"."""
        step = _NUDGE_PX * max(1.0, geometry.zoom) * pixel_ratio
        steps = {
            "left": (-step, 0.0),
            "right": (step, 0.0),
            "up": (0.0, -step),
            "down": (0.0, step),
        }
        chosen, middle = self.editor.chosen, None
        if chosen is not None and self.editor.is_label_chosen:
            middle = self._label_middle(chosen, geometry, pixel_ratio)
        return self.keep_if(self.editor.nudge(*steps[direction], geometry, middle))

    def choose_next(self) -> bool:
        chosen = self.editor.choose_next()
        self.repaint_needed.emit()
        return chosen

    def delete_chosen(self) -> bool:
        return self.keep_if(self.editor.delete_chosen())

    def delete_all(self) -> bool:
        """Every figure, as one step."""
        return self.keep_if(self.editor.history.remove_all())

    def undo(self) -> bool:
        return self.keep_if(self.editor.history.undo())

    def redo(self) -> bool:
        return self.keep_if(self.editor.history.redo())

    def toggle_visible(self) -> None:
        self.are_visible = not self.are_visible
        self.repaint_needed.emit()

    def paint(self, painter: QPainter, picture: FilmPicture, pixel_ratio: float) -> None:
        if self.are_visible:
            film, geometry = picture.film, picture.geometry
            self._painter.paint(painter, self.editor, film, geometry, pixel_ratio)

    def display_left(self) -> DisplayState | None:
        """How the film was left when it was last read."""
        if self._film is None or self._store is None:
            return None
        try:
            self._left = self._store.load_display(self._film.header.sop_instance_uid)
        except CatalogUnavailable as error:
            self.trouble.emit(self.tr("Display not read: {0}").format(error))
        return self._left

    def keep_display(self, left: DisplayState | None) -> None:
        """None: as it opens."""
        if self._film is None or self._store is None or left == self._left:
            return
        self._left = left
        try:
            self._store.save_display(self._film.header.sop_instance_uid, left)
        except CatalogUnavailable as error:
            self.trouble.emit(self.tr("Display not kept: {0}").format(error))

    def _open_history(self, film: Film) -> FilmHistory:
        if self._store is None:
            return FilmHistory()
        uid = film.header.sop_instance_uid
        try:
            return self._histories.open(uid, self._store.load_marks(uid))
        except CatalogUnavailable as error:
            self.trouble.emit(self.tr("Figures not read: {0}").format(error))
            return FilmHistory()
