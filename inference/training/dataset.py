"""Image–report pairs of rendered phantoms as batches of the RAD layout's parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from inference.decoding.prompt_ids import build_prompt_ids
from inference.image_processor import ImageProcessor
from inference.phantom import sample_case
from inference.prompts import END_OF_TEXT, IM_END
from inference.report_language.statements import Language
from inference.training.embedded_config import BLOCK_LENGTH, IMAGE_SIZE, preprocessor_config
from inference.training.render_films import SHARD, shard_path
from inference.training.tokenizer import LANGUAGES, special_id

_POOL_STEPS = 8
_LATERAL_SHARE = 0.2  # of the batches; about a third of the studies has a lateral


@dataclass(frozen=True)
class Draw:
    """What one step trains on: rows of the pairs, all in one language, all with as many films."""

    language: Language
    images: int
    indices: list[int]


@dataclass(frozen=True, eq=False)
class Batch:
    """B pairs. answers: [B, R] ids, whole blocks; supervised: [B, R] bool (own blocks only)."""

    films: torch.Tensor  # [B, images, size, size] float32 in 0..1, the lateral last
    answers: torch.Tensor
    supervised: torch.Tensor


class PhantomPairs:
    """Films on disk (memory-mapped shards) beside the reports their seeds give."""

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        first_seeds = sorted(int(p.stem.split("_")[1]) for p in folder.glob("films_*[0-9].npy"))
        if not first_seeds:
            raise FileNotFoundError(f"{folder}: no rendered films (run training.render_films)")
        self.folder = folder
        self._films = [_open_shard(folder, first, "films") for first in first_seeds]
        self._laterals = [_open_shard(folder, first, "laterals") for first in first_seeds]
        self.seeds = [first + i for first in first_seeds for i in range(SHARD)]
        self.cases = [sample_case(seed) for seed in self.seeds]
        has_lateral = np.array([case.has_lateral for case in self.cases]).reshape(-1, SHARD)
        rows = np.where(has_lateral, has_lateral.cumsum(1) - 1, -1)
        self.lateral_rows = rows.reshape(-1)  # row in the shard's laterals, -1 where there is none
        self.with_lateral = np.flatnonzero(self.lateral_rows >= 0)
        self._pad_id = special_id(tokenizer, END_OF_TEXT)
        self._answers: dict[Language, list[list[int]]] = {
            language: [answer_ids(tokenizer, case.report(language)) for case in self.cases]
            for language in LANGUAGES
        }
        self.lengths = {
            language: np.array([len(answer) for answer in answers])
            for language, answers in self._answers.items()
        }

    def __len__(self) -> int:
        return len(self.seeds)

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

    def batch(self, draw: Draw) -> Batch:
        answers, supervised = self.answers(draw)
        return Batch(self.films(draw.indices, draw.images), answers, supervised)

    def answers(self, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
        """(answers, supervised) [B, R] without the films."""
        return pad_answers([self._answers[draw.language][i] for i in draw.indices], self._pad_id)

    def draw(self, step: int, batch_size: int, seed: int = 0) -> Draw:
        """One step's batch, of similar length; a function of (seed, step) alone."""
        rng = np.random.default_rng((seed, step // _POOL_STEPS))
        kinds = draw_kinds(rng, len(self.with_lateral) > 0)
        order = rng.permutation(_POOL_STEPS)
        position = int(order[step % _POOL_STEPS])
        language, images = kinds[position]
        pools: dict[tuple[Language, int], list[list[int]]] = {}
        for kind in sorted(set(kinds)):
            rows = self.with_lateral if kind[1] == 2 else np.arange(len(self))
            pool = rows[rng.integers(0, len(rows), batch_size * kinds.count(kind))]
            pools[kind] = cut_by_length(pool, self.lengths[kind[0]], batch_size)
        nth = kinds[:position].count((language, images))
        return Draw(language, images, pools[language, images][nth])


def draw_kinds(rng: np.random.Generator, has_laterals: bool) -> list[tuple[Language, int]]:
    """(language, images) of _POOL_STEPS steps: half in each language, a fifth with laterals."""
    languages = [LANGUAGES[i % len(LANGUAGES)] for i in range(_POOL_STEPS)]
    is_pair = rng.random(_POOL_STEPS) < (_LATERAL_SHARE if has_laterals else 0.0)
    return [(language, 2 if pair else 1) for language, pair in zip(languages, is_pair, strict=True)]


def cut_by_length(pool: np.ndarray, lengths: np.ndarray, batch_size: int) -> list[list[int]]:
    """The pool sorted by length, in batches: what is padded to the longest is little."""
    by_length = pool[np.argsort(lengths[pool], kind="stable")]
    return [
        [int(i) for i in by_length[start : start + batch_size]]
        for start in range(0, len(by_length), batch_size)
    ]


def _open_shard(folder: Path, first_seed: int, name: str) -> np.ndarray:
    stored: np.ndarray = np.load(shard_path(folder, first_seed, name), mmap_mode="r")
    return stored


def answer_ids(tokenizer: Tokenizer, report: str) -> list[int]:
    """Tokens, <|im_end|>, then <|endoftext|> to a whole block: all of it supervised (SDAR)."""
    words = tokenizer.encode(report, add_special_tokens=False).ids
    ids = [*words, special_id(tokenizer, IM_END)]
    return ids + [special_id(tokenizer, END_OF_TEXT)] * (-len(ids) % BLOCK_LENGTH)


def pad_answers(answers: list[list[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(answer) for answer in answers)
    padded = torch.full((len(answers), longest), pad_id)
    supervised = torch.zeros(len(answers), longest, dtype=torch.bool)
    for row, answer in enumerate(answers):
        padded[row, : len(answer)] = torch.tensor(answer)
        supervised[row, : len(answer)] = True
    return padded, supervised


def augment(films: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Exposure, gamma, noise and small shifts of films [..., size, size], each film its own.

    Findings and sides stay what they are.
    """
    size = films.shape[-1]
    flat = films.reshape(-1, size, size)

    def uniform(low: float, high: float) -> torch.Tensor:
        drawn = torch.rand(flat.shape[0], generator=generator)
        return (low + (high - low) * drawn).view(-1, 1, 1)

    flat = flat.clamp(1e-4, 1) ** uniform(0.85, 1.18)
    flat = flat * uniform(0.9, 1.08) + uniform(-0.03, 0.03)
    flat = flat + uniform(0.0, 0.02) * torch.randn(flat.shape, generator=generator)
    dy, dx = (int(torch.randint(-4, 5, (1,), generator=generator)) for _ in range(2))
    return torch.roll(flat, (dy, dx), (1, 2)).clamp(0, 1).view(films.shape)


class PromptFrame:
    """The fixed prompt of the embedded model: same ids and positions for each study.

    images: 1 (frontal) or 2 (frontal, lateral).
    """

    def __init__(self, tokenizer: Tokenizer, language: Language = "en", images: int = 1) -> None:
        config = preprocessor_config()
        self._processor = ImageProcessor(
            patch_size=14, temporal_patch_size=2, merge_size=2,
            min_pixels=IMAGE_SIZE**2, max_pixels=IMAGE_SIZE**2,
            mean=tuple(config["image_mean"]), std=tuple(config["image_std"]),  # type: ignore[arg-type]
            local_contrast=bool(config["local_contrast"]),
        )  # fmt: skip
        side = IMAGE_SIZE // 14
        self.images = images
        self.grid = (1, side, side)
        counts = (self._processor.token_count(self.grid),) * images
        self.ids = build_prompt_ids(tokenizer, language, counts, BLOCK_LENGTH, pad=True)
        self.length = len(self.ids)

    def patches(self, films: torch.Tensor) -> torch.Tensor:
        """[..., size, size] to stock patch order [films * patches, 3 * 2 * 14 * 14]."""
        flat = films.reshape(-1, *films.shape[-2:])
        return torch.cat([self._processor.patchify(film)[0] for film in flat])
