"""Decoding as a graph for other programs gives the pictures that the flow gives."""
from __future__ import annotations

import numpy as np
import pytest
import torch

import flowcore
from flowcore.errors import ConfigError, UntrainedError
from flowcore.model.systems import build

SMALL = dict(shape=[3, 8, 8], levels=2, width=8)
FLOWS = {
    "spline": dict(system="spline", shape=[2], depth=2, width=8),
    "nice": dict(system="nice", shape=[1, 4, 4], width=8, hidden=1),
    "realnvp": dict(system="realnvp", blocks=1, **SMALL),
    "glow": dict(system="glow", steps=2, **SMALL),
    "glow-classes": dict(system="glow", steps=1, classes=3, **SMALL),
    "plus": dict(system="glow-plus", steps=1, **SMALL),
}


def trained(name: str):
    """A flow, three z and their labels, if it has any."""
    torch.manual_seed(0)
    flow = build(FLOWS[name])
    flow.initialise(256 * torch.rand(16, *flow.event_shape))
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    given = (flow.sample(3), torch.arange(3)) if flow.num_classes else (flow.sample(3),)
    return flow.eval(), given


@pytest.mark.parametrize("name", FLOWS)
def test_the_graph_decodes_as_the_flow_does(name):
    flow, given = trained(name)
    with torch.no_grad():
        wanted = flow.decode(*given)
        got = flowcore.export_decoder(flow).module()(*given)
    assert torch.allclose(got, wanted, atol=1e-4)


def test_what_is_not_trained_is_not_exported():
    with pytest.raises(UntrainedError):
        flowcore.export_decoder(build(FLOWS["glow"]))


def test_onnx_decodes_as_the_flow_does(tmp_path):
    pytest.importorskip("onnxscript", reason="writing ONNX needs the extra [onnx]")
    onnxruntime = pytest.importorskip("onnxruntime", reason="reading ONNX needs the extra [onnx]")
    for name in ("spline", "glow", "glow-classes"):
        flow, given = trained(name)
        flowcore.save_onnx(flow, tmp_path / f"{name}.onnx")
        session = onnxruntime.InferenceSession(str(tmp_path / f"{name}.onnx"))
        names = [node.name for node in session.get_inputs()]
        (got,) = session.run(["x"], {at: value.numpy() for at, value in zip(names, given, strict=True)})
        with torch.no_grad():
            assert np.abs(got - flow.decode(*given).numpy()).max() < 1e-2, name


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(ConfigError, match=r"\[onnx\]"):
        flowcore.save_onnx(trained("spline")[0], tmp_path / "a.onnx")
