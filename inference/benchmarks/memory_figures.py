"""Peak memory of a draft, and how fast a GPU copies memory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch

_COPIED_BYTES = 1 << 30
_COPIES = 20


class PeakMemory:
    """From its making on. On a GPU what torch allocated; on a CPU the process's resident set,
    which only Linux lets one measure from a given moment."""

    def __init__(self, device: str, proc: Path = Path("/proc/self")) -> None:
        self._device, self._proc = device, proc
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(device)
            return
        with suppress(OSError):
            (proc / "clear_refs").write_text("5", encoding="ascii")  # proc(5): reset VmHWM

    def peak_bytes(self) -> int | None:
        if self._device.startswith("cuda"):
            return int(torch.cuda.max_memory_allocated(self._device))
        try:
            status = (self._proc / "status").read_text(encoding="ascii")
        except OSError:
            return None
        lines = [line.split() for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(lines[0][1]) * 1024 if lines else None


def measure_copy_bandwidth(device: str) -> float | None:
    """Bytes/s read and written while a GPU copies 1 GiB within its memory; None on a CPU."""
    if not device.startswith("cuda"):
        return None
    source = torch.empty(_COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(_COPIES):
        target.copy_(source)
    end.record()
    end.synchronize()
    return 2.0 * _COPIED_BYTES * _COPIES / (begin.elapsed_time(end) / 1000.0)
