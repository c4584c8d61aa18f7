"""Directions as files: the vector as safetensors, its card as JSON in the same file, read with distrust, nothing ever unpickled.

A direction means something in the z of one model only. The file holds a fingerprint of that model's architecture and weights, and
:func:`check` refuses every other model.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ... import plain_json
from ...atomic import replacing
from ...errors import CheckpointError, ConfigError, DataError, FlowError, said
from ...fields import is_number, shown
from ...model.card import read_header
from .directions import Direction, Quality

if TYPE_CHECKING:
    from ...model.flow import Flow

__all__ = [
    "DIRECTION_FORMAT", "FORMAT_VERSION", "card_of", "check", "fingerprint", "from_card", "load_direction", "save_direction",
]  # fmt: skip

DIRECTION_FORMAT = "flow-explorer-direction"
FORMAT_VERSION = 1
MAX_BYTES = 64 * 2**20
MAX_NAME = 200
MAX_LEVELS = 64
_TENSOR = "direction"
LATER = ("axes", "growth", "places", "split_blocks", "squeeze")
"""Settings of an architecture that there were not when directions were first written. Where one is at its default, it says
nothing: the flow is the one that it was, and so are its directions."""


def _architecture(flow: Flow) -> dict[str, Any]:
    """What a flow's fingerprint says of its architecture."""
    from ...model.registry import find_system

    system = find_system(flow.architecture.get("system"))
    defaults = inspect.signature(system.make).parameters if system is not None else {}
    later = [name for name in LATER if name in defaults and flow.architecture.get(name) == defaults[name].default]
    return {name: value for name, value in flow.architecture.items() if name not in later}


def fingerprint(flow: Flow) -> str:
    """Thirty-two hexadecimal digits of a flow's architecture and weights, whatever precision or device they are in now."""
    digest = hashlib.sha256(json.dumps(_architecture(flow), sort_keys=True).encode())
    for name, tensor in sorted(flow.state_dict().items()):
        digest.update(f"{name} {list(tensor.shape)}".encode())
        values = tensor.detach().float() if tensor.is_floating_point() else tensor.detach()
        digest.update(np.ascontiguousarray(values.cpu().numpy()).tobytes())
    return digest.hexdigest()[:32]


def card_of(direction: Direction) -> dict[str, Any]:
    """All of a direction but its vector, JSON-ready."""
    return {
        "format_version": FORMAT_VERSION,
        "name": direction.name,
        "model": direction.model,
        "fingerprint": direction.fingerprint,
        "dims": int(direction.vector.size),
        "levels": list(direction.levels),
        "deviation": direction.deviation,
        "made": direction.made,
        "quality": None if direction.quality is None else direction.quality.to_dict(),
    }


def from_card(card: object, vector: np.ndarray, where: str = "The direction") -> Direction:
    """A direction of its card and its vector (D,).

    Raises:
        DataError: in one sentence, for anything that does not belong in one.
    """
    if not isinstance(card, dict):
        raise DataError(f"{where} has a damaged card.")
    if card.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"{where} has format version {shown(card.get('format_version'))}; this Flow Explorer reads version {FORMAT_VERSION}."
        )
    texts = [text for text in map(card.get, ("name", "model", "fingerprint")) if isinstance(text, str)]
    if len(texts) < 3 or any(len(text) > MAX_NAME for text in texts) or not texts[0].strip():
        raise DataError(f"{where} has a damaged card: it must name itself and its model.")
    vector = np.asarray(vector)
    if vector.ndim != 1 or vector.dtype not in (np.float16, np.float32) or vector.size != card.get("dims"):
        raise DataError(f"{where} does not hold the vector that its card tells of.")
    vector = vector.astype(np.float32)
    if not np.isfinite(vector).all() or not vector.any():
        raise DataError(f"{where} holds a vector without a length, or with numbers that are not finite.")
    levels, deviation, made = card.get("levels"), card.get("deviation"), card.get("made", {})
    if not isinstance(levels, list) or not levels or not all(type(n) is int and 0 <= n < MAX_LEVELS for n in levels):
        raise DataError(f"{where} has a damaged card: its levels are not numbers of levels.")
    if not is_number(deviation) or not 0 < deviation < 1e6:
        raise DataError(f"{where} has a damaged card: its unit is not a standard deviation.")
    if not isinstance(made, dict) or len(json.dumps(made)) > 100_000:
        raise DataError(f"{where} has a damaged card: it does not say how it was made.")
    try:
        quality = None if card.get("quality") is None else Quality.from_dict(card["quality"])
    except ConfigError as error:
        raise DataError(f"{where} has a damaged card: {error}") from None
    return Direction(texts[0], vector, float(deviation), texts[1], texts[2], tuple(sorted(set(levels))), made, quality)


def save_direction(path: str | os.PathLike, direction: Direction, half: bool = True) -> None:
    """Write a direction to one file, atomically; ``half`` keeps its numbers in fp16.

    Raises:
        DataError: if the file cannot be written.
    """
    vector = direction.vector.astype(np.float64)
    # At length √D the numbers are about 1, where fp16 is at its best.
    vector *= math.sqrt(vector.size) / np.linalg.norm(vector)
    metadata = {"format": DIRECTION_FORMAT, "card": json.dumps(card_of(direction), allow_nan=False)}
    try:
        with replacing(path) as temporary:
            save_file({_TENSOR: vector.astype(np.float16 if half else np.float32)}, temporary, metadata=metadata)
    except (OSError, ValueError) as error:
        raise DataError(f"The direction '{path}' cannot be written: {getattr(error, 'strerror', None) or error}.") from error


def load_direction(path: str | os.PathLike) -> Direction:
    """Read a direction; whether it fits a model, :func:`check` says.

    Raises:
        DataError: in one sentence, where there is none, or it is broken, hostile, or of another version.
    """
    path = Path(path)
    where = f"'{path}'"
    try:
        if not path.is_file():
            raise DataError(f"There is no direction at {where}.")
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{where} is too large to be a direction.")
        metadata = read_header(path).get("__metadata__")
        if not isinstance(metadata, dict) or metadata.get("format") != DIRECTION_FORMAT:
            raise DataError(f"{where} holds no direction; 'flow-explorer direction make' writes one.")
        with safe_open(path, framework="numpy") as file:
            if list(file.keys()) != [_TENSOR]:
                raise DataError(f"{where} does not hold one vector, as a direction does.")
            about = file.get_slice(_TENSOR)
            if about.get_dtype() not in ("F16", "F32") or len(about.get_shape()) != 1:  # numpy does not know all types there are
                raise DataError(f"{where} does not hold the vector that its card tells of.")
            vector = file.get_tensor(_TENSOR)
        card = plain_json.loads(metadata["card"])
    except CheckpointError:
        raise DataError(f"{where} is not a direction, or it is damaged.") from None
    except FlowError:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{where} is not a direction, or it is damaged ({said(error)}).") from None
    return from_card(card, vector, where)


def check(direction: Direction, flow: Flow, known: str | None = None) -> None:
    """Make sure that a direction is of this flow, whose fingerprint may be given where it is ``known``.

    Raises:
        ConfigError: in one sentence, for another model's.
    """
    if direction.fingerprint != (known or fingerprint(flow)) or direction.vector.size != flow.num_dims:
        raise ConfigError(
            f"'{direction.name}' is a direction of another model ({direction.model or 'unknown'}, or a version of it with other "
            "weights), so it means nothing in this one's z; make it anew for this model."
        )
    if direction.levels[-1] >= len(flow.levels):
        raise ConfigError(f"'{direction.name}' names levels that this model does not have.")
