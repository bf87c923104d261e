"""The embedded model's tokenizer and a full-size model with random weights; made once each."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from inference.api import ModelImage
from inference.phantom import PhantomCase, sample_case
from inference.prompts import (
    IM_END,
    IMAGE_PAD,
    MASK,
    PROMPTS,
    SPECIAL_TOKENS,
    VISION_END,
    VISION_START,
)
from inference.training import export_model
from inference.training.data.prompt_frame import Kind, PromptFormat
from inference.training.data.region_labels import CONCEPT_NAMES
from inference.training.embedded_config import (
    BLOCK_LENGTH,
    IMAGE_SIZE,
    build_model,
    write_preprocessor_config,
)
from inference.training.forward import Forwards, ReportForward
from inference.training.loop import save_weights
from inference.training.render_films import shard_path
from inference.training.tokenizer import train_tokenizer
from inference.vision.image_processor import ImageProcessor, normalise_film

SHARD = 4
GRID = (1, 16, 16)
FIRST_SEEDS = (999_996, 1_000_000)  # the first is drawn first but sorts last as text


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train_tokenizer()


@pytest.fixture(scope="session")
def build_random_model(tokenizer: Tokenizer) -> Callable[[int], Qwen2_5_VLForConditionalGeneration]:
    """Text weights by seed, large enough that each token depends on film and prefix.

    All values survive float16, which is how models are exported. The tower is always the same,
    as in training, where the stages share it.
    """

    def build(seed: int) -> Qwen2_5_VLForConditionalGeneration:
        model = build_model(tokenizer)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "visual" not in name and parameter.dim() > 1:
                    std = 0.3 if "embed" in name else 0.11
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)
                parameter.copy_(parameter.half().float())
        return model.eval().requires_grad_(False)

    return build


@pytest.fixture(scope="session")
def random_model(
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration],
) -> Qwen2_5_VLForConditionalGeneration:
    return build_random_model(1)


@pytest.fixture(scope="session")
def prompt(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> PromptFormat:
    """The embedded model's."""
    folder = tmp_path_factory.mktemp("processor")
    write_preprocessor_config(folder)
    return PromptFormat(tokenizer, ImageProcessor.from_folder(folder), BLOCK_LENGTH)


@pytest.fixture(scope="session")
def forwards(random_model: Qwen2_5_VLForConditionalGeneration, prompt: PromptFormat) -> Forwards:
    return Forwards(random_model, prompt)


@pytest.fixture(scope="session")
def forward(forwards: Forwards) -> ReportForward:
    """Of one film, in English."""
    return forwards[Kind("en", (GRID,))]


def _draw_stand_in(
    case: PhantomCase, size: int, view: str = "frontal"
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A film that is no body: a patch for each finding, by concept and side. Drawn in no time."""
    rng = np.random.default_rng((case.seed, view == "lateral"))
    film = rng.normal(1500, 200, (size, size))
    regions = {}
    for said in case.statements:
        rows, columns = np.mgrid[:size, :size] * 8 // size
        place = CONCEPT_NAMES.index(said.concept)
        column = place % 4 + (4 if said.side == "left" and view == "frontal" else 0)
        regions[said.concept] = np.where((rows == place // 4) & (columns == column), 2.0, 0.0)
        film += 400 * regions[said.concept]
    return film.clip(0, 4095).astype(np.uint16), regions


@pytest.fixture
def stand_in_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.training.render_films.render_film_and_regions", _draw_stand_in)


@pytest.fixture(scope="session")
def film() -> ModelImage:
    return ModelImage(_draw_stand_in(sample_case(5), IMAGE_SIZE)[0])


@pytest.fixture(scope="session")
def lateral() -> ModelImage:
    return ModelImage(_draw_stand_in(sample_case(5), IMAGE_SIZE, "lateral")[0])


@pytest.fixture(scope="session")
def both_features(
    forwards: Forwards, prompt: PromptFormat, film: ModelImage, lateral: ModelImage
) -> torch.Tensor:
    """[1, 2 * tokens, hidden] float32 of film and lateral."""
    films = np.stack([normalise_film(image) for image in (film, lateral)])
    with torch.inference_mode():
        return forwards[Kind("en", (GRID, GRID))].vision_features(_patchify(prompt, films))


@pytest.fixture(scope="session")
def features(forward: ReportForward, prompt: PromptFormat, film: ModelImage) -> torch.Tensor:
    """[1, tokens, hidden] float32 of the film, unrounded."""
    with torch.inference_mode():
        return forward.vision_features(_patchify(prompt, normalise_film(film)[None]))


def _patchify(prompt: PromptFormat, films: np.ndarray) -> torch.Tensor:
    return torch.cat([prompt.processor.patchify(torch.from_numpy(film))[0] for film in films])


@pytest.fixture
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training code in float32: equalities are of the method, not of bfloat16."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


@pytest.fixture
def film_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight studies in two shards of four; the film of study i is filled with 10 * i.

    Its lateral, where it has one, with 10 * i + 5.
    """
    for name in ("data.phantom_pairs", "data.vision_labels"):
        monkeypatch.setattr(f"inference.training.{name}.SHARD", SHARD)
    folder = tmp_path / "films"
    folder.mkdir()
    for shard, first in enumerate(FIRST_SEEDS):
        films = np.arange(SHARD, dtype=np.uint8) + SHARD * shard
        has_lateral = [sample_case(first + i).has_lateral for i in range(SHARD)]
        for values, name in ((films * 10, "films"), (films[has_lateral] * 10 + 5, "laterals")):
            shape = (len(values), IMAGE_SIZE, IMAGE_SIZE)
            filled = np.broadcast_to(values[:, None, None], shape)
            np.save(shard_path(folder, first, name), filled)
    return folder


@pytest.fixture
def free_size_prompt(prompt: PromptFormat) -> PromptFormat:
    """Films keep their proportions, as in stock Qwen2.5-VL."""
    processor = replace(
        prompt.processor, pad_to_square=False, min_pixels=28 * 28, max_pixels=140 * 140
    )
    return replace(prompt, processor=processor)


@pytest.fixture
def site_manifest(tmp_path: Path) -> Path:
    """Six studies of real DICOM and PNG bytes: sizes, polarities, languages, one with a lateral.

    The first two show the same film.
    """
    folder = tmp_path / "site"
    folder.mkdir()
    rng = np.random.default_rng(3)
    smooth = np.kron(rng.integers(200, 3800, (12, 10)), np.ones((10, 10))).astype(np.uint16)
    inverted = (4095 - smooth).astype(np.uint16)
    inverted[:, :4] = 5000
    _write_dicom(folder / "1.dcm", inverted, "MONOCHROME1", slope=2, padding=5000)
    plain = smooth.copy()
    plain[:, :4] = 0
    _write_dicom(folder / "2.dcm", plain, "MONOCHROME2", padding=0)
    _write_dicom(folder / "3.dcm", smooth[:100], "MONOCHROME2")
    Image.fromarray((smooth >> 4).astype(np.uint8)).save(folder / "3_lateral.png")
    for number in (4, 5, 6):
        rows = rng.integers(0, 60_000, (60 + 30 * number, 120)).astype(np.uint16)
        Image.fromarray(rows).save(folder / f"{number}.png")
    images = [["1.dcm"], ["2.dcm"], ["3.dcm", "3_lateral.png"], ["4.png"], ["5.png"], ["6.png"]]
    english = "Findings: No pleural effusion. Impression: No acute abnormality."
    chinese = "所见：未见胸腔积液。 结论：未见异常。"
    lines = [
        {
            "images": films,
            "report": chinese if n > 3 else english,
            "language": "zh" if n > 3 else "en",
        }
        for n, films in enumerate(images)
    ]
    path = folder / "studies.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def _write_dicom(
    path: Path, pixels: np.ndarray, polarity: str, slope: int = 1, padding: int | None = None
) -> None:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = DigitalXRayImageStorageForPresentation, "1.2.3"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = polarity, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 0
    dataset.RescaleSlope, dataset.RescaleIntercept = slope, -100 * (slope - 1)
    if padding is not None:
        dataset.PixelPaddingValue = padding
    dataset.PixelData = pixels.tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture(scope="session")
def stock_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Qwen2.5-VL as others publish it: no mask token, a head of its own, spare rows.

    Its config asks for remote code, which must never run. Never write into it.
    """
    folder = tmp_path_factory.mktemp("stock")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token in SPECIAL_TOKENS if token != MASK]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([*PROMPTS.values(), "Findings: No effusion."], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    Qwen2_5_VLForConditionalGeneration(_stock_config(tokenizer)).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["auto_map"] = {"AutoModel": "modeling_echo.EchoModel"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "modeling_echo.py").write_text("raise RuntimeError('remote code ran')")
    processor = {
        "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2, "min_pixels": 28 * 28,
        "max_pixels": 84 * 84, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def _stock_config(tokenizer: Tokenizer) -> Qwen2_5_VLConfig:
    text = {
        "vocab_size": tokenizer.get_vocab_size() + 4, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
        "bos_token_id": None, "eos_token_id": tokenizer.token_to_id(IM_END),
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3],
        },
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 32, "num_heads": 2, "intermediate_size": 48,
        "out_hidden_size": 32, "patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1],
    }  # fmt: skip
    return Qwen2_5_VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=False,
        image_token_id=tokenizer.token_to_id(IMAGE_PAD),
        video_token_id=tokenizer.get_vocab_size() - 1,
        vision_start_token_id=tokenizer.token_to_id(VISION_START),
        vision_end_token_id=tokenizer.token_to_id(VISION_END),
    )  # fmt: skip


@pytest.fixture(scope="session")
def region_model(
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration],
) -> Qwen2_5_VLForConditionalGeneration:
    return build_random_model(7)


@pytest.fixture(scope="session")
def exported(
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration],
    region_model: Qwen2_5_VLForConditionalGeneration,
    tokenizer: Tokenizer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    run, out = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("exported")
    for stage, model in {"dcd": build_random_model(4), "regions": region_model}.items():
        save_weights(model, run / f"{stage}.safetensors")
    save_weights(build_random_model(2), run / "rad.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inference.training.tokenizer.train_tokenizer", lambda: tokenizer)
        patch.setattr("sys.argv", ["export_model", "--run", str(run), "--out", str(out)])
        export_model.main()
    return out
