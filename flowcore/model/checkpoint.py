"""Checkpoints: weights as safetensors, the card as JSON in the same file, written atomically, nothing ever unpickled."""
from __future__ import annotations

import json
import math
import os
import shutil
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..atomic import replacing
from ..bijections import Permutation
from ..errors import CheckpointError, FlowError, said
from ..fields import shown
from ..memory import free_memory
from .card import FORMAT_VERSION, find_checkpoint, read_card, read_header
from .flow import Flow
from .room import Room
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

    The architecture is first built without memory, and no further than the file's header tells of weights; names, shapes
    and types are held against the header's before a tensor is read. So a hostile card cannot ask for more than the file holds.

    Raises:
        CheckpointError: if there is no checkpoint or it is broken, hostile, of another version, or larger than the free memory.
    """
    path = find_checkpoint(path)
    card = read_card(path)
    held = _tensors(path)
    room = Room(len(held), sum(math.prod(entry.shape) for entry in held.values()))
    try:
        flow = build(card.get("architecture"), meta=True, room=room)
    except FlowError as error:
        raise CheckpointError(f"The model in '{path}' cannot be built: {error}") from None
    expected = flow.state_dict()
    _hold_against(path, expected, held)
    needed = sum(tensor.numel() * tensor.element_size() for tensor in expected.values())
    if needed > (free := free_memory()):
        raise CheckpointError(f"The weights in '{path}' take {needed / 2**30:,.1f} GiB, and {free / 2**30:,.1f} are free.")
    state = {}
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            for name, tensor in expected.items():
                # Always a copy: what the file's memory map lends would change with the file.
                state[name] = own = file.get_tensor(name).to(tensor.dtype, copy=True)
                if own.is_floating_point() and own.numel() and not all(map(torch.isfinite, own.aminmax())):
                    raise CheckpointError(f"'{path}' holds a value that is not finite in '{name}'.")
    except (SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(f"'{path}' is damaged and cannot be read: {said(error)}.") from None
    flow = _filled(flow, state)
    for name, layer in flow.named_modules():
        if isinstance(layer, Permutation) and not layer.is_one():
            raise CheckpointError(f"'{path}' is damaged: '{name}' is no permutation.")
    return Loaded(flow.to(device=device, dtype=dtype).eval(), card, path)


@dataclass(frozen=True)
class _Entry:
    """What a file's header says of one of its tensors."""

    dtype: str
    shape: tuple[int, ...]


def _tensors(path: Path) -> dict[str, _Entry]:
    """The model's tensors that a file's header names.

    Raises:
        CheckpointError: for one of a type or a shape that no flow's weights have.
    """
    found = {}
    for name, entry in read_header(path).items():
        if name == "__metadata__" or name.startswith(TRAINING_PREFIX):
            continue
        dtype, shape = entry.get("dtype"), entry.get("shape")
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise CheckpointError(f"'{path}' holds '{name}' as {shown(dtype)}; weights are {', '.join(_DTYPES)}.")
        if not isinstance(shape, list) or len(shape) > 8 or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
            raise CheckpointError(f"'{path}' is damaged: '{name}' has the shape {shown(shape)}.")
        found[name] = _Entry(dtype, tuple(shape))
    return found


_DTYPES = {"F16": "f", "BF16": "f", "F32": "f", "F64": "f", "BOOL": "b", "I64": "i"}
"""Of weights that are kept in a file, and of what kind each is."""


def _hold_against(path: Path, expected: Mapping[str, Tensor], held: Mapping[str, _Entry]) -> None:
    """Make sure that a file holds the tensors that its card calls for, and no others."""
    for name, tensor in expected.items():
        if name not in held:
            raise CheckpointError(f"'{path}' lacks the weights '{name}' that its card calls for.")
        shape, dtype = held[name].shape, held[name].dtype
        if shape != tuple(tensor.shape):
            raise CheckpointError(
                f"'{path}' does not fit its card: '{name}' has shape {list(shape)} where {list(tensor.shape)} is needed."
            )
        if _DTYPES[dtype] != ("f" if tensor.is_floating_point() else "b" if tensor.dtype is torch.bool else "i"):
            raise CheckpointError(f"'{path}' does not fit its card: '{name}' is {dtype} where {tensor.dtype} is needed.")
    if len(held) > len(expected):
        extra = sorted(held.keys() - expected.keys())[0]
        raise CheckpointError(f"'{path}' does not fit its card: it holds '{extra}', which the model has no place for.")


def _filled(flow: Flow, state: Mapping[str, Tensor]) -> Flow:
    """The flow, made without memory, with these weights as its own."""
    with torch.no_grad():
        flow.load_state_dict(state, assign=True)
    if not any(tensor.is_meta for tensor in chain(flow.parameters(), flow.buffers())):
        return flow
    # A system of one's own may compute buffers that are in no file where it is made.
    flow = build(flow.architecture, fill=False)
    flow.load_state_dict(state)
    return flow


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
