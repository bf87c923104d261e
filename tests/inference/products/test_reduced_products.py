"""Products in fewer bits: near the exact ones, taken where they gain, checked before use."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from inference import load_engine, model_weights
from inference.api import (
    DraftFinished,
    GenerationRequest,
    Products,
    ProductsRefused,
)
from inference.decoding.text_decoder import TextDecoder
from inference.engine import ReportEngine
from inference.model_folder.checkpoint import embedded_folder, open_checkpoint
from inference.model_folder.weight_files import WEIGHTS_NAME
from inference.products.linear_products import join_product
from inference.products.reduced_linear import BfloatLinear, Float8Linear, Int8Linear, ReducedLinear
from inference.products.reduced_products import (
    FORMS,
    Reduction,
    _fewest_rows,
    choose_reduction,
    offered_products,
)
from inference.products.token_agreement import stored_films
from inference.vision.vision_encoder import VisionEncoder

CPU = torch.device("cpu")
# Of the product's length: what eight bits of bfloat16's fraction, 127 steps and e4m3's four allow.
ERRORS = {"bfloat16": 0.006, "int8": 0.02, "fp8": 0.05}


def _linear(outputs: int = 96, inputs: int = 64, bias: bool = True) -> nn.Linear:
    torch.manual_seed(outputs + inputs)
    return nn.Linear(inputs, outputs, bias=bias).requires_grad_(False)


def _rows(count: int, inputs: int = 64) -> torch.Tensor:
    """Of very different sizes, as residual streams have them."""
    drawn = torch.Generator().manual_seed(count)
    return torch.randn(count, inputs, generator=drawn) * torch.logspace(-3, 3, count)[:, None]


@pytest.mark.parametrize("products", FORMS)
@pytest.mark.parametrize("has_bias", [True, False])
def test_every_row_is_near_the_exact_one(products: Products, has_bias: bool) -> None:
    linear, rows = _linear(bias=has_bias), _rows(7)
    reduced = FORMS[products](linear)
    bias = linear.bias if linear.bias is not None else torch.zeros(96)
    exact, found = linear(rows) - bias, reduced(rows) - bias
    assert found.dtype == torch.float32
    errors = (found - exact).norm(dim=1) / exact.norm(dim=1)
    assert errors[3:].max() < ERRORS[products]  # of smaller rows, the bias takes the digits
    assert errors[3:].max() > 1e-5  # it is no exact product


@pytest.mark.parametrize("products", FORMS)
def test_row_of_zeros_is_the_bias(products: Products) -> None:
    linear = _linear()
    found = FORMS[products](linear)(torch.zeros(2, 64))
    torch.testing.assert_close(found, linear.bias.expand(2, -1))


def test_row_in_int8_does_not_depend_on_the_rows_beside_it() -> None:
    """Its sums are integers: so a study says alone what it says among others."""
    reduced, rows = Int8Linear(_linear()), _rows(20)
    alone = torch.cat([reduced(row[None]) for row in rows])
    assert torch.equal(reduced(rows), alone)


@pytest.mark.parametrize("form", [BfloatLinear, Int8Linear, Float8Linear])
def test_joined_product_is_the_single_ones_side_by_side(form: type[ReducedLinear]) -> None:
    parts = [form(_linear(outputs), from_rows=2) for outputs in (32, 64, 16)]
    for rows in (_rows(1), _rows(5)):
        expected = torch.cat([part(rows) for part in parts], dim=1)
        joined = join_product(*parts)
        torch.testing.assert_close(joined(rows), expected)
    assert parts[1].values.data_ptr() != parts[0].values.data_ptr()
    storages = {part.values.untyped_storage().data_ptr() for part in parts}
    assert len(storages) == 1  # views of the joined weights: nothing is held twice


def test_few_rows_are_exact_where_exact_weights_are_kept() -> None:
    linear = _linear()
    reduced = Int8Linear(linear, from_rows=3)
    assert torch.equal(reduced(_rows(2)), linear(_rows(2)))
    assert not torch.equal(reduced(_rows(3)), linear(_rows(3)))
    assert Int8Linear(linear).exact.numel() == 0


@pytest.mark.parametrize(
    ("products", "dtype"),
    [
        ("bfloat16", torch.float32),
        ("int8", torch.float32),
        ("int8", torch.bfloat16),
        ("fp8", torch.bfloat16),
    ],
)
def test_memory_is_as_foretold(tiny_folder: Path, products: Products, dtype: torch.dtype) -> None:
    checkpoint = open_checkpoint(tiny_folder)
    model = checkpoint.load_model(WEIGHTS_NAME, CPU, dtype)
    Reduction(products, 0 if products == "fp8" else 2).apply(model)
    products_of_layers = TextDecoder(model), VisionEncoder(model)
    # Frequencies of the rotations are buffers that the model always had: no weights.
    buffers = {n: b for n, b in model.named_buffers() if not n.endswith("inv_freq")}
    held = {t.untyped_storage().data_ptr(): t for t in [*model.parameters(), *buffers.values()]}
    size = checkpoint.size(checkpoint.read_tensors(WEIGHTS_NAME))
    found = sum(tensor.untyped_storage().nbytes() for tensor in held.values() if tensor.numel())
    assert found == size.need(dtype, products=products).weights
    assert products_of_layers


class _Clock:
    """Counts seconds as if the exact product took one, and the reduced one half of that from so
    many rows on."""

    def __init__(self, pays_from: int) -> None:
        self._pays_from, self._calls, self._now = pays_from, 0, 0.0

    def __call__(self) -> float:
        turn, call = divmod(self._calls, 3)  # before, between and behind the two products
        rows = (64, 32, 16, 8, 4, 2, 1)[turn // 8]
        self._now += (0.0, 1.0, 0.5 if rows >= self._pays_from else 0.95)[call]
        self._calls += 1
        return self._now


@pytest.mark.parametrize("pays_from", [1, 4, 64])
def test_reduced_products_are_taken_from_where_they_pay(pays_from: int) -> None:
    linear = _linear(bias=False)
    assert _fewest_rows(linear, Int8Linear(linear), _Clock(pays_from)) == pays_from


def test_products_that_never_pay_are_refused() -> None:
    config = open_checkpoint(embedded_folder()).config
    with pytest.raises(ProductsRefused, match="'int8': no faster than 'exact'"):
        choose_reduction("int8", config, CPU, torch.float32, now=_Clock(1000))


@pytest.mark.parametrize(
    ("products", "dtype", "offered"),
    [
        ("fp8", torch.float32, "exact, bfloat16, int8"),
        ("bfloat16", torch.bfloat16, "exact, int8"),
        ("int4", torch.float32, "exact, bfloat16, int8"),
    ],
)
def test_what_a_device_does_not_offer_is_refused(
    tiny_folder: Path, products: Products, dtype: torch.dtype, offered: str
) -> None:
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(ProductsRefused, match=f"'{products}': cpu in {name} offers {offered} only"):
        load_engine(tiny_folder, "cpu", name, products=products)
    assert products not in offered_products(CPU, dtype)


@pytest.fixture
def without_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is faster here: from two rows on."""

    def reduce_always(products: Products, *_: object) -> Reduction | None:
        return None if products == "exact" else Reduction(products, from_rows=2)

    monkeypatch.setattr(model_weights, "choose_reduction", reduce_always)


@pytest.mark.usefixtures("without_trying")
@pytest.mark.parametrize("products", ["bfloat16", "int8"])
def test_embedded_model_agrees_with_itself_in_fewer_bits(products: Products) -> None:
    engine = ReportEngine(open_checkpoint(embedded_folder()), CPU, products=products)
    told = engine.description
    assert told.products == products
    assert told.token_agreement is not None
    assert 0.98 <= told.token_agreement <= 1.0
    assert told.precision == {
        "dtype": "float32",
        "products": products,
        "token_agreement": round(told.token_agreement, 4),
    }
    *_, last = engine.draft(GenerationRequest("r", stored_films()[:1]))
    assert isinstance(last, DraftFinished)
    assert last.stop_reason == "stop"


@pytest.mark.usefixtures("without_trying")
def test_quantisation_that_changes_what_is_said_is_refused(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = open_checkpoint(tiny_folder)
    kept = ReportEngine(checkpoint, CPU, products="int8", least_agreement=0.5)
    assert kept.description.token_agreement is not None
    right = Int8Linear.reduce

    def reduce(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values, scales = right(weight)
        return values, scales.roll(1) * torch.arange(len(scales)) % 3

    monkeypatch.setattr(Int8Linear, "reduce", staticmethod(reduce))
    with pytest.raises(ProductsRefused) as refused:
        ReportEngine(checkpoint, CPU, products="int8", least_agreement=0.5)
    told = str(refused.value)
    assert "with products 'int8' only" in told
    assert "less than 50%; load it with products 'exact'" in told
    assert load_engine(tiny_folder, "cpu").description.token_agreement is None


@pytest.mark.usefixtures("without_trying")
def test_every_weights_file_is_checked_at_load(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the middle of the first draft that needs it."""
    checked: list[str] = []

    def reduce_checked(checkpoint, model, mode, reduction, least):  # type: ignore[no-untyped-def]
        checked.append(checkpoint.weights_name(mode))
        return model_weights.LoadedWeights(model, TextDecoder(model), VisionEncoder(model)), 0.99

    monkeypatch.setattr(model_weights, "reduce_checked", reduce_checked)
    engine = load_engine(tiny_folder, "cpu", products="int8")
    assert sorted(checked) == ["autoregressive.safetensors", "model.safetensors"]
    assert engine.description.token_agreement == 0.99


def test_out_of_memory_names_reduced_products() -> None:
    checkpoint = open_checkpoint(embedded_folder())
    size = checkpoint.size(checkpoint.read_tensors(WEIGHTS_NAME))
    exact = size.option(CPU, torch.float32)
    reduced = size.option(CPU, torch.float32, "int8")
    assert str(reduced) == "float32 with int8 products on the CPU"
    assert reduced.needed_bytes != exact.needed_bytes
