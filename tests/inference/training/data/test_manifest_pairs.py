"""A site's own studies: what is read, what is refused, and how they are drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inference.training.data.manifest_pairs import ManifestPairs, UnusableManifest, read_manifest
from inference.training.data.pairs import Draw
from inference.training.data.prompt_frame import Kind, PromptFormat

GRID = (1, 16, 16)


@pytest.fixture
def pairs(site_manifest: Path, prompt: PromptFormat) -> ManifestPairs:
    return ManifestPairs(site_manifest, prompt)


def _write(folder: Path, *lines: str) -> Path:
    path = folder / "bad.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_every_bad_line_is_reported_by_file_and_line(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    good = '{"images": ["a.png"], "report": "Findings: x."}'
    path = _write(
        tmp_path, good, "{", "[]", good.replace("a.png", "b.png"), "",
        good.replace("}", ', "langauge": "en"}'), good.replace("}", ', "language": "de"}'),
        good.replace("Findings: x.", " "), good.replace('"a.png"', '"a.png", "a.png", "a.png"'),
        good.replace('["a.png"]', '"a.png"'),
    )  # fmt: skip
    with pytest.raises(UnusableManifest) as caught:
        read_manifest(path)
    problems = str(caught.value).splitlines()
    starts = [problem.split(": ")[0] for problem in problems]
    assert starts == [f"{path}:{number}" for number in (2, 3, 4, 6, 7, 8, 9, 10)]
    for problem, word in zip(
        problems,
        ("not JSON", "not a JSON object", "b.png is no file", "'langauge'", "'de'", "'report'",
         "3 images", "'images'"),
        strict=True,
    ):  # fmt: skip
        assert word in problem


def test_empty_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableManifest, match="no studies"):
        read_manifest(_write(tmp_path, "", ""))


def test_broken_films_are_reported_by_file_and_line(tmp_path: Path, prompt: PromptFormat) -> None:
    for name, content in (("a.dcm", b"no DICOM"), ("b.png", b"\x89PNG\r\n\x1a\nno PNG")):
        (tmp_path / name).write_bytes(content)
    path = _write(
        tmp_path,
        *(json.dumps({"images": [name], "report": "x"}) for name in ("a.dcm", "b.png")),
    )
    with pytest.raises(UnusableManifest) as caught:
        ManifestPairs(path, prompt)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}:1: {tmp_path / 'a.dcm'}")
    assert second.startswith(f"{path}:2: {tmp_path / 'b.png'}")


def test_film_whose_pixels_are_cut_off_names_its_line(
    site_manifest: Path, prompt: PromptFormat
) -> None:
    film = site_manifest.parent / "1.dcm"
    film.write_bytes(film.read_bytes()[:-500])  # the header is whole
    pairs = ManifestPairs(site_manifest, prompt)
    with pytest.raises(UnusableManifest, match=r"studies\.jsonl:1: .*1\.dcm"):
        pairs.patches(Draw(Kind("en", (GRID,)), [0]), None)


def test_dicom_polarity_rescale_and_padding_don_t_change_what_is_seen(
    pairs: ManifestPairs,
) -> None:
    """Studies 1 and 2 are the same film: MONOCHROME1 with rescale and padding, and plain."""
    first, second = (pairs.patches(Draw(Kind("en", (GRID,)), [row]), None) for row in (0, 1))
    torch.testing.assert_close(first, second, rtol=0, atol=0.05)
    assert first.std() > 0.5


def test_films_are_varied_the_same_way_each_time(pairs: ManifestPairs) -> None:
    draw = Draw(Kind("en", (GRID,)), [0])
    plain = pairs.patches(draw, None)
    varied = [pairs.patches(draw, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(varied[0], varied[1])
    assert not torch.equal(varied[0], varied[2])
    assert not torch.equal(varied[0], plain)


def test_an_epoch_has_each_study_once_in_batches_of_one_kind(pairs: ManifestPairs) -> None:
    kinds = {index: kind for kind, rows in pairs._rows_by_kind().items() for index in rows.tolist()}
    assert len(set(kinds.values())) == 3  # English, Chinese, with a lateral
    epochs = [[pairs.draw(step, 2, seed=0) for step in range(4 * n, 4 * n + 4)] for n in (0, 1)]
    for epoch in epochs:
        assert sorted(index for draw in epoch for index in draw.indices) == [*range(6)]
        assert all(kinds[index] == draw.kind for draw in epoch for index in draw.indices)
    assert epochs[0] != epochs[1]
    assert pairs.draw(5, 2, seed=0) == epochs[1][1]


def test_an_epoch_is_planned_once(pairs: ManifestPairs, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [pairs.draw(step, 2, seed=3) for step in (0, 1, 2, 3, 4, 1)]
    planned: list[int] = []
    plan = pairs._plan_epoch

    def count(epoch: int, batch_size: int, seed: int) -> list[Draw]:
        planned.append(epoch)
        return plan(epoch, batch_size, seed)

    monkeypatch.setattr(pairs, "_plan_epoch", count)
    assert [pairs.draw(step, 2, seed=3) for step in (0, 1, 2, 3, 4, 1)] == plain
    assert planned == [1, 0]  # the first of these stands already
    assert pairs.draw(0, 2, seed=4) != pairs.draw(0, 2, seed=3)


def test_prompts_hold_a_token_for_each_feature_of_films_of_any_size(
    site_manifest: Path, free_size_prompt: PromptFormat
) -> None:
    pairs = ManifestPairs(site_manifest, free_size_prompt)
    kinds = list(pairs._rows_by_kind())
    assert len({kind.grids for kind in kinds}) > 2  # films keep their proportions
    for kind, rows in pairs._rows_by_kind().items():
        patches = pairs.patches(Draw(kind, [int(rows[0])]), None)
        assert len(patches) == sum(int(np.prod(grid)) for grid in kind.grids)
