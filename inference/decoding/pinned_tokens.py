"""What a request fixes of its answer: the prefix, and tokens further on. Torch-free."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from inference.api import GenerationRequest, UnsupportedRequest

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def pinned_tokens(
    request: GenerationRequest,
    tokenizer: Tokenizer,
    vocabulary: int,
    mask_token_id: int,
    stop_ids: Collection[int],
) -> dict[int, int]:
    """Token ids by their offset in the answer; UnsupportedRequest where they make no answer."""
    if request.prefix_text and request.prefix_ids:
        raise UnsupportedRequest("prefix_text and prefix_ids: give one of them")
    text = request.prefix_text.rstrip()
    prefix = request.prefix_ids or tokenizer.encode(text, add_special_tokens=False).ids
    pinned = dict(enumerate(prefix))
    for offset, token_id in request.pinned:
        if pinned.setdefault(offset, token_id) != token_id:
            raise UnsupportedRequest(f"pinned: two tokens at offset {offset}")
    for offset, token_id in pinned.items():
        if not 0 <= offset < request.max_new_tokens:
            raise UnsupportedRequest(
                f"pinned token at offset {offset}: the answer has {request.max_new_tokens}"
            )
        if not 0 <= token_id < vocabulary or token_id == mask_token_id:
            raise UnsupportedRequest(f"pinned token {token_id}: no token of an answer")
        if token_id in stop_ids and offset < max(pinned):
            raise UnsupportedRequest(f"pinned: the answer would end at offset {offset}")
    if request.decoding == "autoregressive" and len(pinned) > len(prefix):
        raise UnsupportedRequest("autoregressive takes a prefix, not pinned tokens after it")
    return pinned
