"""The engine: one model, one draft at a time, as a stream of events.

Not thread-safe; the app runs it on one worker thread. A CancelToken may be set from any.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from inference.api import (
    DECODING_MODES,
    REGION_MODES,
    WHOLE_ANSWER_MODES,
    CancelToken,
    DecodingMode,
    DecodingTimes,
    DraftEvent,
    EngineDescription,
    EngineError,
    GenerationRequest,
    PassPath,
    Products,
)
from inference.decoding.one_shape_step import OneShapeStep
from inference.decoding.pinned_tokens import pinned_tokens
from inference.decoding.text_decoder import TextDecoder
from inference.decoding_modes import fit_canvas
from inference.decoding_times import measure_decoding_times
from inference.draft_runner import DraftRunner, FixedTokens
from inference.memory.device_fit import longest_sequence
from inference.model_folder.checkpoint import Checkpoint, embedded_folder, open_checkpoint
from inference.model_folder.file_digests import DigestCache
from inference.model_folder.loading_progress import ProgressListener
from inference.model_weights import ModelWeights
from inference.pass_paths import StepShelf
from inference.products.token_agreement import LEAST_AGREEMENT
from inference.prompt_prefill import FilmShelf, LoadedWeights
from inference.region_drafting import given_tokens
from inference.report_language import LANGUAGES
from inference.request_checks import check_request


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
        self._weights = ModelWeights(checkpoint, device, dtype, products, least_agreement)
        self._films = FilmShelf(checkpoint.image_processor)
        self._runner = DraftRunner(checkpoint, self._weights, self._films, self._steps)
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
            dtype=str(self._weights.dtype).removeprefix("torch."),
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
            products=self._weights.products,
            token_agreement=self._weights.token_agreement,
        )

    @property
    def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    @property
    def weights(self) -> ModelWeights:
        return self._weights

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
        return tuple(weights.decoder for weights in self._weights.loaded.values())

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        """Stream one report: PrefillDone, BlockCommitted ..., DraftFinished or DraftCancelled.

        Work happens while the next event is asked for. UnsupportedRequest is raised here, at
        once; EngineError (out of memory, a film that is none) while streaming.

        The prompt stays in memory for the next request on the same films in the same language
        with the same weights, also if the stream is closed before its end: closing it after
        PrefillDone prepares a draft. Other films or another language free it. What the vision
        tower made of the films serves any later prompt on them.
        """
        return self.draft_on(self._runner, request, cancel)

    def draft_on(
        self, runner: DraftRunner, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        """As draft, by a runner of this model's that keeps prompts of its own."""
        check_request(request, self.description)
        request = fit_canvas(request, self._checkpoint.manifest.block_length)
        given = given_tokens(self._checkpoint, request)
        fixed = FixedTokens(self._pinned_tokens(request), given)
        return runner.stream(request, cancel or CancelToken(), fixed)

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
        self._runner.forget_prompts()
        self._films.clear()

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

    def _weights_for(self, mode: DecodingMode) -> LoadedWeights:
        return self._weights.of(mode)

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
