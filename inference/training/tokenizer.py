"""Our own byte-level BPE tokenizer, trained on the report language and the prompts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from inference.phantom import sample_case
from inference.prompts import PROMPTS, SPECIAL_TOKENS
from inference.report_language.template import canonical_sentences
from inference.report_language.vocabulary import CONCEPTS

# Words keep their leading space, digits stand alone, punctuation is split off (as in Qwen2's).
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"
)


def train_tokenizer(vocabulary_size: int = 1024) -> Tokenizer:
    """Deterministic: the corpus follows from the code. Special tokens get the first ids."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[AddedToken(token, normalized=False) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    return tokenizer


def run_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a training run: trained once and kept, so that stages always agree."""
    path = folder / "tokenizer.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        train_tokenizer().save(str(path))
    return Tokenizer.from_file(str(path))


def special_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token; KeyError if the tokenizer has none of that name."""
    found: int | None = tokenizer.token_to_id(token)
    if found is None:
        raise KeyError(token)
    return found


def _corpus() -> Iterator[str]:
    for seed in range(2_000):  # what the model will write, at its own frequencies
        yield sample_case(seed).report
    yield from sorted(canonical_sentences())
    for concept in CONCEPTS:
        yield from (f" {term}" for term in concept.terms)
    yield from [PROMPTS["en"]] * 50
