"""Damaged films by the thousand: none may crash the app, hang it or eat its memory.

Every file opens or is refused by UnreadableInstance, which is what a reader's morning list needs;
anything else that leaves the reading code is a fault. Codecs run in their child process.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workstation.dicom import decoding_pool
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.model_image import model_image
from workstation.dicom.presentation_search import apply_states
from workstation.dicom.presentation_state import read_presentation_state
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.window_choices import badges

HANG_S = 10.0
_HEADER_BYTES = 2500
_EXTREMES = (
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\x7f",
    b"\xff\xff",
    b"\xfe\xff\x00\xe0",
)


@dataclass
class MutationResult:
    """What became of the files. faults: (number, name of the seed, exception)."""

    opened: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    slowest_name: str = ""
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def run_mutations(
    seeds: Mapping[str, bytes], count: int, random_seed: int, folder: Path
) -> MutationResult:
    """Damage the seeds in turn, the same for the same random_seed, and read each result from a
    file in `folder`."""
    rng = random.Random(random_seed)
    names = sorted(seeds)
    result = MutationResult()
    path = folder / "mutated.dcm"
    for number in range(count):
        name = names[number % len(names)]
        path.write_bytes(mutate(seeds[name], rng))
        start = time.perf_counter()
        try:
            examine(path)
            result.opened += 1
        except UnreadableInstance as refusal:
            result.refused += 1
            result.reasons[refusal.reason[:60]] += 1
        except Exception as fault:
            result.faults.append((number, name, f"{type(fault).__name__}: {fault}"[:200]))
        taken = time.perf_counter() - start
        if taken > result.slowest_s:
            result.slowest_s, result.slowest_name = taken, f"{name} ({number})"
    return result


def mutate(whole: bytes, rng: random.Random) -> bytes:
    """Bytes changed, removed, added or set to lengths that lie; a tenth of the files is cut."""
    damaged = bytearray(whole)
    is_in_header = rng.random() < 0.6
    for _ in range(rng.choice((1, 1, 3, 12))):
        end = min(len(damaged), _HEADER_BYTES) if is_in_header else len(damaged)
        if end < 8:
            break
        at, kind = rng.randrange(end), rng.random()
        if kind < 0.7:
            damaged[at] = rng.randrange(256)
        elif kind < 0.8:
            del damaged[at : at + rng.randrange(1, 20)]
        elif kind < 0.9:
            damaged[at:at] = rng.randbytes(rng.randrange(1, 9))
        else:
            extreme = rng.choice(_EXTREMES)
            damaged[at : at + len(extreme)] = extreme
    if rng.random() < 0.1:
        del damaged[rng.randrange(max(1, len(damaged))) :]
    return bytes(damaged)


def examine(path: Path) -> None:
    """All that the app does with a file before a reader sees it; UnreadableInstance if refused."""
    try:
        read_header(path)
    except UnreadableInstance as refusal:
        if "presentation state" not in refusal.reason:
            raise
        read_presentation_state(path)
        return
    film = read_film(path)
    film = film.frame(film.frame_count - 1)
    render_grey(film, step=2)
    badges(film)
    model_image(film)
    assert film.overlay_mask is None or film.overlay_mask.shape == film.stored.shape


def examine_state(path: Path, film_path: Path) -> None:
    """A damaged presentation state about a sound film; UnreadableInstance if it is no state."""
    film = apply_states(read_film(film_path), (read_presentation_state(path),))
    render_grey(film, step=2)
    assert film.overlay_mask is None or film.overlay_mask.shape == film.stored.shape


def peak_memory_mb() -> tuple[float, float] | None:
    """Of this process and of the largest child that has ended; None where it can't be asked."""
    try:
        import resource
    except ImportError:
        return None
    decoding_pool.close_children()
    own = _own_peak_kb() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return own / 1024, children / 1024


def _own_peak_kb() -> int | None:
    """Linux: of this program alone; getrusage counts the process it was started from, too."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
