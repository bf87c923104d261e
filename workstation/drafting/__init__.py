"""The one place where the engine runs: a worker on its own thread and its main-thread service."""

from workstation.drafting.drafting_worker import DraftingEngine, DraftingService, DraftingWorker

__all__ = ["DraftingEngine", "DraftingService", "DraftingWorker"]
