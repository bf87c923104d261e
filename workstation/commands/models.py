"""`echo-workstation models add FOLDER | list | check NAME | remove NAME`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from inference import EngineError, LoadProgress, inspect_model
from workstation.commands.exit_codes import FAILED, tell_failure
from workstation.model_licence import ModelLicence, find_licence
from workstation.model_registry import (
    EMBEDDED,
    ModelRegistry,
    RegisteredModel,
    open_digest_cache,
)

if TYPE_CHECKING:
    from inference import ModelInspection

_UNKNOWN_NAME, _LICENCE_NOT_ACCEPTED = 2, 3


def run_models_add(
    folder: Path,
    data_dir: Path,
    name: str = "",
    copies: bool = False,
    accepts_licence: bool = False,
    ask: Callable[[str], str] | None = None,
) -> int:
    """Check a model folder, show its licence, and register it under a name.

    The folder stays where it is unless copies. ask: how to ask the user; None where nobody can
    answer, and the licence has to be accepted beforehand. Exit code 0; 1 the folder, the name
    or the disk won't do (the reason is on stderr); 3 the licence isn't accepted.
    """
    folder, registry = folder.expanduser().absolute(), ModelRegistry(data_dir)
    try:
        registry.check_name(name or folder.name)
        inspection = inspect_model(folder, is_hashed=False)
        print(_describe(inspection))
        print(_describe_disk(inspection, registry.copies_folder, copies))
        licence = find_licence(folder)
        print(_describe_licence(licence))
        if not accepts_licence and not _asks_for_consent(ask):
            return _LICENCE_NOT_ACCEPTED
        if copies:
            folder = _copy_model(
                inspection, licence, registry.copies_folder / (name or folder.name)
            )
        try:
            model = _register(registry, folder, data_dir, name or folder.name, licence, copies)
        except BaseException:
            if copies:
                shutil.rmtree(folder, ignore_errors=True)
            raise
    except EngineError as error:
        tell_failure(error)
        return FAILED
    print(f"Added {model.name}, sha256 {model.sha256}")
    print(f"Use it with: echo-workstation --model {model.name}")
    return 0


def run_models_list(data_dir: Path, as_json: bool = False) -> int:
    """The embedded model and those added, one a line. Exit code 0; 1 if the list can't be read."""
    try:
        models = ModelRegistry(data_dir).entries()
    except EngineError as error:
        tell_failure(error)
        return FAILED
    if as_json:
        print(json.dumps([asdict(model) | {"folder": str(model.folder)} for model in models]))
        return 0
    print(f"{EMBEDDED:<24}in the app")
    for model in models:
        state = "" if model.folder.is_dir() else "  MISSING"
        print(
            f"{model.name:<24}{_gib(model.bytes_on_disk):>9}  sha256 {model.sha256[:12]}  "
            f"{model.folder}{state}"
        )
    return 0


def run_models_check(name: str, data_dir: Path) -> int:
    """Check a model again, every byte. Exit code 0; 1 damaged or changed; 2 no such name."""
    try:
        model = ModelRegistry(data_dir).find(name)
        if model is None and name != EMBEDDED:
            return _report_unknown(name)
        inspection = inspect_model(
            EMBEDDED if model is None else model.folder,
            digest_cache=open_digest_cache(data_dir, force=True),
            on_progress=_progress_listener(),
        )
        if model is not None and inspection.sha256 != model.sha256:
            raise EngineError(
                f"{model.folder}: changed since it was added, its sha256 is {inspection.sha256} "
                f"and was {model.sha256}"
            )
    except EngineError as error:
        tell_failure(error)
        return FAILED
    print(_describe(inspection))
    print(f"Whole: sha256 {inspection.sha256}")
    return 0


def run_models_remove(name: str, data_dir: Path) -> int:
    """Forget a model, and delete its files if they are our copy. Exit code 0; 1; 2 no such name."""
    registry = ModelRegistry(data_dir)
    try:
        model = registry.find(name)
        if model is None:
            return _report_unknown(name)
        registry.remove(name)
        if model.is_copy and model.folder.parent == registry.copies_folder.absolute():
            _delete_copy(model.folder)
    except EngineError as error:
        tell_failure(error)
        return FAILED
    print(f"Removed {name}" + ("" if model.is_copy else f"; its files stay in {model.folder}"))
    return 0


def _register(
    registry: ModelRegistry,
    folder: Path,
    data_dir: Path,
    name: str,
    licence: ModelLicence | None,
    is_copy: bool,
) -> RegisteredModel:
    """Hash all of it and write it down."""
    inspection = inspect_model(
        folder,
        digest_cache=open_digest_cache(data_dir, force=True),
        on_progress=_progress_listener(),
    )
    model = RegisteredModel(
        name=name,
        folder=folder,
        sha256=inspection.sha256,
        bytes_on_disk=inspection.bytes_on_disk,
        is_copy=is_copy,
        licence_file=", ".join(licence.file_names) if licence else "",
        accepted_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    registry.add(model)
    return model


def _copy_model(inspection: ModelInspection, licence: ModelLicence | None, target: Path) -> Path:
    """Copy what the engine reads and the licence; all of it, or nothing and EngineError."""
    target = target.absolute()
    extra = {"README.md", "echo_manifest.json", *(licence.file_names if licence else ())}
    names = [*inspection.file_names, *sorted(extra - set(inspection.file_names))]
    if target.exists():
        raise EngineError(f"{target}: is there already; nothing is copied over it")
    free = _free_disk(target.parent)
    if inspection.bytes_on_disk > free:
        raise EngineError(
            f"{target.parent}: the copy needs {_gib(inspection.bytes_on_disk)}, free {_gib(free)}"
        )
    partial = target.with_name(f"{target.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        for name in names:
            if (inspection.folder / name).is_file():
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(inspection.folder / name, partial / name)
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise EngineError(f"{target}: can't be copied ({error.strerror or error})") from error
    return target


def _delete_copy(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return  # deleted by hand
    except OSError as error:
        raise EngineError(f"{folder}: files are left ({error.strerror})") from error


def _asks_for_consent(ask: Callable[[str], str] | None) -> bool:
    if ask is None:
        tell_failure("the licence isn't accepted; --accept-licence does so")
        return False
    try:
        answer = ask("Do you accept these terms? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() in ("y", "yes"):
        return True
    tell_failure("not added, the licence isn't accepted")
    return False


def _describe(inspection: ModelInspection) -> str:
    lines = [
        f"{inspection.name} {inspection.version}".rstrip()
        + f": block length {inspection.block_length}, "
        f"{inspection.parameters / 1e6:,.1f} million parameters, "
        f"{_gib(inspection.bytes_on_disk)} as {', '.join(inspection.stored_dtypes)} "
        f"in {inspection.folder}"
    ]
    lines += [f"  {option.describe()}" for option in inspection.fit_options]
    return "\n".join(lines)


def _describe_disk(inspection: ModelInspection, copies_folder: Path, copies: bool) -> str:
    free = f"free {_gib(_free_disk(copies_folder))} in {copies_folder}"
    if copies:
        return f"  the copy needs {_gib(inspection.bytes_on_disk)} of disk, {free}"
    return f"  used where it is; a copy would need {_gib(inspection.bytes_on_disk)} of disk, {free}"


def _describe_licence(licence: ModelLicence | None) -> str:
    if licence is None:
        return "The folder holds no licence text: whether you may use it is for you to find out."
    return f"Licence ({', '.join(licence.file_names)}):\n\n{licence.text}\n"


def _free_disk(folder: Path) -> int:
    """Of the disk that folder is on, or will be."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def _report_unknown(name: str) -> int:
    tell_failure(f"{name}: no model of this name was added")
    return _UNKNOWN_NAME


def _progress_listener() -> Callable[[LoadProgress], None] | None:
    """A percentage on a terminal's stderr, nothing elsewhere."""
    if not sys.stderr.isatty():
        return None

    def show(progress: LoadProgress) -> None:
        share = progress.done_bytes / max(1, progress.total_bytes)
        end = "\n" if progress.done_bytes == progress.total_bytes else ""
        print(f"\r{progress.step} {share:4.0%}", end=end, file=sys.stderr, flush=True)

    return show


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 // 10 else f"{count / 2**20:.1f} MiB"
