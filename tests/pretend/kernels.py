"""Which of torch's operators have a kernel on Apple's graphics, by torch's own table, which its wheel brings along."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import torchgen

__all__ = ["has_mps_kernel"]

EVERYWHERE = {"CompositeExplicitAutograd", "CompositeImplicitAutograd", "CompositeExplicitAutogradNonFunctional"}


@functools.cache
def _table() -> dict[str, set[str]]:
    """The dispatch keys of every operator, read a line at a time: the file is 16,000 lines, and its YAML takes seconds."""
    path = Path(torchgen.__path__[0]) / "packaged" / "ATen" / "native" / "native_functions.yaml"
    table: dict[str, set[str]] = {}
    delegates: dict[str, str] = {}
    name, in_dispatch = "", False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("- func: "):
            name, in_dispatch = line[len("- func: ") :].split("(")[0], False
            table[name] = set()
        elif line.startswith("  structured_delegate:"):
            delegates[name] = line.split(":", 1)[1].split("#")[0].strip()
        elif line.startswith("  dispatch:"):
            in_dispatch = True
        elif in_dispatch and (found := re.match(r"    ([\w, ]+):", line)):
            table[name] |= {key.strip() for key in found[1].split(",")}
        elif not line.startswith("    "):
            in_dispatch = False
    for name, of in delegates.items():
        table[name] |= table[of]
    return table


def has_mps_kernel(operator: str) -> bool:
    """Whether an operator ("take", "add.Tensor", "add_.Tensor") runs on MPS. One that nobody implements by device is made of
    others, which are seen by themselves. Raises `KeyError` for one that the table does not know."""
    keys = _table()[operator]
    return not keys or "MPS" in keys or bool(keys & EVERYWHERE)
