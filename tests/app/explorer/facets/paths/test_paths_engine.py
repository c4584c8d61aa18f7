"""Paths on the real engine: what it decodes is what the library says lies there, classes and doubles included."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.facets.base import Host
from flow_explorer.explorer.facets.paths import edits
from flow_explorer.explorer.facets.paths.facet import PathsFacet
from flow_explorer.explorer.facets.paths.state import WAYS
from flow_explorer.explorer.state import ExplorerState, Slot
from flow_explorer.history import History
from flow_explorer.settings import Settings
from flow_explorer.workspace import WorkspaceContext
from flowcore.latents.latent import walk
from flowcore.latents.timeline import PIXELS, bilinear, bilinear_label, pixel_blend, sample, sample_label
from flowcore.pictures.images import to_png_bytes


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small Glow of colour pictures, 16×16, conditional on three classes, its weights away from their initial values."""
    import torch

    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    generator = torch.Generator().manual_seed(0)
    flow = glow((3, 16, 16), levels=2, steps=2, width=16, classes=3)
    flow.initialise(torch.rand(16, 3, 16, 16, generator=generator) * 255)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.01)
        location = flow.prior.get_parameter("location")
        location.add_(torch.randn(location.shape, generator=generator))
    card = {
        "name": "small", "title": "Small", "system": "glow", "architecture": flow.architecture, "size": [16, 16], "channels": 3,
        "held_out": {"bpd_quantiles": [k / 20 for k in range(201)], "count": 201}, "format_version": 1,
        "classes": ["cat", "dog", "owl"], "default_temperature": 0.7, "default_seed": 0,
    }  # fmt: skip
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    checkpoint.save(path, flow.eval(), card)
    return path, flow.eval()


@pytest.fixture
def told() -> list[str]:
    """What the facet tells the window."""
    return []


@pytest.fixture
def paths(engine, model, qtbot, tmp_path, told):
    controller = Controller(engine, History(ExplorerState(model=str(model[0]), selected=2, facet="paths")))
    controller.start()
    context = WorkspaceContext(engine, Settings(tmp_path / "settings.json"), lambda sentence, *_, **__: told.append(sentence))
    transfers: Any = SimpleNamespace(mime=lambda _latent: None)
    made = PathsFacet(Host(controller, context, transfers))
    controller.add_facet(made)
    rest(made, qtbot)
    yield made
    rest(made, qtbot)
    controller.deleteLater()


def rest(paths, qtbot) -> None:
    controller = paths.host.controller
    qtbot.waitUntil(lambda: not controller.busy and controller.client.is_idle(), timeout=60_000)


def decoded(flow, z: np.ndarray, label) -> np.ndarray:
    from flowcore.model.codec import decode_picture, label_tensor

    return decode_picture(flow, z, label_tensor(flow, [label]))


def off(a: np.ndarray, b: np.ndarray) -> int:
    """The largest difference in grey levels: another batch size may round one away."""
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def test_side_by_side_between_a_photograph_and_a_sample_of_another_class(paths, model, qtbot):
    controller, flow = paths.host.controller, model[1]
    black = to_png_bytes(np.zeros((20, 20, 3), np.uint8))  # needs float64
    controller.acts.put_picture("A", black, "black.png")
    controller.acts.put_latent("B", controller.page.view.slots[1])
    rest(paths, qtbot)
    paths.side.change("Move", t=0.375)
    rest(paths, qtbot)
    a, b = (controller.slot_latent(which) for which in "AB")
    dtype = np.result_type(a.z, b.z)
    link = paths.side.link
    assert link.error == "" and link.shown_t == 0.375
    for way in WAYS:
        row, found = link.rows[way], link.latent(way)
        assert all(frame is not None for frame in row.frames) and all(np.isfinite(row.bpds)) and np.isfinite(row.bpd)
        assert off(row.frames[0], a.picture) == 0 and off(row.frames[-1], b.picture) <= 1
        assert off(row.frames[6], row.picture) <= 1 and row.bpds[6] == pytest.approx(row.bpd, abs=0.05)
        if way == PIXELS:
            np.testing.assert_array_equal(row.picture, pixel_blend(a.picture, b.picture, 0.375))
        else:
            np.testing.assert_array_equal(found.z, walk(a.z.astype(dtype), b.z.astype(dtype), (0.375,), way)[0])
        # The z that goes with a picture decodes to it: of the cross-fade too.
        assert off(decoded(flow, found.z, found.label), row.picture) <= (0 if way == PIXELS else 1)


def test_the_pad_is_bilinear_in_z_and_in_the_classes(paths, model, qtbot):
    controller, flow = paths.host.controller, model[1]
    paths.show_part("pad")
    corners = tuple(controller.acts.slot_of(controller.page.view.slots[index]) for index in range(4))
    photo = Slot(picture=controller.store.put_array(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)))
    paths.pad.change("Fill", corners=(*corners[:3], photo), x=0.25, y=0.75, norm_kept=True)
    rest(paths, qtbot)
    found = [paths.pad.corners.get(slot) for slot in paths.state.corners]
    latents, labels = [controller.store.latent(key) for key, _ in found], [label for _, label in found]
    assert labels[:3] == [((0, 1.0),), ((1, 1.0),), ((2, 1.0),)]
    link = paths.pad.link
    z = bilinear(np.stack(latents), 0.25, 0.75, True)
    label = bilinear_label(labels, 0.25, 0.75)
    np.testing.assert_array_equal(link.latent.z, z)
    assert link.latent.label == label and off(link.latent.picture, decoded(flow, z, label)) <= 1 and np.isfinite(link.bpd)
    assert off(link.grid[0], controller.page.view.slots[0].picture) <= 1 and off(link.grid[5 * 3 + 1], link.latent.picture) <= 1
    photo_back = controller.store.picture(photo.picture).pixels[..., :3]
    assert off(link.grid[24], photo_back) <= 1


@pytest.mark.parametrize("path", ["spherical", "catmull-rom"])
def test_the_timeline_plays_and_saves_what_the_library_samples(paths, model, qtbot, tmp_path, path, told):
    from flow_explorer.explorer.moving.animating import Animated
    from flowcore.pictures import recipe

    controller, flow = paths.host.controller, model[1]
    paths.show_part("keys")
    state = paths.state
    for index in (0, 1, 5):
        state = edits.add(state, controller.acts.slot_of(controller.page.view.slots[index]))
    state = edits.changed(state, 1, seconds=0.5, easing="linear")
    paths.change(state, "Fill")
    paths.timeline.change("Set", path=path, fps=6.0, time=0.8)
    rest(paths, qtbot)
    timeline, link = paths.state.timeline(), paths.timeline.link
    found = [paths.timeline.stops.get(stop.slot) for stop in paths.state.stops]
    latents = np.stack([controller.store.latent(key) for key, _ in found])
    labels = [label for _, label in found]
    np.testing.assert_array_equal(link.latent.z, sample(latents, timeline, (0.8,))[0])
    assert link.latent.label == sample_label(labels, timeline, 0.8) and np.isfinite(link.bpd)
    paths.timeline.play()
    qtbot.waitUntil(lambda: link.complete, timeout=60_000)
    paths.timeline.stop_playing()
    assert len(link.times) == round(3.5 * 6)
    for index in (0, 4, 11, 20):
        time = link.times[index]
        expected = decoded(flow, sample(latents, timeline, (time,))[0], sample_label(labels, timeline, time))
        assert off(link.frames[index], expected) <= 1
    out = tmp_path / "timeline.webp"
    paths.timeline.saver.save(str(out), Animated(".webp", 2, 4.0, False))
    rest(paths, qtbot)
    assert told == [f"Saved {out}."] and recipe.extract(out)["kind"] == "timeline"
