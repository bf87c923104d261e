"""The weights of one model on one device: each file is loaded when a mode first needs it."""

from __future__ import annotations

from typing import Protocol

import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.api import DecodingMode, EngineError, Products
from inference.decoding.text_decoder import TextDecoder
from inference.memory.device_fit import choose_dtype
from inference.memory.out_of_memory import is_out_of_memory
from inference.model_folder.checkpoint import Checkpoint
from inference.products.reduced_products import choose_reduction
from inference.products.token_agreement import LEAST_AGREEMENT, reduce_checked
from inference.prompt_prefill import LoadedWeights
from inference.vision.vision_encoder import VisionEncoder


class WeightsOfModes(Protocol):
    """What a draft asks of a model's weights."""

    device: torch.device
    dtype: torch.dtype

    @property
    def products(self) -> Products: ...

    def of(self, mode: DecodingMode) -> LoadedWeights: ...


class ModelWeights:
    """loaded: by file name, those that some draft has needed so far.

    EngineError for a dtype or products that the device can't do.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: torch.device,
        dtype: str = "auto",
        products: Products = "exact",
        least_agreement: float = LEAST_AGREEMENT,
    ) -> None:
        self.device, self.dtype = device, choose_dtype(dtype, device)
        self.loaded: dict[str, LoadedWeights] = {}
        self._checkpoint = checkpoint
        self._reduction = choose_reduction(products, checkpoint.config, device, self.dtype)
        self._least_agreement = least_agreement
        self._agreements: list[float] = []  # of all weights loaded, where products are reduced

    @property
    def products(self) -> Products:
        return self._reduction.products if self._reduction else "exact"

    @property
    def token_agreement(self) -> float | None:
        """The least of all weights loaded; None for exact products."""
        return min(self._agreements, default=None)

    def of(self, mode: DecodingMode) -> LoadedWeights:
        """The mode's, loaded if need be. EngineError where memory runs out."""
        name = self._checkpoint.weights_name(mode)
        if name not in self.loaded:
            loaded = self._reduce(self._load(name), mode)
            self.loaded[name] = loaded._replace(vision=self._share_tower(loaded.vision))
        return self.loaded[name]

    def _load(self, name: str) -> Qwen2_5_VLForConditionalGeneration:
        try:
            return self._checkpoint.load_model(name, self.device, self.dtype)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler: its traceback would keep what was loaded alive.
        smaller = ""
        if self.loaded:
            smaller = ". Needs less: decoding 'one-step', whose weights are loaded already"
        raise EngineError(f"{self.device}: out of memory loading {name}{smaller}")

    def _reduce(
        self, model: Qwen2_5_VLForConditionalGeneration, mode: DecodingMode
    ) -> LoadedWeights:
        if self._reduction is None:
            return LoadedWeights(model, TextDecoder(model), VisionEncoder(model))
        weights, agreement = reduce_checked(
            self._checkpoint, model, mode, self._reduction, self._least_agreement
        )
        self._agreements.append(agreement)
        return weights

    def _share_tower(self, tower: VisionEncoder) -> VisionEncoder:
        """One that is loaded already, if it is the same: films then go through it once."""
        loaded = (weights.vision for weights in self.loaded.values())
        return next((other for other in loaded if tower.has_weights_of(other)), tower)
