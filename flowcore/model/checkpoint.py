"""Checkpoints: weights as safetensors, the card as JSON in the same file, written atomically, nothing ever unpickled."""
from __future__ import annotations

import json
import math
import os
import shutil
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..atomic import replacing
from ..errors import CheckpointError, FlowError
from .card import FORMAT_VERSION, find_checkpoint, read_card, read_header
from .flow import Flow
from .systems import build
from .weights import TRAINING_PREFIX

__all__ = ["TRAINING_PREFIX", "Loaded", "load", "parameter_count", "save", "update_card"]


@dataclass
class Loaded:
    """A model read from disk."""

    flow: Flow
    card: dict
    path: Path


def save(
    path: str | os.PathLike,
    flow: Flow,
    card: Mapping,
    extra_tensors: Mapping[str, Tensor] | None = None,
    extra_metadata: Mapping[str, str] | None = None,
    half: bool = False,
) -> None:
    """Write ``flow`` and ``card`` to one file, atomically.

    ``half`` stores floating point weights in fp16; the figures on the card must then be those of the stored weights.
    ``extra_tensors`` are stored under their own names (begin them with :data:`TRAINING_PREFIX`).

    Raises:
        CheckpointError: if the file cannot be written, or :func:`load` could not read it.
    """
    _check_readable(flow)
    card = {**card, "format_version": FORMAT_VERSION, "architecture": flow.architecture}
    tensors = {}
    for name, tensor in flow.state_dict().items():
        tensor = tensor.detach().cpu().contiguous()
        tensors[name] = tensor.half() if half and tensor.is_floating_point() else tensor
    for name, tensor in (extra_tensors or {}).items():
        tensors[name] = tensor.detach().cpu().contiguous()
    metadata = {"format": "flow-explorer", "card": json.dumps(card, allow_nan=False), **(extra_metadata or {})}
    try:
        with replacing(path) as temporary:
            save_file({name: tensor.clone() for name, tensor in tensors.items()}, temporary, metadata=metadata)
    except OSError as error:
        raise CheckpointError(f"The checkpoint '{path}' cannot be written: {error.strerror or error}.") from error
    except SafetensorError as error:
        raise CheckpointError(f"The checkpoint '{path}' cannot be written: {error}.") from error


_readable: weakref.WeakKeyDictionary[Flow, str] = weakref.WeakKeyDictionary()


def _check_readable(flow: Flow) -> None:
    """Whether what the flow's architecture describes has the flow's weights; asked once for each that is trained."""
    described = repr(flow.architecture)
    if _readable.get(flow) == described:
        return
    try:
        expected = build(flow.architecture, meta=True).state_dict()
    except FlowError as error:
        raise CheckpointError(
            f"This flow cannot be saved, since 'load' could not build it again ({str(error).rstrip('.')}); register how it is "
            "made with flowcore.register_system, and let its architecture name that system and its settings."
        ) from None
    own = flow.state_dict()
    for name in sorted(expected.keys() ^ own.keys()) or [n for n in own if own[n].shape != expected[n].shape]:
        raise CheckpointError(f"This flow cannot be saved, since it is not what its architecture describes: '{name}' differs.")
    _readable[flow] = described


def load(path: str | os.PathLike, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> Loaded:
    """Read a model from a checkpoint or a run folder, in evaluation mode.

    The architecture is first built without memory and its shapes are held against the file's, so that a hostile card
    cannot ask for more than the file holds.

    Raises:
        CheckpointError: if there is no checkpoint or it is broken, hostile, or of another version.
    """
    path = find_checkpoint(path)
    card = read_card(path)
    try:
        expected = build(card.get("architecture"), meta=True).state_dict()
    except FlowError as error:
        raise CheckpointError(f"The model in '{path}' cannot be built: {error}") from None
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            names = {name for name in file.keys() if not name.startswith(TRAINING_PREFIX)}
            for name, tensor in expected.items():
                if name not in names:
                    raise CheckpointError(f"'{path}' lacks the weights '{name}' that its card calls for.")
                shape = tuple(file.get_slice(name).get_shape())
                if shape != tuple(tensor.shape):
                    raise CheckpointError(
                        f"'{path}' does not fit its card: '{name}' has shape {list(shape)} where {list(tensor.shape)} is needed."
                    )
            if len(names) > len(expected):
                extra = sorted(names - set(expected))[0]
                raise CheckpointError(f"'{path}' does not fit its card: it holds '{extra}', which the model has no place for.")
            state = {name: file.get_tensor(name) for name in expected}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"'{path}' is damaged and cannot be read: {error}.") from None
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"'{path}' holds a value that is not finite in '{name}'.")
    flow = build(card["architecture"], fill=False)
    flow.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in state.items()})
    return Loaded(flow.to(device=device, dtype=dtype).eval(), card, path)


def update_card(path: str | os.PathLike, **changes: object) -> dict:
    """Change what a checkpoint's card says, and nothing of its weights, atomically; returns the new card.

    A value of None takes an entry away. ``format_version`` and ``architecture``, which the weights hang on, cannot be changed.

    Raises:
        CheckpointError: if there is no checkpoint, or it is broken or cannot be written.
    """
    path = find_checkpoint(path)
    if {"format_version", "architecture"} & set(changes):
        raise CheckpointError("A card's format version and architecture belong to the weights and are not changed.")
    card = {**read_card(path), **changes}
    card = {name: value for name, value in card.items() if value is not None or name not in changes}
    header = read_header(path)
    header["__metadata__"]["card"] = json.dumps(card, allow_nan=False)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the weights begin on a multiple of eight bytes
    try:
        with replacing(path) as temporary, open(path, "rb") as before, open(temporary, "wb") as after:
            before.seek(8 + int.from_bytes(before.read(8), "little"))
            after.write(len(text).to_bytes(8, "little") + text)
            shutil.copyfileobj(before, after)
    except OSError as error:
        raise CheckpointError(f"The checkpoint '{path}' cannot be written: {error.strerror or error}.") from error
    return card


def parameter_count(flow: Flow) -> int:
    """How many numbers training adjusts."""
    return sum(math.prod(p.shape) for p in flow.parameters())
