"""After how many wrong attempts an account has to wait, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta

ATTEMPTS = 5
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)


def wait_after(failures: int) -> timedelta:
    """How long to wait after so many wrong attempts in a row: nothing four times out of five,
    then 5 minutes, 10, 20, 40 and at most an hour."""
    if failures <= 0 or failures % ATTEMPTS:
        return timedelta()
    doublings = min(failures // ATTEMPTS - 1, 10)
    return min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)


def seconds_left(locked_until: str, now: datetime) -> int:
    """Whole seconds until the time given (UTC, ISO 8601, "" for none), rounded up; 0 if past.

    Further off than any wait is: the clock was set back since, and nobody is kept out until then.
    """
    if not locked_until:
        return 0
    left = (datetime.fromisoformat(locked_until) - now).total_seconds()
    return max(0, -int(-left // 1)) if left <= LONGEST_WAIT.total_seconds() else 0
