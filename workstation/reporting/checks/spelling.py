"""Which words of a report nobody knows: neither English, nor radiology, nor the site. Qt-free.

English words come from pyspellchecker's list (MIT); the field's from the report language's own
lexicon and the list here. Compounds of the field ("retrocardiac", "bronchovascular") are known by
their parts. Chinese is written without word boundaries: there only Latin words are looked at.
"""

from __future__ import annotations

import gc
import logging
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from threading import Lock, Thread

from spellchecker import SpellChecker

from workstation.reporting.checks.radiology_words import COMBINING_FORMS, RADIOLOGY_WORDS
from workstation.reporting.checks.site_words import SiteWords

_log = logging.getLogger(__name__)
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['’][A-Za-z]+)?")
_LEXICONS = ("lexicon", "triggers", "raw_prose_en", "raw_phrases_en", "template_en", "vocabulary")
_SHORTEST = 3
"""Shorter words are units, initials and levels ("cm", "T8"): not looked at [letters]."""
_SHORTEST_REST = 4
_SUGGESTIONS = 5


@dataclass(frozen=True)
class UnknownWord:
    """A word nobody knows. start, end: offsets into the text."""

    word: str
    start: int
    end: int


class EnglishWords:
    """The list of 160,000 English words, read once a process (some 0.2 s): on a thread of its own
    where begin_reading was called, which touches nothing else."""

    _words: SpellChecker | None = None
    _reader: Thread | None = None
    _lock = Lock()

    @classmethod
    def read(cls) -> SpellChecker:
        """The words, read now if need be."""
        with cls._lock:
            if cls._words is None:
                cls._words = SpellChecker(language="en", distance=1)
            return cls._words

    @classmethod
    def begin_reading(cls) -> None:
        """Read them in the background, unless they are read already."""
        if cls._words is None and not cls.is_reading():
            cls._reader = Thread(target=cls._read_logged, name="english-words", daemon=True)
            cls._reader.start()

    @classmethod
    def when_read(cls) -> SpellChecker | None:
        """The words, None while nobody has read them."""
        return cls._words

    @classmethod
    def is_reading(cls) -> bool:
        return cls._reader is not None and cls._reader.is_alive()

    @classmethod
    def _read_logged(cls) -> None:
        # A cycle of widgets must not be collected on this thread: Qt's objects die on their own.
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            cls.read()
        except (OSError, ValueError) as error:
            _log.warning("the list of English words can't be read: %s", error)
        finally:
            if was_collecting:
                gc.enable()


class Speller:
    """Knows English, the report language and the site's words.

    english: None reads the list now.
    """

    def __init__(
        self, site_words: SiteWords | None = None, english: SpellChecker | None = None
    ) -> None:
        self.site_words = site_words
        self._english = english if english is not None else EnglishWords.read()
        self._field = _field_words()
        self._known: dict[str, bool] = {}

    def unknown_words(self, text: str) -> tuple[UnknownWord, ...]:
        """The words of a text that nobody knows; placeholders and initials are none."""
        return tuple(
            UnknownWord(match.group(), match.start(), match.end())
            for match in _WORD.finditer(text)
            if not self.knows(match.group())
        )

    def knows(self, word: str) -> bool:
        """Whether a word is to be left alone."""
        if len(word) < _SHORTEST or word.isupper() or "xxx" in word.lower():
            return True
        plain = word.lower().replace("’", "'").removesuffix("'s")
        if self.site_words is not None and plain in self.site_words:
            return True
        if plain not in self._known:
            self._known[plain] = self._is_known(plain)
        return self._known[plain]

    def suggestions(self, word: str) -> tuple[str, ...]:
        """Known words one letter away, the field's first, then the commoner ones."""
        plain = word.lower()
        nearby = set(self._english.edit_distance_1(plain))
        site = {each for each in nearby if self.site_words is not None and each in self.site_words}
        known = {each for each in nearby if self._is_known(each)} | site
        ranked = sorted(
            known,
            key=lambda each: (
                each not in site and each not in self._field,
                -self._english.word_usage_frequency(each),
                each,
            ),
        )[:_SUGGESTIONS]
        return tuple(each.capitalize() if word[:1].isupper() else each for each in ranked)

    def add_word(self, word: str) -> None:
        """Add a word to the site's list. Raises OSError where that cannot be written."""
        if self.site_words is not None:
            self.site_words.add(word)

    def _is_known(self, word: str) -> bool:
        if word in self._field or word in COMBINING_FORMS or word in self._english:
            return True
        rests = (word.removeprefix(form) for form in COMBINING_FORMS if word.startswith(form))
        return any(
            len(rest) >= _SHORTEST_REST and (rest in self._field or rest in self._english)
            for rest in rests
        )


@cache
def _field_words() -> frozenset[str]:
    """Every word of the report language's lexicons and of the list."""
    words = set(RADIOLOGY_WORDS)
    for name in _LEXICONS:
        module = import_module(f"inference.report_language.{name}")
        for value in vars(module).values():
            _collect(value, words, depth=0)
    return frozenset(words)


def _collect(value: object, words: set[str], depth: int) -> None:
    """The words of strings in nested tables; patterns ("a|b [c]") come apart at their signs."""
    if isinstance(value, str):
        words.update(word.lower() for word in re.findall(r"[A-Za-z]{3,}", value))
    elif depth < 5 and isinstance(value, dict):
        for key, each in value.items():
            _collect(key, words, depth + 1)
            _collect(each, words, depth + 1)
    elif depth < 5 and isinstance(value, tuple | list | set | frozenset):
        for each in value:
            _collect(each, words, depth + 1)
    elif hasattr(value, "terms"):
        _collect(value.terms, words, depth + 1)
