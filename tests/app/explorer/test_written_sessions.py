"""What was saved at 853f5d9 on the real engine: the same pixels by the same weights, and pictures of their own by others."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from flow_explorer import assets
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.moving.portable import pack, unpack
from flow_explorer.explorer.moving.recipes import read_latent
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.store import Store
from flow_explorer.history import History
from flow_explorer.shell import session_file
from flow_explorer.shipped import weights_of
from flowcore.model.checkpoint import update_card
from flowcore.model.weights import fingerprint
from flowcore.pictures import recipe
from tests.app.explorer.test_with_engine import rest

WRITTEN = Path(__file__).resolve().parents[2] / "fixtures" / "853f5d9"
MODELS = assets.root() / "models"


@pytest.fixture(scope="module")
def pixels() -> dict[str, np.ndarray]:
    with np.load(WRITTEN / "window.npz") as file:
        return dict(file)


@pytest.fixture
def opened(engine, qtbot):
    """Opens a session's file: (a controller at rest on it, what is said of it)."""
    made: list[Controller] = []

    def open_session(name: str) -> tuple[Controller, list[str]]:
        store = Store()
        state, said = unpack(session_file.read(WRITTEN / name).workspaces["explorer"], store, WRITTEN, "fashion")
        controller = Controller(engine, History(state), store)
        made.append(controller)
        controller.start()
        rest(controller, qtbot)
        return controller, said

    yield open_session
    for controller in made:
        rest(controller, qtbot)
        controller.deleteLater()


def as_then(model: str) -> bool:
    """Whether the bundled model still has the weights that the files are of."""
    return model in assets.model_names() and fingerprint(assets.resolve_model(model)) == weights_of(model)


def proved(controller: Controller) -> None:
    """Both wells come back byte for byte, and the walk ends in them."""
    frames = controller.walk.view.frames
    for which, end in zip("AB", (frames[0], frames[-1]), strict=True):
        view = controller.slots[which].view
        assert view.differing == 0 and view.reconstruction is not None and view.seen is not None
        assert np.array_equal(view.reconstruction, view.seen) and end is not None and np.array_equal(end, view.seen)


@pytest.mark.parametrize("name", ["walk-faces", "samples-mnist"])
def test_a_session_shows_what_it_showed(name, opened, pixels):
    controller, said = opened(f"{name}.flowsession")
    proved(controller)
    model = name.partition("-")[2]
    if not as_then(model):  # trained again since
        assert len(said) == 1 and ("has changed" in said[0] or "no longer part" in said[0])
        return
    assert said == []
    for which in "AB":
        assert np.array_equal(controller.slots[which].view.reconstruction, pixels[f"{name}.{which}"])
    page = np.stack([slot.picture for slot in controller.page.view.slots])
    # A sample's value may lie on the border of two grey levels, where another processor rounds to the other.
    for there, then in ((page, pixels[f"{name}.page"]), (controller.walk.view.picture, pixels[f"{name}.walk"])):
        assert np.abs(there.astype(int) - then).max() <= 1
    if name == "samples-mnist":
        for which, index in (("A", 0), ("B", 3)):
            assert controller.slots[which].view.z == controller.state.slot(which).latent
            assert np.array_equal(controller.slots[which].view.reconstruction, page[index])


def test_a_saved_sample_comes_back_with_its_z(pixels):
    for name, file in (("faces", "sample-faces.png"), ("mnist", "sample-mnist-enlarged.png")):
        data = (WRITTEN / file).read_bytes()
        found = recipe.extract(data)
        assert found is not None
        latent = read_latent(found, data)
        assert (latent.model, latent.weights) == (name, weights_of(name))
        scale = len(latent.picture) // len(pixels[f"sample-{name}"])
        assert np.array_equal(latent.picture[::scale, ::scale, : pixels[f"sample-{name}"].shape[-1]], pixels[f"sample-{name}"])


def test_a_session_of_a_model_that_was_trained_again_is_encoded_anew(opened, tmp_path, monkeypatch, pixels):
    """Another model of the same size stands in for it: its z has as many numbers, so the old one would decode, to noise."""
    folder = tmp_path / "assets"
    (folder / "models").mkdir(parents=True)
    monkeypatch.setattr(assets, "root", lambda: folder)
    shutil.copy(MODELS / "fashion.safetensors", folder / "models" / "mnist.safetensors")
    update_card(folder / "models" / "mnist.safetensors", name="mnist", title="Digits")
    controller, said = opened("samples-mnist.flowsession")
    assert len(said) == 1 and "“Digits” has changed" in said[0]
    proved(controller)
    for which in "AB":
        view = controller.slots[which].view
        assert np.array_equal(view.seen, pixels[f"samples-mnist.{which}"])
        old = session_file.read(WRITTEN / "samples-mnist.flowsession").workspaces["explorer"]["state"][which.lower()]["latent"]
        assert view.z != old and old not in controller.state.keys
    page = np.stack([slot.picture for slot in controller.page.view.slots])
    assert not np.array_equal(page, pixels["samples-mnist.page"])


def test_a_session_of_a_model_as_it_is_says_nothing():
    name = assets.model_names()[0]
    state, said = unpack(pack(ExplorerState(model=name), Store(), "", fingerprint(assets.resolve_model(name))), Store())
    assert state.model == name and said == []
