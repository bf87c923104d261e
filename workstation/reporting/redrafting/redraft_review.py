"""The difference between a report and its redraft, and what of it was accepted. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from inference.report_language import Language
from workstation.reporting.redrafting.redraft import RedraftedSentence
from workstation.reporting.report_state import (
    JOINERS,
    SECTIONS,
    ReportState,
    Section,
    Sentence,
    SentenceOrigin,
)
from workstation.reporting.sentences.sentence_alignment import score_likeness


@dataclass(frozen=True)
class ReviewPiece:
    """One place of the report: what stands there (None: nothing yet), and what the redraft says
    (None: it leaves this out). A piece that is no change has both, of one wording."""

    section: Section
    old: Sentence | None
    new: RedraftedSentence | None

    @property
    def is_change(self) -> bool:
        return self.old is None or self.new is None or self.old.text != self.new.text


def compare_redraft(
    state: ReportState, redrafted: Sequence[RedraftedSentence]
) -> tuple[ReviewPiece, ...]:
    """Every sentence of either, in reading order; what was kept stands opposite to itself.

    A piece of the model's answer without a word in it is not offered.
    """
    pieces: list[ReviewPiece] = []
    for section in SECTIONS:
        old = list(state.sentences(section))
        new = [each for each in redrafted if each.section == section and _says_something(each)]
        kept = {each.kept_id for each in new if each.kept_id is not None}
        while old or new:
            old_end = next((at for at, each in enumerate(old) if each.id in kept), len(old))
            new_end = next(
                (at for at, each in enumerate(new) if each.kept_id is not None), len(new)
            )
            pieces += _pair(section, old[:old_end], new[:new_end], state.language)
            pieces += [
                ReviewPiece(section, sentence, same)
                for sentence, same in zip(
                    old[old_end : old_end + 1], new[new_end : new_end + 1], strict=True
                )
            ]
            del old[: old_end + 1], new[: new_end + 1]
    return tuple(pieces)


def merge_redraft(
    state: ReportState,
    pieces: Sequence[ReviewPiece],
    accepted: Collection[int],
    new_id: Callable[[], int],
    *,
    keep_confidences: bool = True,
    origin: SentenceOrigin | None = None,
) -> ReportState:
    """The report with the pieces accepted, by their index; all others stay what they are.

    An accepted sentence is the model's, with its confidence, under the id of the one it replaces.
    keep_confidences: False where another model had drafted what stays. origin: of the redraft.
    """
    for section in SECTIONS:
        sentences: list[Sentence] = []
        for index, piece in enumerate(pieces):
            if piece.section != section:
                continue
            if piece.is_change and index in accepted:
                if piece.new is not None:
                    sentences.append(_accept(piece.new, piece.old, state.language, new_id, origin))
            elif piece.old is not None:
                kept = piece.old if keep_confidences else replace(piece.old, confidence=None)
                sentences.append(kept)
        state = state.with_section(section, sentences)
    return state


def _says_something(sentence: RedraftedSentence) -> bool:
    is_kept = sentence.kept_id is not None
    return is_kept or any(character.isalnum() for character in sentence.text)


def _accept(
    new: RedraftedSentence,
    old: Sentence | None,
    language: Language,
    new_id: Callable[[], int],
    redraft: SentenceOrigin | None,
) -> Sentence:
    origin = replace(redraft, confidence=new.confidence) if redraft is not None else None
    if old is not None:
        return replace(
            old,
            text=new.text,
            provenance="ai",
            confidence=new.confidence,
            locked=False,
            accepted=False,
            origin=origin,
            touched_by="",
            touched_at="",
        )
    joiner = JOINERS[language]
    return Sentence(new_id(), new.text, "ai", new.confidence, joiner, origin=origin)


def _pair(
    section: Section,
    old: Sequence[Sentence],
    new: Sequence[RedraftedSentence],
    language: Language,
) -> list[ReviewPiece]:
    """Neighbours that speak of the same thing side by side, in an order that is both texts' own.

    The pairing of greatest likeness over all (longest common subsequence, weighted).
    """
    likeness = [[score_likeness(o.text, n.text, language) for n in new] for o in old]
    # best[i][j]: the greatest sum over old[i:], new[j:]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            paired = likeness[i][j] + best[i + 1][j + 1] if likeness[i][j] else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pieces: list[ReviewPiece] = []
    i = j = 0
    while i < len(old) or j < len(new):
        left = i < len(old) and j < len(new)
        if left and likeness[i][j] and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            pieces.append(ReviewPiece(section, old[i], new[j]))
            i, j = i + 1, j + 1
        elif i < len(old) and (j == len(new) or best[i][j] == best[i + 1][j]):
            pieces.append(ReviewPiece(section, old[i], None))
            i += 1
        else:
            pieces.append(ReviewPiece(section, None, new[j]))
            j += 1
    return pieces
