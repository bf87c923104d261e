"""2,000 damaged files: opened or refused, none slower than ten seconds, none a memory hog.

10,000 and more, and those of a folder of one's own:
`python -m workstation.benchmarks mutations --count 10000 [--folder FOLDER]`.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workstation.benchmarks.mutated_films import examine, examine_state, mutate
from workstation.benchmarks.written_seeds import write_seeds
from workstation.dicom.unreadable import UnreadableInstance


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    return write_seeds()


def test_every_seed_is_sound(seeds: dict[str, bytes], tmp_path: Path) -> None:
    assert len(seeds) >= 12
    for name, whole in seeds.items():
        path = tmp_path / "seed"
        path.write_bytes(whole)
        try:
            examine(path)
        except UnreadableInstance as refusal:
            pytest.fail(f"{name}: {refusal.reason}")


@pytest.mark.slow
def test_two_thousand_mutated_films_open_or_are_refused() -> None:
    """In a process of its own: its peak memory is that of these films alone."""
    command = [sys.executable, "-m", "workstation.benchmarks", "mutations", "--count", "2000"]
    run = subprocess.run([*command, "--seed", "20261121"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    opened, refused = (int(n) for n in re.findall(r"(\d+) (?:opened|refused)", run.stdout)[:2])
    assert opened + refused == 2000
    assert min(opened, refused) > 100


def test_damaged_presentation_states_never_harm_the_film(
    seeds: dict[str, bytes], tmp_path: Path
) -> None:
    film, state, rng = tmp_path / "film.dcm", tmp_path / "state.dcm", random.Random(3)
    film.write_bytes(seeds["explicit"])
    applied = 0
    for _ in range(150):
        state.write_bytes(mutate(seeds["state"], rng))
        try:
            examine_state(state, film)
            applied += 1
        except UnreadableInstance:
            continue
    assert applied > 20
