"""Stored pixels to pixel_values: stock geometry and patch order, polarity, padding, bad films."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.qwen2_vl import image_processing_pil_qwen2_vl as stock

from inference.api import EngineError, ModelImage
from inference.vision.image_processor import ImageProcessor, _resize, normalise_film, smart_resize

PROCESSOR = ImageProcessor(
    patch_size=14,
    temporal_patch_size=2,
    merge_size=2,
    min_pixels=56 * 56,
    max_pixels=224 * 224,
    mean=(0.48, 0.45, 0.40),
    std=(0.26, 0.27, 0.28),
)


def test_patches_stand_in_stock_order() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (112, 168), dtype=np.uint8)
    theirs = stock.Qwen2VLImageProcessorPil(
        image_mean=list(PROCESSOR.mean), image_std=list(PROCESSOR.std)
    )([np.repeat(grey[:, :, None], 3, axis=2)], return_tensors="pt")
    ours, grid = PROCESSOR.patchify(torch.from_numpy(grey / np.float32(255)))
    assert theirs["image_grid_thw"].tolist() == [list(grid)]
    torch.testing.assert_close(ours, theirs["pixel_values"], rtol=0, atol=1e-5)


@given(st.integers(30, 5000), st.integers(30, 5000))
def test_smart_resize_is_stock(height: int, width: int) -> None:
    ours = smart_resize(height, width, 28, 256 * 28 * 28, 2_250_000)
    assert ours == stock.smart_resize(height, width, 28, 256 * 28 * 28, 2_250_000)


@pytest.mark.parametrize("shape", [(100, 100), (2500, 3052), (60, 1500), (3, 3), (1, 90)])
def test_any_film_gives_whole_patches_within_bounds(shape: tuple[int, int]) -> None:
    pixels, grid = PROCESSOR(ModelImage(np.random.default_rng(1).normal(size=shape)))
    assert pixels.shape == (grid[1] * grid[2], 3 * 2 * 14 * 14)
    assert pixels.dtype == torch.float32
    assert grid[1] % 2 == 0
    assert grid[2] % 2 == 0
    assert 56 * 56 <= grid[1] * grid[2] * 14 * 14 <= 224 * 224
    assert PROCESSOR.token_count(grid) == grid[1] * grid[2] // 4


def test_pad_to_square_keeps_the_film_whole() -> None:
    square = ImageProcessor(**{**vars(PROCESSOR), "pad_to_square": True})
    _, grid = square(ModelImage(np.random.default_rng(1).normal(size=(400, 200))))
    assert grid[1] == grid[2]


def test_monochrome1_is_inverted_once() -> None:
    pixels = np.random.default_rng(2).integers(0, 4096, (64, 48))
    as_stored = normalise_film(ModelImage(pixels))
    inverted = normalise_film(ModelImage(4095 - pixels, is_monochrome1=True))
    np.testing.assert_allclose(as_stored, inverted, atol=1e-5)


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (4, -1024), (0.001, 7)])
def test_scale_of_the_stored_values_does_not_matter(slope: float, intercept: float) -> None:
    pixels = np.random.default_rng(3).integers(0, 1000, (64, 64)).astype(np.float64)
    np.testing.assert_allclose(
        normalise_film(ModelImage(pixels)),
        normalise_film(ModelImage(pixels * slope + intercept)),
        atol=1e-3,
    )


def test_padding_is_black_and_sets_no_range() -> None:
    pixels = np.random.default_rng(4).normal(500, 50, (64, 64))
    mask = np.zeros((64, 64), dtype=bool)
    mask[:, :20] = True
    padded = pixels.copy()
    padded[mask] = 65535
    grey = normalise_film(ModelImage(padded, padding_mask=mask))
    assert (grey[mask] == 0).all()
    np.testing.assert_allclose(grey[:, 20:], normalise_film(ModelImage(pixels[:, 20:])), atol=1e-6)
    inverted = normalise_film(ModelImage(padded, is_monochrome1=True, padding_mask=mask))
    assert (inverted[mask] == 0).all()


def test_film_passed_in_is_left_as_it_is() -> None:
    pixels = np.random.default_rng(5).normal(size=(32, 32)).astype(np.float32)
    before = pixels.copy()
    PROCESSOR(ModelImage(pixels, is_monochrome1=True, padding_mask=pixels > 1))
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("value", [0, 4095])
def test_constant_film_is_black(value: int) -> None:
    for is_monochrome1 in (False, True):
        image = ModelImage(np.full((32, 32), value), is_monochrome1)
        assert not normalise_film(image).any()
    everything = np.ones((32, 32), dtype=bool)
    assert not normalise_film(ModelImage(np.eye(32), padding_mask=everything)).any()


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((0, 5)), "shape"),
        (np.zeros((4, 5, 3)), "shape"),
        (np.full((8, 8), np.nan), "not finite"),
        (np.zeros((1, 500)), "aspect ratio"),
    ],
)
def test_what_is_no_film_is_refused(pixels: np.ndarray, reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        PROCESSOR(ModelImage(pixels))


def test_config_is_read_in_both_spellings(tmp_path: Path) -> None:
    common = {
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": list(PROCESSOR.mean),
        "image_std": list(PROCESSOR.std),
    }
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps(common | {"min_pixels": 56 * 56, "max_pixels": 224 * 224}))
    assert ImageProcessor.from_folder(tmp_path) == PROCESSOR
    size = {"shortest_edge": 56 * 56, "longest_edge": 224 * 224}
    path.write_text(json.dumps(common | {"size": size}))
    assert ImageProcessor.from_folder(tmp_path) == PROCESSOR


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"patch_size": "x"}'])
def test_unusable_config_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(EngineError, match=r"preprocessor_config\.json"):
        ImageProcessor.from_folder(tmp_path)


@pytest.mark.parametrize("side", [1, 100, 1024, 1536, 2500, 3000, 3072])
def test_a_fixed_square_is_filled_whatever_the_film_size(side: int) -> None:
    grey = (0.5, 0.5, 0.5)
    processor = ImageProcessor(14, 2, 2, 224 * 224, 224 * 224, grey, grey, pad_to_square=True)
    _, grid = processor(ModelImage(np.arange(side * side, dtype=float).reshape(side, side)))
    assert grid == (1, 16, 16)


def test_noise_does_not_move_the_grey_range() -> None:
    rng = np.random.default_rng(3)
    body = np.linspace(1000, 3000, 1536)[:, None] * np.ones((1, 1536))
    noisy = ModelImage(body + rng.normal(0, 400, body.shape))
    clean = normalise_film(ModelImage(body))
    assert abs(normalise_film(noisy).mean() - clean.mean()) < 0.005


def test_position_channels_say_where_a_patch_is() -> None:
    placed = ImageProcessor(
        **{
            **vars(PROCESSOR),
            "mean": (*PROCESSOR.mean, 0.5, 0.5),
            "std": (*PROCESSOR.std, 0.25, 0.25),
            "position_channels": True,
        }
    )
    grey = torch.rand(112, 168, generator=torch.Generator().manual_seed(0))
    with_place, grid = placed.patchify(grey)
    without, _ = PROCESSOR.patchify(grey)
    tiles = with_place.view(-1, 5, 2, 14, 14)
    assert torch.equal(tiles[:, :3].flatten(1), without)
    down, right = (tiles[:, channel, 0].mean((1, 2)) * 0.25 + 0.5 for channel in (3, 4))
    in_order = torch.arange(grid[1] * grid[2]).view(grid[1] // 2, grid[2] // 2, 2, 2)
    rows = in_order.permute(0, 2, 1, 3).reshape(grid[1], grid[2])  # stock order to rows, columns
    assert (down[rows].diff(dim=0) > 0).all()
    assert (right[rows].diff(dim=1) > 0).all()
    torch.testing.assert_close(down[rows][:, :1].expand(-1, grid[2]), down[rows])


def test_spot_channels_come_last() -> None:
    with_spots = ImageProcessor(
        **{
            **vars(PROCESSOR),
            "mean": (*PROCESSOR.mean, 0.5, 0.5),
            "std": (*PROCESSOR.std, 0.25, 0.25),
            "spot_channels": True,
        }
    )
    grey = torch.rand(112, 168, generator=torch.Generator().manual_seed(0))
    tiles = with_spots.patchify(grey)[0].view(-1, 5, 2, 14, 14)
    assert torch.equal(tiles[:, :3].flatten(1), PROCESSOR.patchify(grey)[0])
    assert tiles[:, 3:].std() > 0


def test_channels_and_their_means_must_agree(tmp_path: Path) -> None:
    config = {
        "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2,
        "min_pixels": 50176, "max_pixels": 50176,
        "image_mean": [0.5] * 3, "image_std": [0.25] * 3, "position_channels": True,
    }  # fmt: skip
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(EngineError, match=r"preprocessor_config\.json: image_mean .* 5 entries"):
        ImageProcessor.from_folder(tmp_path)


@pytest.mark.parametrize(
    ("shape", "target"),
    [((64, 48), (28, 28)), ((301, 77), (28, 56)), ((20, 31), (56, 28)), ((9, 1500), (84, 84))],
)
def test_resizing_equals_interpolate(shape: tuple[int, int], target: tuple[int, int]) -> None:
    film = np.random.default_rng(2).random(shape, dtype=np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(film)[None, None], size=target, mode="bicubic", antialias=True
    )[0, 0].clamp(0, 1)
    np.testing.assert_allclose(_resize(film, *target), expected.numpy(), atol=1e-5)


def test_normalising_leaves_the_callers_pixels_alone() -> None:
    film = np.random.default_rng(2).random((30, 30), dtype=np.float32)
    before = film.copy()
    normalise_film(ModelImage(film, is_monochrome1=True))
    assert np.array_equal(film, before)
