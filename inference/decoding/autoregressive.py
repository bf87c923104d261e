"""One token a pass: the baseline, with the ordinary logit shift."""

from __future__ import annotations

from collections.abc import Iterator

from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block


def decode_autoregressive(session: DraftSession) -> Iterator[Block]:
    """Yield blocks of one token until the cache is full; N tokens cost N passes, a prefix none.

    The cache holds the prompt but for its last token: the first pass feeds that, and the
    prefix, under the causal mask.
    """
    fed, position = session.prompt_ids[-1:], len(session.prompt_ids)
    while position < session.capacity and position in session.fixed:
        fed = [*fed, session.fixed[position]]
        yield Block([fed[-1]], [1.0])
        position += 1
    while position < session.capacity:
        block = session.run_pass(fed, position - len(fed), keep=1, fused=len(fed) > 1)
        yield block
        fed = block.token_ids
        position += 1
