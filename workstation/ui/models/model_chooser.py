"""Joins the model dialog to the settings, the audit log and the drafting service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QWidget

from inference import DecodingMode, EngineError
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.drafting.drafting_service import DraftingService
from workstation.drafting.model_inspector import ModelInspector
from workstation.model_registry import ModelRegistry, RegisteredModel
from workstation.ui.models.model_choice import ModelChoice, remembered_choice
from workstation.ui.models.model_dialog import ModelDialog

if TYPE_CHECKING:
    from inference.model_folder.model_inspection import ModelInspection


class ModelChooser(QObject):
    """Which model is loaded. Signals: decoding_chosen(DecodingMode); trouble(text).

    registry: the added models; without one only the embedded model is offered.
    """

    decoding_chosen = Signal(str)
    trouble = Signal(str)

    def __init__(
        self,
        drafting: DraftingService,
        audit: AuditLog,
        user: str,
        settings: QSettings | None,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._drafting, self._audit, self._user = drafting, audit, user
        self._settings, self._window = settings, window
        self._inspector: ModelInspector | None = None
        self.registry: ModelRegistry | None = None
        self.asked = remembered_choice(settings)
        self.dialog: ModelDialog | None = None
        drafting.products_refused.connect(self._on_products_refused)

    def load_first(self, model: str = "", device: str = "", products: str = "") -> None:
        """At the start: what the command line says, else what was chosen last."""
        if model or device:
            usual = ModelChoice()
            self.asked = ModelChoice(model or usual.model, device or usual.device)
        if products:
            self.asked = replace(self.asked, products=products)
        self._load()

    def open(self, decoding: DecodingMode) -> None:
        """Let the reader choose; decoding: the mode chosen so far."""
        if self._drafting.is_drafting:
            self.trouble.emit(self.tr("A draft is being written: stop it to change the model."))
            return
        try:
            models = self.registry.entries() if self.registry is not None else []
        except EngineError as error:
            self.trouble.emit(str(error))
            models = []
        loaded = self._drafting.engine_description
        self.dialog = ModelDialog(models, self.asked, loaded, decoding, self._window)
        self.dialog.accepted.connect(self._on_accepted)
        self.dialog.finished.connect(self._on_closed)
        self._inspect(models)
        self.dialog.open()

    def _inspect(self, models: list[RegisteredModel]) -> None:
        folders: dict[str, Path | str] = {
            self.asked.model: self.asked.model,
            "embedded": "embedded",
        }
        folders |= {model.name: model.folder for model in models}
        self._inspector = ModelInspector(folders)
        self._inspector.inspected.connect(self._on_inspected)
        self._inspector.refused.connect(self._on_refused)
        self._drafting.run_task(self._inspector)

    def _on_inspected(self, name: str, inspection: ModelInspection) -> None:
        if self.dialog is not None:
            self.dialog.add_inspection(name, inspection)

    def _on_refused(self, name: str, reason: str) -> None:
        if self.dialog is not None:
            self.dialog.refuse(name, reason)

    def _on_products_refused(self, reason: str) -> None:
        self.trouble.emit(self.tr("The model runs in exact arithmetic. {0}").format(reason))

    def _on_accepted(self) -> None:
        assert self.dialog is not None
        self.decoding_chosen.emit(self.dialog.decoding)
        choice = self.dialog.choice
        if choice == self.asked and self._drafting.engine_description is not None:
            return
        if self._drafting.is_drafting:
            self.trouble.emit(self.tr("A draft is being written: stop it to change the model."))
            return
        if self._record(choice):
            self.asked = choice
            if self._settings is not None:
                choice.remember(self._settings)
            self._load()

    def _on_closed(self) -> None:
        if self._inspector is not None:
            self._inspector.cancel_token.cancel()
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _record(self, choice: ModelChoice) -> bool:
        """Audit it; False, and the model stays, where that failed."""
        try:
            self._audit.append("settings", user=self._user, details={"model": vars(choice)})
        except CatalogUnavailable as error:
            self.trouble.emit(str(error))
            return False
        return True

    def _load(self) -> None:
        asked = self.asked
        self._drafting.start(asked.model, asked.device, asked.dtype, asked.products)
