"""Choose the model that drafts, where it runs, and how it decodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from inference import DECODING_MODES, REGION_MODES, DecodingMode, EngineDescription
from workstation.model_registry import EMBEDDED, RegisteredModel
from workstation.ui.models.model_choice import AUTO, EXACT, ModelChoice
from workstation.ui.race.race_wording import name_strategy
from workstation.ui.theme import ui_font

if TYPE_CHECKING:
    from inference.memory.device_fit import FitOption
    from inference.model_folder.model_inspection import ModelInspection

_NAME = Qt.ItemDataRole.UserRole


class ModelDialog(QDialog):
    """Accepted by Load with `choice` and `decoding`. Inspections arrive while it is open.

    loaded: the model in use and what was asked for it, None while there is none.
    """

    def __init__(
        self,
        models: Sequence[RegisteredModel],
        asked: ModelChoice,
        loaded: EngineDescription | None,
        decoding: DecodingMode,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("model_dialog")
        self.setWindowTitle(self.tr("Model"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.resize(760, 460)
        self._models = {model.name: model for model in models}
        self._asked, self._loaded = asked, loaded
        self._inspections: dict[str, ModelInspection] = {}
        self._refusals: dict[str, str] = {}
        self._build()
        self._fill_models()
        self._fill_decodings(decoding)
        self.list.currentItemChanged.connect(self._show_model)
        self.device_box.currentIndexChanged.connect(self._show_products)
        self._show_model()

    # -- making ------------------------------------------------------------------------------

    def _build(self) -> None:
        self.list = QListWidget(self)
        self.list.setObjectName("model_list")
        self.list.setAccessibleName(self.tr("Models"))
        self.list.setFixedWidth(230)
        self.list.setStyleSheet("QListView::item { padding: 6px 8px; }")
        self.details_label = QLabel(self)
        self.details_label.setObjectName("model_details")
        self.details_label.setWordWrap(True)
        self.details_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.name_label = QLabel(self)
        self.name_label.setObjectName("model_name")
        self.name_label.setFont(ui_font(13, bold=True))
        self.name_label.setProperty("role", "heading")
        self.details_label.setProperty("role", "muted")
        self.fit_label = QLabel(self)
        self.fit_label.setObjectName("model_fit")
        self.fit_label.setWordWrap(True)
        self.message_label = QLabel(self)
        self.message_label.setObjectName("model_message")
        self.message_label.setWordWrap(True)
        self.message_label.setProperty("role", "warning")
        self.device_box = QComboBox(self)
        self.device_box.setObjectName("model_device")
        self.device_box.setAccessibleName(self.tr("Device and precision"))
        self.products_box = QComboBox(self)
        self.products_box.setObjectName("model_products")
        self.products_box.setAccessibleName(self.tr("Arithmetic of the model"))
        self.products_box.setToolTip(
            self.tr(
                "In fewer bits a draft comes sooner. The model is then tried on a few films as it\n"
                "is loaded; where it doesn't say what it says in exact arithmetic, that is used."
            )
        )
        self.decoding_box = QComboBox(self)
        self.decoding_box.setObjectName("model_decoding")
        self.decoding_box.setAccessibleName(self.tr("Decoding"))
        for box in (self.device_box, self.products_box, self.decoding_box):
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        form = QFormLayout()
        form.setSpacing(10)
        form.addRow(self.tr("Runs on"), self.device_box)
        form.addRow(self.tr("Arithmetic"), self.products_box)
        form.addRow(self.tr("Decoding"), self.decoding_box)
        right = QVBoxLayout()
        right.setSpacing(12)
        right.addWidget(self.name_label)
        right.addWidget(self.details_label)
        right.addLayout(form)
        right.addWidget(self.fit_label)
        right.addWidget(self.message_label)
        right.addStretch(1)
        columns = QHBoxLayout()
        columns.setSpacing(16)
        columns.addWidget(self.list)
        columns.addLayout(right, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(14)
        layout.addLayout(columns, 1)
        layout.addLayout(self._build_buttons())

    def _build_buttons(self) -> QHBoxLayout:
        hint = QLabel(self.tr("Models are added by: echo-workstation models add FOLDER"), self)
        hint.setProperty("role", "muted")
        hint.setFont(ui_font(9.5))
        self.load_button = QPushButton(self.tr("Load"), self)
        self.load_button.setObjectName("load_model")
        self.load_button.setProperty("role", "primary")
        self.load_button.setDefault(True)
        self.load_button.clicked.connect(self.accept)
        cancel_button = QPushButton(self.tr("Cancel"), self)
        cancel_button.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(hint, 1)
        row.addWidget(self.load_button)
        row.addWidget(cancel_button)
        return row

    def _fill_models(self) -> None:
        names = [EMBEDDED, *self._models]
        if self._asked.model not in names:  # a folder given on the command line
            names.append(self._asked.model)
        for name in names:
            is_in_use = self._loaded is not None and name == self._asked.model
            text = self.tr("{0} (in use)").format(name) if is_in_use else name
            item = QListWidgetItem(text, self.list)
            item.setData(_NAME, name)
            if name == self._asked.model:
                self.list.setCurrentItem(item)

    def _fill_decodings(self, decoding: DecodingMode) -> None:
        offered = self._loaded.decoding_modes if self._loaded else ()
        regions = (mode for mode in REGION_MODES if mode in offered or mode == decoding)
        for mode in (*DECODING_MODES, *regions):
            self.decoding_box.addItem(name_strategy(mode), mode)
        self.decoding_box.setCurrentIndex(self.decoding_box.findData(decoding))

    # -- what comes in -----------------------------------------------------------------------

    def add_inspection(self, name: str, inspection: ModelInspection) -> None:
        """What a model is and where it fits."""
        self._inspections[name] = inspection
        if name == self.chosen_name:
            self._show_model()

    def refuse(self, name: str, reason: str) -> None:
        """A model that can't be used."""
        self._refusals[name] = reason
        if name == self.chosen_name:
            self._show_model()

    # -- what goes out -----------------------------------------------------------------------

    @property
    def chosen_name(self) -> str:
        item = self.list.currentItem()
        return str(item.data(_NAME)) if item is not None else EMBEDDED

    @property
    def choice(self) -> ModelChoice:
        device, dtype = str(self.device_box.currentData()).split()
        return ModelChoice(self.chosen_name, device, dtype, str(self.products_box.currentData()))

    @property
    def decoding(self) -> DecodingMode:
        mode: DecodingMode = self.decoding_box.currentData()
        return mode

    # -- showing -----------------------------------------------------------------------------

    def _show_model(self) -> None:
        name = self.chosen_name
        inspection, refusal = self._inspections.get(name), self._refusals.get(name, "")
        self.message_label.setText(refusal)
        self.load_button.setEnabled(not refusal)
        self.name_label.setText(f"{inspection.name} {inspection.version}" if inspection else name)
        if inspection is not None:
            self.details_label.setText(self._describe(inspection))
        else:
            self.details_label.setText("" if refusal else self.tr("Looking at its files…"))
        fits = inspection.fit_options if inspection else ()
        marked = (("✓" if option.fits else "✕", option.describe()) for option in fits)
        self.fit_label.setText("\n".join(f"{mark}  {words}" for mark, words in marked))
        self._show_devices(inspection)
        self._show_decodings()

    def _describe(self, inspection: ModelInspection) -> str:
        registered = self._models.get(self.chosen_name)
        lines = [
            self.tr("{0} parameters, blocks of {1} tokens, {2}").format(
                _count(inspection.parameters),
                inspection.block_length,
                ", ".join(inspection.languages),
            ),
            str(inspection.folder),
        ]
        if registered is not None:
            lines.append(f"sha256 {registered.sha256[:16]}…")
        return "\n".join(lines)

    def _show_devices(self, inspection: ModelInspection | None) -> None:
        kept = self.device_box.currentData() or f"{self._asked.device} {self._asked.dtype}"
        self.device_box.clear()
        self.device_box.addItem(self.tr("automatic"), f"{AUTO} {AUTO}")
        for option in inspection.fit_options if inspection else ():
            self.device_box.addItem(str(option), f"{option.device} {option.dtype}")
            if not option.fits:
                self._disable(self.device_box)
        rank = self.device_box.findData(kept)
        if rank < 0 and inspection is None:  # not known yet: what was asked stays chosen
            self.device_box.addItem(kept, kept)
            rank = self.device_box.count() - 1
        self.device_box.setCurrentIndex(max(0, rank))
        self.device_box.setToolTip(self.device_box.currentText())

    def _show_products(self) -> None:
        """What the chosen device offers; what was asked for, as long as that isn't known."""
        kept = self.products_box.currentData() or self._asked.products
        option = self._fit_option()
        offered = option.offered_products if option else tuple(dict.fromkeys((EXACT, kept)))
        self.products_box.clear()
        for products in offered:
            self.products_box.addItem(self._name_products(products), products)
        self.products_box.setCurrentIndex(max(0, self.products_box.findData(kept)))

    def _fit_option(self) -> FitOption | None:
        """The chosen device and dtype; automatic ones are the first device's quickest."""
        inspection = self._inspections.get(self.chosen_name)
        options = inspection.fit_options if inspection else ()
        asked = str(self.device_box.currentData())
        if asked != f"{AUTO} {AUTO}":
            return next((o for o in options if f"{o.device} {o.dtype}" == asked), None)
        first = [option for option in options if option.device == options[0].device]
        return max(first, key=lambda option: len(option.offered_products), default=None)

    def _name_products(self, products: str) -> str:
        if products == EXACT:
            return self.tr("exact")
        return self.tr("{0}: sooner, checked at load").format(products)

    def _show_decodings(self) -> None:
        """Of the model in use it is known what it offers; of others once they are loaded."""
        is_in_use = self.chosen_name == self._asked.model
        offered = self._loaded.decoding_modes if self._loaded and is_in_use else DECODING_MODES
        items = self.decoding_box.model()
        assert isinstance(items, QStandardItemModel)
        for rank in range(self.decoding_box.count()):
            items.item(rank).setEnabled(self.decoding_box.itemData(rank) in offered)

    @staticmethod
    def _disable(box: QComboBox) -> None:
        items = box.model()
        assert isinstance(items, QStandardItemModel)
        items.item(box.count() - 1).setEnabled(False)


def _count(parameters: int) -> str:
    """For instance "2.6 M" or "8.3 B"."""
    for size, sign in ((10**9, "B"), (10**6, "M")):
        if parameters >= size:
            return f"{parameters / size:.1f} {sign}"
    return str(parameters)
