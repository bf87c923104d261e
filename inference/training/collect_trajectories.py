"""Stage III, first half: the frozen multi-step teacher writes, and what it knew is recorded.

    python -m inference.training.collect_trajectories --films runs/films --out runs/v0

Per block all masked positions are queried; those with confidence >= tau are committed (the best
one if none), each with its argmax, and the teacher's distribution at the step of commitment is
kept (its largest TOP entries). The next block goes on from the committed tokens: the teacher's
own text, as in the paper. Drafts with repetition loops or without a stop are dropped.
Interrupted runs resume at the first missing part.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from inference.decoding.attention_masks import block_causal_mask
from inference.prompts import END_OF_TEXT, IM_END
from inference.report_language.statements import Language
from inference.training.dataset import Draw, PhantomPairs
from inference.training.embedded_config import BLOCK_LENGTH, build_model
from inference.training.feature_cache import cached_features
from inference.training.forward import ReportForward, build_forwards
from inference.training.loop import load_weights
from inference.training.tokenizer import LANGUAGES, run_tokenizer, special_id

TOP = 8
MAX_BLOCKS = 18  # the longest of 1,000 reports has 112 tokens in English, 91 in Chinese
_PART = 128
_CHUNK = 512


class PrefixCache:
    """Keys and values of a batch's common prefix; a pass adds to it only while storing."""

    def __init__(self) -> None:
        self.storing = True
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if layer in self._layers:
            old_keys, old_values = self._layers[layer]
            keys = torch.cat([old_keys, keys], dim=2)
            values = torch.cat([old_values, values], dim=2)
        if self.storing:
            self._layers[layer] = (keys, values)
        return keys, values

    def get_seq_length(self, layer: int = 0) -> int:
        return self._layers[layer][0].shape[2] if layer in self._layers else 0


@dataclass(frozen=True, eq=False)
class Trajectories:
    """N teacher drafts of R positions. steps: 1-based commit step within the block, 0 = unused."""

    tokens: torch.Tensor  # [N, R] int32
    steps: torch.Tensor  # [N, R] uint8
    top_ids: torch.Tensor  # [N, R, TOP] int32
    top_probabilities: torch.Tensor  # [N, R, TOP] float16
    passes: int  # denoising passes, summed over blocks, of the whole batch


class BatchedTeacher:
    """Multi-step decoding of many films at once (same prompt length, so no padding)."""

    def __init__(self, forward: ReportForward, stop_ids: tuple[int, ...], threshold: float) -> None:
        self._forward, self._stop_ids, self._threshold = forward, torch.tensor(stop_ids), threshold
        self._mask_id = int(forward.model.config.mask_token_id)

    def _pass(self, cache: PrefixCache, ids: torch.Tensor, store: bool) -> torch.Tensor:
        """Logits [B, L, V] of one block after the cached prefix."""
        cache.storing = store
        start = cache.get_seq_length()
        language_model = self._forward.model.model.language_model
        positions = self._forward.positions(start, ids.shape[1])
        # a whole block sees all before it; a mask of None would mean "causal" to transformers
        everything = torch.ones(1, 1, ids.shape[1], start + ids.shape[1], dtype=torch.bool)
        with torch.autocast("cpu", torch.bfloat16):
            hidden = language_model(
                inputs_embeds=language_model.embed_tokens(ids),
                position_ids=positions[:, None].expand(-1, ids.shape[0], -1),
                attention_mask={"full_attention": everything},
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state
            logits = self._forward.logits(hidden).float()
        logits[..., self._mask_id] = -torch.inf
        return logits

    @torch.inference_mode()
    def draft(self, features: torch.Tensor, max_steps: int = BLOCK_LENGTH) -> Trajectories:
        """features [B, tokens, hidden] to trajectories of at most MAX_BLOCKS blocks."""
        count = features.shape[0]
        cache = self._prefill(features)
        finished = torch.zeros(count, dtype=torch.bool)
        blocks: list[tuple[torch.Tensor, ...]] = []
        passes = 0
        for _ in range(MAX_BLOCKS):
            ids = torch.full((count, BLOCK_LENGTH), self._mask_id)
            steps = torch.zeros(count, BLOCK_LENGTH, dtype=torch.uint8)
            top_ids = torch.zeros(count, BLOCK_LENGTH, TOP, dtype=torch.int32)
            top_p = torch.zeros(count, BLOCK_LENGTH, TOP, dtype=torch.float16)
            for step in range(1, max_steps + 1):
                masked = ids == self._mask_id
                masked &= ~finished[:, None]
                if not masked.any():
                    break
                passes += 1
                probabilities = self._pass(cache, ids, store=False).softmax(-1)
                confidence, best = probabilities.max(-1)
                confidence = confidence.masked_fill(~masked, -1.0)
                commit = masked & (confidence >= self._threshold)
                if step == max_steps:
                    commit = masked
                surest = torch.zeros_like(commit)
                surest.scatter_(1, confidence.argmax(1, keepdim=True), value=True)
                commit |= surest & masked & ~commit.any(1, keepdim=True)
                values, indices = probabilities.topk(TOP, dim=-1)
                ids = torch.where(commit, best, ids)
                steps[commit] = step
                top_ids[commit] = indices[commit].int()
                top_p[commit] = values[commit].to(torch.float16)
            blocks.append((torch.where(finished[:, None], -1, ids), steps, top_ids, top_p))
            finished |= torch.isin(ids, self._stop_ids).any(1)
            if finished.all():
                break
            self._pass(cache, ids.masked_fill(ids == self._mask_id, int(self._stop_ids[0])), True)
        tokens, steps, top_ids, top_p = (
            torch.cat(part, dim=1) for part in zip(*blocks, strict=True)
        )
        return Trajectories(tokens.int(), steps, top_ids, top_p, passes)

    def _prefill(self, features: torch.Tensor) -> PrefixCache:
        cache = PrefixCache()
        with torch.autocast("cpu", torch.bfloat16):
            self._forward.prefill(
                features, cache, block_causal_mask(self._forward.frame.length, BLOCK_LENGTH)
            )
        return cache


def keep_row(tokens: list[int], stop_ids: tuple[int, ...]) -> bool:
    """A draft that stopped, and in which no 4-gram stands three times in a row."""
    if not any(stop in tokens for stop in stop_ids):
        return False
    ids = [token for token in tokens if token >= 0]
    for start in range(len(ids) - 11):
        gram = ids[start : start + 4]
        if ids[start + 4 : start + 8] == gram and ids[start + 8 : start + 12] == gram:
            return False
    return True


def plan_parts(pairs: PhantomPairs, count: int) -> Iterator[tuple[str, Draw]]:
    """(name, rows) of each part: one language, one number of films; a mixture at any time.

    Every other study is drafted in Chinese; of those with a lateral, half are with it.
    """
    for chunk in range(0, min(count, len(pairs)), _CHUNK):
        groups: dict[tuple[Language, int], list[int]] = {}
        for index in range(chunk, min(chunk + _CHUNK, count, len(pairs))):
            language = LANGUAGES[index % len(LANGUAGES)]
            has_lateral = int(pairs.lateral_rows[index]) >= 0
            images = 2 if has_lateral and index // len(LANGUAGES) % 2 == 0 else 1
            groups.setdefault((language, images), []).append(index)
        for (language, images), indices in groups.items():
            for start in range(0, len(indices), _PART):
                name = f"part_{chunk:06d}_{language}{images}_{start:03d}"
                yield name, Draw(language, images, indices[start : start + _PART])


def pad_to_width(part: dict[str, torch.Tensor], width: int) -> dict[str, torch.Tensor]:
    """Widen [N, R, ...] to [N, width, ...] with unused positions (token -1)."""
    out = {}
    for name, tensor in part.items():
        if tensor.dim() == 1:
            out[name] = tensor
            continue
        fill = -1 if name == "tokens" else 0
        shape = (tensor.shape[0], width - tensor.shape[1], *tensor.shape[2:])
        out[name] = torch.cat([tensor, torch.full(shape, fill, dtype=tensor.dtype)], dim=1)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--threshold", type=float, default=0.85)
    options = parser.parse_args()
    tokenizer = run_tokenizer(options.out)
    pairs = PhantomPairs(options.films, tokenizer)
    model = build_model(tokenizer)
    load_weights(model, options.out / "rad.safetensors")
    forwards = build_forwards(model, tokenizer)
    features = cached_features(forwards["en", 1], pairs, options.out / "features.safetensors")
    stop_ids = (special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT))
    folder = options.out / "trajectories"
    folder.mkdir(exist_ok=True)
    started, drafted = time.monotonic(), 0
    for name, draw in plan_parts(pairs, options.count):
        path = folder / f"{name}.safetensors"
        if path.exists():
            continue
        forward = forwards[draw.language, draw.images]
        teacher = BatchedTeacher(forward, stop_ids, options.threshold)
        drafts = teacher.draft(features.of(draw.indices, draw.images).float())
        kept = write_part(path, draw, drafts, stop_ids)
        drafted += len(draw.indices)  # since this start: an interrupted run's took no time now
        rate = drafted / (time.monotonic() - started)
        print(
            f"trajectories {name}: {rate:.1f}/s, kept {kept}/{len(draw.indices)}, "
            f"{drafts.passes} passes",
            flush=True,
        )


def write_part(path: Path, draw: Draw, drafts: Trajectories, stop_ids: tuple[int, ...]) -> int:
    """Write the drafts worth learning from, with their rows' kind; returns how many those are."""
    kept = [r for r in range(len(draw.indices)) if keep_row(drafts.tokens[r].tolist(), stop_ids)]
    part = {
        "indices": torch.tensor(draw.indices)[kept],
        "languages": torch.full((len(kept),), LANGUAGES.index(draw.language)),
        "images": torch.full((len(kept),), draw.images),
        "tokens": drafts.tokens[kept].contiguous(),
        "steps": drafts.steps[kept].contiguous(),
        "top_ids": drafts.top_ids[kept].contiguous(),
        "top_probabilities": drafts.top_probabilities[kept].contiguous(),
    }
    partial = path.with_suffix(".partial")
    save_file(part, partial)
    os.replace(partial, path)
    return len(kept)


def load_trajectories(folder: Path) -> dict[str, torch.Tensor]:
    """All parts, padded to MAX_BLOCKS blocks. FileNotFoundError where there are none."""
    paths = sorted((folder / "trajectories").glob("part_*.safetensors"))
    if not paths:
        raise FileNotFoundError(
            f"{folder / 'trajectories'}: no trajectories (run training.collect_trajectories)"
        )
    parts = [pad_to_width(load_file(path), MAX_BLOCKS * BLOCK_LENGTH) for path in paths]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


if __name__ == "__main__":
    main()
