"""The Explorer on the real engine: exact round trips, a burst of values, an engine that is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from flow_explorer import assets
from flow_explorer.engine.requests.explorer import SamplePage
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.model import FIRST_PAGE, open_model
from flow_explorer.explorer.moving.recipes import read_latent
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.workspace import first_state
from flow_explorer.history import History
from flowcore.pictures import recipe
from flowcore.pictures.images import to_png_bytes

EDITED = Path(__file__).resolve().parents[2] / "fixtures" / "edited"


@pytest.fixture(scope="module")
def small_model(tmp_path_factory):
    """A small model of colour pictures."""
    return make_model(tmp_path_factory, 3)


@pytest.fixture(scope="module")
def grey_model(tmp_path_factory):
    """A small model of grey pictures."""
    return make_model(tmp_path_factory, 1)


@pytest.fixture(scope="module")
def conditional_model(tmp_path_factory):
    """A small model of colour pictures that is conditional on three classes."""
    return make_model(tmp_path_factory, 3, ["cat", "dog", "owl"])


def make_model(tmp_path_factory, channels: int, classes: list[str] | None = None):
    """A checkpoint of a small Glow, 16×16, with weights away from their initial values."""
    import torch

    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    generator = torch.Generator().manual_seed(0)
    flow = glow((channels, 16, 16), levels=2, steps=2, width=16, classes=len(classes or []))
    flow.initialise(torch.rand(16, channels, 16, 16, generator=generator) * 255)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.01)
        if classes:
            location = flow.prior.get_parameter("location")
            location.add_(torch.randn(location.shape, generator=generator))
    card = {
        "name": "small", "title": "Small", "system": "glow", "architecture": flow.architecture, "size": [16, 16],
        "channels": channels, "held_out": {"bpd_quantiles": [k / 20 for k in range(201)], "count": 201},
        "default_temperature": 0.7, "default_seed": 0, "format_version": 1, "classes": classes,
    }  # fmt: skip
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    checkpoint.save(path, flow.eval(), card)
    return path


def rest(controller, qtbot) -> None:
    """Wait until the controller and the engine have nothing left to do."""
    qtbot.waitUntil(lambda: not controller.busy and controller.client.is_idle(), timeout=60_000)


@pytest.fixture
def explorer(engine, small_model, qtbot):
    made = Controller(engine, History(ExplorerState(model=str(small_model), selected=2)))
    made.start()
    rest(made, qtbot)
    yield made
    rest(made, qtbot)
    made.deleteLater()


def noise(seed: int, size: int = 40) -> bytes:
    return to_png_bytes(np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8))


def screen(controller) -> list[bytes]:
    """Every picture that is shown."""
    walk = controller.walk.view
    pictures = [slot.picture for slot in controller.page.view.slots]
    pictures += [controller.slots[which].view.reconstruction for which in "AB"]
    return [picture.tobytes() for picture in (*pictures, *walk.frames, walk.picture)]


def fill(controller, qtbot) -> None:
    controller.acts.put_picture("A", noise(1), "noise.png")
    controller.acts.put_latent("B", controller.page.view.slots[5])
    rest(controller, qtbot)


def test_round_trip_is_exact_and_the_walk_ends_in_its_slots(explorer, qtbot):
    fill(explorer, qtbot)
    for which in "AB":
        view = explorer.slots[which].view
        assert view.differing == 0 and view.figures.bpd is not None and view.figures.typicality is not None
        assert view.reconstruction.tobytes() == view.seen.tobytes()
    frames = explorer.walk.view.frames
    assert frames[0].tobytes() == explorer.slots["A"].view.seen.tobytes()
    assert frames[-1].tobytes() == explorer.page.view.slots[5].picture.tobytes()


def test_the_curve_and_the_position_agree(explorer, qtbot):
    fill(explorer, qtbot)
    for t in (0.25, 1.0):
        explorer.acts.set_position(t)
        rest(explorer, qtbot)
        index = round(t * 32)
        view = explorer.walk.view
        assert view.bpd == pytest.approx(view.bpds[index], abs=2e-3)
        assert np.abs(view.picture.astype(int) - view.frames[index]).max() <= 1


def test_a_burst_of_temperatures_ends_on_the_last_and_never_goes_back(explorer, qtbot):
    shown = []
    view = explorer.page.view
    explorer.page_changed.connect(lambda first, count: shown.append(list(view.temperatures)))
    for value in range(200):
        explorer.acts.set_temperature(0.7 + value * 0.004)
        if value % 20 == 0:
            qtbot.wait(5)
    explorer.acts.rest()
    rest(explorer, qtbot)
    assert view.complete and set(view.temperatures) == {1.496}
    for number in range(16):
        own = [temperatures[number] for temperatures in shown]
        assert own == sorted(own)
    assert explorer.history.length == 1


def test_a_burst_along_the_walk_ends_on_the_last(explorer, qtbot):
    fill(explorer, qtbot)
    shown = []
    explorer.position_changed.connect(lambda: shown.append(explorer.walk.view.picture_t))
    for value in range(200):
        explorer.acts.set_position(value / 199)
        if value % 10 == 0:
            qtbot.wait(4)
    rest(explorer, qtbot)
    moved = shown[shown.index(min(shown)) :]
    assert moved == sorted(moved) and moved[-1] == 1.0 and len(set(moved)) > 3


def test_a_killed_engine_comes_back_with_the_same_pixels(explorer, engine, qtbot):
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("this system has no SIGKILL")
    fill(explorer, qtbot)
    before = screen(explorer)
    explorer.acts.set_temperature(1.4)
    explorer.acts.set_count(64)
    explorer.acts.set_position(0.9)
    engine.restarted.connect(explorer.engine_restarted)
    try:
        with qtbot.waitSignal(engine.restarted, timeout=60_000):
            os.kill(engine.pid, signal.SIGKILL)
    finally:
        engine.restarted.disconnect(explorer.engine_restarted)
    rest(explorer, qtbot)
    after = screen(explorer)
    for _ in range(3):
        explorer.history.undo()
    rest(explorer, qtbot)
    assert screen(explorer) == before != after[: len(before)]


def test_a_grey_model_takes_colour_pictures_and_its_own_samples(explorer, grey_model, qtbot):
    from flow_explorer.explorer.moving.drag_drop import mime_of, read_mime
    from flow_explorer.explorer.moving.exporting import Exporter
    from flow_explorer.explorer.moving.recipes import read_latent
    from flowcore.pictures import recipe

    fill(explorer, qtbot)
    explorer.choose_model(str(grey_model))
    rest(explorer, qtbot)
    for which in "AB":
        view = explorer.slots[which].view
        assert view.seen.shape == (16, 16, 1) and view.differing == 0
    sample = explorer.page.view.slots[3]
    assert sample.picture.shape == (16, 16, 1)
    png = Exporter(explorer).picture(sample)
    (item,) = read_mime(mime_of(sample, png, "grey.png"))
    for latent in (item.latent, read_latent(recipe.extract(png) or {}, png)):
        explorer.acts.put_latent("A", latent)
        rest(explorer, qtbot)
        view = explorer.slots["A"].view
        assert view.seen.tobytes() == sample.picture.tobytes() == explorer.walk.view.frames[0].tobytes()
        assert explorer.store.latent(view.z).tobytes() == sample.z.tobytes()


def test_a_conditional_model_from_samples_to_a_walk_between_classes(explorer, conditional_model, qtbot):
    from flowcore.model.labels import single

    explorer.choose_model(str(conditional_model))
    rest(explorer, qtbot)
    slots = explorer.page.view.slots
    assert [slot.label for slot in slots[:4]] == [single(0), single(1), single(2), single(0)]
    fill(explorer, qtbot)
    a, b = (explorer.slots[which].view for which in "AB")
    assert a.differing == b.differing == 0 and b.label == slots[5].label == single(2)
    likeliest = a.figures.bpd
    explorer.acts.set_slot_class("A", single((a.label[0][0] + 1) % 3))
    rest(explorer, qtbot)
    other = explorer.slots["A"].view
    assert other.differing == 0 and other.label == other.chosen and other.figures.bpd > likeliest
    frames = explorer.walk.view.frames
    assert frames[0].tobytes() == other.seen.tobytes() and frames[-1].tobytes() == slots[5].picture.tobytes()
    before = screen(explorer)
    explorer.acts.set_class(1)
    rest(explorer, qtbot)
    assert {slot.label for slot in explorer.page.view.slots} == {single(1)} and screen(explorer) != before
    explorer.history.undo()
    rest(explorer, qtbot)
    assert screen(explorer) == before
    explorer.engine_restarted()
    rest(explorer, qtbot)
    assert screen(explorer) == before


def test_every_cached_first_page_equals_the_live_one(engine, qtbot):
    models = [path for path in assets.models() if path.with_suffix(".png").is_file()]
    assert models == assets.models() != []
    for path in models:
        model = open_model(path.stem)
        assert len(model.first_page) == FIRST_PAGE
        live: list[np.ndarray] = []
        request = SamplePage(str(path), model.default_seed, 0, FIRST_PAGE, model.default_temperature)
        engine.send(request, on_answer=lambda part, live=live: live.extend(np.array(part.pictures)))
        assert engine.wait_until_idle(60_000)
        assert len(live) == FIRST_PAGE
        for index, (cached, picture) in enumerate(zip(model.first_page, live, strict=True)):
            # Another processor may round the last digit differently: that is a grey level, never a picture.
            assert np.abs(cached.astype(int) - picture).max() <= 1, (path.name, index)


def test_the_first_view_shows_a_bundled_page_at_once():
    state = first_state()
    model = open_model(state.model)
    assert state.temperatures(model.levels) == model.default_temperature
    assert (state.seed, state.count) == (model.default_seed, FIRST_PAGE)


def test_variations_keep_what_is_locked(explorer, qtbot):
    """On the real engine: a kept level keeps its numbers, drawn ones differ, and the same seed draws the same."""
    from flow_explorer.engine.requests.levels import Variations

    subject = explorer.page.view.slots[2]

    def ask(actions, region, seed=0) -> np.ndarray:
        parts: list = []
        nothing = np.zeros(0, np.float32)
        request = Variations(str(explorer.model.path), subject.z, nothing, region, actions, "inside", seed, 0, 4, 0.7)
        explorer.client.send(request, on_answer=parts.append)
        rest(explorer, qtbot)
        assert parts[-1].done
        return np.concatenate([part.z for part in parts])

    none = np.zeros((16, 16), np.uint8)
    coarse = ask(("draw", "keep"), none)
    start = len(subject.z) - 16 * 16 * 3 // 2  # the coarse level holds half of the numbers
    assert np.array_equal(coarse[:, start:], np.tile(subject.z[start:], (4, 1)))
    assert (coarse[:, :start] != subject.z[:start]).mean() > 0.99 and not np.array_equal(coarse[0], coarse[1])
    assert np.array_equal(coarse, ask(("draw", "keep"), none)) and not np.array_equal(coarse, ask(("draw", "keep"), none, 1))
    locked = none.copy()
    locked[:8] = 1
    fine = ask(("draw", "draw"), locked)[:, :start].reshape(4, 6, 8, 8)
    own = subject.z[:start].reshape(6, 8, 8)
    assert np.array_equal(fine[:, :, :4], np.tile(own[:, :4], (4, 1, 1, 1))) and (fine[:, :, 4:] != own[:, 4:]).mean() > 0.99


def test_a_page_is_sorted_by_what_the_model_says(explorer, qtbot):
    explorer.acts.set_order("likelihood")
    rest(explorer, qtbot)
    view = explorer.page.view
    bpds = view.bpds
    assert len(bpds) == 16 and [bpds[index] for index in view.order("likelihood")] == sorted(bpds)
    explorer.acts.select(5)
    rest(explorer, qtbot)
    assert explorer.shown().figures.bpd == pytest.approx(bpds[5], rel=1e-6)
    explorer.acts.set_order("drawn")


def test_a_sample_saved_long_ago_keeps_its_z_and_one_that_was_painted_on_does_not(engine, qtbot):
    controller = Controller(engine, History(ExplorerState(model="faces")))
    controller.start()
    said = []
    controller.edited.connect(said.append)
    for which, name in (("A", "one.png"), ("B", "one_edited.png")):
        data = (EDITED / name).read_bytes()
        found = recipe.extract(data)
        assert found is not None
        latent = read_latent(found, data, "faces")
        assert latent is not None
        controller.acts.put_latent(which, latent)
    rest(controller, qtbot)
    whole, edited = (controller.slots[which].view for which in "AB")
    assert said == ["sample 4, seed 2"] and controller.state.b.latent == "" and whole.own and not edited.own
    assert whole.z == controller.state.a.latent != edited.z
    for view, frame in ((whole, 0), (edited, -1)):
        assert view.differing == 0 and view.reconstruction is not None and view.seen is not None
        assert np.array_equal(view.reconstruction, view.seen)
        # What the slot proves is where the walk is.
        assert np.abs(controller.walk.view.frames[frame].astype(int) - view.seen).max() <= 1
    controller.deleteLater()
