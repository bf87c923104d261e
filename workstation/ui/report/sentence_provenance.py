"""Where a sentence comes from, in the reader's words: who wrote it, with which model, how sure that
was, who changed it, and when."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from inference import Calibration, calibrate_confidence
from workstation.reporting.report_state import Sentence, SentenceOrigin
from workstation.ui.report.signing.version_wording import format_utc

_SHOWN_HASH = 12


def _tr(text: str) -> str:
    return QCoreApplication.translate("SentenceProvenance", text)


def read_confidence(sentence: Sentence, calibration: Calibration | None) -> float | None:
    """The calibrated confidence of a sentence the model wrote; None where there is none."""
    if calibration is None or sentence.provenance != "ai" or sentence.confidence is None:
        return None
    return calibrate_confidence(calibration, sentence.confidence)


def name_provenance(sentence: Sentence, calibration: Calibration | None = None) -> str:
    """In a line: who wrote it, and the confidence of what stands as the model wrote it."""
    if sentence.accepted:
        return _tr("AI, accepted by the reader as it is")
    if sentence.provenance == "edited":
        return _tr("AI, edited by the reader")
    if sentence.provenance == "human":
        return _tr("Written by the reader")
    if sentence.confidence is None:
        return _tr("AI, untouched")
    share = read_confidence(sentence, calibration)
    if share is None:
        return _tr("AI, confidence {0}").format(f"{sentence.confidence:.2f}")
    return _tr("AI, calibrated confidence {0}").format(f"{share:.2f}")


def describe_provenance(sentence: Sentence, calibration: Calibration | None = None) -> list[str]:
    """All that is kept of where a sentence comes from, a line each."""
    lines = [name_provenance(sentence, calibration)]
    if read_confidence(sentence, calibration) is not None and not sentence.accepted:
        lines[0] += _tr(
            ": of sentences the model was as sure of ({0}),\n"
            "that share was right on its own test films. Not a probability of disease."
        ).format(f"{sentence.confidence:.2f}")
    origin = sentence.origin
    if origin is not None:
        lines.append(_describe_origin(origin))
        if origin.text:
            lines.append(_tr("The model wrote: “{0}”").format(origin.text))
    hand = describe_hand(sentence)
    return [*lines, hand] if hand else lines


def summarise_provenance(sentence: Sentence, calibration: Calibration | None = None) -> str:
    """The same in two short lines, for below the list: who wrote it and changed it; with what."""
    origin, hand = sentence.origin, describe_hand(sentence)
    who = {"ai": _tr("AI"), "edited": _tr("AI, then a reader"), "human": _tr("by hand")}
    first = name_provenance(sentence, calibration) if not hand else who[sentence.provenance]
    lines = [" · ".join(part for part in (first, hand) if part)]
    if origin is not None:
        parts = [origin.model_name or _tr("model")]
        if origin.confidence is not None:
            parts.append(_tr("confidence {0}").format(f"{origin.confidence:.2f}"))
        parts.append(format_utc(origin.drafted_at))
        lines.append(_tr("draft: {0}").format(", ".join(parts)))
    return "\n".join(lines)


def describe_hand(sentence: Sentence) -> str:
    """Who touched it last, and when; "" for nobody, or where that was not kept."""
    if not sentence.touched_at:
        return ""
    words = {
        "ai": _tr("accepted {0}"),
        "edited": _tr("edited {0}"),
        "human": _tr("written {0}"),
    }[sentence.provenance]
    at = format_utc(sentence.touched_at)
    return words.format(f"{at}, {sentence.touched_by}" if sentence.touched_by else at)


def _describe_origin(origin: SentenceOrigin) -> str:
    parts = [origin.model_name or _tr("model")]
    if origin.confidence is not None:
        parts.append(_tr("confidence {0} as drafted").format(f"{origin.confidence:.2f}"))
    parts.append(format_utc(origin.drafted_at))
    if origin.model_sha256:
        parts.append(_tr("weights {0}…").format(origin.model_sha256[:_SHOWN_HASH]))
    return " · ".join(parts)
