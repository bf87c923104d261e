"""How far the loading of a model is; torch-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LoadProgress:
    """checking: hashing files that no digest is known of. loading: tensors put on the device.

    Bytes are those on disk; done_bytes never falls within a step.
    """

    step: Literal["checking", "loading"]
    done_bytes: int
    total_bytes: int


ProgressListener = Callable[[LoadProgress], None]
"""Called on the loading thread, after every tensor or some MiB. What it raises ends the load."""
