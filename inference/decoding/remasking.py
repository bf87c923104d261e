"""Which masked positions of a block to commit after a denoising pass. Torch-free.

One function a strategy. Each commits at least ``minimum`` (>= 1) of what is masked, or all of
it, so that denoising always ends. Positions come back in order; ties go to the earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from inference.api import GenerationRequest

# (confidences, entropies, is_masked, minimum) of a whole block -> the positions to commit
Remask = Callable[[Sequence[float], Sequence[float], Sequence[bool], int], list[int]]


def remasking_of(request: GenerationRequest) -> Remask:
    """The strategy that the request names, with its settings; of one draft."""
    random = Random(request.seed)

    def remask(
        confidences: Sequence[float],
        entropies: Sequence[float],
        is_masked: Sequence[bool],
        minimum: int,
    ) -> list[int]:
        match request.remasking:
            case "low_confidence_dynamic":
                threshold = request.confidence_threshold
                return choose_low_confidence_dynamic(confidences, is_masked, threshold, minimum)
            case "low_confidence_static":
                return choose_low_confidence_static(confidences, is_masked, minimum)
            case "sequential":
                return choose_sequential(is_masked, minimum)
            case "random":
                return choose_random(is_masked, minimum, random)
            case "entropy_bounded":
                bound = request.entropy_bound
                return choose_entropy_bounded(entropies, is_masked, bound, minimum)

    return remask


def choose_low_confidence_dynamic(
    confidences: Sequence[float],
    is_masked: Sequence[bool],
    threshold: float,
    minimum: int,
) -> list[int]:
    """Every masked position above threshold, at least the ``minimum`` most confident.

    *low_confidence_dynamic* of ECHO (arXiv 2604.09450).
    """
    masked = _masked_positions(is_masked)
    best_first = sorted(masked, key=lambda position: -confidences[position])
    sure = sum(confidences[position] > threshold for position in masked)
    return sorted(best_first[: max(sure, minimum)])


def choose_low_confidence_static(
    confidences: Sequence[float], is_masked: Sequence[bool], minimum: int
) -> list[int]:
    """The ``minimum`` most confident, however sure the others are."""
    best_first = sorted(_masked_positions(is_masked), key=lambda p: -confidences[p])
    return sorted(best_first[:minimum])


def choose_sequential(is_masked: Sequence[bool], minimum: int) -> list[int]:
    """The first ``minimum``, from the left."""
    return _masked_positions(is_masked)[:minimum]


def choose_random(is_masked: Sequence[bool], minimum: int, random: Random) -> list[int]:
    """Any ``minimum`` of them."""
    masked = _masked_positions(is_masked)
    return sorted(random.sample(masked, min(minimum, len(masked))))


def choose_entropy_bounded(
    entropies: Sequence[float], is_masked: Sequence[bool], bound: float, minimum: int
) -> list[int]:
    """The most certain ones, as many as together may depend on each other by ``bound`` nats.

    In order of rising entropy, for as long as the sum of the entropies less the largest is
    within bound: that limits what is lost by deciding them independently (EB-Sampler,
    arXiv 2505.24857).
    """
    certain_first = sorted(_masked_positions(is_masked), key=lambda p: entropies[p])
    count, total = 0, 0.0
    for position in certain_first:
        if total > bound:  # of those before: position's own entropy is the largest
            break
        count, total = count + 1, total + entropies[position]
    return sorted(certain_first[: max(count, minimum)])


def _masked_positions(is_masked: Sequence[bool]) -> list[int]:
    return [position for position, masked in enumerate(is_masked) if masked]
