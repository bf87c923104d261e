"""The licence a model folder brings along: its text, or what its README says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_LICENCE_FILE = re.compile(r"(licen[cs]e|copying)", re.IGNORECASE)
_LONGEST_TEXT_BYTES = 1 << 20
# YAML front matter of a model card, as model hubs write it.
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)
_FIELD = re.compile(r"^(licen[cs]e(?:_name|_link)?):\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class ModelLicence:
    """file_names: where the text is from, relative to the model folder."""

    file_names: tuple[str, ...]
    text: str


def find_licence(folder: Path) -> ModelLicence | None:
    """LICENSE*, LICENCE*, COPYING* in full, and the README's licence fields; None without any."""
    names, texts = list[str](), list[str]()
    for path in sorted(folder.iterdir()):
        if path.is_file() and _LICENCE_FILE.match(path.name):
            names.append(path.name)
            texts.append(_read_text(path).strip())
    readme = folder / "README.md"
    if readme.is_file() and (said := _licence_fields(_read_text(readme))):
        names.append(readme.name)
        texts.append(said)
    return ModelLicence(tuple(names), "\n\n".join(texts)) if names else None


def _licence_fields(text: str) -> str:
    front = _FRONT_MATTER.match(text.replace("\r\n", "\n"))
    fields = _FIELD.findall(front[1]) if front else []
    return "\n".join(f"{name.lower()}: {value}" for name, value in fields)


def _read_text(path: Path) -> str:
    """Of a downloaded file: at most a MiB, and nothing that could steer a terminal."""
    try:
        with path.open("rb") as stream:
            text = stream.read(_LONGEST_TEXT_BYTES).decode("utf-8", errors="replace")
    except OSError as error:
        return f"{path}: can't be read ({error.strerror})"
    return "".join(sign for sign in text if sign in "\n\t" or sign.isprintable())
