"""What a stage starts from: checked, completed, and never run as code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from inference.prompts import MASK
from inference.training.config import ConfigError, ModelConfig
from inference.training.loop import save_weights
from inference.training.start_model import add_mask_token, open_start

_CPU = torch.device("cpu")
_PATCH_EMBEDDING = "model.visual.patch_embed.proj.weight"


@pytest.fixture
def copied_stock(stock_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stock_folder, tmp_path / "stock"))


def _open(folder: Path, **settings: object):  # type: ignore[no-untyped-def]
    return open_start(ModelConfig(str(folder), **settings), folder.parent / "run", _CPU)  # type: ignore[arg-type]


def test_mask_token_takes_a_spare_row_at_the_mean_of_the_others(stock_folder: Path) -> None:
    start = _open(stock_folder)
    model, mask_id = start.model, start.tokenizer.token_to_id(MASK)
    assert model.config.mask_token_id == mask_id == start.tokenizer.get_vocab_size() - 1
    stored = load_file(stock_folder / "model.safetensors")
    for name, weight in (
        ("model.embed_tokens.weight", model.get_input_embeddings().weight),
        ("lm_head.weight", model.lm_head.weight),
    ):
        assert weight.shape == stored[name].shape
        assert torch.equal(weight[:mask_id], stored[name][:mask_id])
        torch.testing.assert_close(weight[mask_id], stored[name][:mask_id].mean(0))


def test_mask_token_gets_a_row_where_none_is_spare(stock_folder: Path) -> None:
    start = _open(stock_folder)
    tokenizer = Tokenizer.from_file(str(stock_folder / "tokenizer.json"))
    rows = start.model.get_input_embeddings().weight.shape[0]
    tokenizer.add_tokens([f"word{n}" for n in range(rows - tokenizer.get_vocab_size())])
    add_mask_token(start.model, tokenizer)
    assert start.model.config.mask_token_id == rows
    assert start.model.get_input_embeddings().weight.shape[0] == rows + 1
    assert start.model.lm_head.weight.shape[0] == rows + 1
    assert start.model.config.text_config.vocab_size == rows + 1


def test_options_are_those_of_the_model(stock_folder: Path) -> None:
    start = _open(
        stock_folder, freeze_vision=True, weights_dtype="bfloat16", block_length=4,
        gradient_checkpointing=True, system_prompt="Be brief.",
    )  # fmt: skip
    model = start.model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert not any(p.requires_grad for p in model.model.visual.parameters())
    assert all(p.requires_grad for p in model.model.language_model.parameters())
    assert model.is_activation_checkpointing
    assert start.prompt.block_length == model.config.block_length == 4
    assert start.prompt.system_prompt == "Be brief."


@pytest.mark.parametrize("change", ["missing", "unexpected"])
def test_weights_must_be_those_of_the_config(copied_stock: Path, change: str) -> None:
    path = copied_stock / "model.safetensors"
    state = load_file(path)
    if change == "missing":
        del state["model.layers.1.mlp.up_proj.weight"]
    else:
        state["model.layers.7.mlp.up_proj.weight"] = torch.zeros(2)
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(ConfigError, match=f"{change}_keys .*up_proj"):
        _open(copied_stock)


def test_pickled_weights_are_not_opened(copied_stock: Path) -> None:
    torch.save(load_file(copied_stock / "model.safetensors"), copied_stock / "pytorch_model.bin")
    (copied_stock / "model.safetensors").unlink()
    with pytest.raises((ConfigError, OSError)):
        _open(copied_stock)


def test_folder_without_a_chat_s_tokens_is_refused(copied_stock: Path) -> None:
    path = copied_stock / "tokenizer.json"
    content = path.read_text(encoding="utf-8").replace("<|im_end|>", "<|other|>")
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"has no <\|im_end\|>"):
        _open(copied_stock)


def test_parts_of_a_file_are_taken_only_by_the_embedded_model(stock_folder: Path) -> None:
    with pytest.raises(ConfigError, match="vision_from"):
        _open(stock_folder, vision_from=Path("tower.safetensors"))


def test_embedded_model_takes_rows_of_the_same_tokens(
    tmp_path: Path, tokenizer: Tokenizer, random_model: torch.nn.Module
) -> None:
    """Two of the old run's tokens stand in each other's place."""
    old_folder, run = tmp_path / "old", tmp_path / "run"
    old_folder.mkdir()
    run.mkdir()
    tokenizer.save(str(run / "tokenizer.json"))
    content = json.loads((run / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    size = len(vocabulary)
    pleural, nodule = vocabulary["Ġpleural"], vocabulary["Ġnodule"]
    swap = {pleural: nodule, nodule: pleural}
    content["model"]["vocab"] = {token: swap.get(row, row) for token, row in vocabulary.items()}
    (old_folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    save_weights(random_model, old_folder / "ar.safetensors")
    start = open_start(
        ModelConfig("embedded", language_from=old_folder / "ar.safetensors"), run, _CPU
    )
    ours = start.model.model.language_model
    theirs = random_model.model.language_model  # type: ignore[union-attr]
    new, old = ours.embed_tokens.weight, theirs.embed_tokens.weight
    assert torch.equal(new[pleural], old[nodule])
    assert torch.equal(new[nodule], old[pleural])
    others = [row for row in range(size) if row not in (pleural, nodule)]
    assert torch.equal(new[others], old[others])
    assert torch.equal(ours.layers[0].mlp.up_proj.weight, theirs.layers[0].mlp.up_proj.weight)


def test_a_tower_goes_on_with_more_channels_as_it_was(
    tmp_path: Path, tokenizer: Tokenizer, random_model: torch.nn.Module
) -> None:
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    tensors = {name: tensor.clone() for name, tensor in random_model.state_dict().items()}
    old = tensors[_PATCH_EMBEDDING][:, :5].contiguous()
    save_file(tensors | {_PATCH_EMBEDDING: old}, tmp_path / "vision.safetensors")
    config = ModelConfig("embedded", vision_from=tmp_path / "vision.safetensors")
    new = open_start(config, tmp_path, _CPU).model.state_dict()
    assert torch.equal(new[_PATCH_EMBEDDING][:, :5], old)
    assert not new[_PATCH_EMBEDDING][:, 5:].any()
    merger = "model.visual.merger.mlp.0.weight"
    assert torch.equal(new[merger], tensors[merger])


def test_a_tower_of_more_channels_is_refused(
    tmp_path: Path, tokenizer: Tokenizer, random_model: torch.nn.Module
) -> None:
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    wide = random_model.state_dict()[_PATCH_EMBEDDING]
    wider = torch.cat([wide, wide[:, :1]], dim=1)
    save_file({_PATCH_EMBEDDING: wider}, tmp_path / "vision.safetensors")
    config = ModelConfig("embedded", vision_from=tmp_path / "vision.safetensors")
    with pytest.raises(RuntimeError, match="patch_embed"):
        open_start(config, tmp_path, _CPU)
