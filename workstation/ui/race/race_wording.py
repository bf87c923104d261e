"""The words of the race view: names, times, speeds."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from inference import DecodingMode, DraftFinished
from inference.report_language import Status
from workstation.drafting.race import RaceLane, RaceResult
from workstation.reporting.sentences.statement_comparison import Assertion, Assertions

_translate = QCoreApplication.translate
_CONTEXT = "race"

SPEEDS = (1.0, 0.5, 0.25, 0.1, 0.025)
"""Of the replay; 1: as fast as it was."""

_WATCHABLE_MS = 7000.0


def name_strategy(decoding: DecodingMode) -> str:
    names: dict[str, str] = {
        "autoregressive": _translate(_CONTEXT, "Autoregressive"),
        "one-step": _translate(_CONTEXT, "One-step"),
        "adaptive": _translate(_CONTEXT, "Adaptive"),
        "guided": _translate(_CONTEXT, "Guided"),
        "multi-step": _translate(_CONTEXT, "Multi-step"),
        "regions": _translate(_CONTEXT, "Regions"),
        "regions-adaptive": _translate(_CONTEXT, "Regions, adaptive"),
        "regions-multi-step": _translate(_CONTEXT, "Regions, multi-step"),
    }
    return names.get(decoding, decoding)


def explain_strategy(decoding: DecodingMode, block_length: int) -> str:
    """How it writes, in a sentence."""
    texts: dict[str, str] = {
        "autoregressive": _translate(
            _CONTEXT, "Writes word by word: each pass adds one token to all that stand before it."
        ),
        "one-step": _translate(_CONTEXT, "Writes a block of {0} tokens in every pass."),
        "adaptive": _translate(
            _CONTEXT,
            "Writes a block of {0} tokens in a pass, and looks again only where it is in doubt.",
        ),
        "guided": _translate(
            _CONTEXT,
            "Writes blocks of {0} tokens; the autoregressive model checks them and sends back "
            "what it disputes.",
        ),
        "multi-step": _translate(
            _CONTEXT, "Fills a block of {0} tokens over several passes, the surest ones first."
        ),
        "regions": _translate(
            _CONTEXT,
            "All regions fill at the same time, a block of {0} tokens of each in every pass; the "
            "impression reads them and comes last.",
        ),
        "regions-adaptive": _translate(
            _CONTEXT,
            "All regions fill at the same time in blocks of {0} tokens; where one is in doubt it "
            "is looked at again. The impression reads them and comes last.",
        ),
        "regions-multi-step": _translate(
            _CONTEXT,
            "All regions fill at the same time, a block of {0} tokens of each over several "
            "passes; the impression reads them and comes last.",
        ),
    }
    return texts.get(decoding, "").format(block_length)


def word_time(elapsed_ms: float) -> str:
    """Milliseconds below a second, else seconds."""
    if elapsed_ms < 1000:
        return _translate(_CONTEXT, "{0} ms").format(f"{elapsed_ms:.0f}")
    digits = 2 if elapsed_ms < 10_000 else 1
    return _translate(_CONTEXT, "{0} s").format(f"{elapsed_ms / 1000:.{digits}f}")


def word_speed(speed: float) -> str:
    """For instance "¼×"."""
    names = {1.0: "1×", 0.5: "½×", 0.25: "¼×"}
    return names.get(speed, f"1⁄{1 / speed:.0f}×")


def word_ratio(ratio: float) -> str:
    """For instance "4.1× as fast"."""
    digits = f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}"
    return _translate(_CONTEXT, "{0}× as fast").format(digits)


def word_place(place: int) -> str:
    """1 is the first to finish."""
    names = (
        _translate(_CONTEXT, "1st"),
        _translate(_CONTEXT, "2nd"),
        _translate(_CONTEXT, "3rd"),
        _translate(_CONTEXT, "4th"),
    )
    return names[place - 1]


def word_passes(passes: int) -> str:
    if passes == 1:
        return _translate(_CONTEXT, "1 pass")
    return _translate(_CONTEXT, "{0} passes").format(passes)


def word_extra_passes(decoding: DecodingMode, ending: DraftFinished) -> str:
    """What the passes beyond one a block were for, for instance " (2 second looks)"."""
    if not ending.extra_passes:
        return ""
    if decoding == "guided":
        return _translate(_CONTEXT, " ({0} to check and redraft)").format(ending.extra_passes)
    if ending.extra_passes == 1:
        return _translate(_CONTEXT, " (1 second look)")
    return _translate(_CONTEXT, " ({0} second looks)").format(ending.extra_passes)


def word_tokens(tokens: int) -> str:
    if tokens == 1:
        return _translate(_CONTEXT, "1 token")
    return _translate(_CONTEXT, "{0} tokens").format(tokens)


def word_assertions(said: Assertions) -> str:
    """All that a text says of a finding, for instance "present: large left · small left"."""
    if not said:
        return _translate(_CONTEXT, "not stated")
    names: dict[Status, str] = {
        "present": _translate(_CONTEXT, "present"),
        "uncertain": _translate(_CONTEXT, "uncertain"),
        "absent": _translate(_CONTEXT, "absent"),
    }
    texts = []
    for status, name in names.items():
        alike = [each for each in said if each.status == status]
        details = " · ".join(sorted(filter(None, map(_word_details, alike))))
        if alike:
            texts.append(f"{name}: {details}" if details else name)
    return "; ".join(texts)


def _word_details(said: Assertion) -> str:
    return " ".join(each for each in (said.severity, said.side, said.zone) if each)


def word_ending(ending: DraftFinished) -> str:
    """Why the answer ended, where it isn't the model's own full stop."""
    if ending.refused:
        return _translate(_CONTEXT, "refused")
    reasons = {
        "length": _translate(_CONTEXT, "stopped at the length limit"),
        "repetition": _translate(_CONTEXT, "stopped: it repeated itself"),
    }
    return reasons.get(ending.stop_reason, "")


def word_conditions(result: RaceResult) -> str:
    """How the times shown were measured."""
    if result.has_warm_up and result.counted_laps > 1:
        text = _translate(
            _CONTEXT,
            "Timed one after the other, each alone: {0} laps in changing order after a warm-up. "
            "Shown is each one's lap of median time.",
        ).format(result.counted_laps)
    elif result.has_warm_up:
        text = _translate(
            _CONTEXT, "Timed one after the other, each alone: one lap after a warm-up."
        )
    else:
        text = _translate(
            _CONTEXT, "Timed one after the other, each alone: one lap, without a warm-up."
        )
    return text


def word_outcome(result: RaceResult) -> str:
    """Who was first, and how much faster than autoregressive."""
    times = {lane.decoding: lane.shown.total_ms for lane in result.lanes if lane.shown}
    if not times:
        return _translate(_CONTEXT, "No strategy finished")
    first = min(times, key=lambda decoding: times[decoding])
    text = _translate(_CONTEXT, "{0} finished first").format(name_strategy(first))
    reference_ms = times.get("autoregressive", 0.0)
    if first == "autoregressive" or not reference_ms or not times[first]:
        return text
    ratio = word_ratio(reference_ms / times[first])
    return text + _translate(_CONTEXT, ", {0} as autoregressive").format(ratio)


def choose_speed(duration_ms: float) -> float:
    """The fastest replay that can still be followed with the eyes."""
    return next((s for s in SPEEDS if duration_ms / s >= _WATCHABLE_MS), SPEEDS[-1])


def places(lanes: tuple[RaceLane, ...]) -> dict[DecodingMode, int]:
    """Who finished when, from 1; lanes that failed have no place."""
    done = [lane for lane in lanes if lane.shown]
    done.sort(key=lambda lane: lane.shown.total_ms if lane.shown else 0.0)
    return {lane.decoding: place for place, lane in enumerate(done, 1)}
