"""What is asked of the engine: the reader's choices, as far as the model offers them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from inference import DecodingMode, EngineDescription, GenerationRequest, ModelImage
from inference.report_language import Language
from workstation.reporting.redraft import RedraftPlan

VARIED_TEMPERATURE, VARIED_TOP_P = 0.8, 0.95
"""How another wording is drawn; chosen by eye, so that sentences stay whole."""


@dataclass
class DraftRequests:
    """decoding, language: as chosen in the menu; a redraft is in its report's own language."""

    decoding: DecodingMode = "adaptive"
    language: Language = "en"
    _varied_so_far: int = 0

    def make(
        self,
        images: Sequence[ModelImage],
        description: EngineDescription,
        plan: RedraftPlan | None,
    ) -> GenerationRequest:
        """plan: of a redraft; None for a first draft. Each varied one has a seed of its own."""
        modes, languages = description.decoding_modes, description.languages
        language = self.language if plan is None else plan.state.language
        request = GenerationRequest(
            uuid.uuid4().hex,
            tuple(images),
            language=language if language in languages else languages[0],
            decoding=self.decoding if self.decoding in modes else modes[0],
        )
        if plan is None or not plan.varied:
            return request
        self._varied_so_far += 1
        return replace(
            request,
            temperature=VARIED_TEMPERATURE,
            top_p=VARIED_TOP_P,
            seed=self._varied_so_far,
        )


def describe_plan(plan: RedraftPlan) -> dict[str, Any]:
    """For the audit log: how much was asked for, and what stays as it is."""
    kept = [sentence.text for _, sentence in plan.places if sentence.id in plan.kept]
    return {"scope": plan.scope, "varied": plan.varied, "kept": kept}
