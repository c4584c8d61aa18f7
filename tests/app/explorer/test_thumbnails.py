"""Thumbnails of the history: of what was in hand at rest, under a cap of bytes; recipes that carry what facets hold."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.explorer import facets
from flow_explorer.explorer.facets import FacetState
from flow_explorer.explorer.moving.recipes import make_recipe, read_recipe
from flow_explorer.explorer.moving.thumbnails import CAP_BYTES, Thumbnails
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.store import Store
from flow_explorer.widgets.pixels import from_image
from flowcore.errors import FlowError
from flowcore.pictures import recipe
from flowcore.pictures.crop import Crop

sys.path.insert(0, str(Path(__file__).resolve().parent))
import random_acts


def pixels(image) -> np.ndarray:
    return from_image(image)[..., :3]


def test_every_act_at_rest_has_its_picture(controller, client, qtbot):
    thumbnails = Thumbnails(controller)
    controller.acts.select(3)
    client.run()
    thumbnails.take()
    first = controller.history.serial
    np.testing.assert_array_equal(pixels(thumbnails.get(first)), controller.page.view.slots[3].picture)
    controller.acts.set_temperature(0.2)
    thumbnails.take()
    assert thumbnails.get(controller.history.serial) is None, "the picture on screen is still the older act's"
    client.run()
    qtbot.waitUntil(lambda: thumbnails.get(controller.history.serial) is not None)
    np.testing.assert_array_equal(pixels(thumbnails.get(controller.history.serial)), controller.page.view.slots[3].picture)
    assert not np.array_equal(pixels(thumbnails.get(first)), pixels(thumbnails.get(controller.history.serial)))
    controller.acts.put_two(controller.page.view.slots[0], controller.page.view.slots[1])
    client.run()
    thumbnails.take()
    np.testing.assert_array_equal(pixels(thumbnails.get(controller.history.serial)), controller.walk.view.picture)


def test_thumbnails_stay_under_their_cap_and_go_with_their_acts(controller, client):
    client.run()
    one = 8 * 8 * 4
    thumbnails = Thumbnails(controller, cap=5 * one)
    serials = []
    for seed in range(10):
        controller.acts.set_seed(100 + seed)
        client.run()
        thumbnails.take()
        serials.append(controller.history.serial)
        assert thumbnails.bytes <= 5 * one
    assert thumbnails.get(serials[-1]) is not None and thumbnails.get(serials[0]) is None
    controller.history.go(serials[-3])
    controller.acts.set_seed(7)
    client.run()
    thumbnails.take()
    assert thumbnails.get(serials[-1]) is None, "what can no longer be reached needs no picture"
    assert CAP_BYTES == 8 * 2**20


@dataclass(frozen=True)
class WallState(FacetState):
    """A facet that holds wells, as a pad of four pictures does."""

    slots: tuple[Slot, ...] = ()
    mask: str = ""

    @property
    def keys(self) -> set[str]:
        return {key for key in (self.mask, *(k for slot in self.slots for k in (slot.picture, slot.latent))) if key}

    def to_dict(self) -> dict:
        return {"wells": [slot.to_dict() for slot in self.slots], "mask": self.mask}

    @classmethod
    def from_dict(cls, data: dict) -> WallState:
        return cls(tuple(Slot.from_dict(slot) for slot in data.get("wells", ())), data.get("mask", ""))

    def renamed(self, keys: dict[str, str]) -> WallState:
        slots = tuple(replace(slot, picture=keys[slot.picture], latent=keys.get(slot.latent, "")) for slot in self.slots)
        return replace(self, slots=slots, mask=keys.get(self.mask, ""))


@pytest.fixture
def wall(monkeypatch):
    random_acts.add_drawer(monkeypatch)
    known = facets._state_class
    monkeypatch.setattr(facets, "_state_class", lambda id_: WallState if id_ == "wall" else known(id_))
    monkeypatch.setattr(facets, "REGISTRY", (*facets.REGISTRY, facets.Entry("wall", "Wall", "For tests")))


def photograph(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def test_a_recipe_with_everything_carries_what_facets_hold_as_the_model_sees_it(controller, client, wall, png):
    client.run()
    store, acts = controller.store, controller.acts
    secret = store.put_picture(png(photograph()))
    mask = store.put_picture(png(np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)))
    z = store.put_latent(np.arange(192, dtype=np.float32))
    acts.set_facet("wall", WallState((Slot(picture=secret, name="me.png", crop=Crop(zoom=2.0)),), mask), "Hang")
    acts.set_facet("drawer", random_acts.DrawerState(1.5, "words", (z, secret)), "Change the drawer")
    sample = controller.page.view.slots[0]
    for kind, latent in (("picture", sample), ("samples", None), ("walk", None)):
        made = recipe.validate(make_recipe(kind, controller.state, store, controller.model, latent, everything=True))
        there = Store()
        state = read_recipe(made, there)
        hung, drawer = state.of("wall"), state.of("drawer")
        assert isinstance(hung, WallState) and isinstance(drawer, random_acts.DrawerState)
        assert hung.slots[0].name == "me.png" and there.picture(hung.slots[0].picture).pixels.shape[:2] == (8, 8)
        assert there.blob(hung.mask) == store.blob(mask)
        assert (drawer.amount, drawer.words) == (1.5, "words")
        latents = [key for key in drawer.kept if key.startswith("z")]
        np.testing.assert_array_equal(there.latent(latents[0]), store.latent(z))
        # Never the photograph itself, wherever it was held.
        assert secret not in there and all(len(data) < 1000 for data in there._blobs.values())


def test_a_saved_picture_dropped_brings_the_facets_back(workspace, client, wall, png, tmp_path):
    from flowcore.pictures.images import read_file

    workspace.acts.select(1)
    client.run()
    kept = workspace.controller.store.put_picture(png(photograph()))
    workspace.acts.set_facet("drawer", random_acts.DrawerState(3.0, "mine", (kept,)), "Change the drawer")
    path = tmp_path / "saved.png"
    workspace.transfers.write(str(path), lambda: workspace.exporter.picture(workspace.controller.selected(), everything=True))
    while workspace.history.undo():
        pass
    assert workspace.history.state.of("drawer").words == ""
    client.run()
    workspace.transfers.take_file(str(path), "")
    client.run()
    drawer = workspace.history.state.of("drawer")
    assert (drawer.amount, drawer.words, len(drawer.kept)) == (3.0, "mine", 1)
    assert drawer.kept[0] in workspace.controller.store and recipe.extract(read_file(path))["kind"] == "picture"


def whole(controller) -> dict:
    return make_recipe("samples", controller.state, controller.store, controller.model, everything=True)


def test_what_does_not_fit_or_is_gone_stays_behind(controller, client, wall, png, monkeypatch):
    client.run()
    gone = random_acts.DrawerState(1.0, "gone", ("p" + "0" * 32,))
    controller.acts.set_facet("drawer", gone, "Change the drawer")
    state = read_recipe(whole(controller), Store())
    assert state.facets == () and state.seed == controller.state.seed
    held = random_acts.DrawerState(1.0, "x", (controller.store.put_latent(np.zeros(500_000)),))
    controller.acts.set_facet("drawer", held, "Change the drawer")
    monkeypatch.setattr("flow_explorer.explorer.moving.recipes.ROOM_BYTES", 2**20)
    assert read_recipe(whole(controller), Store()).facets == ()
    # A recipe that names what it does not carry is refused.
    monkeypatch.undo()
    random_acts.add_drawer(monkeypatch)
    made = whole(controller)
    made["store"]["latents"] = {}
    with pytest.raises(FlowError, match="damaged"):
        read_recipe(made, Store())
