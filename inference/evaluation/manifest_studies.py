"""Studies of a site's own: a JSONL manifest beside DICOM and PNG films.

    {"images": ["1/frontal.dcm", "1/lateral.png"], "report": "...", "language": "en"}

Paths are relative to the manifest, the frontal film comes first; a site's further fields are left
alone. A bad line, or a film that can't be read, is an UnreadableStudy with file and line when its
images are asked for: it counts as a failure, and the rest goes on.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_modality_lut

from inference import ModelImage
from inference.evaluation.studies import Reference, Study, UnreadableStudy
from inference.prompts import parse_sections
from inference.report_language import LANGUAGES, NOT_A_FRONTAL_CHEST, Language


def manifest_studies(manifest: Path, languages: Iterable[Language]) -> Iterator[Study]:
    """A study a line, of the given languages; empty lines are skipped.

    Raises UnreadableStudy at once if the manifest itself can't be read.
    """
    kept = set(languages)
    try:
        lines = read_json_lines(manifest)
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableStudy(f"{manifest}: can't be read ({error})") from error
    return (study for number, line in lines for study in _read_line(manifest, number, line, kept))


def read_json_lines(path: Path) -> list[tuple[int, str]]:
    """(number from 1, line) of each line that is not blank. Raises OSError, UnicodeDecodeError.

    Only line feeds end a line: JSON strings may hold U+2028 and U+0085 as they are (RFC 8259, 7).
    """
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _read_line(manifest: Path, number: int, line: str, languages: set[Language]) -> Iterator[Study]:
    place = f"{manifest}:{number}"
    name = f"{manifest.name}:{number}"
    try:
        paths, report, language = check_manifest_line(line)
    except ValueError as reason:
        failure = UnreadableStudy(f"{place}: {reason}")
        first = next(known for known in LANGUAGES if known in languages)  # counted once
        yield Study(name, True, None, (Reference(first, "", ""),), _failing_loader(failure))
        return
    if language in languages:
        findings, impression = parse_sections(report)
        is_chest = not findings.startswith(NOT_A_FRONTAL_CHEST[language])
        films = tuple(manifest.parent / path for path in paths)
        reference = Reference(language, findings, impression)
        yield Study(name, is_chest, None, (reference,), _film_loader(place, films))


def check_manifest_line(line: str) -> tuple[list[str], str, Language]:
    """(images, report, language); ValueError says what is wrong with the line."""
    try:
        values: Any = json.loads(line)
    except ValueError as error:
        raise ValueError(f"not JSON ({error})") from error
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")
    if "language" not in values and (misspelt := get_close_matches("language", list(values))):
        raise ValueError(f"unknown field {misspelt[0]!r}: 'language'?")
    images, report = values.get("images"), values.get("report")
    if not (isinstance(images, list) and images and all(isinstance(p, str) for p in images)):
        raise ValueError("'images' is not a list of file names")
    if not (isinstance(report, str) and report.strip()):
        raise ValueError("'report' is not a text")
    language = values.get("language", "en")
    if language not in LANGUAGES:
        raise ValueError(f"'language' is {language!r}, not one of {', '.join(LANGUAGES)}")
    return images, report, language


def _failing_loader(failure: UnreadableStudy) -> Callable[[], tuple[ModelImage, ...]]:
    def load_images() -> tuple[ModelImage, ...]:
        raise failure

    return load_images


def _film_loader(place: str, films: tuple[Path, ...]) -> Callable[[], tuple[ModelImage, ...]]:
    def load_images() -> tuple[ModelImage, ...]:
        images = []
        for film in films:
            try:
                images.append(read_film(film))
            except Exception as error:
                # Decoders raise whatever broken bytes lead them to; each is this line's failure.
                reason = str(error) or type(error).__name__
                raise UnreadableStudy(f"{place}: {film}: {reason}") from error
        return tuple(images)

    return load_images


def read_film(path: Path) -> ModelImage:
    """A DICOM or PNG film as the engine wants it. Raises OSError, ValueError and decoders' own."""
    with path.open("rb") as file:
        is_png = file.read(8) == b"\x89PNG\r\n\x1a\n"
    return _read_png(path) if is_png else _read_dicom(path)


def _read_png(path: Path) -> ModelImage:
    with Image.open(path, formats=("PNG",)) as picture:
        if picture.mode in ("1", "P"):
            values = np.asarray(picture.convert("RGB" if picture.mode == "P" else "L"))
        else:
            values = np.asarray(picture)
    if values.ndim == 3:
        if values.shape[2] != 3 or (values != values[..., :1]).any():
            raise ValueError("a coloured or transparent picture, not a grey film")
        values = values[..., 0]
    return ModelImage(values)


def _read_dicom(path: Path) -> ModelImage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of values it goes on with
        dataset = pydicom.dcmread(path)
        polarity = str(dataset.get("PhotometricInterpretation", ""))
        if polarity not in ("MONOCHROME1", "MONOCHROME2"):
            raise ValueError(f"a DICOM image that is {polarity or 'no image'}, not a grey film")
        stored = dataset.pixel_array
        if stored.ndim != 2:
            raise ValueError(f"{stored.shape[0]} frames, not a single film")
        pixels = np.asarray(apply_modality_lut(stored, dataset), dtype=np.float32)
    return ModelImage(pixels, polarity == "MONOCHROME1", _padding_mask(dataset, stored))


def _padding_mask(dataset: pydicom.Dataset, stored: np.ndarray) -> np.ndarray | None:
    """True on pixel padding (PS3.3 C.7.5.1.1.2), or None without any."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    first, last = sorted((int(value), int(value if limit is None else limit)))
    return (stored >= first) & (stored <= last)
