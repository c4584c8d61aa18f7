"""One point on its way through a flow: where every layer takes it, and a ledger of log p(x) that adds up."""
from __future__ import annotations

import copy
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..devices import has_float64
from ..errors import ConfigError, NonFiniteError
from ..model.flow import Flow, Step
from ..work import finish

__all__ = ["Probe", "ToyProbe", "hundredths"]

_STEP = 1e-5
"""Of central differences: in float64 their error and rounding's are then alike."""


@dataclass(frozen=True)
class Probe:
    """What a flow does to one point of the plane; S stages in the order of encoding, all numbers float64.

    ``names`` (S); ``states`` (S + 1, 2), from x to z; ``jacobians`` (S + 1, 2, 2), ∂h/∂x after so many stages, the first
    the identity; ``log_dets`` (S) in nats; ``log_prior`` log π(z); ``log_prob`` log p(x), their sum.
    """

    names: tuple[str, ...]
    states: np.ndarray
    jacobians: np.ndarray
    log_dets: np.ndarray
    log_prior: float
    log_prob: float

    @property
    def dets(self) -> np.ndarray:
        """det ∂h/∂x after 0 … S stages, (S + 1,): the signed area that one unit of area has become."""
        return np.linalg.det(self.jacobians)

    @property
    def rounded(self) -> tuple[int, np.ndarray, int]:
        """(log π, log-dets (S,), log p) in hundredths of a nat, which add up: see :func:`hundredths`."""
        parts, total = hundredths([self.log_prior, *self.log_dets])
        return int(parts[0]), parts[1:], total


def hundredths(terms: Sequence[float] | np.ndarray) -> tuple[np.ndarray, int]:
    """Whole hundredths (n,) of the terms that add up to the sum's own rounded hundredths, and that sum.

    The sum is rounded as usual; of the terms as few as possible are rounded the other way, those that it changes least,
    so each is less than 0.01 from its exact value.
    """
    exact = np.asarray(terms, dtype=np.float64) * 100
    total = round(math.fsum(exact))
    parts = np.floor(exact).astype(np.int64)
    missing = total - int(parts.sum())
    parts[np.argsort(-(exact - parts), kind="stable")[:missing]] += 1
    return parts, total


class ToyProbe:
    """Probes of one flow of points in the plane, in float64.

    It works through the stages that ``flow.encode_steps`` yields, whatever they are: nothing here knows couplings. It
    holds the weights as they were; :meth:`follow` takes up newer ones.

    Raises:
        ConfigError: if the flow is not one of points in the plane.
    """

    def __init__(self, flow: Flow) -> None:
        if tuple(flow.event_shape) != (2,):
            raise ConfigError("The probe is for flows of points in the plane.")
        device = flow.device if has_float64(flow.device) else "cpu"
        self.flow = copy.deepcopy(flow).to(device).double().eval().requires_grad_(False)

    def follow(self, flow: Flow) -> None:
        """Take up the weights of a flow of the same shape: a fifth of the time that another probe takes to make."""
        self.flow.load_state_dict(flow.state_dict())

    @torch.no_grad()
    def find(self, z: tuple[float, float]) -> tuple[float, float]:
        """The x that f sends to z.

        Raises:
            NonFiniteError: if there is none that is finite.
        """
        point = torch.tensor([z], dtype=torch.float64, device=self.flow.device)
        x = self.flow.decode(point)[0].tolist()
        return x[0], x[1]

    def at(self, x: tuple[float, float]) -> Probe:
        """Follow x through the flow.

        Every stage's Jacobian is exact, by reverse differentiation: the point stands twice in the batch, and one backward
        pass from a stage to the one before gives both rows. (Forward differentiation gives the columns, and makes torch
        load for seconds the first time.) The chain rule multiplies them. From a stage on that cannot be differentiated, such as
        a solver that keeps no graph, they are central differences, good to about 1e-8 where the stage is smooth.

        Raises:
            NonFiniteError: naming the first stage that gives something that is not finite.
        """
        return finish(self.steps(x))

    def steps(self, x: tuple[float, float]) -> Generator[None, None, Probe]:
        """:meth:`at` a stage at a time: yields after each, returns the probe."""
        h = torch.tensor([x, x], dtype=torch.float64, device=self.flow.device, requires_grad=True)
        rows = torch.eye(2, dtype=torch.float64, device=self.flow.device)
        names, states, log_dets, jacobians = [], [h], [], [rows]
        passed, number = self.flow.encode_steps(h), -1
        while True:
            with torch.enable_grad():  # never over a yield: whoever goes on meanwhile has a mode of its own
                step = next(passed, None)
                if step is None:
                    break
                _check(step)
                number += 1
                before, after = states[-1], step.h
                if step.name == "prior" and after is before:
                    continue  # a prior that is standard already: there is nothing to whiten
                if after is before:
                    jacobian = jacobians[-1]
                elif after.requires_grad and before.requires_grad:
                    jacobian = torch.autograd.grad(after, before, rows, retain_graph=True)[0] @ jacobians[-1]
                else:
                    jacobian = self._differences(x, number)
            names.append(step.name)
            states.append(after)
            jacobians.append(jacobian)
            log_dets.append(float(step.log_det[0].detach()) if step.log_det is not None else 0.0)
            yield
        with torch.no_grad():
            log_prior = float(self.flow.base_log_prob(states[-1].detach())[0])
        if not math.isfinite(log_prior):
            raise NonFiniteError("The prior's density at this point is not a finite number.", "prior")
        return Probe(
            tuple(names),
            np.stack([state.detach()[0].cpu().numpy() for state in states]),
            np.stack([jacobian.cpu().numpy() for jacobian in jacobians]),
            np.array(log_dets),
            log_prior,
            math.fsum([log_prior, *log_dets]),
        )


    @torch.no_grad()
    def _differences(self, x: tuple[float, float], number: int) -> Tensor:
        """∂h/∂x (2, 2) after stage ``number`` by central differences."""
        shifts = _STEP * torch.eye(2, dtype=torch.float64, device=self.flow.device)
        point = torch.tensor([x], dtype=torch.float64, device=self.flow.device)
        passed = self.flow.encode_steps(torch.cat([point + shifts, point - shifts]))
        state = next(step.h for index, step in enumerate(passed) if index == number)
        return ((state[:2] - state[2:]) / (2 * _STEP)).t()


def _check(step: Step) -> None:
    if not torch.isfinite(step.h).all() or (step.log_det is not None and not torch.isfinite(step.log_det).all()):
        raise NonFiniteError(f"At this point, layer '{step.name}' gives a value that is not finite.", step.name)
