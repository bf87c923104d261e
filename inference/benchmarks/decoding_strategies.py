"""What is compared: every way the engine can decode, by a short name. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from inference import REMASKING_STRATEGIES, EngineDescription, GenerationRequest, ModelImage
from inference.api import PROOF_MODES, DecodingMode, PassPath

BASELINE = "autoregressive"


@dataclass(frozen=True)
class Strategy:
    """settings: further fields of GenerationRequest. passes: see inference.load_engine."""

    name: str
    decoding: DecodingMode
    settings: dict[str, Any] = field(default_factory=dict)
    passes: PassPath = "auto"

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
