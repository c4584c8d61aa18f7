"""Decoding as a graph of its own, for other programs: torch.export, and ONNX where its packages are installed."""
from __future__ import annotations

import copy
import os

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from .flow import Flow

__all__ = ["export_decoder", "save_onnx"]


class _Decoder(nn.Module):
    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.flow.decode(z, label)


def export_decoder(flow: Flow) -> torch.export.ExportedProgram:
    """z (N, D) -> x (N, *event_shape) as a graph with the weights as they are now; with classes also a label (N,), int64.

    Inverses of matrices stand in it as numbers. Nothing is checked in it: not the shape of z, nor whether x is finite.

    Raises:
        UntrainedError: if the flow has nothing to decode with yet.
    """
    flow = copy.deepcopy(flow).eval().requires_grad_(False)
    batch = torch.export.Dim("batch", min=1)
    given: tuple[Tensor, ...] = (flow.sample(2),)
    if flow.num_classes:
        given = (*given, torch.zeros(2, dtype=torch.long, device=flow.device))
    with torch.no_grad():
        flow.decode(*given)  # keeps what follows from the weights alone
        return torch.export.export(_Decoder(flow), given, dynamic_shapes=tuple({0: batch} for _ in given))


def save_onnx(flow: Flow, path: str | os.PathLike) -> None:
    """Write :func:`export_decoder`'s graph as ONNX: an input ``z`` (and ``label``), one output ``x``.

    Raises:
        ConfigError: if the packages of the extra ``[onnx]`` are missing, or ONNX lacks an operator of the flow.
    """
    try:
        import onnxscript  # noqa: F401  # pyright: ignore[reportMissingImports] - an extra
    except ImportError:
        raise ConfigError("Writing ONNX needs its packages: pip install 'flow-explorer[onnx]'.") from None
    names = ["z", "label"] if flow.num_classes else ["z"]
    try:
        torch.onnx.export(export_decoder(flow), (), os.fspath(path), input_names=names, output_names=["x"], verbose=False)
    except torch.onnx.OnnxExporterError as error:
        raise ConfigError(f"This model cannot be written as ONNX: {str(error).strip().splitlines()[0]}") from error
