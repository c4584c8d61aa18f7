"""A toy run as bytes and back: safetensors, nothing ever unpickled."""
from __future__ import annotations

import json
from collections.abc import Mapping

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from .. import plain_json
from ..errors import CheckpointError, ConfigError
from .config import ToyConfig
from .schedule import Schedule, written_config

__all__ = ["FORMAT", "pack", "unpack"]

FORMAT = "flow-explorer-toy-1"
_GROUPS = ("raw", "average", "exp_avg", "exp_avg_sq")
_MAX_STEP = 2**53


def pack(
    config: ToyConfig, step: int, groups: Mapping[str, Mapping[str, Tensor]], schedule: Schedule | None = None
) -> bytes:
    """Groups of named tensors, with what the run is in the header."""
    tensors = {
        f"{group}.{name}": tensor.detach().cpu().clone()
        for group, members in groups.items()
        for name, tensor in members.items()
    }
    # One entry: with more, safetensors would write them in any order, and equal runs would give unequal bytes.
    about = {"format": FORMAT, "config": config.to_dict(), "step": step}
    if schedule is not None:
        about |= {"course": schedule.to_list(), "inherited": schedule.inherited}
    return safetensors.torch.save(tensors, {"run": json.dumps(about)})


def unpack(
    data: bytes, like: nn.Module | None = None, parameters: int = 0
) -> tuple[ToyConfig, int, dict[str, dict[str, Tensor]]]:
    """What :func:`pack` packed; held against the module ``like`` and its number of parameters where given.

    Raises:
        CheckpointError: if the bytes are no snapshot, or do not fit ``like``.
    """
    broken = CheckpointError("This snapshot of a toy run is damaged, so the run has to start again.")
    try:
        tensors = safetensors.torch.load(data)
        length = int.from_bytes(data[:8], "little")
        about = plain_json.loads(plain_json.loads(data[8 : 8 + length])["__metadata__"]["run"])
        if about["format"] != FORMAT:
            raise CheckpointError("This snapshot of a toy run was made by another version, so the run has to start again.")
        config, step = ToyConfig.from_dict(written_config(about["config"])), int(about["step"])
    except (SafetensorError, ValueError, KeyError, TypeError, ConfigError, RecursionError) as error:
        raise broken from error
    if not 0 <= step < _MAX_STEP or not all(torch.isfinite(t).all() for t in tensors.values()):
        raise broken
    groups: dict[str, dict[str, Tensor]] = {group: {} for group in _GROUPS}
    for name, tensor in tensors.items():
        group, _, member = name.partition(".")
        if group not in groups:
            raise broken
        groups[group][member] = tensor
    if like is not None:
        _check(groups, like, parameters)
    return config, step, groups


def _check(groups: Mapping[str, Mapping[str, Tensor]], like: nn.Module, parameters: int) -> None:
    wanted = {name: tensor.shape for name, tensor in like.state_dict().items()}
    shapes = [parameter.shape for parameter in like.parameters()]
    moments = [{}, {str(i): shape for i, shape in enumerate(shapes)}]
    for group, members in groups.items():
        found = {name: tensor.shape for name, tensor in members.items()}
        if found not in ([wanted] if group in ("raw", "average") else moments) or len(shapes) != parameters:
            raise CheckpointError("This snapshot is of a toy flow of another shape, so it cannot be continued here.")
