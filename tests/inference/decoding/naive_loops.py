"""Every way to decode as a plain loop over the stock model's forward, nothing cached.

Written from echo.md ("Decoding") and from nothing else. plain: conftest's Recompute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any

import torch

from inference.api import Remasking
from inference.decoding.block_doubts import BlockDoubts, ReportCheck
from inference.decoding.draft_session import ChooseTokens
from inference.decoding.open_block import Block, OpenBlock
from inference.decoding.prompt_ids import rope_positions
from inference.report_parts import IMPRESSION, PARTS

Look = Callable[[list[int]], torch.Tensor]
# (look, the part's name, its tokens before the block) -> the block
Fill = Callable[[Look, str, list[int]], list[int]]


def naive_adaptive(
    plain: Any, threshold: float, max_passes: int, stop_ids: Collection[int] = ()
) -> Any:
    """echo.md, "Adaptive decoding": commit what is sure, look again at the rest."""
    length, mask = plain.block_length, plain.mask_token_id
    ids, confidences, passes = list(plain.prompt), {}, 0
    while len(ids) < len(plain.prompt) + plain.new_tokens:
        ids += [mask] * (length - len(ids) % length)
        masked = {position for position, token in enumerate(ids) if token == mask}
        for look in range(1, max_passes + 1):
            for position in masked:
                ids[position] = mask
            probabilities = plain.logits(ids, length).softmax(-1)
            passes += 1
            for position in masked:
                ids[position] = int(probabilities[position].argmax())
                confidences[position] = float(probabilities[position].max())
            block = range(len(ids) - length, len(ids))
            stops = [p for p in block if p >= len(plain.prompt) and ids[p] in stop_ids]
            stop = min(stops, default=len(ids))
            doubtful = {p for p in masked if p <= stop and confidences[p] < threshold}
            followers = set(range(stop, len(ids)))
            if masked == doubtful | (followers if stop in doubtful else set()):
                doubtful.remove(max(doubtful, key=lambda p: (confidences[p], -p)))
            if not doubtful or look == max_passes:
                break
            masked = doubtful | (followers if stop in doubtful else set())
    return plain.answer(ids, confidences, passes)


def _naive_draft(
    plain: Any, fixed: Mapping[int, int], stop_ids: Collection[int]
) -> tuple[list[int], int, int]:
    """(whole blocks, length of the answer in them, passes), one pass a block with a mask."""
    begin, mask, passes = len(plain.prompt), plain.mask_token_id, 0
    ids = list(plain.prompt)
    while True:
        for _ in range(plain.block_length - len(ids) % plain.block_length):
            ids.append(fixed.get(len(ids) - begin, mask))
        if mask in ids:
            passes += 1
            logits = plain.logits(ids, plain.block_length)
            logits[begin : begin + max(fixed, default=0), list(stop_ids)] = float("-inf")
            ids = [int(logits[p].argmax()) if t == mask else t for p, t in enumerate(ids)]
        answer = ids[begin:]
        stops = [at for at, token in enumerate(answer) if token in stop_ids]
        if stops or len(answer) >= plain.new_tokens:
            return answer, min([*(at + 1 for at in stops), plain.new_tokens]), passes


def naive_guided(
    plain: Any,
    judge: Any,
    ratio: float,
    rounds: int,
    stop_ids: Collection[int],
    pins: Mapping[int, int],
) -> tuple[list[int], int]:
    answer, length, passes = _naive_draft(plain, pins, stop_ids)
    disputes: list[dict[int, int]] = []
    for _ in range(rounds):
        passes += 1
        logits = judge.logits([*judge.prompt, *answer[:length]], 1)[len(judge.prompt) - 1 : -1]
        chances = logits.softmax(-1)
        bad = {
            at
            for at in range(length)
            if at not in pins and chances[at, answer[at]] < ratio * chances[at].max()
        }
        if length - 1 in bad and answer[length - 1] in stop_ids:
            bad |= set(range(length, len(answer)))
        kept = {at: token for at, token in enumerate(answer) if at not in bad}
        if not bad or kept in disputes:
            break
        disputes.append(kept)
        answer, length, more = _naive_draft(plain, kept, stop_ids)
        passes += more
    return answer[:length], passes


def pick_named(remasking: Remasking, seed: int, bound: float) -> Callable[..., Collection[int]]:
    random = Random(seed)

    def pick(
        confidences: dict[int, float], entropies: dict[int, float], masked: list[int], minimum: int
    ) -> Collection[int]:
        count = min(minimum, len(masked))
        if remasking == "low_confidence_static":
            return sorted(masked, key=lambda p: (-confidences[p], p))[:count]
        if remasking == "sequential":
            return masked[:count]
        if remasking == "random":
            return random.sample(masked, count)
        taken: list[int] = []
        for position in sorted(masked, key=lambda p: entropies[p]):
            total = [entropies[p] for p in [*taken, position]]
            if sum(total) - max(total) > bound and len(taken) >= count:
                break
            taken.append(position)
        return taken

    return pick


class NaiveStreams:
    """Streams as the stock model sees them, everything computed anew for every look."""

    def __init__(
        self, plain: Any, filler: int, name_ids: Sequence[int], stop_ids: Collection[int]
    ) -> None:
        self.plain, self.filler = plain, filler
        self.name_ids, self.stop_ids = name_ids, stop_ids
        self.streams: dict[str, list[int]] = {}

    @torch.no_grad()
    def look(self, part: str, stored: list[int], block: list[int]) -> torch.Tensor:
        """Logits at block, which follows stored in its stream; the mask token's suppressed."""
        plain, length = self.plain, self.plain.block_length
        others = {name: ids for name, ids in self.streams.items() if part == IMPRESSION}
        ids, rows = list(plain.prompt), [("", at // length, at) for at in range(len(plain.prompt))]
        for name, own in {**others, part: stored + block}.items():
            ids += [self.name_ids[PARTS.index(name)], *own]
            offsets = range(len(own) + 1)
            rows += [(name, (at - 1) // length, len(plain.prompt) + at) for at in offsets]
        allowed = [
            [
                (to == "" and (of != "" or to_block <= of_block))
                or (to == of and to_block <= of_block)
                or (of == IMPRESSION and to not in ("", IMPRESSION))
                for to, to_block, _ in rows
            ]
            for of, of_block, _ in rows
        ]
        embeddings = plain.model.get_input_embeddings()(torch.tensor([ids]))
        image = plain.model.config.image_token_id
        embeddings[0, [at for at, token in enumerate(plain.prompt) if token == image]] = (
            plain.vision
        )
        positions = rope_positions(plain.model, plain.prompt, plain.grids, len(ids))
        output = plain.model(
            inputs_embeds=embeddings,
            position_ids=positions[:, [at for _, _, at in rows]][:, None],
            attention_mask={"full_attention": torch.tensor(allowed)[None, None]},
            use_cache=False,
        )
        logits = output.logits[0].float()[-len(block) :]
        logits[:, plain.mask_token_id] = float("-inf")
        return logits

    def draft(self, part: str, fill: Fill) -> list[int]:
        """The stream's tokens up to its stop."""
        stored: list[int] = []
        while True:
            block = fill(lambda ids: self.look(part, stored, ids), part, stored)  # noqa: B023 - called at once
            stops = [at for at, token in enumerate(block) if token in self.stop_ids]
            if stops:
                kept = block[: stops[0] + 1]
                self.streams[part] = stored + kept + [self.filler] * (len(block) - len(kept))
                return stored + kept
            stored = stored + block
            assert len(stored) < 200, "a stream without an end: nothing to compare"


def fill_one_step(plain: Any) -> Fill:
    masks = [plain.mask_token_id] * plain.block_length
    return lambda look, *_: look(masks).argmax(-1).tolist()


def fill_multi_step(plain: Any, steps: int, threshold: float) -> Fill:
    def fill(look: Look, *_: object) -> list[int]:
        mask, ids = plain.mask_token_id, [plain.mask_token_id] * plain.block_length
        while mask in ids:
            sure, tokens = look(ids).softmax(-1).max(-1)
            open_places = [at for at, token in enumerate(ids) if token == mask]
            ranking = sorted(open_places, key=lambda at: (-float(sure[at]), at))
            for rank, at in enumerate(ranking):
                if float(sure[at]) > threshold or rank < math.ceil(len(ids) / steps):
                    ids[at] = int(tokens[at])
        return ids

    return fill


def fill_adaptive(
    plain: Any,
    threshold: float,
    most: int,
    stop_ids: Collection[int],
    check_of: Callable[[str], ReportCheck | None] = lambda _: None,
) -> Fill:
    """Which positions are in doubt is BlockDoubts's to say: see naive_adaptive for that."""

    def fill(look: Look, part: str, stored: list[int]) -> list[int]:
        mask, check = plain.mask_token_id, check_of(part)
        block = OpenBlock(0, [mask] * plain.block_length, mask, 0)
        doubts = BlockDoubts(block, found_at(look(block.ids)), threshold, stop_ids)
        for left in reversed(range(most - 1)):
            again = doubts.choose(check, stored, left == 0)
            if again is None:
                break
            canvas = [mask if token is None else token for token in doubts.canvas(again.masked)]
            doubts.take(found_at(look(canvas), again.choose), again.masked)
        return doubts.token_ids

    return fill


def naive_checked(
    plain: Any, threshold: float, most: int, stop_ids: frozenset[int], check: ReportCheck,
    kept: Sequence[int] = (),
) -> list[int]:  # fmt: skip
    """Adaptive in one sequence, with a check; of a prompt and a prefix of whole blocks."""
    assert plain.tail == len(kept) % plain.block_length == 0
    fill = fill_adaptive(plain, threshold, most, stop_ids, lambda _: check)
    ids, answer = [*plain.prompt, *kept], [*kept]
    while len(answer) < plain.new_tokens and not stop_ids & {*answer}:
        block = fill(lambda canvas: _logits_behind(plain, ids, canvas), "", answer)  # noqa: B023 - called at once
        ids, answer = ids + block, answer + block
    return answer[: plain.first_stop(answer)]


def _logits_behind(plain: Any, ids: list[int], canvas: list[int]) -> torch.Tensor:
    return plain.logits(ids + canvas, plain.block_length)[-len(canvas) :]


def found_at(logits: torch.Tensor, choose: ChooseTokens | None = None) -> Block:
    """The likeliest token of each row, unless choose has others, and its probability."""
    chosen = choose(logits) if choose is not None else None
    chosen = logits.argmax(-1) if chosen is None else chosen
    sure = logits.softmax(-1).gather(-1, chosen[:, None])[:, 0]
    return Block(chosen.tolist(), sure.tolist())
