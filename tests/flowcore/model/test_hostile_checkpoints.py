"""A card is held against its file before anything of its size is made, and a model opens once, without memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import flowcore
from flowcore import build
from flowcore.errors import CheckpointError, ConfigError, NonFiniteError
from flowcore.model import systems
from flowcore.model.checkpoint import load, save
from flowcore.model.room import Room, at_most

NICE = {"system": "nice", "shape": [2], "depth": 2, "width": 4, "hidden": 1}


def written(path: Path, architecture: object, tensors: dict[str, tuple[str, list[int], bytes]] | None = None) -> Path:
    """A file with this card, and these tensors (type, shape, bytes)."""
    card = json.dumps({"format_version": 1, "architecture": architecture})
    header: dict[str, object] = {"__metadata__": {"format": "flow-explorer", "card": card}}
    body = b""
    for name, (dtype, shape, data) in (tensors or {"a": ("F32", [1], bytes(4))}).items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


def changed(path: Path, name: str, tensor: torch.Tensor) -> Path:
    """A file whose tensor is another one."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(path, "pt") as file:
        tensors, metadata = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()
    save_file({**tensors, name: tensor}, path, metadata)
    return path


ENORMOUS = {
    "many steps": {"system": "glow", "shape": [3, 1024, 1024], "levels": 10, "steps": 256, "width": 4096},
    "wide channels": {"system": "glow", "shape": [4096, 32, 32], "levels": 1, "steps": 1, "width": 1},
    "plain matrices": {"system": "glow", "shape": [4096], "permutation": "plain", "depth": 256},
    "NICE of a large picture": {"system": "nice", "shape": [4, 1024, 1024], "depth": 256, "width": 4096, "hidden": 64},
    "blocks": {"system": "realnvp", "shape": [3, 512, 512], "levels": 10, "width": 4096, "blocks": 64},
    "classes": {"system": "glow-plus", "shape": [3, 1024, 1024], "levels": 1, "steps": 1, "width": 1, "classes": 100_000},
    "bins": {"system": "spline", "shape": [4096], "bins": 64, "depth": 256, "width": 4096, "hidden": 64},
    "layers": {"system": "stack", "shape": [2], "layers": [{"kind": "lu"}] * 256},
    "a picture without end": {"system": "glow", "shape": [4096, 4096, 4096]},
}


@pytest.mark.parametrize("architecture", ENORMOUS.values(), ids=ENORMOUS)
def test_a_card_of_an_enormous_model_makes_no_more_than_its_file_holds(architecture, tmp_path, monkeypatch):
    made = []
    original = nn.Module.register_parameter

    def register(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        made.append(name)
        assert parameter is None or parameter.is_meta
        original(module, name, parameter)

    monkeypatch.setattr(nn.Module, "register_parameter", register)
    path = written(tmp_path / "a.safetensors", architecture)
    with pytest.raises(CheckpointError, match="cannot be built"):
        load(path)
    assert len(made) < 10


def test_room_is_for_so_many_tensors_and_so_many_numbers():
    with at_most(Room(2, 6)):
        nn.Linear(2, 2)
    with pytest.raises(ConfigError, match="more weights than the 1 tensors"), at_most(Room(1, 100)):
        nn.Linear(2, 2)
    with pytest.raises(ConfigError, match="5 numbers"), at_most(Room(2, 5)):
        nn.Linear(2, 2)
    nn.Linear(100, 100)  # nothing is counted any more


def test_a_system_of_ones_own_that_computes_where_it_is_made_opens_as_well(tmp_path):
    class Shift(flowcore.bijections.Bijection):
        def __init__(self) -> None:
            super().__init__()
            self.amount = nn.Parameter(torch.ones(2))
            self.register_buffer("share", torch.full((2,), 0.5), persistent=False)

        def encode(self, x):
            return x + self.amount * self.share, x.new_zeros(len(x))

        def decode(self, z):
            return z - self.amount * self.share

    def make(shape, times: int = 1):
        prior = flowcore.model.priors.StandardPrior(tuple(shape))
        architecture = dict(system="shift", shape=list(shape), times=times)
        return flowcore.model.flow.Flow([Shift() for _ in range(times)], prior, shape, architecture)

    flowcore.register_system("shift", make)
    flow = build({"system": "shift", "shape": [2], "times": 3})
    flow.initialised_flag.fill_(True)
    save(tmp_path / "a.safetensors", flow, {})
    x = torch.randn(4, 2)
    assert torch.equal(load(tmp_path / "a.safetensors").flow.encode(x)[0], flow.encode(x)[0])


def test_what_a_model_holds_is_not_the_files_any_more(tmp_path):
    flow = build(NICE)
    save(tmp_path / "a.safetensors", flow, {})
    opened = load(tmp_path / "a.safetensors").flow
    before = {name: tensor.clone() for name, tensor in opened.state_dict().items()}
    size = (tmp_path / "a.safetensors").stat().st_size
    with open(tmp_path / "a.safetensors", "r+b") as file:
        file.write(b"\xff" * size)
    assert all(torch.equal(tensor, before[name]) for name, tensor in opened.state_dict().items())
    assert all(parameter.requires_grad and not parameter.is_meta for parameter in opened.parameters())


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2", "U8", "I32", "F4", ["F32"], None])
def test_weights_of_another_type_are_refused(dtype, tmp_path):
    path = written(tmp_path / "a.safetensors", NICE, {"layers.0.network.last.bias": (dtype, [1], bytes(4))})
    with pytest.raises(CheckpointError, match="weights are F16, BF16, F32, F64, BOOL, I64"):
        load(path)


@pytest.mark.parametrize("shape", [[1] * 65, [2**60], [-1], [1.5], [True], "x", None])
def test_a_shape_that_no_weights_have_is_refused(shape, tmp_path):
    with pytest.raises(CheckpointError, match="shape"):
        load(written(tmp_path / "a.safetensors", NICE, {"a": ("F32", shape, bytes(4))}))


def test_numbers_where_truth_is_needed_are_refused(tmp_path):
    save(tmp_path / "a.safetensors", build(NICE), {})
    with pytest.raises(CheckpointError, match="'initialised_flag' is F32 where torch.bool is needed"):
        load(changed(tmp_path / "a.safetensors", "initialised_flag", torch.tensor(1.0)))


def test_bfloat16_weights_are_read(tmp_path):
    flow = build(NICE)
    save(tmp_path / "a.safetensors", flow, {})
    name = "layers.0.network.hidden.0.weight"
    halved = flow.state_dict()[name].bfloat16()
    opened = load(changed(tmp_path / "a.safetensors", name, halved)).flow.state_dict()[name]
    assert opened.dtype == torch.float32 and torch.equal(opened, halved.float())


def test_an_order_that_is_no_permutation_is_refused(tmp_path):
    flow = build({"system": "glow", "shape": [4], "permutation": "reverse", "depth": 1, "width": 4})
    save(tmp_path / "a.safetensors", flow, {})
    with pytest.raises(CheckpointError, match=r"'layers\.1' is no permutation"):
        load(changed(tmp_path / "a.safetensors", "layers.1.order", torch.tensor([0, 0, 10**9, -1])))


@pytest.mark.parametrize("permutation", ["lu", "plain"])
def test_a_convolution_without_an_inverse_is_told(permutation, tmp_path):
    flow = build({"system": "glow", "shape": [2], "permutation": permutation, "depth": 1, "width": 4})
    flow.initialised_flag.fill_(True)
    save(tmp_path / "a.safetensors", flow, {})
    name = "layers.1.permutation" if permutation == "lu" else "layers.1.matrix"
    opened = load(changed(tmp_path / "a.safetensors", name, torch.zeros(2, 2))).flow
    with torch.no_grad(), pytest.raises(NonFiniteError, match="no inverse"):
        opened.decode(torch.zeros(1, 2))


def test_a_model_larger_than_the_free_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    save(tmp_path / "a.safetensors", build(NICE), {})
    monkeypatch.setattr("flowcore.model.checkpoint.free_memory", lambda: 50)
    with pytest.raises(CheckpointError, match="GiB"):
        load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("change", [
    {"system": ["glow"]}, {"system": {}}, {"system": None}, {"depth": 10**400}, {"depth": True}, {"depth": 2.0},
    {"width": float("nan")}, {"prior": []}, {"activation": ["relu"]}, {"shape": [10**400]}, {"shape": [True, 2]},
    {"shape": [float("nan")]}, {"\x1b[2J": 1},
])  # fmt: skip
def test_what_is_no_setting_is_refused_in_a_short_sentence(change):
    with pytest.raises(ConfigError) as refused:
        build({**NICE, **change}, meta=True)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("change", [
    {"input_bound": 10**400}, {"growth": float("nan")}, {"growth": float("inf")}, {"input_bound": -1},
])  # fmt: skip
def test_a_bound_is_a_finite_number(change):
    with pytest.raises(ConfigError):
        build({"system": "glow-plus", "shape": [1, 4, 4], "levels": 1, **change}, meta=True)


def test_a_card_with_numbers_that_json_does_not_have_is_damaged(tmp_path):
    for number in ("NaN", "Infinity", "1e999", "9" * 400, "[" * 3000 + "]" * 3000):
        path = tmp_path / "a.safetensors"
        card = '{"format_version": 1, "bpd": ' + number + "}"
        text = json.dumps({"__metadata__": {"format": "flow-explorer", "card": card}}).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text)
        with pytest.raises(CheckpointError, match="card of .* is damaged"):
            load(path)


def test_masks_of_a_million_dimensions_are_ranges():
    flow = build({"system": "nice", "shape": [3, 512, 512], "depth": 4, "width": 1, "hidden": 1}, meta=True)
    masks = [module for module in flow.modules() if isinstance(module, flowcore.bijections.ChannelMask)]
    assert [mask.kept for mask in masks] == [range(step % 2, 3 * 512 * 512, 2) for step in range(4)]
    assert [mask.changed for mask in masks] == [range(1 - step % 2, 3 * 512 * 512, 2) for step in range(4)]


def test_a_channel_mask_keeps_what_it_is_told_to():
    x = torch.arange(7.0).view(1, 7)
    for kept in ([0, 1], [5, 6, 6], [0, 2, 4, 6], [1, 3, 5], [0, 3, 4], [2], range(6, 0, -2)):
        mask = flowcore.bijections.ChannelMask(7, kept)
        parts = mask.split(x)
        assert parts[0].tolist() == [sorted({float(n) for n in kept})]
        assert parts[1].tolist() == [[float(n) for n in range(7) if n not in set(kept)]]
        assert torch.equal(mask.merge(*parts), x) and mask.kept_channels == len(set(kept))


def test_most_dims_is_above_every_picture_of_a_thousand_pixels():
    assert 3 * 1024 * 1024 <= systems.MOST_DIMS < 2**24
    build({"system": "glow", "shape": [3, 1024, 1024], "levels": 1, "steps": 1, "width": 1}, meta=True)
