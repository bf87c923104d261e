"""The engine: one model, one draft at a time, as a stream of events.

Not thread-safe; the app runs it on one worker thread. A CancelToken may be set from any.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.api import (
    DECODING_MODES,
    REGION_MODES,
    WHOLE_ANSWER_MODES,
    CancelToken,
    DecodingMode,
    DecodingTimes,
    DraftCancelled,
    DraftEvent,
    EngineDescription,
    EngineError,
    GenerationRequest,
    PassPath,
    PrefillDone,
    Products,
)
from inference.checkpoint import Checkpoint, embedded_folder, open_checkpoint
from inference.decoding.draft_session import DecodingCancelled, DraftSession, raise_if_cancelled
from inference.decoding.one_shape_step import OneShapeStep
from inference.decoding.pinned_tokens import pinned_tokens
from inference.decoding.prompt_state import PromptState
from inference.decoding.region_session import RegionSession
from inference.decoding.text_decoder import TextDecoder
from inference.decoding_modes import decode_blocks, fit_canvas, open_answer, open_session
from inference.decoding_times import measure_decoding_times
from inference.device_fit import choose_dtype, longest_sequence
from inference.draft_events import BegunDraft, refuse_unseen, stream_answer
from inference.file_digests import DigestCache
from inference.film_checks import describe_emptiness
from inference.loading_progress import ProgressListener
from inference.out_of_memory import describe_out_of_memory, is_out_of_memory
from inference.pass_paths import StepShelf
from inference.prompt_prefill import (
    LoadedWeights,
    PromptKey,
    SeenFilms,
    answer_capacity,
    digest_films,
    needed_prompts,
    prefill_prompt,
)
from inference.reduced_products import choose_reduction
from inference.region_drafting import RegionDraft, given_tokens, stream_regions
from inference.report_language import LANGUAGES
from inference.report_parts import PARTS
from inference.request_checks import check_request
from inference.stopwatch import Stopwatch
from inference.token_agreement import LEAST_AGREEMENT, reduce_checked
from inference.vision_encoder import VisionEncoder


class ReportEngine:
    """Drafts reports with one checkpoint on one device."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: torch.device,
        dtype: str = "auto",
        passes: PassPath = "auto",
        products: Products = "exact",
        least_agreement: float = LEAST_AGREEMENT,
    ) -> None:
        self._checkpoint = checkpoint
        self._steps = StepShelf(passes, device)
        self._device = device
        self._dtype = choose_dtype(dtype, device)
        self._reduction = choose_reduction(products, checkpoint.config, device, self._dtype)
        self._least_agreement = least_agreement
        self._agreements: list[float] = []  # of all weights loaded, where products are reduced
        self._weights: dict[str, LoadedWeights] = {}
        self._kept: dict[PromptKey, PromptState] = {}  # empty while a draft uses them
        self._films: SeenFilms | None = None
        self._decoding_times: DecodingTimes | None = None
        self._weights_for("one-step")

    @classmethod
    def load(
        cls,
        model: str | Path = "embedded",
        device: str = "auto",
        dtype: str = "auto",
        digest_cache: DigestCache | None = None,
        on_progress: ProgressListener | None = None,
        expected_sha256: str = "",
        passes: PassPath = "auto",
        products: Products = "exact",
        threads: int = 0,
    ) -> ReportEngine:
        """See inference.load_engine."""
        if threads:
            torch.set_num_threads(threads)
        folder = embedded_folder() if model == "embedded" else Path(model)
        checkpoint = open_checkpoint(folder, digest_cache, on_progress, expected_sha256)
        engine = cls(checkpoint, choose_device(device), dtype, passes, products)
        if products != "exact":  # refused at once, not in the middle of some later draft
            for mode in engine.description.decoding_modes:
                engine._weights_for(mode)
        engine.capture_passes()
        if {*REGION_MODES} & {*engine.description.decoding_modes}:
            engine.measure_decoding_times()
        return engine

    @property
    def description(self) -> EngineDescription:
        manifest = self._checkpoint.manifest
        offered = set(manifest.decoding_modes)
        if manifest.autoregressive_weights is None:
            offered.discard("autoregressive")
        if "one-step" in offered:
            offered.add("adaptive")  # the same weights; older manifests don't know the mode
        if manifest.block_is_answer:
            offered.update(WHOLE_ANSWER_MODES)
        needs_both = {"one-step", "autoregressive"}
        offered = offered | {"guided"} if needs_both <= offered else offered - {"guided"}
        return EngineDescription(
            model_name=manifest.name,
            model_version=manifest.version,
            model_sha256=self._checkpoint.sha256,
            model_folder=str(self._checkpoint.folder),
            device=str(self._device),
            dtype=str(self._dtype).removeprefix("torch."),
            block_length=manifest.block_length,
            decoding_modes=tuple(
                mode
                for mode in (*DECODING_MODES, *REGION_MODES, *WHOLE_ANSWER_MODES)
                if mode in offered
            ),
            languages=tuple(lang for lang in LANGUAGES if lang in manifest.languages),
            max_images=manifest.max_images,
            calibration=self._checkpoint.calibration,
            decoding_times=self._decoding_times,
            products=self._products,
            token_agreement=min(self._agreements, default=None),
        )

    @property
    def _products(self) -> Products:
        return self._reduction.products if self._reduction else "exact"

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def passes(self) -> PassPath:
        """How passes run: never "auto"."""
        return self._steps.path

    def choose_passes(self, passes: PassPath) -> None:
        """From the next draft on; EngineError where this device can't."""
        self._steps.choose(passes)

    @torch.inference_mode()
    def capture_passes(self) -> None:
        """Where passes are captured, those of a usual draft: before one is waited for.

        EngineError, which says how to do without, where that fails.
        """
        if self.passes == "graphs" and (step := self._lend_usual_step()):
            self._steps.put_back(step)

    @property
    def captured_steps(self) -> tuple[OneShapeStep, ...]:
        """Those that no draft uses, for measuring them."""
        return self._steps.captured

    @property
    def text_decoders(self) -> tuple[TextDecoder, ...]:
        """The language models loaded so far, for measuring them."""
        return tuple(weights.decoder for weights in self._weights.values())

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        """Stream one report: PrefillDone, BlockCommitted ..., DraftFinished or DraftCancelled.

        Work happens while the next event is asked for. UnsupportedRequest is raised here, at
        once; EngineError (out of memory, a film that is none) while streaming.

        The prompt stays in memory for the next request on the same films in the same language
        with the same weights, also if the stream is closed before its end: closing it after
        PrefillDone prepares a draft. Only the last draft's is kept (``guided`` has two). What the
        vision tower made of the films serves any later prompt on them.
        """
        check_request(request, self.description)
        request = fit_canvas(request, self._checkpoint.manifest.block_length)
        given_tokens(self._checkpoint, request)
        return self._stream(request, cancel or CancelToken(), self._pinned_tokens(request))

    @torch.inference_mode()
    def measure_decoding_times(self) -> DecodingTimes:
        """How long decoding takes in one sequence and by regions, on this device.

        The description has it from then on.
        """
        decoder = self._weights_for("one-step").decoder
        block_length = self._checkpoint.manifest.block_length
        step = self._lend_usual_step()
        self._decoding_times = measure_decoding_times(decoder, block_length, step)
        if step is not None:
            self._steps.put_back(step)
        return self._decoding_times

    def forget_prompt(self) -> None:
        """Free the kept prompt's memory: the study was closed."""
        self._kept, self._films = {}, None

    def _stream(
        self, request: GenerationRequest, cancel: CancelToken, pinned: Mapping[int, int]
    ) -> Iterator[DraftEvent]:
        """The draft's events; memory that runs out ends it with EngineError, all of it freed."""
        if emptiness := describe_emptiness(request.images[0]):
            yield refuse_unseen(request, emptiness)
            return
        doing, failure = "reading the films", ""
        try:
            with closing(self._run_draft(request, cancel, pinned)) as events:
                for event in events:
                    doing = "drafting"
                    yield event
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            failure = describe_out_of_memory(
                self._checkpoint, request, self._device, self._dtype, doing, self._products
            )
        if failure:  # outside the handler: its traceback would keep the draft's tensors alive
            self.forget_prompt()
            self._steps.clear()
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
            raise EngineError(failure)

    @torch.inference_mode()
    def _run_draft(
        self, request: GenerationRequest, cancel: CancelToken, pinned: Mapping[int, int]
    ) -> Generator[DraftEvent, None, None]:
        clock = Stopwatch()
        session: DraftSession | RegionSession | None = None
        step: OneShapeStep | None = None
        try:
            prompts, is_reused = self._take_prompts(request, cancel)
            prompt, *checking = prompts.values()
            regions: RegionDraft | None = None
            if request.decoding in REGION_MODES:
                regions = RegionDraft(self._checkpoint, prompt, request, cancel)
                session = regions.session
            else:
                capacity = self._capacity(prompt.prompt_ids, request)
                stop_ids = self._checkpoint.stop_ids
                step = self._steps.lend_for(request, prompt, capacity, stop_ids)
                session = open_session(
                    self._checkpoint, prompt, capacity, request, cancel, pinned, step
                )
            draft = BegunDraft(request, pinned, cancel, clock, clock.elapsed_ms)
            try:
                yield PrefillDone(
                    request.request_id,
                    prompt_tokens=len(prompt.prompt_ids),
                    block_length=prompt.block_length,
                    elapsed_ms=draft.prefill_ms,
                    reused=is_reused,
                    regions=PARTS if regions else (),
                )
                if isinstance(session, DraftSession):
                    blocks = decode_blocks(self._checkpoint, draft, session, checking)
                    answer = open_answer(self._checkpoint, draft)
                    yield from stream_answer(draft, session, blocks, answer)
                elif regions:
                    yield from stream_regions(draft, regions)
            finally:
                self._kept = prompts
                if step is not None:
                    self._steps.put_back(step)
        except DecodingCancelled:
            passes = session.passes if session else 0
            yield DraftCancelled(request.request_id, passes, clock.elapsed_ms)

    def _take_prompts(
        self, request: GenerationRequest, cancel: CancelToken
    ) -> tuple[dict[PromptKey, PromptState], bool]:
        """The prompts of a draft, and whether all of them were kept.

        What was kept and isn't among them is freed before another is made.
        """
        raise_if_cancelled(cancel)
        kept, self._kept = self._kept, {}
        digests = digest_films(request.images)
        needed = needed_prompts(self._checkpoint, request, digests)
        kept = {
            key: prompt
            for key, prompt in kept.items()
            if key in needed and self._capacity(prompt.prompt_ids, request) <= prompt.capacity
        }
        if self._films is not None and self._films.digests != digests:
            self._films = None
        prompts = {
            key: kept.get(key) or self._prefill(part, digests, cancel)
            for key, part in needed.items()
        }
        return prompts, len(kept) == len(needed)

    def _lend_usual_step(self) -> OneShapeStep | None:
        """As a draft on one film of the largest size needs it."""
        checkpoint, manifest = self._checkpoint, self._checkpoint.manifest
        return self._steps.lend(
            self._weights_for("one-step").decoder,
            manifest.block_length,
            longest_sequence(checkpoint.image_processor, 1),
            manifest.mask_token_id,
            checkpoint.stop_ids,
        )

    def _capacity(self, prompt_ids: list[int], request: GenerationRequest) -> int:
        return answer_capacity(self._checkpoint, prompt_ids, request)

    def _prefill(
        self, request: GenerationRequest, digests: tuple[bytes, ...], cancel: CancelToken
    ) -> PromptState:
        weights = self._weights_for(request.decoding)
        if self._films is None:
            processor = self._checkpoint.image_processor
            self._films = SeenFilms(processor, request.images, digests)
        return prefill_prompt(self._checkpoint, weights, request, self._films, cancel)

    def _weights_for(self, mode: DecodingMode) -> LoadedWeights:
        name = self._checkpoint.weights_name(mode)
        if name not in self._weights:
            loaded = self._reduce(self._load_model(name), mode)
            self._weights[name] = loaded._replace(vision=self._share_tower(loaded.vision))
        return self._weights[name]

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
        loaded = (weights.vision for weights in self._weights.values())
        return next((other for other in loaded if tower.has_weights_of(other)), tower)

    def _load_model(self, name: str) -> Qwen2_5_VLForConditionalGeneration:
        try:
            return self._checkpoint.load_model(name, self._device, self._dtype)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        raise EngineError(f"{self._device}: out of memory loading {name}")

    def _pinned_tokens(self, request: GenerationRequest) -> dict[int, int]:
        checkpoint = self._checkpoint
        return pinned_tokens(
            request,
            checkpoint.tokenizer,
            checkpoint.config.text_config.vocab_size,
            checkpoint.manifest.mask_token_id,
            checkpoint.stop_ids,
        )


def choose_device(device: str) -> torch.device:
    """ "auto" is CUDA if there is one, else the CPU. EngineError for one that isn't there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise EngineError(f"device {device!r}: not a device") from error
    if chosen.type not in ("cpu", "cuda"):
        raise EngineError(f"device {device!r}: only cpu and cuda are supported")
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise EngineError(f"device {device!r}: this machine has no such GPU")
    return chosen
