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
from inference.training.embedded_config import BLOCK_LENGTH, IMAGE_SIZE, preprocessor_config
from inference.training.render_films import SHARD
from inference.training.tokenizer import special_id


@dataclass(frozen=True, eq=False)
class Batch:
    """B pairs. answers: [B, R] ids, whole blocks; supervised: [B, R] bool (own blocks only)."""

    seeds: list[int]
    films: torch.Tensor  # [B, size, size] float32 in 0..1
    answers: torch.Tensor
    supervised: torch.Tensor


class PhantomPairs:
    """Films on disk (memory-mapped shards) beside the reports their seeds give."""

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        paths = sorted(folder.glob("films_*[0-9].npy"), key=lambda p: int(p.stem.split("_")[1]))
        if not paths:
            raise FileNotFoundError(f"{folder}: no rendered films (run training.render_films)")
        self._shards = [np.load(path, mmap_mode="r") for path in paths]
        self.seeds = [int(p.stem.split("_")[1]) + i for p in paths for i in range(SHARD)]
        self._tokenizer = tokenizer
        self._answers = [answer_ids(tokenizer, sample_case(seed).report) for seed in self.seeds]
        self.lengths = np.array([len(answer) for answer in self._answers])

    def __len__(self) -> int:
        return len(self.seeds)

    def films(self, indices: list[int]) -> torch.Tensor:
        stack = np.stack([self._shards[i // SHARD][i % SHARD] for i in indices])
        return torch.from_numpy(stack).float() / 255.0

    def batch(self, indices: list[int], answers: list[list[int]] | None = None) -> Batch:
        """answers: other texts than the data's, e.g. the teacher's."""
        chosen = answers if answers is not None else [self._answers[i] for i in indices]
        padded, supervised = pad_answers(chosen, special_id(self._tokenizer, END_OF_TEXT))
        return Batch([self.seeds[i] for i in indices], self.films(indices), padded, supervised)

    def draw(self, step: int, batch_size: int, seed: int = 0) -> list[int]:
        """Indices of one step's batch, of similar length; a function of (seed, step) alone."""
        pool_steps = 8
        rng = np.random.default_rng((seed, step // pool_steps))
        pool = rng.integers(0, len(self), batch_size * pool_steps)
        by_length = pool[np.argsort(self.lengths[pool], kind="stable")]
        order = rng.permutation(pool_steps)
        start = int(order[step % pool_steps]) * batch_size
        return [int(i) for i in by_length[start : start + batch_size]]


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
    """Exposure, gamma, noise and small shifts; findings and sides stay what they are."""
    count = films.shape[0]

    def uniform(low: float, high: float) -> torch.Tensor:
        return (low + (high - low) * torch.rand(count, generator=generator)).view(-1, 1, 1)

    films = films.clamp(1e-4, 1) ** uniform(0.85, 1.18)
    films = films * uniform(0.9, 1.08) + uniform(-0.03, 0.03)
    films = films + uniform(0.0, 0.02) * torch.randn(films.shape, generator=generator)
    dy, dx = (int(torch.randint(-4, 5, (1,), generator=generator)) for _ in range(2))
    return torch.roll(films, (dy, dx), (1, 2)).clamp(0, 1)


class PromptFrame:
    """The fixed prompt of the embedded model: same ids and positions for each film."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        config = preprocessor_config()
        self._processor = ImageProcessor(
            patch_size=14, temporal_patch_size=2, merge_size=2,
            min_pixels=IMAGE_SIZE**2, max_pixels=IMAGE_SIZE**2,
            mean=tuple(config["image_mean"]), std=tuple(config["image_std"]),  # type: ignore[arg-type]
            local_contrast=bool(config["local_contrast"]),
        )  # fmt: skip
        side = IMAGE_SIZE // 14
        self.grid = (1, side, side)
        tokens = self._processor.token_count(self.grid)
        self.ids = build_prompt_ids(tokenizer, "en", (tokens,), BLOCK_LENGTH, pad=True)
        self.length = len(self.ids)

    def patches(self, films: torch.Tensor) -> torch.Tensor:
        """[B, size, size] to stock patch order [B * patches, 3 * 2 * 14 * 14]."""
        return torch.cat([self._processor.patchify(film)[0] for film in films])
