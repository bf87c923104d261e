"""Which model is to be loaded, and how; remembered between sessions."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSettings

from workstation.model_registry import EMBEDDED

AUTO, EXACT = "auto", "exact"


@dataclass(frozen=True)
class ModelChoice:
    """model: "embedded", an added model's name, or a folder; the others: as load_engine's."""

    model: str = EMBEDDED
    device: str = AUTO
    dtype: str = AUTO
    products: str = EXACT

    def remember(self, settings: QSettings) -> None:
        for key, value in vars(self).items():
            settings.setValue(f"model/{key}", value)


def remembered_choice(settings: QSettings | None) -> ModelChoice:
    """What was chosen last; the embedded model where nothing was."""
    usual = ModelChoice()
    if settings is None:
        return usual
    read = {key: str(settings.value(f"model/{key}") or value) for key, value in vars(usual).items()}
    return ModelChoice(**read)
