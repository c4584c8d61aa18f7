"""A thousand random acts undone back to the start; undo under its cap of bytes. Ten thousand: `make soak`."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.explorer import budget
from flow_explorer.explorer.acts import Acts
from flow_explorer.explorer.budget import CAP_BYTES, fit, weight
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.store import Store
from flow_explorer.history import History
from flowcore.pictures.images import to_png_bytes

sys.path.insert(0, str(Path(__file__).resolve().parent))
import random_acts


@pytest.fixture
def make_controller(qapp, client, checkpoint, make_checkpoint, monkeypatch):
    random_acts.add_drawer(monkeypatch)
    other = make_checkpoint("other", title="Other")

    def make(limit: int = 400):
        start = ExplorerState(model=str(checkpoint), seed=4, temperature=0.7, selected=2)
        controller = Controller(client, History(start, limit), Store())
        controller.start()
        return controller, [str(checkpoint), str(other)]

    return make


def test_a_thousand_random_acts_undone_back_to_the_start(make_controller, client):
    controller, models = make_controller(limit=2000)
    first = controller.state
    restless = random_acts.Restless(controller, seed=7, models=models)
    restless.acts = [name for name in restless.acts if name not in ("undo", "redo", "go")]
    controller.acts.new_samples()  # which view is in front is no act: it belongs to whatever was done last
    for _ in range(1000):
        restless.act()
        client.asked.clear()  # an engine that never keeps up
    assert set(restless.done) == set(restless.acts) and controller.history.length > 400
    last, serial = controller.state, controller.history.serial
    while controller.history.undo():
        client.asked.clear()
    assert controller.state == first
    assert controller.history.go(serial) and controller.state == last
    assert all(key in controller.store for state in controller.history.states() for key in state.keys)


def test_acts_undone_and_redone_at_random_never_lose_their_way(make_controller, client):
    controller, models = make_controller()
    restless = random_acts.Restless(controller, seed=8, models=models)
    for _ in range(600):
        restless.act()
        client.asked.clear()
        moments = controller.history.moments()
        assert sum(moment.present for moment in moments) == 1 and len({moment.serial for moment in moments}) == len(moments)
        assert next(moment for moment in moments if moment.present).state == controller.state
    assert {"undo", "redo", "go"} <= set(restless.done)


def test_every_act_is_among_them():
    known = {name for name, _ in inspect.getmembers(Acts, inspect.isfunction) if not name.startswith("_")}
    did = {name.removeprefix("do_") for name in dir(random_acts.Restless) if name.startswith("do_")}
    assert known - did <= {"rest", "slot_of", "show_facet"}


def test_undo_stays_under_its_cap_and_the_oldest_go_first(make_controller, client, monkeypatch):
    controller, _ = make_controller()
    monkeypatch.setattr(budget, "CAP_BYTES", 3 * 2**20)
    rng, keys = np.random.default_rng(0), []
    for _ in range(12):
        noise = to_png_bytes(rng.integers(0, 256, (400, 400, 3), dtype=np.uint8))  # half a megabyte
        controller.acts.put_picture("A", noise, "noise.png")
        keys.append(controller.state.a.picture)
        client.asked.clear()
    for _ in range(2):
        controller.history.undo()
    present = controller.state
    spent = fit(controller.history, controller.store, cap=3 * 2**20)
    assert spent <= 3 * 2**20 and controller.store.size <= 3 * 2**20
    assert controller.state == present and controller.history.undone == 2, "what was undone is newer than what was done"
    assert 0 < controller.history.length < 10
    assert keys[0] not in controller.store and all(key in controller.store for key in keys[-4:])
    while controller.history.undo():
        pass
    assert controller.state.a.picture in controller.store
    # The present state stays, whatever it costs.
    fit(controller.history, controller.store, cap=1)
    assert controller.history.length == controller.history.undone == 0 and controller.state.a.picture in controller.store


def test_the_cap_holds_while_one_works(make_controller, client, monkeypatch):
    from flow_explorer.explorer import controller as module

    monkeypatch.setattr(module, "PRUNE_BYTES", 2**18)
    monkeypatch.setattr(module, "CAP_BYTES", 2**20)
    monkeypatch.setattr(module, "fit", lambda history, store, needed: fit(history, store, needed, 2**20))
    controller, _ = make_controller()
    rng = np.random.default_rng(0)
    for _ in range(40):
        controller.acts.put_picture("B", to_png_bytes(rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)), "noise.png")
        client.asked.clear()
        assert controller.store.size <= 2**20 + 130_000
    assert controller.history.length < 12 and CAP_BYTES == 256 * 2**20


def test_states_that_share_cost_what_they_changed():
    seen: set[int] = set()
    state = ExplorerState(profile=tuple(0.1 * k for k in range(10)))
    whole = weight(state, seen)
    assert whole > 500 and weight(state, seen) == 0
    assert weight(replace(state, seed=123456), seen) < 0.6 * whole


def test_steps_that_grow_are_weighed_too(make_controller, client):
    controller, _ = make_controller()
    for number in range(64):
        state = random_acts.DrawerState(amount=float(number), words=chr(97 + number % 26) * 200_000 + str(number))
        controller.acts.set_facet("drawer", state, "Change the drawer")
        client.asked.clear()
    assert fit(controller.history, controller.store, cap=2**21) <= 2**21
    assert controller.history.length < 12 and controller.state.of("drawer").amount == 63.0
