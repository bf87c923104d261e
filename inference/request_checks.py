"""Whether a model can serve a request; asked before anything is computed. Torch-free."""

from __future__ import annotations

from inference.api import (
    PROOF_MODES,
    REGION_MODES,
    REMASKING_STRATEGIES,
    SEQUENCE_CACHES,
    WHOLE_ANSWER_MODES,
    EngineDescription,
    GenerationRequest,
    UnsupportedRequest,
)


def check_request(request: GenerationRequest, model: EngineDescription) -> None:
    """UnsupportedRequest names the setting, and what the model offers instead."""
    _check_offer(request, model)
    _check_ranges(request)
    _check_pieces(request)


def _check_offer(request: GenerationRequest, model: EngineDescription) -> None:
    if request.decoding in WHOLE_ANSWER_MODES and request.decoding not in model.decoding_modes:
        raise UnsupportedRequest(
            f"decoding {request.decoding!r} needs weights trained with one block as long as the "
            f"answer; {model.model_name} was trained with blocks of {model.block_length} tokens, "
            "and would be shown unfairly"
        )
    proofs = PROOF_MODES if "one-step" in model.decoding_modes else ()
    if request.decoding not in (*model.decoding_modes, *proofs):
        offered = ", ".join(model.decoding_modes)
        raise UnsupportedRequest(
            f"decoding {request.decoding!r}: {model.model_name} offers {offered}"
        )
    if request.language not in model.languages:
        raise UnsupportedRequest(
            f"language {request.language!r}: {model.model_name} writes {', '.join(model.languages)}"
        )
    if not 1 <= len(request.images) <= model.max_images:
        raise UnsupportedRequest(
            f"{len(request.images)} images: {model.model_name} takes 1 to {model.max_images}"
        )


def _check_pieces(request: GenerationRequest) -> None:
    """What a mode can't be given of an answer."""
    by_regions = request.decoding in REGION_MODES
    if request.region_texts and not by_regions:
        raise UnsupportedRequest(
            f"region_texts: decoding {request.decoding!r} writes the report as one"
        )
    if by_regions and (request.prefix_text or request.prefix_ids or request.pinned):
        raise UnsupportedRequest(
            f"decoding {request.decoding!r} takes region_texts, not a prefix or pinned tokens"
        )


def _check_ranges(request: GenerationRequest) -> None:
    for name in ("max_new_tokens", "denoising_steps", "adaptive_max_passes", "guided_rounds"):
        if getattr(request, name) < 1:
            raise UnsupportedRequest(f"{name} must be at least 1")
    for name in ("confidence_threshold", "adaptive_threshold", "guided_ratio"):
        if not 0.0 <= getattr(request, name) <= 1.0:
            raise UnsupportedRequest(f"{name} must lie in 0..1")
    if request.sequence_cache not in SEQUENCE_CACHES:
        caches = ", ".join(SEQUENCE_CACHES)
        raise UnsupportedRequest(f"sequence_cache {request.sequence_cache!r}: one of {caches}")
    if request.remasking not in REMASKING_STRATEGIES:
        strategies = ", ".join(REMASKING_STRATEGIES)
        raise UnsupportedRequest(f"remasking {request.remasking!r}: one of {strategies}")
    if not (request.temperature >= 0 and request.top_k >= 0 and request.entropy_bound >= 0):
        raise UnsupportedRequest("temperature, top_k and entropy_bound must not be negative")
    if not 0.0 < request.top_p <= 1.0:
        raise UnsupportedRequest("top_p must lie above 0, up to 1")
