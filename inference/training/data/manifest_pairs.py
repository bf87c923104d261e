"""A site's own studies: a JSONL manifest beside DICOM and PNG films.

    {"images": ["1/frontal.dcm", "1/lateral.png"], "report": "...", "language": "en"}

Paths are relative to the manifest, the frontal film comes first; a site's further fields are left
alone. All lines are checked before training begins, and all bad ones are reported together, by
file:line.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import torch
from PIL import Image

from inference.api import ModelImage
from inference.evaluation.manifest_studies import (
    check_manifest_line,
    read_film,
    read_json_lines,
)
from inference.report_language.statements import Language
from inference.training.data.pairs import Answers, AnswerStore, Draw, augment, cut_by_length
from inference.training.data.prompt_frame import Grid, Kind, PromptFormat
from inference.vision.image_processor import normalise_film

_MOST_FILMS = 2
_SORTED_BATCHES = 8  # among so many batches, studies are sorted by length of answer


class UnusableManifest(Exception):
    """Lines that can't be trained on; the message has one line for each, with file:line."""


@dataclass(frozen=True)
class ManifestStudy:
    """A checked line."""

    place: str
    films: tuple[Path, ...]
    report: str
    language: Language


def read_manifest(path: Path) -> list[ManifestStudy]:
    """All studies of the file. Raises UnusableManifest naming every bad line."""
    try:
        lines = read_json_lines(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableManifest(f"{path}: can't be read ({error})") from error
    studies, problems = [], []
    for number, line in lines:
        try:
            studies.append(_check_line(f"{path}:{number}", path.parent, line))
        except ValueError as reason:
            problems.append(f"{path}:{number}: {reason}")
    if problems or not studies:
        raise UnusableManifest("\n".join(problems) or f"{path}: no studies")
    return studies


def _check_line(place: str, folder: Path, line: str) -> ManifestStudy:
    """ValueError says what is wrong with the line."""
    images, report, language = check_manifest_line(line)
    if len(images) > _MOST_FILMS:
        raise ValueError(f"{len(images)} images, at most {_MOST_FILMS} are taken")
    films = tuple(folder / name for name in images)
    if missing := [film for film in films if not film.is_file()]:
        raise ValueError(f"{missing[0]} is no file")
    return ManifestStudy(place, films, report.strip(), language)


def _read_shapes(study: ManifestStudy) -> list[tuple[int, int]] | str:
    """(rows, columns) of each film, from its header; or what is wrong, with file:line."""
    shapes = []
    for film in study.films:
        try:
            with film.open("rb") as file:
                is_png = file.read(8) == b"\x89PNG\r\n\x1a\n"
            if is_png:
                with Image.open(film, formats=("PNG",)) as picture:
                    shapes.append((picture.height, picture.width))
            else:
                header = pydicom.dcmread(film, stop_before_pixels=True)
                shapes.append((int(header.Rows), int(header.Columns)))
        except Exception as error:
            return f"{study.place}: {film}: {str(error) or type(error).__name__}"
    return shapes


class ManifestPairs:
    """Each study once an epoch, in batches of one kind; films are read when they are needed.

    Only headers are read at the start, for the patch grids. Raises UnusableManifest, then for
    headers that can't be read, later for films whose pixels can't.
    """

    def __init__(self, manifest: Path, prompt: PromptFormat) -> None:
        self._processor = prompt.processor
        self._studies = read_manifest(manifest)
        self._grids: dict[tuple[int, int], Grid] = {}
        self._kinds = self._read_kinds()
        self._rows = self._rows_by_kind()
        self._planned: tuple[tuple[int, int, int], list[Draw]] = ((-1, 0, 0), [])
        self._answers = AnswerStore(
            prompt, ((study.report, study.language) for study in self._studies)
        )

    def __len__(self) -> int:
        return len(self._studies)

    def _read_kinds(self) -> list[Kind]:
        kinds, problems = [], []
        with ThreadPoolExecutor() as pool:
            for study, shapes in zip(
                self._studies, pool.map(_read_shapes, self._studies), strict=True
            ):
                if isinstance(shapes, str):
                    problems.append(shapes)
                else:
                    kinds.append(Kind(study.language, tuple(map(self._grid_of, shapes))))
        if problems:
            raise UnusableManifest("\n".join(problems))
        return kinds

    def _grid_of(self, shape: tuple[int, int]) -> Grid:
        if shape not in self._grids:
            self._grids[shape] = self._processor(ModelImage(np.zeros(shape)))[1]
        return self._grids[shape]

    def patches(self, draw: Draw, generator: torch.Generator | None) -> torch.Tensor:
        studies = [self._studies[index] for index in draw.indices]
        return torch.cat(
            [self._patchify(study, film, generator) for study in studies for film in study.films]
        )

    def _patchify(
        self, study: ManifestStudy, film: Path, generator: torch.Generator | None
    ) -> torch.Tensor:
        try:
            image = read_film(film)
        except Exception as error:
            # Decoders raise whatever broken bytes lead them to; each is its line's problem.
            reason = str(error) or type(error).__name__
            raise UnusableManifest(f"{study.place}: {film}: {reason}") from error
        if generator is not None:
            grey = augment(torch.from_numpy(normalise_film(image))[None], generator)[0]
            image = ModelImage(grey.numpy(), padding_mask=image.padding_mask)
        return self._processor(image)[0]

    def answers(self, draw: Draw) -> Answers:
        return self._answers.take(draw.indices)

    def draw(self, step: int, batch_size: int, seed: int = 0) -> Draw:
        batches = sum(-(-len(rows) // batch_size) for rows in self._rows.values())
        epoch, position = divmod(step, batches)
        if self._planned[0] != (
            epoch,
            batch_size,
            seed,
        ):  # there may be 10^6 studies
            planned = self._plan_epoch(epoch, batch_size, seed)
            self._planned = ((epoch, batch_size, seed), planned)
        return self._planned[1][position]

    def _plan_epoch(self, epoch: int, batch_size: int, seed: int) -> list[Draw]:
        rng = np.random.default_rng((seed, epoch))
        drawn = [
            Draw(kind, indices)
            for kind, rows in self._rows.items()
            for indices in self._cut(rng.permutation(rows), batch_size)
        ]
        return [drawn[index] for index in rng.permutation(len(drawn))]

    def _cut(self, rows: np.ndarray, batch_size: int) -> Iterator[list[int]]:
        window = batch_size * _SORTED_BATCHES
        for start in range(0, len(rows), window):
            yield from cut_by_length(
                rows[start : start + window], self._answers.lengths, batch_size
            )

    def _rows_by_kind(self, count: int | None = None) -> dict[Kind, np.ndarray]:
        groups: dict[Kind, list[int]] = {}
        for index, kind in enumerate(self._kinds[:count]):
            groups.setdefault(kind, []).append(index)
        return {kind: np.array(rows) for kind, rows in groups.items()}

    def plan(self, count: int) -> Iterator[Draw]:
        for kind, rows in self._rows_by_kind(max(count, 0)).items():
            yield Draw(kind, [int(row) for row in rows])
