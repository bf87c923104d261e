"""A site's own words, one file in the data folder: words.txt (a word a line) or words.json (a
list)."""

from __future__ import annotations

import json
from pathlib import Path

from workstation.whole_file import write_whole_file

TEXT_NAME, JSON_NAME = "words.txt", "words.json"


class UnreadableWordList(Exception):
    """A word list is no list of words; the file and the reason are named."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class SiteWords:
    """Words of a folder's list, lower case. Lines that begin with # are comments."""

    def __init__(self, folder: Path) -> None:
        """Raises UnreadableWordList, and then nothing was read; a missing file is an empty list."""
        json_path = folder / JSON_NAME
        self.path = json_path if json_path.is_file() else folder / TEXT_NAME
        self._words = set(_read_words(self.path))

    def __contains__(self, word: str) -> bool:
        return word.lower() in self._words

    def __len__(self) -> int:
        return len(self._words)

    def add(self, word: str) -> None:
        """Keep a word in the file too, all or nothing. Raises OSError."""
        word = word.strip().lower()
        if not word or word in self._words:
            return
        words = sorted({*self._words, word})
        if self.path.suffix == ".json":
            text = json.dumps(words, ensure_ascii=False, indent=1) + "\n"
        else:
            there = self.path.read_text("utf-8") if self.path.is_file() else ""
            text = there + ("" if not there or there.endswith("\n") else "\n") + word + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(self.path, text.encode())
        self._words.add(word)


def _read_words(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableWordList(path, str(error)) from error
    if path.suffix != ".json":
        lines = (line.strip() for line in text.splitlines())
        return [line.lower() for line in lines if line and not line.startswith("#")]
    try:
        words = json.loads(text)
    except ValueError as error:
        raise UnreadableWordList(path, f"not JSON: {error}") from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UnreadableWordList(path, "not a JSON list of words")
    return [word.strip().lower() for word in words if word.strip()]
