"""What tests/test_benchmarks.py starts in a process of its own."""

from __future__ import annotations

import json
import sys

from .measure import peak_over_baseline


def _filled(size: int) -> bytearray:
    return bytearray(b"x") * size


def peaks(sizes: list[int]) -> dict[str, int]:
    """Of taking blocks of these sizes, beside a large one that was there before."""
    there = _filled(30_000_000)

    def one_after_another() -> None:
        for size in sizes:
            _filled(size)

    def together() -> None:
        [_filled(size) for size in sizes]

    found = {"one after another": peak_over_baseline(one_after_another), "together": peak_over_baseline(together)}
    return {**found, "nothing": peak_over_baseline(lambda: len(there))}


def main() -> None:
    """Echo an argument, measure, or fail."""
    act, argument = (json.loads(word) for word in sys.argv[1:])
    print("something before")
    if act not in ("echo", "peaks"):
        raise SystemExit("no such act")
    print(json.dumps(peaks(argument) if act == "peaks" else {"got": argument}))


if __name__ == "__main__":
    main()
