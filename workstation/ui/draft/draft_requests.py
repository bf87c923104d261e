"""What is asked of the engine: the reader's choices, as far as the model offers them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from inference import (
    REGION_MODES,
    DecodingMode,
    EngineDescription,
    GenerationRequest,
    ModelImage,
)
from inference.report_language import Language
from workstation.drafting.redraft_run import needed_tokens
from workstation.reporting.redrafting.redraft import NothingToRedraft, RedraftPlan
from workstation.reporting.redrafting.region_redraft import given_texts, is_by_region

_IN_TURN: dict[DecodingMode, DecodingMode] = {
    "regions": "one-step",
    "regions-adaptive": "adaptive",
    "regions-multi-step": "multi-step",
}
"""How the regions are decoded alike, but one after the other."""

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
        """plan: of a redraft; None for a first draft. Each varied one has a seed of its own.

        Raises NothingToRedraft for a plan that no mode of this model can serve.
        """
        languages = description.languages
        language = self.language if plan is None else plan.state.language
        request = GenerationRequest(
            uuid.uuid4().hex,
            tuple(images),
            language=language if language in languages else languages[0],
            decoding=self._choose_mode(description.decoding_modes, plan),
        )
        if plan is not None and request.decoding in REGION_MODES:
            given = given_texts(plan)
            needed = needed_tokens("".join(text for _, text in given))
            limit = max(request.max_new_tokens, needed)
            request = replace(request, region_texts=given, max_new_tokens=limit)
        if plan is None or not plan.varied:
            return request
        self._varied_so_far += 1
        return replace(
            request,
            temperature=VARIED_TEMPERATURE,
            top_p=VARIED_TOP_P,
            seed=self._varied_so_far,
        )

    def mode_of(self, description: EngineDescription) -> DecodingMode:
        """How a first draft with this model is decoded."""
        return self._choose_mode(description.decoding_modes, None)

    def _choose_mode(
        self, offered: Sequence[DecodingMode], plan: RedraftPlan | None
    ) -> DecodingMode:
        """The one chosen, or that of its kind which can serve the plan: sentences stay where the
        report is written from its beginning, regions where all fill at the same time."""
        by_region = [mode for mode in offered if mode in REGION_MODES]
        in_turn = [mode for mode in offered if mode not in REGION_MODES]
        if plan is None:
            fitting = list(offered)
        elif plan.scope in ("region", "impression"):
            fitting = by_region
        else:
            fitting = in_turn + (by_region if is_by_region(plan) else [])
        if not fitting:
            raise NothingToRedraft("this model can't redraft that part alone")
        alike = {_IN_TURN.get(self.decoding)}
        alike |= {mode for mode, other in _IN_TURN.items() if other == self.decoding}
        if self.decoding in fitting:
            return self.decoding
        return next((mode for mode in fitting if mode in alike), fitting[0])


def describe_plan(plan: RedraftPlan) -> dict[str, Any]:
    """For the audit log: how much was asked for, and what stays as it is."""
    kept = [sentence.text for _, sentence in plan.places if sentence.id in plan.kept]
    return {"scope": plan.scope, "varied": plan.varied, "kept": kept}
