"""Engines for tests, always stopped afterwards, and a small model for them to load."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

def engines():
    """A function that starts an engine client (of the test engine); all are stopped, and must then be gone."""
    from engine_helpers import ENVIRONMENT, is_alive

    from flow_explorer.engine.client import EngineClient

    clients, pids = [], set()

    def make(start: bool = True, **options):
        options = {"module": "engine_under_test", "environment": ENVIRONMENT, **options}
        client = EngineClient(**options)
        client.state_changed.connect(lambda _: pids.add(client.pid))
        clients.append(client)
        if start:
            client.start()
            assert client.wait_until_idle(60_000), client.log
        return client

    yield make
    for client in clients:
        client.stop()
        client.deleteLater()
    assert [pid for pid in pids if pid and is_alive(pid)] == []


@pytest.fixture
def make_engine(qapp):
    yield from engines()


@pytest.fixture(scope="module")
def running_engine(qapp):
    for make in engines():
        yield make()


@pytest.fixture
def engine(running_engine):
    """The module's running engine, idle before and after."""
    assert running_engine.wait_until_idle(60_000)
    yield running_engine
    assert running_engine.wait_until_idle(60_000), running_engine.log


@pytest.fixture(scope="session")
def small_model(tmp_path_factory) -> Path:
    """A checkpoint of a small Glow, 16×16 in colour, with weights away from their initial values."""
    return save_small(tmp_path_factory.mktemp("models") / "small model.safetensors")


@pytest.fixture(scope="session")
def conditional_model(tmp_path_factory) -> Path:
    """The same, conditional on three classes that differ much."""
    return save_small(tmp_path_factory.mktemp("models") / "conditional.safetensors", ["cat", "dog", "owl"])


def save_small(path: Path, classes: list[str] | None = None) -> Path:
    """Write that checkpoint."""
    import torch

    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    generator = torch.Generator().manual_seed(0)
    flow = glow((3, 16, 16), levels=2, steps=2, width=16, classes=len(classes or []))
    flow.initialise(torch.rand(16, 3, 16, 16, generator=generator) * 255)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.01)
        if classes:
            for parameter in map(flow.prior.get_parameter, ("location", "raw_log_scale")):
                parameter.add_(torch.randn(parameter.shape, generator=generator))
    card = {
        "name": "small", "title": "Small", "system": "glow", "architecture": flow.architecture,
        "size": [16, 16], "channels": 3, "held_out": {"bpd_quantiles": [k / 20 for k in range(201)], "count": 201},
        "default_temperature": 0.7, "default_seed": 0, **({"classes": classes} if classes else {}),
    }  # fmt: skip
    checkpoint.save(path, flow.eval(), card)
    return path
