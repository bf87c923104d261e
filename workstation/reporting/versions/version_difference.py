"""What differs between two texts, word by word; Chinese character by character."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

PieceKind = Literal["same", "deleted", "inserted"]
# A word with its inner points and hyphens (1.5, follow-up), one Chinese character, white space,
# or one mark.
_WORD = r"[^\W\u3400-\u9fff]+"
_TOKEN = re.compile(rf"[\u3400-\u9fff]|{_WORD}(?:[.\-'’]{_WORD})*|\s+|[^\w\s]")


@dataclass(frozen=True)
class DifferencePiece:
    """A run of the text that is the same in both, or only in one."""

    kind: PieceKind
    text: str


def compare_texts(before: str, after: str) -> tuple[DifferencePiece, ...]:
    """Pieces in reading order; what was deleted stands before what was inserted for it.

    "same" and "deleted" joined are ``before``, "same" and "inserted" joined are ``after``.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changes: list[tuple[str, str, str]] = []  # deleted, inserted, then the same
    deleted = inserted = ""
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            deleted, inserted = deleted + "".join(old[i:j]), inserted + "".join(new[k:m])
            continue
        same = "".join(old[i:j])
        if same.isspace() and (deleted or inserted) and j < len(old) and m < len(new):
            # A space alone between two changes is no resting place for the eye.
            deleted, inserted = deleted + same, inserted + same
            continue
        changes.append((deleted, inserted, same))
        deleted = inserted = ""
    changes.append((deleted, inserted, ""))
    return tuple(
        DifferencePiece(kind, text)
        for deleted, inserted, same in changes
        for kind, text in _kinds(deleted, inserted, same)
        if text
    )


def _kinds(deleted: str, inserted: str, same: str) -> tuple[tuple[PieceKind, str], ...]:
    return ("deleted", deleted), ("inserted", inserted), ("same", same)


def count_words(pieces: Sequence[DifferencePiece], kind: PieceKind) -> int:
    """Words (Chinese: characters) in the pieces of one kind."""
    texts = (piece.text for piece in pieces if piece.kind == kind)
    return sum(any(c.isalnum() for c in token) for text in texts for token in _TOKEN.findall(text))
