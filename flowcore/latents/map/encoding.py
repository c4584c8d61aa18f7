"""The z, likelihood and class of many pictures, batch by batch, for a map of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch

from ...devices import on_host
from ...fast import accelerate
from ...model.codec import as_label, double_of, to_pixels
from ...model.flow import Flow
from ...model.priors import standard_log_prob
from ...work import finish

__all__ = ["Rows", "encode_rows", "encode_rows_job"]

CLASS_STEPS = 8
"""Classes that are tried between two yields."""


@dataclass(frozen=True)
class Rows:
    """What a map knows of a batch of pictures. A picture without a finite z has NaN as its bpd, and zeros for z."""

    z: np.ndarray
    """(n, D) float32. Of a conditional flow under one prior for all, the one evenly between all classes, so that what
    tells the classes apart is in z and not taken out of it."""
    bpd: np.ndarray
    """(n,) float64 at the bin centres; of a conditional flow under each picture's likeliest class."""
    classes: np.ndarray
    """(n,) int64: the likeliest class; -1 of a flow without classes."""


def encode_rows_job(flow: Flow, pictures: np.ndarray) -> Generator[None, None, Rows]:
    """uint8 (N, H, W, C) -> :class:`Rows`, yielding after every layer. float32; what is not finite then, once more in float64.

    Raises:
        ConfigError: if the pictures are not of the flow's size.
    """
    rows = yield from _encode(flow, pictures)
    broken = np.flatnonzero(~(np.isfinite(rows.bpd) & np.isfinite(rows.z).all(1)))
    if len(broken):
        precise = yield from _encode(double_of(flow), pictures[broken])
        finite = np.isfinite(precise.bpd) & np.isfinite(precise.z).all(1)
        rows.z[broken] = np.where(finite[:, None], precise.z, 0.0)
        rows.bpd[broken] = np.where(finite, precise.bpd, np.nan)
        rows.classes[broken] = precise.classes
    return rows


def encode_rows(flow: Flow, pictures: np.ndarray) -> Rows:
    """:func:`encode_rows_job` in one go."""
    return finish(encode_rows_job(flow, pictures))


def _encode(flow: Flow, pictures: np.ndarray) -> Generator[None, None, Rows]:
    x = to_pixels(pictures, flow)
    with torch.no_grad():
        if not flow.num_classes:
            z, log_det = yield from accelerate(flow).encode_steps(x, None)
            log_prob = on_host(flow.base_log_prob(z) + log_det)
            classes = np.full(len(x), -1, np.int64)
        else:
            z, log_prob, classes = yield from _under_every_class(flow, x)
    bpd = -log_prob.numpy() / (flow.num_dims * np.log(2))
    with np.errstate(over="ignore"):
        return Rows(z.cpu().numpy().astype(np.float32), bpd, classes)


def _under_every_class(flow: Flow, x: torch.Tensor) -> Generator[None, None, tuple[torch.Tensor, torch.Tensor, np.ndarray]]:
    """One pass through the layers serves all classes, which stand in the prior alone."""
    first = torch.zeros(len(x), dtype=torch.long, device=flow.device)
    z, log_det = yield from accelerate(flow).encode_steps(x, first)
    top, kind = flow.levels[-1], flow.prior.kind
    h = flow.prior.unwhiten(z[:, top.start :].reshape(-1, *top.shape), first)
    rest = standard_log_prob(z[:, : top.start], kind).sum(1) + log_det - flow.prior.whiten(h, first)[1]
    values = []
    for number in range(flow.num_classes):
        whitened, term = flow.prior.whiten(h, torch.full_like(first, number))
        values.append(flow.prior.log_prob(whitened) + term + rest)
        if number % CLASS_STEPS == CLASS_STEPS - 1:
            yield
    best, classes = on_host(torch.stack(values, 1)).max(1)
    shared = as_label(flow, np.full((len(x), flow.num_classes), 1.0 / flow.num_classes))
    whitened, _ = flow.prior.whiten(h, shared)
    return torch.cat([z[:, : top.start], whitened.flatten(1)], 1), best, classes.numpy()
