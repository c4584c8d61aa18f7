"""Files that are nearly right: bytes, JSON, safetensors and zips, changed at random places, by a generator with a seed."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["json_text", "mutated", "safetensors", "zipped"]

HUGE = 10**399
VALUES: tuple[Any, ...] = (
    None, True, False, "", [], {}, -1, 0, 1, 2, 7, 255, 256, 2**31, 2**53, 2**63, 2**64, 10**30, HUGE, -HUGE, 0.5, -0.0, 1e-320,
    1e300, float("nan"), float("inf"), float("-inf"), "glow", "x" * 5000, "\x1b[2J\nred", "\u202e", "\ud800", "../../etc/passwd",
    "0", "NaN", ["glow"], [[]], [None], [1, 2, 3, 4, 5, 6, 7, 8, 9], {"a": 1}, [1e308, 1e308], [HUGE], [float("nan")], "é", "\0",
)  # fmt: skip
NUMBERS = (b"0", b"-1", b"1e999", b"9" * 400, b"65536", b"18446744073709551616")
PIECES = (
    b"", b"\0" * 8, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"NaN", b"1e999", b"9" * 400, b"-1", b"[" * 2000,
    b'{"a":' * 500, b'"', b"\\", b"\n", b"\r", b",,,,", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[2J", b"65535",
    b"4294967296",
)  # fmt: skip


def mutated(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Some places of the bytes overwritten, cut out, repeated, or taken from another file."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(changed) + 1) if rng.random() < 0.5 else min(len(changed), rng.randrange(600))
        end = min(len(changed), at + rng.choice((1, 2, 4, 8, 60, 4000)))
        match rng.randrange(8):
            case 0 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                changed[at:end] = rng.choice(PIECES)
            case 2:
                del changed[at:end]
            case 3:
                changed[at:at] = changed[at:end] * rng.choice((1, 2, 50))
            case 4:
                del changed[at:]
            case 5:
                changed[at:end] = rng.randbytes(end - at)
            case 6 if others:
                other = rng.choice(others)
                start = rng.randrange(len(other) + 1)
                changed[at:end] = other[start : start + rng.choice((4, 40, 4000))]
            case _:
                found = list(re.finditer(rb"\d+", bytes(changed[:20_000])))
                if found:
                    place = rng.choice(found)
                    changed[place.start() : place.end()] = rng.choice(NUMBERS)
    return bytes(changed)


def json_text(rng: random.Random, text: bytes, others: Sequence[bytes] = ()) -> bytes:
    """JSON in which some values are others, are missing, or stand where they do not belong; JSON within strings as well."""
    try:
        value = json.loads(text)
    except ValueError:
        return mutated(rng, text, others)
    for _ in range(rng.choice((1, 1, 2, 4))):
        value = _changed(rng, value)
    return json.dumps(value).encode()


def _changed(rng: random.Random, value: Any, depth: int = 0) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "[") and rng.random() < 0.8:
        try:
            return json.dumps(_changed(rng, json.loads(value), depth))
        except ValueError:
            return rng.choice(VALUES)
    if not isinstance(value, dict | list) or not value or (depth and rng.random() < 0.15):
        return rng.choice(VALUES) if rng.random() < 0.8 else nested(rng.choice((40, 900)))
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = rng.choice(keys)
    if isinstance(value, dict):
        if rng.random() < 0.08:
            return {name: part for name, part in value.items() if name != key}
        if rng.random() < 0.08:
            return {**value, rng.choice(("x", "", "\x1b[1m", "kind", *map(str, keys))): rng.choice(VALUES)}
        return {name: _changed(rng, part, depth + 1) if name == key else part for name, part in value.items()}
    if rng.random() < 0.1:
        return value[:key] + value[key:] * rng.choice((0, 2, 100))
    return [_changed(rng, part, depth + 1) if index == key else part for index, part in enumerate(value)]


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def safetensors(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """A safetensors file whose header is changed as JSON, so that it reaches what is behind the check of its length."""
    length = int.from_bytes(data[:8], "little")
    if rng.random() < 0.25 or length > len(data):
        return mutated(rng, data, others)
    header, body = json_text(rng, data[8 : 8 + length]), data[8 + length :]
    if rng.random() < 0.1:
        body = mutated(rng, body)
    return len(header).to_bytes(8, "little") + header + body


def zipped(inner: Callable[[random.Random, bytes], bytes] = mutated) -> Callable[..., bytes]:
    """A mutator of zips: of the bytes, or of one member, which is then packed again."""

    def change(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
        if rng.random() < 0.4:
            return mutated(rng, data, others)
        packed = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", rng.choice((0, 8, 14))) as new:
            names = old.namelist()
            chosen = rng.choice(names)
            for name in names:
                member = old.read(name)
                if name == chosen:
                    member = inner(rng, member)
                    name = rng.choice((name, name, name, "../" + name, name + "/", "\x1b" + name, "x" * 300))
                new.writestr(name or "x", member)
        return packed.getvalue()

    return change
