"""What a model folder is and what it would take to run it, without loading its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference.memory.device_fit import FitOption
from inference.model_folder.checkpoint import embedded_folder, open_checkpoint
from inference.model_folder.file_digests import DigestCache
from inference.model_folder.loading_progress import ProgressListener
from inference.model_folder.weight_files import WEIGHTS_NAME


@dataclass(frozen=True)
class ModelInspection:
    """One folder that passed every check but, where sha256 is "", the hashing.

    file_names: what the engine reads, relative to the folder. fit_options: every device and
    dtype of this machine, the most exact of the fastest device first.
    """

    name: str
    version: str
    folder: Path
    block_length: int
    languages: tuple[str, ...]
    parameters: int
    stored_dtypes: tuple[str, ...]
    file_names: tuple[str, ...]
    bytes_on_disk: int
    sha256: str
    fit_options: tuple[FitOption, ...]


def inspect_model_folder(
    model: str | Path,
    digest_cache: DigestCache | None = None,
    on_progress: ProgressListener | None = None,
    is_hashed: bool = True,
) -> ModelInspection:
    """See inference.inspect_model."""
    folder = embedded_folder() if model == "embedded" else Path(model)
    checkpoint = open_checkpoint(folder, digest_cache, on_progress)
    headers = {name: checkpoint.read_tensors(name) for name in checkpoint.weights_names()}
    main = headers[WEIGHTS_NAME]
    size = checkpoint.size(main)
    names = checkpoint.file_names
    return ModelInspection(
        name=checkpoint.manifest.name,
        version=checkpoint.manifest.version,
        folder=folder,
        block_length=checkpoint.manifest.block_length,
        languages=checkpoint.manifest.languages,
        parameters=size.parameters,
        stored_dtypes=tuple(sorted({stored.dtype for stored in main.values()})),
        file_names=names,
        bytes_on_disk=sum((folder / name).stat().st_size for name in names),
        sha256=checkpoint.sha256 if is_hashed else "",
        fit_options=tuple(size.options()),
    )
