"""What drafting asks of an engine, and how its failures are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from inference import (
    CancelToken,
    DraftEvent,
    EngineDescription,
    EngineError,
    GenerationRequest,
)


class DraftingEngine(Protocol):
    """What the worker asks of inference.ReportEngine."""

    @property
    def description(self) -> EngineDescription: ...

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterable[DraftEvent]: ...


class EngineTask(Protocol):
    """Work that borrows the engine on the drafting thread, between drafts."""

    @property
    def cancel_token(self) -> CancelToken: ...

    def run(self, engine: DraftingEngine | None) -> None:
        """Tells its end by signals of its own, and doesn't raise."""


EngineLoader = Callable[..., DraftingEngine]
"""Called with model and device; with dtype and products too, by name, where one was chosen."""


def describe_error(error: Exception) -> str:
    """One line for the reader; errors that are not the environment's keep their type's name."""
    if isinstance(error, EngineError):
        return str(error)
    return f"{type(error).__name__}: {error}"
