"""What the figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path

__all__ = ["about"]

_WORTH_NAMING = ("amx_bf16", "amx_tile", "avx512_bf16", "avx512f", "avx2", "asimd", "bf16", "sve")
_PACKAGES = ("torch", "numpy", "normflows", "nflows", "zuko", "FrEIA")


def _processor() -> tuple[str, list[str]]:
    name, flags = platform.processor() or platform.machine(), []
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, words = line.partition(":")
            if key.strip() == "model name":
                name = words.strip()
            elif key.strip() in ("flags", "Features"):
                flags = words.split()
    return name, [flag for flag in _WORTH_NAMING if flag in flags]


def about() -> dict:
    """Machine, versions and date, for the head of the report."""
    import torch

    name, flags = _processor()
    amx = "amx_bf16" in flags
    machine = {
        "processor": f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads used; "
        + f"{', '.join(flags) or 'no vector extensions found'}{'' if amx else '; no AMX'}",
        "system": f"{platform.system()} {platform.release()}",
        "CUDA": torch.cuda.get_device_name() if torch.cuda.is_available() else "none at hand",
    }
    versions = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    listed = ", ".join(f"{package} {version}" for package, version in versions.items())
    return {
        "machine": machine, "versions": {"versions": listed}, "date": time.strftime("%Y-%m-%d"),
        "load_at_start": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }  # fmt: skip
