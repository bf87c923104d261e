"""Memory that could still be taken, as the platform tells it."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import torch

_UNLIMITED_BYTES = 1 << 60  # cgroup v1 writes "no limit" as a number near 2**63


def free_memory(device: torch.device) -> int | None:
    """Bytes that a process could take on the device now; None where the platform won't say.

    CUDA: what the driver has free and what this process's allocator holds unused. CPU: what
    could be had without swapping (caches count as free), within the control group's limit.
    """
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    if sys.platform == "linux":
        return _free_on_linux()
    if sys.platform == "darwin":
        return _free_on_macos()
    if sys.platform == "win32":
        return _free_on_windows()
    return None


def _free_on_linux(
    proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> int | None:
    free = [_available_in_meminfo(proc), _left_in_cgroup_v2(cgroups), _left_in_cgroup_v1(cgroups)]
    return min((count for count in free if count is not None), default=None)


def _available_in_meminfo(proc: Path) -> int | None:
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", _read(proc / "meminfo"), re.MULTILINE)
    return int(found[1]) << 10 if found else None


def _left_in_cgroup_v2(cgroups: Path) -> int | None:
    """The container's own limit; file pages that can be dropped count as left."""
    return _left(cgroups / "memory.max", cgroups / "memory.current", cgroups, "inactive_file")


def _left_in_cgroup_v1(cgroups: Path) -> int | None:
    folder = cgroups / "memory"
    limit, used = folder / "memory.limit_in_bytes", folder / "memory.usage_in_bytes"
    return _left(limit, used, folder, "total_inactive_file")


def _left(limit: Path, used: Path, folder: Path, droppable: str) -> int | None:
    limit_text, used_text = _read(limit).strip(), _read(used).strip()
    if not limit_text.isdigit() or not used_text.isdigit() or int(limit_text) > _UNLIMITED_BYTES:
        return None
    found = re.search(rf"^{droppable} (\d+)$", _read(folder / "memory.stat"), re.MULTILINE)
    return max(0, int(limit_text) - int(used_text) + (int(found[1]) if found else 0))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _free_on_macos() -> int | None:
    try:
        told = subprocess.run(
            ["/usr/bin/vm_stat"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_vm_stat(told)


def parse_vm_stat(told: str) -> int | None:
    """Free, inactive, speculative and purgeable pages of macOS's vm_stat, in bytes."""
    page = re.search(r"page size of (\d+) bytes", told)
    kinds = "free|inactive|speculative|purgeable"
    counts = re.findall(rf"^Pages (?:{kinds}):\s+(\d+)\.", told, re.MULTILINE)
    return int(page[1]) * sum(map(int, counts)) if page and counts else None


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of the Windows API."""

    _fields_ = (
        ("dwLength", ctypes.c_uint32),
        ("dwMemoryLoad", ctypes.c_uint32),
        ("ullTotalPhys", ctypes.c_uint64),
        ("ullAvailPhys", ctypes.c_uint64),
        ("ullTotalPageFile", ctypes.c_uint64),
        ("ullAvailPageFile", ctypes.c_uint64),
        ("ullTotalVirtual", ctypes.c_uint64),
        ("ullAvailVirtual", ctypes.c_uint64),
        ("ullAvailExtendedVirtual", ctypes.c_uint64),
    )


def _free_on_windows() -> int | None:
    status = _MemoryStatus(dwLength=ctypes.sizeof(_MemoryStatus))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (absent elsewhere, for mypy)
    return status.ullAvailPhys if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None
