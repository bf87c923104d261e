"""Rendered phantom films beside the reports their seeds give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from inference.phantom import sample_case
from inference.report_language.statements import Language
from inference.training.data.pairs import Answers, AnswerStore, Draw, augment, cut_by_length
from inference.training.data.prompt_frame import Kind, PromptFormat
from inference.training.render_films import SHARD, shard_path
from inference.training.tokenizer import LANGUAGES

_POOL_STEPS = 8
_LATERAL_SHARE = 0.2  # of the batches; about a third of the studies has a lateral
_PLAN_CHUNK = 512


class PhantomPairs:
    """Films on disk (memory-mapped shards); a study may be drawn in any language, with or without
    its lateral."""

    def __init__(self, folder: Path, prompt: PromptFormat) -> None:
        first_seeds = sorted(int(p.stem.split("_")[1]) for p in folder.glob("films_*[0-9].npy"))
        if not first_seeds:
            raise FileNotFoundError(f"{folder}: no rendered films (run training.render_films)")
        self.folder = folder
        self.processor = prompt.processor
        self._films = [_open_shard(folder, first, "films") for first in first_seeds]
        self._laterals = [_open_shard(folder, first, "laterals") for first in first_seeds]
        size = self._films[0].shape[1] // prompt.processor.patch_size
        self._grid = (1, size, size)
        self.seeds = [first + i for first in first_seeds for i in range(SHARD)]
        self.cases = [sample_case(seed) for seed in self.seeds]
        has_lateral = np.array([case.has_lateral for case in self.cases]).reshape(-1, SHARD)
        rows = np.where(has_lateral, has_lateral.cumsum(1) - 1, -1)
        self.lateral_rows = rows.reshape(-1)  # row in the shard's laterals, -1 where there is none
        self.with_lateral = np.flatnonzero(self.lateral_rows >= 0)
        self._answers = {
            language: AnswerStore(
                prompt, ((case.report(language), language) for case in self.cases)
            )
            for language in LANGUAGES
        }
        self.lengths = {language: store.lengths for language, store in self._answers.items()}

    def __len__(self) -> int:
        return len(self.seeds)

    def kind(self, language: Language, images: int) -> Kind:
        return Kind(language, (self._grid,) * images)

    def films(self, indices: list[int], images: int = 1) -> torch.Tensor:
        """[B, images, size, size] float32 in 0..1: the first film, then the lateral."""
        views = [self._stack(self._films, [i % SHARD for i in indices], indices)]
        if images == 2:
            views.append(self.laterals(indices))
        return torch.stack(views, dim=1)

    def laterals(self, indices: list[int]) -> torch.Tensor:
        """[B, size, size] of studies that all have one."""
        rows = [int(self.lateral_rows[i]) for i in indices]
        assert min(rows, default=0) >= 0, "a study without a lateral was drawn"
        return self._stack(self._laterals, rows, indices)

    @staticmethod
    def _stack(shards: list[np.ndarray], rows: list[int], indices: list[int]) -> torch.Tensor:
        films = [shards[i // SHARD][row] for i, row in zip(indices, rows, strict=True)]
        return torch.from_numpy(np.stack(films)).float() / 255.0

    def patchify(self, films: torch.Tensor) -> torch.Tensor:
        """[..., size, size] to stock patch order [films * patches, 3 * 2 * 14 * 14]."""
        flat = films.reshape(-1, *films.shape[-2:])
        return torch.cat([self.processor.patchify(film)[0] for film in flat])

    def patches(self, draw: Draw, generator: torch.Generator | None) -> torch.Tensor:
        films = self.films(draw.indices, len(draw.kind.grids))
        return self.patchify(films if generator is None else augment(films, generator))

    def answers(self, draw: Draw) -> Answers:
        return self._answers[draw.kind.language].take(draw.indices)

    def draw(self, step: int, batch_size: int, seed: int = 0) -> Draw:
        rng = np.random.default_rng((seed, step // _POOL_STEPS))
        kinds = _draw_kinds(rng, len(self.with_lateral) > 0)
        position = int(rng.permutation(_POOL_STEPS)[step % _POOL_STEPS])
        pools: dict[tuple[Language, int], list[list[int]]] = {}
        for language, images in sorted(set(kinds)):
            rows = self.with_lateral if images == 2 else np.arange(len(self))
            count = batch_size * kinds.count((language, images))
            pool = rows[rng.integers(0, len(rows), count)]
            cut = cut_by_length(pool, self.lengths[language], batch_size)
            pools[language, images] = cut
        chosen = kinds[position]
        indices = pools[chosen][kinds[:position].count(chosen)]
        return Draw(self.kind(*chosen), indices)

    def plan(self, count: int) -> Iterator[Draw]:
        """Every other study in Chinese; of those with a lateral, half are with it."""
        for chunk in range(0, min(count, len(self)), _PLAN_CHUNK):
            groups: dict[Kind, list[int]] = {}
            for index in range(chunk, min(chunk + _PLAN_CHUNK, count, len(self))):
                language = LANGUAGES[index % len(LANGUAGES)]
                with_lateral = self.lateral_rows[index] >= 0 and index // len(LANGUAGES) % 2 == 0
                kind = self.kind(language, 2 if with_lateral else 1)
                groups.setdefault(kind, []).append(index)
            yield from (Draw(kind, indices) for kind, indices in groups.items())


def _draw_kinds(rng: np.random.Generator, has_laterals: bool) -> list[tuple[Language, int]]:
    """(language, images) of _POOL_STEPS steps: half in each language, a fifth with laterals."""
    languages = [LANGUAGES[i % len(LANGUAGES)] for i in range(_POOL_STEPS)]
    is_pair = rng.random(_POOL_STEPS) < (_LATERAL_SHARE if has_laterals else 0.0)
    return [(language, 2 if pair else 1) for language, pair in zip(languages, is_pair, strict=True)]


def _open_shard(folder: Path, first_seed: int, name: str) -> np.ndarray:
    stored: np.ndarray = np.load(shard_path(folder, first_seed, name), mmap_mode="r")
    return stored
