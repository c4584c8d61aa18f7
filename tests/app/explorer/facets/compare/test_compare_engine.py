"""Two models on the real engine: what is shown is what flowcore makes of each, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow_explorer.engine.requests.compare import DecodeSame, Exchange, ReadPicture, Release
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.facets.base import Host
from flow_explorer.explorer.facets.compare.facet import CompareFacet
from flow_explorer.explorer.facets.compare.state import CompareState, Side
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.history import History
from flow_explorer.settings import Settings
from flow_explorer.workspace import WorkspaceContext
from flowcore.errors import ConfigError


def save_model(path: Path, seed: int, architecture: dict | None = None, **card) -> Path:
    """A checkpoint of a small Glow, 16×16, away from its start."""
    import torch

    from flowcore import build
    from flowcore.model import checkpoint

    generator = torch.Generator().manual_seed(seed)
    flow = build(architecture or {"system": "glow", "shape": [3, 16, 16], "levels": 3, "steps": 2, "width": 8})
    flow.initialise(torch.rand(16, 3, 16, 16, generator=generator) * 255)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.01)
    about = {"name": path.stem, "title": path.stem, "system": flow.architecture["system"], "size": [16, 16], "channels": 3,
             "default_temperature": 0.7, "default_seed": 0}  # fmt: skip
    checkpoint.save(path, flow.eval(), {**about, **card})
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run folder with several checkpoints."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    for seed, name in enumerate(("step-000100", "step-000200", "best")):
        save_model(folder / f"{name}.safetensors", seed, steps=(100, 200, 250)[seed])
    return folder


@pytest.fixture(scope="module")
def flat(tmp_path_factory) -> Path:
    """A model of one level."""
    architecture = {"system": "nice", "shape": [3, 16, 16], "depth": 2, "width": 32, "hidden": 1}
    return save_model(tmp_path_factory.mktemp("flat") / "flat.safetensors", 9, architecture)


@pytest.fixture
def said() -> list[str]:
    """What the facet tells the window."""
    return []


@pytest.fixture
def facet(engine, run, tmp_path, qtbot, said):
    """The facet behind a controller, without a window; the run's best model is open."""
    state = ExplorerState(model=str(run), facet="compare", count=4, selected=1)
    controller = Controller(engine, History(state))
    context = WorkspaceContext(engine, Settings(tmp_path / "settings.json"), lambda sentence, **_: said.append(sentence))
    transfers: Any = None  # no picture is moved
    made = CompareFacet(Host(controller, context, transfers))
    qtbot.addWidget(made.view)
    controller.start()
    controller.add_facet(made)
    rest(made, qtbot)
    yield made
    made.hidden()


def rest(facet, qtbot) -> None:
    controller = facet.host.controller
    qtbot.waitUntil(lambda: not controller.busy and controller.client.is_idle(), timeout=100_000)


def test_bits_shares_and_what_is_kept_are_flowcores(facet, run, qtbot):
    from flowcore.latents.comparison import Reading, Shares, read_job
    from flowcore.model import checkpoint

    facet.choose("right", str(run / "step-000100.safetensors"))
    rest(facet, qtbot)
    subject = facet.host.controller.subject()
    for which, name in (("left", "best"), ("right", "step-000100")):
        flow = checkpoint.load(run / f"{name}.safetensors").flow
        reading, shares = [step for step in read_job(flow, subject.picture, (), 2, 0, 0.7) if step is not None]
        assert isinstance(reading, Reading) and isinstance(shares, Shares)
        side = facet.sides[which]
        assert side.reading.bpd == pytest.approx(reading.bpd, abs=1e-5)
        assert np.abs(side.reading.redrawn.astype(int) - reading.redrawn).max() <= 1
        assert side.reading.shares == pytest.approx((shares.before, *shares.levels), abs=1e-9)
        assert sum(side.reading.shares) == pytest.approx(side.reading.bpd, abs=1e-3)
    assert facet.sides["left"].reading.bpd != facet.sides["right"].reading.bpd


def test_a_drag_over_the_checkpoints_ends_on_the_last(facet, run, qtbot):
    from flowcore.model import checkpoint
    from flowcore.model.codec import decode_picture

    facet.choose("right", str(run))
    facet.change(replace(facet.state, look="z"), "look")
    rest(facet, qtbot)
    subject = facet.host.controller.subject()
    assert np.array_equal(facet.sides["right"].decoded.picture, subject.picture)  # the same weights
    for place in (0, 1, 2, 1, 0) * 3:
        facet.go_to("right", place)
        qtbot.wait(3)
    rest(facet, qtbot)
    made = decode_picture(checkpoint.load(run / "step-000100.safetensors").flow, subject.z)
    assert np.abs(facet.sides["right"].decoded.picture.astype(int) - made).max() <= 1
    assert facet.sides["right"].decoded.bpd is not None and facet.state.right == Side(str(run), "step-000100.safetensors")


def test_a_page_of_both_is_each_models_own(facet, run, qtbot):
    from flowcore.model import checkpoint
    from flowcore.model.codec import decode_batch

    facet.choose("left", str(run / "step-000200.safetensors"))
    facet.choose("right", str(run / "step-000100.safetensors"))
    facet.change(replace(facet.state, look="page"), "look")
    rest(facet, qtbot)
    state = facet.host.controller.state
    for which, name in (("left", "step-000200"), ("right", "step-000100")):
        flow = checkpoint.load(run / f"{name}.safetensors").flow
        pictures = decode_batch(flow, flow.sample(4, state.temperature, state.seed).numpy())
        assert np.abs(np.stack(facet.sides[which].page).astype(int) - pictures).max() <= 1


def test_a_z_that_cannot_be_exchanged_is_refused_and_the_bits_still_come(facet, flat, qtbot):
    facet.choose("right", str(flat))
    rest(facet, qtbot)
    assert not facet.view.look.button("z").isEnabled() and "3 here and 1 there" in facet.view.look.button("z").toolTip()
    assert facet.sides["right"].reading.bpd is not None and facet.sides["right"].reading.drawn == 0
    assert "nothing coarser" in facet.view.captions["right"].text()
    facet.change(replace(facet.state, look="z"), "look")
    rest(facet, qtbot)
    assert "3 here and 1 there" in facet.view.empty.label.text()


def test_broken_weights_are_one_sentence_and_what_stood_there_comes_back(facet, run, tmp_path, qtbot, said):
    import torch
    from safetensors.torch import load_file, save_file

    from flowcore.model.card import read_header

    facet.choose("right", str(run / "step-000100.safetensors"))
    rest(facet, qtbot)
    broken = tmp_path / "broken.safetensors"
    tensors = load_file(run / "best.safetensors")
    name = next(name for name in tensors if tensors[name].is_floating_point())
    tensors[name] = torch.full_like(tensors[name], torch.nan)
    save_file(tensors, broken, metadata=read_header(run / "best.safetensors")["__metadata__"])
    facet.choose("right", str(broken))
    rest(facet, qtbot)
    sentence = facet.view.problems["right"].text()
    assert "not finite" in sentence and sentence.count(".safetensors") == 1 and not said
    assert facet.sides["left"].reading.bpd is not None
    facet.host.controller.history.undo()
    rest(facet, qtbot)
    assert facet.view.problems["right"].text() == "" and facet.sides["right"].reading.bpd is not None
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((run / "best.safetensors").read_bytes()[:-100])
    facet.choose("right", str(cut))
    assert "cut short" in said[-1] and facet.state.right.path == str(run)


def test_after_the_engine_was_killed_everything_is_there_again(facet, engine, run, qtbot):
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("this system has no SIGKILL")
    facet.choose("right", str(run / "step-000100.safetensors"))
    rest(facet, qtbot)
    before = {which: (side.reading.bpd, side.reading.redrawn) for which, side in facet.sides.items()}
    for side in facet.sides.values():
        side.reading = type(side.reading)()
    controller = facet.host.controller
    engine.restarted.connect(controller.engine_restarted)
    try:
        with qtbot.waitSignal(engine.restarted, timeout=200_000):
            os.kill(engine.pid, signal.SIGKILL)
    finally:
        engine.restarted.disconnect(controller.engine_restarted)
    rest(facet, qtbot)
    for which, (bpd, redrawn) in before.items():
        assert facet.sides[which].reading.bpd == bpd and np.array_equal(facet.sides[which].reading.redrawn, redrawn)


def test_requests_refuse_what_makes_no_sense():
    picture, z = np.zeros((8, 8, 3), np.uint8), np.zeros(4, np.float32)
    with pytest.raises(ConfigError):
        ReadPicture("middle", "m", picture, (), 1, 0, 0.7)
    with pytest.raises(ConfigError):
        ReadPicture("left", "m", picture.astype(np.float32), (), 1, 0, 0.7)
    with pytest.raises(ConfigError):
        ReadPicture("left", "m", picture, (), -1, 0, 0.7)
    with pytest.raises(ConfigError):
        DecodeSame("left", "m", z[None])
    assert DecodeSame("left", "m", z).slot != DecodeSame("right", "m", z).slot
    assert (Exchange("a", "b").slot, Release().slot) == ("compare.exchange", "compare.release")


def test_a_state_that_names_nothing_of_this_machine_is_still_a_state(facet, tmp_path, qtbot):
    facet.change(CompareState("z", Side(), Side(str(tmp_path / "gone" / "run"), "step-000100.safetensors")), "from elsewhere")
    rest(facet, qtbot)
    assert "gone" in facet.view.problems["right"].text() and not facet.busy
