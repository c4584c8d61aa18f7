"""A person who does a thousand things without looking: every act of the Explorer, in an order that a seed decides."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flow_explorer.explorer import facets
from flow_explorer.explorer.facets import Entry, FacetState
from flow_explorer.explorer.moving.recipes import make_recipe
from flow_explorer.explorer.state import COUNTS, MODES, SUBJECTS
from flow_explorer.explorer.store import Latent
from flowcore.model.labels import single
from flowcore.pictures.crop import Crop
from flowcore.pictures.images import to_png_bytes

FACET = "drawer"


@dataclass(frozen=True)
class DrawerState(FacetState):
    """The state of a facet for tests: a number, a text, and keys of the store."""

    amount: float = 0.0
    words: str = ""
    kept: tuple[str, ...] = ()

    @property
    def keys(self) -> set[str]:
        return set(self.kept)

    def to_dict(self) -> dict:
        return {"amount": self.amount, "words": self.words, "kept": list(self.kept)}

    @classmethod
    def from_dict(cls, data: dict) -> DrawerState:
        return cls(float(data.get("amount", 0.0)), str(data.get("words", "")), tuple(data.get("kept", ())))

    def renamed(self, keys: dict[str, str]) -> DrawerState:
        return replace(self, kept=tuple(keys[key] for key in self.kept))


def add_drawer(monkeypatch) -> None:
    """Make the facet known, as far as states and acts go."""
    entry = Entry(FACET, "Drawer", "For tests")
    known = facets._state_class
    monkeypatch.setattr(facets, "_state_class", lambda id_: DrawerState if id_ == FACET else known(id_))
    monkeypatch.setattr(facets, "REGISTRY", (*facets.REGISTRY, entry))


class Restless:
    """Does one act after another on an Explorer's controller; `acts` lists what it can do."""

    def __init__(self, controller, seed: int, models: list[str], facet: str = FACET) -> None:
        self.controller, self.models, self.facet = controller, models, facet
        self.rng = np.random.default_rng(seed)
        self.done: dict[str, int] = {}
        self.acts = [name.removeprefix("do_") for name in dir(self) if name.startswith("do_")]

    def act(self) -> str:
        """Do one thing; its name."""
        name = str(self.rng.choice(self.acts))
        getattr(self, f"do_{name}")()
        if self.rng.random() < 0.3:
            self.controller.acts.rest()
        self.done[name] = self.done.get(name, 0) + 1
        return name

    def _which(self) -> str:
        return "AB"[self.rng.integers(2)]

    def _picture(self, size: int = 12) -> bytes:
        return to_png_bytes(self.rng.integers(0, 256, (size, size, 3), dtype=np.uint8))

    def _latent(self) -> Latent:
        picture = self.rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        return Latent(self.controller.state.model, self.rng.normal(size=192).astype(np.float32), picture, "a sample")

    # Every act, by the name of the method of `Acts`

    def do_set_temperature(self) -> None:
        self.controller.acts.set_temperature(float(self.rng.uniform(-0.2, 1.8)))

    def do_drag_the_temperature(self) -> None:
        start, end = self.rng.uniform(0, 1.5, 2)
        for value in np.linspace(start, end, 5):
            self.controller.acts.set_temperature(float(value))
        self.controller.acts.rest()

    def do_set_level_temperature(self) -> None:
        self.controller.acts.set_level_temperature(int(self.rng.integers(3)), float(self.rng.uniform(0, 1.5)), 3)

    def do_reset_temperatures(self) -> None:
        self.controller.acts.reset_temperatures([0.7, (0.3, 0.5, 0.8)][self.rng.integers(2)])

    def do_set_seed(self) -> None:
        self.controller.acts.set_seed(int(self.rng.integers(-5, 2**31)))

    def do_new_samples(self) -> None:
        self.controller.acts.new_samples()

    def do_set_count(self) -> None:
        self.controller.acts.set_count(int(self.rng.choice([*COUNTS, 5])))

    def do_set_order(self) -> None:
        self.controller.acts.set_order(str(self.rng.choice(["drawn", "likelihood"])))

    def do_select(self) -> None:
        self.controller.acts.select(int(self.rng.integers(-1, 64)))

    def do_set_class(self) -> None:
        self.controller.acts.set_class(int(self.rng.integers(-1, 3)))

    def do_set_model(self) -> None:
        self.controller.acts.set_model(str(self.rng.choice(self.models)))

    def do_put_picture(self) -> None:
        self.controller.acts.put_picture(self._which(), self._picture(), "a picture.png")

    def do_put_latent(self) -> None:
        self.controller.acts.put_latent(self._which(), self._latent())

    def do_put_two(self) -> None:
        self.controller.acts.put_two(self._latent(), self._latent())

    def do_clear(self) -> None:
        self.controller.acts.clear(self._which())

    def do_swap(self) -> None:
        self.controller.acts.swap()

    def do_set_crop(self) -> None:
        self.controller.acts.set_crop(self._which(), Crop(zoom=float(self.rng.uniform(1, 3))))

    def do_set_slot_class(self) -> None:
        self.controller.acts.set_slot_class(self._which(), single(int(self.rng.integers(3))) if self.rng.random() < 0.7 else ())

    def do_set_position(self) -> None:
        self.controller.acts.set_position(float(self.rng.uniform(-0.1, 1.1)))

    def do_show_walk(self) -> None:
        self.controller.acts.show_walk()

    def do_set_mode(self) -> None:
        self.controller.acts.set_mode(str(self.rng.choice(MODES)))

    def do_set_subject(self) -> None:
        self.controller.acts.set_subject(str(self.rng.choice(SUBJECTS)))

    def do_set_facet(self) -> None:
        before = self.controller.state.of(self.facet)
        kept = (self.controller.store.put_picture(self._picture()),) if self.rng.random() < 0.3 else before.kept
        state = replace(before, amount=float(self.rng.normal()), words="x" * int(self.rng.integers(200)), kept=kept)
        self.controller.acts.set_facet(self.facet, state, "Change the drawer", (self.facet, "amount"))

    def do_restore_recipe(self) -> None:
        model = self.controller.model
        if model is not None:
            recipe = make_recipe("samples", self.controller.state, self.controller.store, model)
            recipe["explorer"]["seed"] = int(self.rng.integers(99))
            self.controller.restore_recipe(recipe)

    def do_undo(self) -> None:
        for _ in range(int(self.rng.integers(1, 4))):
            self.controller.history.undo()

    def do_redo(self) -> None:
        for _ in range(int(self.rng.integers(1, 4))):
            self.controller.history.redo()

    def do_go(self) -> None:
        moments = self.controller.history.moments()
        self.controller.history.go(moments[int(self.rng.integers(len(moments)))].serial)
