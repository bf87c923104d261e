"""Which sentence of the new text is which sentence of the old: identity and provenance."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from inference.report_language import Language, split_sentences
from workstation.reporting.report_state import Provenance, Sentence, SentenceOrigin
from workstation.reporting.sentences.sentence_statements import concepts_of

# Shares of matching words above which a sentence counts as a changed old one, and as carrying
# words of an old one (half a sentence that was split off). Chosen by hand on the before/after
# table of tests/workstation/reporting/test_sentence_alignment.py, and low: to call the model's
# words "human" is the worse mistake. Letters count only for typing
# errors: unrelated English sentences share half of them.
_SAME_SENTENCE = 0.35
_SAME_LETTERS = 0.75
_CARRIES_WORDS = 0.5
_WORD = re.compile(r"[\u3400-\u9fff]|[^\s.,。，、；：\u3400-\u9fff]+")
_MAX_PAIRS = 2500  # beyond that (a whole report pasted) pairing by likeness is not worth its time


@dataclass(frozen=True)
class Piece:
    """One sentence of a text, and the white space before it."""

    text: str
    separator: str


def split_pieces(text: str, joiner: str = " ") -> tuple[Piece, ...]:
    """The sentences of a text. Joined with their separators they give the stripped text.

    joiner: the first one's separator, used where something comes to stand before it.
    """
    pieces: list[Piece] = []
    position = 0
    for start, end in [*split_sentences(text), (len(text), len(text))]:
        # What no sentence covers (a stray bullet or number) still is the reader's text.
        for begin, stop in ((position, start), (start, end)):
            body = text[begin:stop].strip()
            if body:
                at = text.index(body, begin)
                pieces.append(Piece(body, text[position:at] if pieces else joiner))
                position = at + len(body)
    return tuple(pieces)


def join_pieces(pieces: Sequence[Piece]) -> str:
    """The text the pieces were split from, stripped."""
    joined = "".join(piece.separator + piece.text for piece in pieces)
    return joined[len(pieces[0].separator) :] if pieces else ""


def align_sentences(
    old: Sequence[Sentence],
    pieces: Sequence[Piece],
    new_id: Callable[[], int],
    *,
    all_edited: bool = False,
) -> tuple[Sentence, ...]:
    """Old sentences carried over to a new text.

    Unchanged (also moved) sentences keep id and provenance. A changed one keeps its id; if the
    model wrote it, it becomes "edited", as does a new one that carries its words; both keep the
    draft they come from; a lock stays with the id. Others are new and "human". all_edited: new
    ones too count as edited (the program reworded a sentence).
    """
    pairs, rewritten_by = _pair(old, pieces)
    aligned: list[Sentence] = []
    for index, piece in enumerate(pieces):
        source = old[pairs[index]] if index in pairs else None
        if source is not None and source.text == piece.text:
            aligned.append(replace(source, separator=piece.separator))
            continue
        ancestors = [old[each] for each in rewritten_by.get(index, ())]
        edited = all_edited or any(ancestor.provenance != "human" for ancestor in ancestors)
        provenance: Provenance = "edited" if edited else "human"
        identity = source.id if source is not None else new_id()
        locked = source is not None and source.locked
        aligned.append(
            Sentence(
                identity, piece.text, provenance, None, piece.separator, locked,
                origin=_inherit_origin(source, ancestors) if edited else None,
            )
        )  # fmt: skip
    return tuple(aligned)


def rewrite_sentence(
    old: Sentence, pieces: Sequence[Piece], new_id: Callable[[], int], *, by_program: bool
) -> tuple[Sentence, ...]:
    """One sentence that was asked to be changed, as what it says now: the first piece is the same
    sentence, however different its words.

    by_program: the words are the program's, so that none of them counts as the reader's own.
    """
    all_edited = by_program and old.provenance != "human"
    first, *others = align_sentences([old], pieces, new_id, all_edited=all_edited)
    if all(each.id != old.id for each in (first, *others)):
        provenance: Provenance = "human" if old.provenance == "human" else "edited"
        first = replace(
            first,
            id=old.id,
            provenance=provenance,
            locked=old.locked,
            origin=old.rewritten_origin(),
        )
    return (replace(first, separator=old.separator), *others)


def _inherit_origin(
    source: Sentence | None, ancestors: Sequence[Sentence]
) -> SentenceOrigin | None:
    """Of the sentence it was, else of the first whose words it carries."""
    known = (each for each in (source, *ancestors) if each is not None)
    return next((each.rewritten_origin() for each in known if each.origin is not None), None)


def _pair(
    old: Sequence[Sentence], pieces: Sequence[Piece]
) -> tuple[dict[int, int], dict[int, list[int]]]:
    """New index -> old index; and new index -> the old ones whose words it carries."""
    old_texts, new_texts = [each.text for each in old], [piece.text for piece in pieces]
    matcher = SequenceMatcher(None, old_texts, new_texts, autojunk=False)
    opcodes = matcher.get_opcodes()
    pairs = {
        new_start + step: old_start + step
        for tag, old_start, old_end, new_start, _ in opcodes
        if tag == "equal"
        for step in range(old_end - old_start)
    }
    _pair_moved(old_texts, new_texts, pairs)
    rewritten_by: dict[int, list[int]] = {}
    taken = set(pairs.values())
    for tag, old_start, old_end, new_start, new_end in opcodes:
        if tag == "replace":
            olds = [index for index in range(old_start, old_end) if index not in taken]
            news = [index for index in range(new_start, new_end) if index not in pairs]
            _pair_rewritten(old_texts, new_texts, olds, news, pairs, rewritten_by)
    return pairs, rewritten_by


def _pair_moved(old_texts: list[str], new_texts: list[str], pairs: dict[int, int]) -> None:
    """A sentence cut here and pasted there is still the same sentence."""
    taken = set(pairs.values())
    free: dict[str, list[int]] = {}
    for index, text in enumerate(old_texts):
        if index not in taken:
            free.setdefault(text, []).append(index)
    for index, text in enumerate(new_texts):
        if index not in pairs and free.get(text):
            pairs[index] = free[text].pop(0)


def _pair_rewritten(
    old_texts: list[str],
    new_texts: list[str],
    olds: list[int],
    news: list[int],
    pairs: dict[int, int],
    rewritten_by: dict[int, list[int]],
) -> None:
    if len(olds) * len(news) > _MAX_PAIRS:
        for old_index, new_index in zip(olds, news, strict=False):
            pairs[new_index] = old_index
            rewritten_by[new_index] = [old_index]
        return
    likeness: list[tuple[float, int, int]] = []
    for new_index in news:
        for old_index in olds:
            ratio, carried = _compare(old_texts[old_index], new_texts[new_index])
            if ratio >= _SAME_SENTENCE:
                likeness.append((-ratio, old_index, new_index))
            if max(ratio, carried) >= _CARRIES_WORDS or ratio >= _SAME_SENTENCE:
                rewritten_by.setdefault(new_index, []).append(old_index)
    taken: set[int] = set()
    for _, old_index, new_index in sorted(likeness):
        if old_index not in taken and new_index not in pairs:
            taken.add(old_index)
            pairs[new_index] = old_index


def _compare(old: str, new: str) -> tuple[float, float]:
    """Likeness of two sentences 0..1, and the share of words one has from the other."""
    old_stem, new_stem = old.rstrip(".。"), new.rstrip(".。")
    if (old_stem and new.startswith(old_stem)) or (new_stem and old.startswith(new_stem)):
        return 1.0, 1.0  # being typed on, or deleted back
    old_words, new_words = _words(old), _words(new)
    matcher = SequenceMatcher(None, old_words, new_words, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    by_letters = SequenceMatcher(None, old, new, autojunk=False).ratio()
    shorter = max(1, min(len(old_words), len(new_words)))
    ratio = by_letters if by_letters >= _SAME_LETTERS else matcher.ratio()
    return ratio, same / shorter


def find_likest(text: str, others: Sequence[str], language: Language) -> int | None:
    """The sentence that speaks of the same thing: the same words, the same findings, or nearly
    the same words; the first of equals. None where there is none."""
    scores = [score_likeness(text, other, language) for other in others]
    best = max(scores, default=0.0)
    return scores.index(best) if best > 0 else None


def score_likeness(one: str, other: str, language: Language) -> float:
    """0 for sentences of different things; 3 for equal ones; 1 to 2 where they share findings."""
    if one == other:
        return 3.0
    spoken_of, by_other = concepts_of(one, language), concepts_of(other, language)
    if shared := spoken_of & by_other:
        return 1.0 + len(shared) / len(spoken_of | by_other)
    if spoken_of and by_other:
        return 0.0
    ratio, _ = _compare(one, other)
    return ratio if ratio >= _SAME_SENTENCE else 0.0


def _words(text: str) -> list[str]:
    """Words as a space or a comma parts them; a Han character is a word of its own."""
    return _WORD.findall(text.casefold())
