"""One strategy's column: name, clock, tiles, figures, and its text as it grows."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from inference import BlockCommitted, DecodingMode, DraftEvent, DraftFinished, PrefillDone
from inference.report_language import Language
from workstation.drafting.race import RaceRun, time_of
from workstation.ui.draft.block_rail import BlockTiles
from workstation.ui.draft.draft_view import DraftView
from workstation.ui.race.race_wording import (
    explain_strategy,
    name_strategy,
    word_ending,
    word_passes,
    word_place,
    word_time,
    word_tokens,
)
from workstation.ui.theme import COLOURS, ui_font


class RaceColumn(QFrame):
    """Shows a run while it happens (begin, take, end), or a recorded one at any time (show_at)."""

    def __init__(
        self,
        decoding: DecodingMode,
        block_length: int,
        language: Language = "en",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.decoding, self._language = decoding, language
        self.setObjectName(f"race_column_{decoding}")
        self.setAccessibleName(name_strategy(decoding))
        self.setProperty("role", "panel")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._run: RaceRun | None = None
        self._place = 0
        self._next = 0  # of the events, the first that isn't shown
        self._has_begun = False
        self._prefill_ms, self._shown_ms, self._tokens = 0.0, 0.0, 0
        self._live_clock = QElapsedTimer()
        self.clock_label = self._label("race_clock", _clock_font())
        self.figures_label = self._label("race_figures", ui_font(10.5))
        self.state_label = self._label("race_state", _state_font())
        self.state_label.setMinimumHeight(QFontMetrics(_place_font()).height())
        self.message_label = self._label("race_message", ui_font(), "muted")
        self.tiles = BlockTiles(self)
        self.view = DraftView(self)
        self.tiles.block_clicked.connect(self.view.jump_to_block)
        self._lay_out()
        self._clear()
        self._tell(explain_strategy(decoding, block_length))

    def _label(self, name: str, font: QFont, role: str = "") -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setFont(font)
        label.setProperty("role", role)
        return label

    def _lay_out(self) -> None:
        name = self._label("race_name", ui_font(12.5, bold=True), "heading")
        name.setText(name_strategy(self.decoding))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        self.figures_label.setAlignment(right)
        top = QHBoxLayout()
        top.addWidget(name)
        top.addStretch(1)
        top.addWidget(self.state_label)
        clock = QHBoxLayout()
        clock.addWidget(self.clock_label)
        clock.addWidget(self.figures_label, 1)
        head = QVBoxLayout()
        head.setContentsMargins(14, 10, 14, 2)
        head.setSpacing(4)
        head.addLayout(top)
        head.addLayout(clock)
        head.addWidget(self.tiles)
        self.message_label.setWordWrap(True)
        self.message_label.setContentsMargins(16, 8, 16, 14)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.message_label)
        layout.addWidget(self.view, 1)

    # -- a run as it happens -----------------------------------------------------------------

    def wait(self) -> None:
        """Others come first."""
        self._clear()
        self._say(self.tr("waits its turn"))

    def begin(self) -> None:
        """Its turn: the clock runs."""
        self._clear()
        self.view.begin(language=self._language)
        self._live_clock.start()
        self._say(self.tr("reads the film"))

    def take(self, event: DraftEvent) -> None:
        """One more event of the run that happens now."""
        self._add(event)
        self._show_time(time_of(event))

    def tick(self) -> None:
        """Between events the clock goes on."""
        self._show_time(max(self._shown_ms, float(self._live_clock.elapsed())))

    def stop(self, state: str, *, is_winner: bool = False, is_place: bool = False) -> None:
        """No more events; what there is stays. is_place: state is its place in the race."""
        self.view.finish()
        self._show_tiles(is_running=False)
        self._say(state, COLOURS.accent if is_winner else COLOURS.bright_text)
        if is_place:
            self.state_label.setFont(_place_font())

    def fail(self, reason: str) -> None:
        """It left the race."""
        self._clear()
        self._say(self.tr("failed"), COLOURS.error)
        self._tell(reason)

    # -- a recorded run ----------------------------------------------------------------------

    def set_run(self, run: RaceRun, place: int) -> None:
        """What show_at plays; place (1: the first to finish) is said once its end is reached."""
        self._run, self._place = run, place

    def show_at(self, position_ms: float) -> None:
        """As it was at this time; further events are added, an earlier time starts anew."""
        if self._run is None:
            return
        if self._next and position_ms < time_of(self._run.events[self._next - 1]):
            self._clear()
        if not self._has_begun:
            self._has_begun = True
            self.view.begin(language=self._language)
            self._say(self.tr("reads the film"))
        events = self._run.events
        while self._next < len(events) and time_of(events[self._next]) <= position_ms:
            self._add(events[self._next])
        self._show_time(min(position_ms, self._run.total_ms))

    # -- both --------------------------------------------------------------------------------

    def _clear(self) -> None:
        self.view.clear()
        self._has_begun, self._next = False, 0
        self._prefill_ms, self._shown_ms, self._tokens = 0.0, 0.0, 0
        self._tell("")
        self._show_tiles(is_running=False)
        self.clock_label.setText("–")
        self.figures_label.clear()

    def _add(self, event: DraftEvent) -> None:
        self._next += 1
        match event:
            case PrefillDone():
                self.view.set_prefill(event)
                self._prefill_ms = event.elapsed_ms
                self._show_tiles(is_running=True)
                self._say(self.tr("writes"))
            case BlockCommitted():
                self.view.add_block(event)
                self._show_tiles(is_running=True)
                self._tokens += len(event.token_ids)
                decode_ms = event.elapsed_ms - self._prefill_ms
                speed = 1000 * self._tokens / decode_ms if decode_ms > 0 else 0.0
                self._show_figures(event.passes, self._tokens, speed)
            case DraftFinished():
                place = word_place(self._place) if self._place else self.tr("done")
                is_winner = self._place == 1 and not event.refused
                ending = word_ending(event)
                self.stop(ending or place, is_winner=is_winner, is_place=not ending)
                self._show_figures(event.passes, event.tokens, event.tokens_per_second)
                self._tell(event.refusal)

    def _show_figures(self, passes: int, tokens: int, per_second: float) -> None:
        speed = self.tr("{0} tok/s").format(f"{per_second:.0f}")
        self.figures_label.setText(f"{speed}\n{word_passes(passes)}")
        self.figures_label.setToolTip(word_tokens(tokens))

    def _show_time(self, elapsed_ms: float) -> None:
        self._shown_ms = elapsed_ms
        self.clock_label.setText(word_time(elapsed_ms))

    def _show_tiles(self, *, is_running: bool) -> None:
        self.tiles.blocks = self.view.transcript.blocks
        self.tiles.is_running = is_running
        self.tiles.update()

    def _tell(self, message: str) -> None:
        """In place of a text."""
        self.message_label.setText(message)
        self.message_label.setVisible(bool(message))

    def _say(self, state: str, shade: str = COLOURS.muted_text) -> None:
        self.state_label.setFont(_state_font())
        self.state_label.setText(state)
        self.state_label.setStyleSheet(f"color: {shade}")


def _state_font() -> QFont:
    return ui_font(9.5, bold=True)


def _place_font() -> QFont:
    """As large as the name: who was first is what a room looks for."""
    return ui_font(15, bold=True)


def _clock_font() -> QFont:
    """Large, with digits of one width so that it doesn't tremble."""
    font = ui_font(24, bold=True)
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
