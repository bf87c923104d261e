"""What is compared: every way the engine can decode, by a short name. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inference import (
    PRODUCTS,
    REMASKING_STRATEGIES,
    EngineDescription,
    GenerationRequest,
    ModelImage,
)
from inference.api import PROOF_MODES, DecodingMode, PassPath, Products

BASELINE = "autoregressive"


@dataclass(frozen=True)
class Strategy:
    """settings: further fields of GenerationRequest. passes, products: as load_engine's."""

    name: str
    decoding: DecodingMode
    settings: dict[str, Any] = field(default_factory=dict)
    passes: PassPath = "auto"
    products: Products = "exact"

    def request(self, film: ModelImage, max_new_tokens: int) -> GenerationRequest:
        return GenerationRequest(
            self.name,
            (film,),
            decoding=self.decoding,
            max_new_tokens=max_new_tokens,
            **self.settings,
        )


def list_strategies(model: EngineDescription, denoising_steps: int = 8) -> list[Strategy]:
    """The model's modes, multi-step once for each remasking, and what serves for proof.

    So does one-step with passes that this device wouldn't choose: on a GPU uncaptured ones, and on
    a CPU those of one shape.
    """
    strategies = []
    proofs = PROOF_MODES if "one-step" in model.decoding_modes else ()
    for mode in (*model.decoding_modes, *proofs):
        if mode != "multi-step":
            strategies.append(Strategy(mode, mode))
            continue
        for remasking in REMASKING_STRATEGIES:
            settings = {"denoising_steps": denoising_steps, "remasking": remasking}
            strategies.append(Strategy(f"multi-step {remasking}", mode, settings))
    if "one-step" in model.decoding_modes:
        strategies.append(Strategy("one-step, one shape", "one-step", passes="one-shape"))
        if model.device.startswith("cuda"):
            strategies.append(Strategy("one-step, any shape", "one-step", passes="any-shape"))
    return strategies


def with_products(strategies: Sequence[Strategy], forms: Sequence[Products]) -> list[Strategy]:
    """The same, and each once more with every reduced form, "one-step, int8" for instance."""
    reduced = [
        replace(strategy, name=f"{strategy.name}{suffix_of(form)}", products=form)
        for form in forms
        for strategy in strategies
    ]
    return [*strategies, *reduced]


def suffix_of(products: Products) -> str:
    return f", {products}"


def baselines_of(name: str) -> tuple[str, ...]:
    """What a strategy may be compared with: autoregressive with exact products, or its own."""
    own = next((suffix_of(form) for form in PRODUCTS if name.endswith(suffix_of(form))), "")
    return tuple(dict.fromkeys((BASELINE, BASELINE + own)))
