"""Texts a site writes again and again, as plain TOML files with fields to fill in.

A file holds one template::

    name = "Pleural effusion"
    language = "en"                 # or "zh"
    section = "findings"            # or "impression"
    short = ".eff"                  # optional: typed and followed by a space, it becomes the text
    text = "Small [side: left|right] pleural effusion, [depth mm] deep."

Fields stand in brackets: ``[side: left|right]`` is one of several, ``[depth mm]`` a figure with its
unit, ``[finding]`` anything. Shipped templates stay where they are; a file of the same name in the
site's folder takes one's place.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inference.report_language import LANGUAGES, Language
from workstation.reporting.report_state import SECTIONS, Section
from workstation.whole_file import write_whole_file

_FIELD = re.compile(r"\[([^\[\]\n]+)\]")
_UNITS = (
    "mm",
    "cm",
    "ml",
    "%",
    "days",
    "weeks",
    "months",
    "years",
    "毫米",
    "厘米",
    "天",
    "周",
    "月",
)
_SHORT = re.compile(r"[^\w\s]\S{1,15}")
_KEYS = {"name": True, "language": True, "section": True, "text": True, "short": False}
_LONGEST_FILE = 64 * 1024  # bytes


@dataclass(frozen=True)
class TemplateField:
    """A field of a text: where it stands with its brackets, its name, what can be chosen (() for
    anything), its unit ("" for none)."""

    start: int
    end: int
    name: str
    choices: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class TextTemplate:
    """One template. file_name: what it is known by; is_shipped: not the site's own."""

    name: str
    language: Language
    section: Section
    text: str
    short: str = ""
    file_name: str = ""
    is_shipped: bool = False

    @property
    def inserted_text(self) -> str:
        """As it comes into a report: units stand behind their fields, so that a figure typed over
        the field keeps its unit."""
        pieces: list[str] = []
        position = 0
        for field in find_fields(self.text):
            shown = self.text[field.start : field.end]
            if field.unit:
                gap = " " if field.unit.isascii() and field.unit != "%" else ""
                shown = f"[{field.name}]{gap}{field.unit}"
            pieces += (self.text[position : field.start], shown)
            position = field.end
        return "".join(pieces) + self.text[position:]


@dataclass(frozen=True)
class BrokenTemplate:
    """A file that is no template, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class TemplateShelf:
    """Every template there is, by name, and the files that are none."""

    templates: tuple[TextTemplate, ...] = ()
    broken: tuple[BrokenTemplate, ...] = ()

    def of_language(self, language: Language) -> tuple[TextTemplate, ...]:
        return tuple(each for each in self.templates if each.language == language)


class TemplateRefused(ValueError):
    """What was given is no template; the text says why."""


def find_fields(text: str) -> tuple[TemplateField, ...]:
    """The fields of a text, in order."""
    return tuple(
        _field(match.start(), match.end(), match.group(1)) for match in _FIELD.finditer(text)
    )


def search_templates(templates: Iterable[TextTemplate], words: str) -> tuple[TextTemplate, ...]:
    """Those that hold every word; by short form and name first, by their text last."""
    wanted = words.casefold().split()
    ranked: list[tuple[int, str, TextTemplate]] = []
    for template in templates:
        name, text = template.name.casefold(), template.text.casefold()
        if not all(word in name or word in text or word in template.short for word in wanted):
            continue
        first = wanted[0] if wanted else ""
        if first and template.short.startswith(first):
            rank = 0
        elif name.startswith(first):
            rank = 1
        else:
            rank = 2 if first in name else 3
        ranked.append((rank, name, template))
    return tuple(template for _, _, template in sorted(ranked, key=lambda each: each[:2]))


def load_templates(site_folder: Path, shipped_folder: Path | None = None) -> TemplateShelf:
    """The site's and the shipped templates. A broken file is named, and the others load."""
    found: dict[str, TextTemplate] = {}
    broken: list[BrokenTemplate] = []
    for folder, is_shipped in ((shipped_folder, True), (site_folder, False)):
        for path in _files_of(folder, broken):
            try:
                template = replace(read_template(path), is_shipped=is_shipped)
            except TemplateRefused as error:
                broken.append(BrokenTemplate(path, str(error)))
            else:
                found[path.name] = template
    return TemplateShelf(*_drop_repeated_shorts(found, site_folder, broken))


def read_template(path: Path) -> TextTemplate:
    """Raises TemplateRefused with the reason."""
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise TemplateRefused("it is longer than any template")
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TemplateRefused(error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise TemplateRefused("it is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise TemplateRefused(f"it is not TOML: {error}") from error
    return make_template(values, path.name)


def make_template(values: dict[str, Any], file_name: str = "") -> TextTemplate:
    """A checked template. Raises TemplateRefused."""
    for key, is_needed in _KEYS.items():
        if is_needed and key not in values:
            raise TemplateRefused(f"it has no {key}")
        if not isinstance(values.get(key, ""), str):
            raise TemplateRefused(f"its {key} is not a text in quotes")
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise TemplateRefused(f"it has an unknown key: {unknown[0]}")
    if values["language"] not in LANGUAGES:
        raise TemplateRefused(f"its language is none of {', '.join(LANGUAGES)}")
    if values["section"] not in SECTIONS:
        raise TemplateRefused(f"its section is none of {', '.join(SECTIONS)}")
    name, text = values["name"].strip(), values["text"].strip()
    short = values.get("short", "").strip()
    if not name or not text:
        raise TemplateRefused("its name is empty" if not name else "its text is empty")
    if short and not _SHORT.fullmatch(short):
        raise TemplateRefused(
            "its short form must begin with a sign such as a full stop, have no space, and be of "
            "2 to 16 characters"
        )
    _check_fields(text)
    return TextTemplate(name, values["language"], values["section"], text, short, file_name)


def save_template(template: TextTemplate, site_folder: Path) -> TextTemplate:
    """Write it into the site's folder, under its file name or one made of its name.

    Raises TemplateRefused for one that could not be read again, OSError.
    """
    checked = make_template(
        {
            "name": template.name,
            "language": template.language,
            "section": template.section,
            "text": template.text,
            "short": template.short,
        }
    )
    site_folder.mkdir(parents=True, exist_ok=True)
    file_name = template.file_name or _new_file_name(checked, site_folder)
    write_whole_file(site_folder / file_name, _write_toml(checked).encode())
    return replace(checked, file_name=file_name)


def _files_of(folder: Path | None, broken: list[BrokenTemplate]) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        broken.append(BrokenTemplate(folder, error.strerror or str(error)))
        return []


def _drop_repeated_shorts(
    found: dict[str, TextTemplate], site_folder: Path, broken: list[BrokenTemplate]
) -> tuple[tuple[TextTemplate, ...], tuple[BrokenTemplate, ...]]:
    """A short form means one thing in a language: the site's own before a shipped one."""
    kept: list[TextTemplate] = []
    taken: dict[tuple[str, str], TextTemplate] = {}
    for template in sorted(found.values(), key=lambda t: (t.is_shipped, t.file_name)):
        owner = taken.setdefault((template.language, template.short), template)
        if template.short and owner is not template:
            if not template.is_shipped:
                reason = f"its short form {template.short} is already that of “{owner.name}”"
                broken.append(BrokenTemplate(site_folder / template.file_name, reason))
            template = replace(template, short="")
        kept.append(template)
    kept.sort(key=lambda template: (template.language, template.name.casefold()))
    return tuple(kept), tuple(broken)


def _check_fields(text: str) -> None:
    if re.sub(_FIELD, "", text).count("[") or re.sub(_FIELD, "", text).count("]"):
        raise TemplateRefused("a field is not closed, or is empty: [name] or [name: one|other]")
    for field in find_fields(text):
        inner = text[field.start + 1 : field.end - 1]
        if not field.name:
            raise TemplateRefused(f"the field [{inner}] has no name")
        if field.choices and (len(field.choices) < 2 or not all(field.choices)):
            raise TemplateRefused(f"the field [{inner}] needs two or more choices, as in [a: b|c]")


def _field(start: int, end: int, inner: str) -> TemplateField:
    name, colon, rest = inner.replace("：", ":").partition(":")
    if colon:
        choices = tuple(choice.strip() for choice in rest.replace("｜", "|").split("|"))
        return TemplateField(start, end, name.strip(), choices)
    words = name.split()
    if len(words) > 1 and words[-1] in _UNITS:
        return TemplateField(start, end, " ".join(words[:-1]), (), words[-1])
    return TemplateField(start, end, name.strip())


def _new_file_name(template: TextTemplate, folder: Path) -> str:
    slug = re.sub(r"[^\w]+", "-", template.name.casefold()).strip("-_")[:60] or "template"
    names = [f"{template.language}-{slug}.toml"]
    names += [f"{template.language}-{slug}-{number}.toml" for number in range(2, 100)]
    return next((name for name in names if not (folder / name).exists()), names[-1])


def _write_toml(template: TextTemplate) -> str:
    lines = [
        f"name = {_quoted(template.name)}",
        f"language = {_quoted(template.language)}",
        f"section = {_quoted(template.section)}",
    ]
    if template.short:
        lines.append(f"short = {_quoted(template.short)}")
    lines.append(f"text = {_quoted(template.text)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string; one with line breaks is written over several lines."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(
        each if each in "\n\t" or (ord(each) >= 32 and ord(each) != 127) else f"\\u{ord(each):04x}"
        for each in escaped
    )
    if "\n" in escaped:
        return f'"""\n{escaped}"""'
    return f'"{escaped}"'
