"""The race window: who runs, the columns, the time axis, the replay, the table."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from inference import DecodingMode, DraftEvent
from workstation.drafting.decoding_race import DecodingRace
from workstation.drafting.drafting_service import DraftingService
from workstation.drafting.race import MOST_LANES, RaceResult
from workstation.ui.race.film_thumbnail import FilmThumbnail
from workstation.ui.race.race_column import RaceColumn
from workstation.ui.race.race_controls import RaceControls
from workstation.ui.race.race_head import RaceHead
from workstation.ui.race.race_lanes import RaceLanes
from workstation.ui.race.race_ledger import RaceLedger, RaceSubject
from workstation.ui.race.race_playback import RacePlayback
from workstation.ui.race.race_table import RaceTable
from workstation.ui.race.race_wording import (
    name_strategy,
    places,
    word_conditions,
    word_outcome,
    word_speed,
)
from workstation.ui.theme import ui_font

GUTTER = 210
_FIRST_CHOICE = ("autoregressive", "one-step", "adaptive", "regions-adaptive", "multi-step")
_MARGIN = 14
_GAP = 10
_TICK_MS = 50


class RaceDialog(QDialog):
    """Strategies side by side on one film. First each runs alone, then all are replayed together
    from the recorded times. It reads the films of the open study and never writes its report."""

    def __init__(
        self,
        subject: RaceSubject,
        drafting: DraftingService,
        ledger: RaceLedger,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("race_dialog")
        self.setWindowTitle(self.tr("Race of decoding strategies"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self._subject, self._drafting, self._ledger = subject, drafting, ledger
        self._race: DecodingRace | None = None
        self._running: RaceColumn | None = None
        self._is_closed = False
        self.result_shown: RaceResult | None = None
        self.playback = RacePlayback(self)
        self.playback.moved.connect(self._on_playback_moved)
        self.playback.ended.connect(self._show_table)
        self.playback.playing_changed.connect(self._on_playing_changed)
        self._ticker = QTimer(self)
        self._ticker.setInterval(_TICK_MS)
        self._ticker.timeout.connect(self._tick)
        self.columns: dict[DecodingMode, RaceColumn] = {}
        self._build()
        self._show_columns()
        self.head.show_phase(self.tr("Choose two to four strategies and start."))

    # -- making ------------------------------------------------------------------------------

    def _build(self) -> None:
        self.lanes = RaceLanes(self)
        self.table = RaceTable(self)
        self.table.hide()
        self.controls = RaceControls(self.playback, self)
        upper = QWidget(self)
        upper_layout = QVBoxLayout(upper)
        upper_layout.setContentsMargins(0, 0, 0, 0)
        upper_layout.setSpacing(_GAP)
        upper_layout.addLayout(self._build_stage(), 1)
        upper_layout.addWidget(self.lanes)
        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(upper)
        self.splitter.addWidget(self.table)
        self.splitter.setStretchFactor(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, 10, _MARGIN, 10)
        layout.setSpacing(_GAP)
        layout.addWidget(self._build_head())
        layout.addWidget(self.splitter, 1)
        layout.addLayout(self._build_foot())
        self.start_button.setDefault(True)
        self.start_button.setFocus()

    def _build_head(self) -> RaceHead:
        strategies = self._subject.strategies
        offered = [mode for mode in _FIRST_CHOICE if mode in strategies]
        are_few = len(strategies) <= MOST_LANES
        self.head = RaceHead(strategies, strategies if are_few else offered[:MOST_LANES], self)
        self.head.start_asked.connect(self.start)
        self.head.stop_asked.connect(self.stop)
        self.head.choice_changed.connect(self._on_choice_changed)
        self.choices = self.head.choices
        self.start_button, self.stop_button = self.head.start_button, self.head.stop_button
        self.phase_label, self.conditions_label = self.head.phase_label, self.head.conditions_label
        return self.head

    def _build_stage(self) -> QHBoxLayout:
        engine = self._subject.engine
        self.thumbnail = FilmThumbnail(self._subject.films, GUTTER - _GAP, self)
        model = QLabel(
            self.tr("{0} {1}\n{2} · {3} · {4}").format(
                engine.model_name,
                engine.model_version,
                engine.model_sha256[:8],
                engine.device,
                engine.computed_in,
            ),
            self,
        )
        model.setObjectName("race_model")
        model.setWordWrap(True)
        model.setFont(ui_font(9.5))
        model.setToolTip(self.tr("sha256 {0}").format(engine.model_sha256))
        side = QWidget(self)
        side.setFixedWidth(GUTTER - _GAP)
        gutter = QVBoxLayout(side)
        gutter.setContentsMargins(0, 0, 0, 0)
        gutter.setSpacing(8)
        gutter.addWidget(self.thumbnail, 1)
        gutter.addWidget(model)
        gutter.addStretch(1)
        self._column_row = QHBoxLayout()
        self._column_row.setSpacing(_GAP)
        stage = QHBoxLayout()
        stage.setSpacing(_GAP)
        stage.addWidget(side)
        stage.addLayout(self._column_row, 1)
        return stage

    def _build_foot(self) -> QHBoxLayout:
        note = QLabel(
            self.tr("A demonstration: nothing of it goes into the report. Not for diagnosis."), self
        )
        note.setObjectName("race_note")
        note.setProperty("role", "muted")
        close_button = QPushButton(self.tr("Close"), self)
        close_button.setObjectName("race_close")
        close_button.setAutoDefault(False)
        close_button.clicked.connect(self.reject)
        self.controls.replay_button.setAutoDefault(False)
        foot = QHBoxLayout()
        foot.setSpacing(18)
        foot.addWidget(self.controls, 1)
        foot.addWidget(note)
        foot.addWidget(close_button)
        return foot

    def _show_columns(self) -> None:
        """A column for each strategy chosen, all empty."""
        for column in self.columns.values():
            self._column_row.removeWidget(column)
            column.hide()
            column.deleteLater()
        block_length, language = self._subject.engine.block_length, self._subject.written_language
        self.columns = {
            mode: RaceColumn(mode, block_length, language, self) for mode in self.chosen_strategies
        }
        for column in self.columns.values():
            self._column_row.addWidget(column, 1)
        self.lanes.clear(tuple(self.columns))
        self.conditions_label.setText(
            self.tr(
                "All read the same film with weights of the same model folder, on this machine: "
                "one after the other, each alone. Then they are replayed side by side."
            )
        )

    @property
    def chosen_strategies(self) -> tuple[DecodingMode, ...]:
        return self.head.chosen

    @property
    def is_running(self) -> bool:
        """Whether the engine is at work for this race."""
        return self._race is not None

    # -- running -----------------------------------------------------------------------------

    def start(self) -> None:
        """Run the chosen strategies, unless a draft is being written."""
        if self.is_running or not self._can_start():
            return
        if self._drafting.is_drafting:
            self.head.show_phase(self.tr("A draft is being written. Start again when it is done."))
            return
        requests = self._subject.requests(self.chosen_strategies)
        if not self._ledger.begin(self._subject, requests):
            self.head.show_phase(self.tr("The audit log can't be written: there is no race."))
            return
        self._forget_result()
        for column in self.columns.values():
            column.wait()
        self._race = DecodingRace(requests)
        self._race.run_started.connect(self._on_run_started)
        self._race.event_happened.connect(self._on_event)
        self._race.finished.connect(self._on_finished)
        self._race.stopped.connect(self._on_stopped)
        self._race.failed.connect(self._on_failed)
        self._show_whether_running()
        self.stop_button.setFocus()
        self._drafting.run_task(self._race)

    def stop(self) -> None:
        """The race ends within one pass; a replay jumps to its end."""
        if self._race is not None:
            self._race.cancel_token.cancel()
            self.head.show_phase(self.tr("Stopping…"))
        elif self.result_shown is not None:
            self.playback.pause()
            self.playback.seek(self.playback.duration_ms)
            self._show_table()

    def _forget_result(self) -> None:
        self.playback.pause()
        self.result_shown = None
        self.controls.setEnabled(False)
        self.table.hide()
        self._show_columns()

    def _on_run_started(self, decoding: DecodingMode, lap: int, laps: int) -> None:
        if self._is_closed:
            return
        name = name_strategy(decoding)
        if lap == 1:
            self._running = self.columns[decoding]
            self._running.begin()
            self._ticker.start()
            self.head.show_phase(self.tr("Running alone: {0}").format(name))
        else:
            self._ticker.stop()
            text = self.tr("Timing lap {0} of {1}: {2}, alone")
            self.head.show_phase(text.format(lap - 1, laps - 1, name))

    def _on_event(self, decoding: DecodingMode, event: DraftEvent) -> None:
        if not self._is_closed:
            self.columns[decoding].take(event)
            self.lanes.add_event(decoding, event)

    def _tick(self) -> None:
        if self._running is not None:
            self._running.tick()

    def _on_finished(self, result: RaceResult) -> None:
        if self._is_closed:
            return
        self._ledger.finish(result)
        self._end_run()
        self.result_shown = result
        place_of = places(result.lanes)
        for lane in result.lanes:
            column = self.columns[lane.decoding]
            if lane.shown is None:
                column.fail(lane.failure)
                self.lanes.set_events(lane.decoding, ())
            else:
                column.set_run(lane.shown, place_of[lane.decoding])
                self.lanes.set_events(lane.decoding, lane.shown.events)
        self.conditions_label.setText(
            word_conditions(result)
            + " "
            + self.tr("Same film, weights of the same model folder, same machine ({0}).").format(
                self._subject.engine.device
            )
        )
        self.playback.duration_ms = result.duration_ms
        if result.duration_ms > 0:
            self.controls.start_replay()
            self.controls.replay_button.setFocus()
        else:
            self._show_table()

    def _on_stopped(self) -> None:
        if not self._is_closed:
            self._ledger.cancel()
            self._end_run()
            self.head.show_phase(self.tr("Stopped: nothing was timed."))
            for column in self.columns.values():
                column.stop(self.tr("stopped"))

    def _on_failed(self, message: str) -> None:
        if not self._is_closed:
            self._ledger.fail(message)
            self._end_run()
            self.head.show_phase(self.tr("The race failed: {0}").format(message))

    def _end_run(self) -> None:
        self._race = None
        self._running = None
        self._ticker.stop()
        self._show_whether_running()

    # -- replay ------------------------------------------------------------------------------

    def _on_playback_moved(self, position_ms: float) -> None:
        for column in self.columns.values():
            column.show_at(position_ms)
        self.lanes.set_position(position_ms)
        if self.playback.is_playing:
            self._show_speed()

    def _on_playing_changed(self, is_playing: bool) -> None:
        self.stop_button.setEnabled(is_playing or self.is_running)
        if is_playing:
            self._show_speed()

    def _show_speed(self) -> None:
        speed = self.playback.speed
        if speed == 1.0:
            text = self.tr("Replay at full speed")
        else:
            text = self.tr("Replay in slow motion, {0}: clocks show real times")
        self.head.show_phase(text.format(word_speed(speed)))

    def _show_table(self) -> None:
        """All have ended: what they say is compared."""
        if self.result_shown is None:
            return
        self.head.show_phase(word_outcome(self.result_shown))
        if self.table.isHidden():
            self.table.show_result(self.result_shown)
            self.table.show()
            height = self.splitter.height()
            self.splitter.setSizes([round(height * 0.56), round(height * 0.44)])

    # -- what can be done --------------------------------------------------------------------

    def _on_choice_changed(self) -> None:
        if not self.is_running:
            self._forget_result()
            self._show_whether_running()

    def _can_start(self) -> bool:
        return 2 <= len(self.chosen_strategies) <= MOST_LANES

    def _show_whether_running(self) -> None:
        self.head.show_whether_running(is_running=self.is_running, can_start=self._can_start())
        if not self.is_running and not self._can_start():
            self.head.show_phase(self.tr("Choose two to four strategies and start."))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and (self.is_running or self.playback.is_playing):
            self.stop()
            return
        super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Closing stops the race; it is audited at once, as no event will be heard."""
        self._is_closed = True
        self.playback.pause()
        self._ticker.stop()
        if self._race is not None:
            self._race.cancel_token.cancel()
            self._ledger.cancel()
            self._race = None
        super().done(result)
