"""The model folders a user added: their names, where they lie, and the sha256 they had then."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inference import DigestCache, EngineError, Products, ProgressListener, load_engine
from workstation.whole_file import write_whole_file

if TYPE_CHECKING:
    from inference import ReportEngine

EMBEDDED = "embedded"
_FILE_NAME = "models.json"
_DIGESTS_NAME = "model_digests.json"
_COPIES_NAME = "models"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class RegisteredModel:
    """One added folder. is_copy: its files are ours, in the data folder.

    licence_file: whose text the user accepted on accepted_at (UTC, ISO 8601), "" for none found.
    """

    name: str
    folder: Path
    sha256: str
    bytes_on_disk: int
    is_copy: bool
    licence_file: str
    accepted_at: str


class ModelRegistry:
    """models.json in the data folder; EngineError names that file if it can't be used."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _FILE_NAME
        self.copies_folder = data_dir / _COPIES_NAME

    def entries(self) -> list[RegisteredModel]:
        """By name."""
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            found = [_read_entry(name, values[name]) for name in sorted(values)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise EngineError(f"{self._path}: can't be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(f"{self._path}: not a list of models ({error!r})") from error
        return found

    def find(self, name: str) -> RegisteredModel | None:
        return next((entry for entry in self.entries() if entry.name == name), None)

    def add(self, model: RegisteredModel) -> None:
        """EngineError if the name can't be one, or is taken."""
        self.check_name(model.name)
        self._write([*self.entries(), model])

    def check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name) or name == EMBEDDED:
            raise EngineError(
                f"{name!r} can't name a model: up to 64 of A-Z a-z 0-9 . _ -, not {EMBEDDED!r}"
            )
        if self.find(name) is not None:
            raise EngineError(f"{name}: there is a model of this name; give another with --name")

    def remove(self, name: str) -> None:
        """Forget it; its files stay."""
        self._write([entry for entry in self.entries() if entry.name != name])

    def _write(self, models: list[RegisteredModel]) -> None:
        values = {model.name: asdict(model) | {"folder": str(model.folder)} for model in models}
        text = json.dumps(values, indent=2, ensure_ascii=False)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole_file(self._path, text.encode())
        except OSError as error:
            raise EngineError(f"{self._path}: can't be written ({error.strerror})") from error


def _read_entry(name: str, values: dict[str, object]) -> RegisteredModel:
    return RegisteredModel(
        name=name,
        folder=Path(str(values["folder"])),
        sha256=str(values["sha256"]),
        bytes_on_disk=int(str(values["bytes_on_disk"])),
        is_copy=bool(values["is_copy"]),
        licence_file=str(values["licence_file"]),
        accepted_at=str(values["accepted_at"]),
    )


def open_digest_cache(data_dir: Path, force: bool = False) -> DigestCache:
    """The digests of model files that this data folder knows; force hashes all anew."""
    return DigestCache(data_dir / _DIGESTS_NAME, force)


def load_registered_engine(
    model: str,
    device: str,
    data_dir: Path,
    on_progress: ProgressListener | None = None,
    dtype: str = "auto",
    products: Products = "exact",
    threads: int = 0,
) -> ReportEngine:
    """load_engine for "embedded", a registered name, or a folder.

    A registered model that changed since it was added is refused.
    """
    entry = None if model == EMBEDDED else ModelRegistry(data_dir).find(model)
    if entry is None and model != EMBEDDED and not Path(model).is_dir():
        raise EngineError(
            f"{model}: neither a model that was added (echo-workstation models list) nor a folder"
        )
    return load_engine(
        model if entry is None else entry.folder,
        device,
        dtype,
        digest_cache=open_digest_cache(data_dir),
        on_progress=on_progress,
        expected_sha256="" if entry is None else entry.sha256,
        products=products,
        threads=threads,
    )
