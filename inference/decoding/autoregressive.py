"""One token a pass: the baseline, with the ordinary logit shift."""

from __future__ import annotations

from collections.abc import Iterator

from inference.decoding.draft_session import Block, DraftSession


def decode_autoregressive(session: DraftSession) -> Iterator[Block]:
    """Yield blocks of one token until the cache is full; N tokens cost N passes.

    The cache holds the prompt but for its last token, which the first pass feeds.
    """
    token_id = session.prompt_ids[-1]
    for position in range(len(session.prompt_ids) - 1, session.capacity - 1):
        block = session.run_pass([token_id], position, keep=1)
        yield block
        token_id = block.token_ids[0]
