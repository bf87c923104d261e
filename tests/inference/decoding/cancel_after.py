"""A reader who stops a draft at a moment of the test's choice."""

from __future__ import annotations

from inference.api import CancelToken


class CancelAfter(CancelToken):
    """Cancelled once it was looked at so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    @property
    def is_cancelled(self) -> bool:
        self._looks -= 1
        return self._looks < 0
