"""An edited list of layers: checked, built, trained with what is frozen left alone, and taken up by the next run."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from flowcore.bijections import AdditiveCoupling, AffineCoupling
from flowcore.errors import ConfigError
from flowcore.fast.points.flow import PointsFlow
from flowcore.model import checkpoint
from flowcore.model.networks import MLP
from flowcore.model.systems import build
from flowcore.plane.frames import ToyFrames
from flowcore.plane.layers import (
    COUPLINGS,
    KINDS,
    MAX_LAYERS,
    LayerSpec,
    concerns,
    fresh_id,
    layers_of,
    own_layers,
)
from flowcore.plane.trainer import ToyConfig, ToyTrainer

pytestmark = pytest.mark.usefixtures("one_thread")


def of(words: str) -> tuple[LayerSpec, ...]:
    """"affine:x lu swap*" as a list; a star freezes."""
    made = []
    for word in words.split():
        kind, _, copies = word.rstrip("*").partition(":")
        made.append(LayerSpec(kind, copies, word.endswith("*")))
    return layers_of(made)


EVERY = of("additive:x affine:y spline:x lu linear rotation actnorm scale swap affine:x")
SMALL = ToyConfig(width=16, batch=128, bins=6, layers=EVERY)


def moved(architecture: dict) -> tuple:
    torch.manual_seed(0)
    flow = build(architecture).double()
    x = torch.randn(150, 2, dtype=torch.float64)
    flow.initialise(x)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return flow.eval(), x


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("affine:x affine:y", ()),
        ("affine:x affine:x actnorm", ("x-kept",)),
        ("affine:y scale affine:y", ("y-kept",)),
        ("affine:x swap affine:x", ()),
        ("affine:x swap affine:y", ("x-kept",)),
        ("swap affine:x", ("y-kept",)),
        ("rotation affine:x affine:x", ("direction-kept",)),
        ("affine:x lu affine:x", ()),
        ("lu actnorm swap", ("nothing-bent",)),
        ("affine:x* affine:y* swap", ("all-frozen",)),
        ("additive:x rotation additive:x swap", ("rigid",)),
        ("additive:x additive:x*", ("x-kept", "rigid")),
        ("swap", ("nothing-bent", "all-frozen")),
    ],
)
def test_what_is_to_be_said_of_a_list(words, expected):
    assert concerns(of(words)) == expected


@pytest.mark.parametrize(
    "words", ["affine:x affine:x actnorm", "affine:y scale affine:y", "affine:x swap affine:y", "swap affine:x"]
)
def test_the_coordinate_that_is_called_kept_is_kept(words):
    """The Jacobian says so: one output depends on that coordinate alone, and by the same factor everywhere."""
    axis = "xy".index(concerns(of(words))[0][0])
    flow, x = moved(ToyConfig(width=8, layers=of(words)).architecture)
    jacobian = torch.autograd.functional.jacobian(lambda h: flow.encode(h)[0].sum(0), x).permute(1, 0, 2)  # (N, out, in)
    alone = [row for row in range(2) if jacobian[:, row, 1 - axis].abs().max() == 0 and jacobian[:, row, axis].std() < 1e-12]
    assert len(alone) == 1


@pytest.mark.parametrize("flow", ["nice", "realnvp", "glow", "spline"])
def test_the_flows_own_list_builds_the_flow_itself(flow):
    plain = ToyTrainer(ToyConfig(flow=flow, depth=3, width=8))
    listed = ToyTrainer(ToyConfig(flow=flow, depth=3, width=8, layers=own_layers(flow, 3)))
    assert listed.flow.architecture["system"] == "stack"
    plain.step(5)
    for mine, other in ((listed.flow, plain.flow), (listed.average, plain.average)):
        mine.load_state_dict(other.state_dict())
    points = plain.draw(100, 9)
    assert torch.allclose(listed.shown.log_prob(points), plain.shown.log_prob(points), atol=1e-5)
    listed.step_count = plain.step_count  # the same batch
    assert listed.step() == pytest.approx(plain.step(), abs=1e-5)
    assert own_layers("continuous", 3) == ()


@pytest.mark.parametrize("prior", ["gaussian", "mixture", "ring"])
def test_every_kind_of_layer_has_autograds_gradients(prior):
    architecture = replace(SMALL, prior=prior, learned=True).architecture
    flow, x = moved(architecture)
    plain = copy.deepcopy(flow)
    fast = PointsFlow(flow)
    assert fast.by_autograd == []
    loss = -plain.log_prob(x).mean()
    loss.backward()
    assert fast.loss_and_gradients(x) == pytest.approx(loss.item(), abs=1e-10)
    for (name, mine), other in zip(flow.named_parameters(), plain.parameters(), strict=True):
        wanted = torch.zeros_like(other) if other.grad is None else other.grad
        assert torch.allclose(mine.grad, wanted, atol=1e-9), name
    with torch.no_grad():
        z, log_det = plain.encode(x)
        assert torch.allclose(fast.encode(x)[1], log_det, atol=1e-10) and torch.allclose(fast.decode(z), x, atol=1e-8)
        for row in range(3):
            jacobian = torch.autograd.functional.jacobian(lambda h: plain.encode(h)[0][0], x[row : row + 1])[:, 0]
            assert torch.linalg.slogdet(jacobian)[1].item() == pytest.approx(log_det[row].item(), abs=1e-10)


@pytest.mark.parametrize("fast", [True, False], ids=["by hand", "autograd"])
@pytest.mark.parametrize("prior", ["gaussian", "mixture"])
def test_frozen_layers_keep_their_weights_to_the_last_bit(fast, prior):
    frozen = tuple(replace(spec, frozen=number % 2 == 0) for number, spec in enumerate(EVERY))
    trainer = ToyTrainer(replace(SMALL, layers=frozen, prior=prior, learned=True), fast=fast)
    before = copy.deepcopy(trainer.flow.state_dict())
    trainer.step(8)
    again = ToyTrainer.from_snapshot(trainer.snapshot())
    again.step(2)
    for found in (trainer.flow, trainer.average, again.flow, again.average):
        for name, value in found.state_dict().items():
            _, number, *_ = name.split(".") if name.startswith("layers.") else ("", "-1")
            if int(number) >= 0 and frozen[int(number)].frozen:
                assert torch.equal(value, before[name]), name
    trained = [name for name, value in trainer.flow.named_parameters() if not torch.equal(value, before[name])]
    wanted = {name for name, p in trainer.flow.named_parameters() if p.requires_grad}
    assert set(trained) == wanted and any(name.startswith("layers.1.") for name in wanted)


@pytest.mark.parametrize("words", ["swap", "affine:x* swap"])
@pytest.mark.parametrize("fast", [True, False])
def test_where_nothing_is_left_to_train_a_step_changes_nothing(words, fast):
    trainer = ToyTrainer(ToyConfig(width=8, batch=32, layers=of(words)), fast=fast)
    before = trainer.held_out(500)
    trainer.step(2)
    assert trainer.held_out(500) == before and trainer.step_count == 2


def last_weight(trainer: ToyTrainer, place: int) -> float:
    """The largest weight of the last layer of a coupling's network."""
    coupling = trainer.flow.layers[place]
    assert isinstance(coupling, AffineCoupling | AdditiveCoupling) and isinstance(coupling.network, MLP)
    return float(coupling.network.last.weight.detach().abs().max())


def test_a_new_run_takes_up_the_layers_that_an_edit_kept():
    first = ToyTrainer(ToyConfig(width=8, depth=3, flow="glow"))
    first.step(5)
    specs = list(own_layers("glow", 3))
    moved_up, flipped = specs[5], specs[2].flipped()
    fresh, other = LayerSpec("affine", "y", id=fresh_id(specs)), replace(specs[4], kind="linear")
    edited = layers_of([moved_up, specs[0], flipped, fresh, other])
    second = ToyTrainer(ToyConfig(width=8, flow="glow", layers=edited), kept=first)
    for place, before in ((0, 5), (1, 0), (2, 2)):
        source = first.average.layers[before].state_dict()
        assert all(torch.equal(value, source[name]) for name, value in second.flow.layers[place].state_dict().items())
    assert last_weight(second, 3) == 0.0  # a new one starts as the identity
    # Nothing edited: the very same model.
    same = ToyTrainer(ToyConfig(width=8, flow="glow", layers=layers_of(specs)), kept=first)
    points = first.draw(50, 9)
    with torch.no_grad():
        assert torch.allclose(same.average.log_prob(points), first.average.log_prob(points), atol=1e-5)
    # Another width: nothing fits, and nothing is taken.
    wider = ToyTrainer(ToyConfig(width=12, flow="glow", layers=layers_of(specs)), kept=first)
    assert last_weight(wider, 2) == 0.0


def test_frames_show_every_layer_of_an_edited_list():
    trainer = ToyTrainer(SMALL)
    trainer.step(3)
    layers = ToyFrames(trainer).layers()
    assert len(layers) == len(EVERY) + 1 == trainer.config.stages + 1
    assert torch.allclose(torch.from_numpy(layers[-1]), trainer.shown.decode(torch.from_numpy(layers[0])), atol=1e-5)


def test_config_snapshot_and_checkpoint_keep_the_list(tmp_path):
    config = replace(SMALL, prior="mixture", components=3, learned=True)
    assert ToyConfig.from_dict(config.to_dict()) == config and isinstance(config.to_dict()["layers"], list)
    trainer = ToyTrainer(config)
    trainer.step(2)
    assert ToyTrainer.from_snapshot(trainer.snapshot()).config == config
    checkpoint.save(tmp_path / "own.safetensors", trainer.average, trainer.card())
    loaded = checkpoint.load(tmp_path / "own.safetensors")
    points = trainer.draw(50, 9)
    with torch.no_grad():
        assert torch.equal(loaded.flow.log_prob(points), trainer.average.log_prob(points))
    assert loaded.card["system"] == "stack"


def test_a_snapshot_of_before_is_still_read():
    values = ToyConfig(depth=2, width=8).to_dict()
    for name in ("components", "learned", "layers"):
        del values[name]
    assert ToyConfig.from_dict(values) == ToyConfig(depth=2, width=8)


@pytest.mark.parametrize(
    "layers",
    [
        [], "affine", {"kind": "lu"}, 5, [5], [{"copies": "x"}], [{"kind": "planar"}], [{"kind": "affine"}],
        [{"kind": "affine", "copies": "z"}], [{"kind": "lu", "copies": "x"}], [{"kind": "swap", "frozen": 1}],
        [{"kind": "swap", "id": -1}], [{"kind": "swap", "id": True}], [{"kind": "swap", "colour": 1}],
        [{"kind": "swap"}] * (MAX_LAYERS + 1), [{"kind": ["affine"], "copies": "x"}],
    ],
)  # fmt: skip
def test_what_is_no_list_of_layers_is_refused_in_a_sentence(layers):
    with pytest.raises(ConfigError) as caught:
        ToyConfig(layers=layers)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_ids_are_unique_and_kept():
    specs = layers_of([{"kind": "swap", "id": 4}, {"kind": "swap"}, {"kind": "swap", "id": 4}])
    assert specs[0].id == 4 and len({spec.id for spec in specs}) == 3
    assert layers_of(specs) == specs
    assert [spec.flipped().copies for spec in of("affine:x spline:y lu")] == ["y", "x", ""]
    assert set(COUPLINGS) < set(KINDS)


def test_a_continuous_flow_has_no_list():
    with pytest.raises(ConfigError, match="no list"):
        ToyConfig(flow="continuous", layers=of("affine:x"))


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": []}, {"layers": [{"kind": "planar"}]}, {"layers": "swap"}, {"layers": [{"kind": "swap"}] * 300},
        {"shape": [3]},
        {"shape": [1, 8, 8]}, {"prior": "cauchy"}, {"components": 0}, {"components": 10**6}, {"learned": 1}, {"bound": -1.0},
        {"width": 10**6}, {"colour": 1},
    ],
)  # fmt: skip
def test_a_hostile_architecture_is_refused(changes):
    with pytest.raises(ConfigError):
        build({"system": "stack", "shape": [2], "layers": [{"kind": "spline", "copies": "x"}], **changes}, meta=True)
