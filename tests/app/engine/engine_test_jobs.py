"""Jobs that only tests ask for."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import torch
from engine_test_requests import Burst, Count, Echo, Fail, Half, Odd, Slide, Spin, StrictSlide, Train, Whole

from flow_explorer.engine.context import job
from flowcore.errors import ConfigError


@job(Echo.kind)
def echo(context, request):
    arrays = {} if request.array is None else {"array": request.array}
    context.send(request.kind, {"value": request.value, "pid": os.getpid()}, arrays, done=True)
    yield


@job(StrictSlide.kind)
@job(Slide.kind)
def slide(context, request):
    for _ in range(request.turns):
        time.sleep(0.002)
        yield
    context.send(request.kind, {"value": request.value}, done=True)


@job(Count.kind)
def count(context, request):
    for turn in range(request.turns):
        if turn == request.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        context.progress((turn + 1) / request.turns, f"turn {turn + 1}")
        yield request.pause or None
    context.send(request.kind, {"turns": request.turns}, done=True)


@job(Burst.kind)
def burst(context, request):
    frame = np.zeros(request.size, np.uint8)
    for number in range(request.count):
        yield from context.stream("frame", {"number": number}, {"frame": frame})
        yield


@job(Train.kind, grad=True)
def train(context, request):
    weight = torch.ones(1, requires_grad=True)
    step = 0
    while True:
        loss = (weight * request.rate).sum()
        loss.backward()
        time.sleep(0.002)
        step += 1
        context.try_stream("frame", {"step": step, "rate": request.rate})
        request = context.take() or request
        yield


@job(Fail.kind)
def fail(context, request):
    yield
    if request.how == "flow":
        raise ConfigError("The number of turns must be positive.")
    if request.how == "memory":
        raise MemoryError
    if request.how == "nan":
        context.send(request.kind, {"value": float("nan")})
    print("this must not reach the pipe")
    raise ValueError("something odd")


@job(Spin.kind)
def spin(context, request):
    while True:
        if context is None:
            yield


@job(Odd.kind)
def odd(context, request):
    context.send(Half(1))
    yield
    if request.header:
        context._loop.emit({"id": context.id, **request.header})
    yield 0.05
    context.send(Whole(np.arange(3.0), done=True))
