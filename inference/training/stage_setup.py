"""What every stage begins with: its model, its pairs, its processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from inference.training.config import ConfigError, DataConfig, Stage, StageConfig
from inference.training.data.feature_cache import Features, LiveFeatures, cached_features
from inference.training.data.manifest_pairs import ManifestPairs
from inference.training.data.pairs import MixedPairs, Pairs
from inference.training.data.phantom_pairs import PhantomPairs
from inference.training.data.prompt_frame import PromptFormat
from inference.training.forward import Forwards
from inference.training.loop import TrainingRun
from inference.training.loss_curves import write_loss_curves
from inference.training.processes import Processes, open_processes
from inference.training.start_model import StartModel, open_start, write_model_folder

_VARIATION_SEED = 2


@dataclass(frozen=True, eq=False)
class StageSetup:
    """One stage, ready to run."""

    stage: Stage
    config: StageConfig
    processes: Processes
    start: StartModel
    pairs: Pairs
    forwards: Forwards

    def features(self) -> Features:
        """Cached where that is possible and asked for."""
        data = self.config.data
        can_cache = data.cache_features and self.config.model.freeze_vision
        if can_cache and isinstance(self.pairs, PhantomPairs):
            forward, pairs = self.forwards[self.pairs.kind("en", 1)], self.pairs
            path = self.config.output / "features.safetensors"
            return self.processes.first_alone(lambda: cached_features(forward, pairs, path))
        seed = _VARIATION_SEED if data.augment else None
        return LiveFeatures(self.forwards, self.pairs, seed)

    def modules(self) -> dict[str, torch.nn.Module]:
        """What is trained: the language model, its head where that is not the embedding, and the
        vision tower where it is not frozen."""
        model = self.start.model
        modules: dict[str, torch.nn.Module] = {"text": model.model.language_model}
        if not model.config.tie_word_embeddings:
            modules["head"] = model.lm_head
        if not self.config.model.freeze_vision:
            modules["visual"] = model.model.visual
        return modules

    def train(
        self, modules: dict[str, torch.nn.Module], loss_of: Callable[[int], torch.Tensor],
        name: str | None = None, learning_rate_scale: dict[str, float] | None = None,
    ) -> None:  # fmt: skip
        """Train, draw the loss curve, write the model folder output/name (the stage's)."""
        run = TrainingRun(
            self.config.output, name or self.stage, modules, self.config.schedule,
            self.processes, learning_rate_scale,
        )  # fmt: skip
        run.train(loss_of)
        if self.processes.is_first:
            write_loss_curves(self.config.output)
            folder = self.config.output / (name or self.stage)
            write_model_folder(self.start, folder, self.stage, version="0")
        self.processes.wait()


def open_stage(stage: Stage, config: StageConfig) -> StageSetup:
    """Raises ConfigError, UnusableManifest or FileNotFoundError for what can't be used."""
    if config.model.regions and stage not in ("rad", "dcd"):
        raise ConfigError(f"model: regions: stage {stage} writes the report as one sequence")
    if config.teacher.sequential and not config.model.regions:
        raise ConfigError("teacher: sequential: needs model.regions")
    processes = open_processes(config.model.device)
    start = processes.first_alone(lambda: open_start(config.model, config.output, processes.device))
    pairs = open_pairs(config.data, start.prompt)
    return StageSetup(stage, config, processes, start, pairs, Forwards(start.model, start.prompt))


def open_pairs(data: DataConfig, prompt: PromptFormat) -> Pairs:
    phantoms = PhantomPairs(data.films, prompt) if data.films else None
    studies = ManifestPairs(data.manifest, prompt) if data.manifest else None
    if phantoms and studies:
        return MixedPairs(phantoms, studies)
    pairs = phantoms or studies
    if pairs is None:
        raise ConfigError("data: neither films nor a manifest is given")
    return pairs
