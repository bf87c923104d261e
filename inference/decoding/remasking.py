"""Which masked positions of a block to commit after a denoising pass. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence


def choose_low_confidence_dynamic(
    confidences: Sequence[float],
    is_masked: Sequence[bool],
    threshold: float,
    minimum: int,
) -> list[int]:
    """Positions to commit: every masked one above threshold, at least ``minimum`` of them.

    Never empty while anything is masked (minimum >= 1), so denoising always ends. Ties go to
    the earlier position. *low_confidence_dynamic* of ECHO (arXiv 2604.09450).
    """
    masked = [position for position, masked in enumerate(is_masked) if masked]
    best_first = sorted(masked, key=lambda position: -confidences[position])
    sure = sum(confidences[position] > threshold for position in masked)
    return sorted(best_first[: max(sure, minimum)])
