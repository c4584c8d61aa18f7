"""What was saved at 853f5d9, in a window whose models have other weights under the same names, or no longer have the names."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.engine.requests.explorer import EncodePicture
from flow_explorer.explorer.facets.paths.state import PathsState as Paths
from flow_explorer.explorer.facets.paths.state import Stop
from flow_explorer.explorer.model import open_model
from flow_explorer.explorer.moving.drag_drop import mime_of, read_mime
from flow_explorer.explorer.moving.recipes import read_latent
from flow_explorer.explorer.state import ExplorerState, Slot
from flow_explorer.explorer.store import Store
from flow_explorer.shell import session_file
from flow_explorer.shipped import weights_of
from flowcore.pictures import recipe
from flowcore.pictures.images import read_picture
from tests.app.explorer.conftest import write_checkpoint
from tests.app.explorer.workspace.case import drop, state, urls

WRITTEN = Path(__file__).resolve().parents[2] / "fixtures" / "853f5d9"


@pytest.fixture
def trained_again(bundle) -> Path:
    """A bundled model under the name `mnist`, and not the one that the files are of: its z has another size."""
    return write_checkpoint(bundle / "models" / "mnist.safetensors", b"trained again", name="mnist", title="Mnist")


def session(name: str) -> dict:
    return session_file.read(WRITTEN / name).workspaces["explorer"]


def open_session(workspace, client, name: str) -> list[str]:
    said = workspace.prepare(session(name), WRITTEN)()
    client.run()
    return said


def slots_of(state: ExplorerState) -> list[Slot]:
    paths = state.of("paths")
    assert isinstance(paths, Paths)
    return [state.a, state.b, *paths.corners, *(stop.slot for stop in paths.stops)]


def test_a_session_keeps_its_pictures_and_says_that_the_model_has_changed(workspace, client, trained_again):
    before = state(workspace)
    (words,) = open_session(workspace, client, "samples-mnist.flowsession")
    assert words == (
        "The model “Mnist” has changed since this was made: it has other weights now. The pictures stay, and are encoded anew; "
        "the samples are drawn anew. What was marked for a direction is marked no longer."
    )
    now = state(workspace)
    assert (now.model, now.count, now.walk.mode, now.a.name) == ("mnist", 4, "spherical", "sample 1, seed 0")
    # No z of the old weights is left to be decoded, and every picture is.
    assert len(slots_of(now)) == 8 and not any(slot.latent or slot.empty for slot in slots_of(now))
    assert now.of("directions").more == now.of("directions").less == ()
    old = [Store().put_latent(z) for z in latents("samples-mnist.flowsession")]
    assert len(old) >= 4 and not {workspace.controller.slots[which].view.z for which in "AB"} & set(old)
    sent = client.sent(EncodePicture)[-2:]
    for which, request in zip("AB", sent, strict=True):
        view = workspace.controller.slots[which].view
        assert np.array_equal(request.picture, view.seen) and view.differing == 0 and request.label == ()
        assert view.weights == open_model("mnist").weights != weights_of("mnist")
    assert workspace.controller.walk.view.complete and workspace.controller.page.view.complete
    workspace.history.undo()
    client.run()
    assert state(workspace) == before
    workspace.history.redo()
    client.run()
    assert state(workspace) == now


def latents(name: str) -> list[np.ndarray]:
    """The z's in a session's file, directions' vectors aside."""
    store = Store()
    keys = store.load_dict(session(name)["contents"])
    return [z for z in (store.latent(key) for key in keys if key.startswith("z")) if z.size == 784]


def test_what_comes_back_is_saved_with_the_weights_that_it_has_now(workspace, client, trained_again):
    open_session(workspace, client, "samples-mnist.flowsession")
    again = json.loads(json.dumps(workspace.portable()))
    assert again["weights"] == open_model("mnist").weights
    assert workspace.prepare(again, WRITTEN)() == []
    kept = workspace.state()
    assert kept["weights"] == again["weights"]


def test_a_session_of_a_model_that_is_no_longer_bundled_goes_to_the_one_that_is_open(workspace, client):
    (words,) = open_session(workspace, client, "samples-mnist.flowsession")
    assert words.startswith("The model “mnist”, which made this, is no longer part of Flow Explorer. The pictures stay, and are "
                            "encoded by “Tiny”, which draws the samples too.")  # fmt: skip
    now = state(workspace)
    assert now.model == "tiny" and not any(slot.latent or slot.empty for slot in slots_of(now))
    assert workspace.controller.slots["A"].view.differing == 0 and workspace.controller.page.view.complete


def test_the_last_session_comes_back_as_pictures(workspace, client, trained_again, home, notices):
    shutil.copytree(WRITTEN / "session" / "explorer", workspace._kept.files.folder, dirs_exist_ok=True)
    kept = json.loads((WRITTEN / "session" / "session.json").read_text())["workspaces"]["explorer"]
    workspace.restore(kept)
    client.run()
    words, kind, _act = notices[-1]
    assert "has changed since this was made" in words and kind == "notice"
    assert not state(workspace).a.latent and workspace.controller.slots["A"].view.differing == 0
    # Saved again, it is of the weights that are here: it is said once.
    count = len(notices)
    workspace.restore(json.loads(json.dumps(workspace.state())))
    assert len(notices) == count
    trained_again.unlink()
    workspace.restore(json.loads(json.dumps(kept)))
    assert state(workspace).model == "mnist" and len(notices) == count + 1  # nothing else is open
    assert "no longer part of Flow Explorer" in notices[-1][0]


@pytest.mark.parametrize("place", ["canvas", "well"])
def test_a_saved_sample_is_used_as_the_picture_that_it_is(workspace, client, trained_again, notices, place):
    path = WRITTEN / "sample-mnist-enlarged.png"
    drop(workspace.canvas() if place == "canvas" else workspace.slots["A"], urls(path))
    client.run()
    now, (words, kind, act) = state(workspace), notices[-1]
    assert (now.model, now.a.name, now.a.latent) == ("tiny", path.name, "") and kind == "notice"
    assert "has changed since this was made" in words and words.endswith(f"{path.name} is used as the picture that it is.")
    view = workspace.controller.slots["A"].view
    assert view.differing == 0 and np.array_equal(view.reconstruction, view.seen)
    assert workspace.controller.store.picture(now.a.picture).pixels.shape[:2] == (224, 224)
    text, restore = act
    assert text == "Restore the settings"
    restore()
    client.run()
    assert state(workspace).model == "mnist" and "the samples are drawn anew" in notices[-1][0] and notices[-1][1] == "notice"
    assert not any(slot.latent for slot in slots_of(state(workspace)))


def test_a_saved_page_is_used_as_a_picture_and_a_saved_walk_brings_its_pictures(workspace, client, trained_again, notices):
    for name in ("page-mnist.png", "page-window-mnist.png", "decoded-mnist.png"):
        drop(workspace.slots["B"], urls(WRITTEN / name))
        client.run()
        assert state(workspace).model == "tiny" and state(workspace).b.name == name and "has changed" in notices[-1][0]
    assert notices[-1][2] is None  # the recipe of a decoded z says no settings
    for name in ("strip-window-mnist.png", "walk-mnist.gif"):
        drop(workspace.canvas(), urls(WRITTEN / name))
        client.run()
        now = state(workspace)
        assert now.model == "mnist" and "has changed" in notices[-1][0] and notices[-1][1] == "notice"
        assert not now.a.empty and not now.b.empty and not any(slot.latent for slot in slots_of(now))
        assert workspace.controller.walk.view.complete
        workspace.acts.set_model("tiny")


def test_a_recipe_of_weights_that_are_open_under_another_name_is_restored(workspace, client, trained_again, notices, tmp_path):
    """The old checkpoint, kept in a file of its own, is what the recipe is of."""
    path = write_checkpoint(tmp_path / "old.safetensors", b"as it was", title="Old")
    weights = open_model(str(path)).weights
    workspace.acts.set_model(str(path))
    client.run()
    sample = workspace.controller.page.view.slots[1]
    data = workspace.exporter.picture(sample)
    found = recipe.extract(data)
    assert found is not None and found["weights"] == found["latent"]["weights"] == weights
    found = {**found, "model": "mnist", "latent": {**found["latent"], "model": "mnist"}}
    found["explorer"] = {**found["explorer"], "model": "mnist"}
    file = tmp_path / "sample.png"
    file.write_bytes(recipe.embed(data, found))
    drop(workspace.slots["A"], urls(file))
    client.run()
    assert "came back with its own z" in notices[-1][0]
    view = workspace.controller.slots["A"].view
    assert workspace.controller.store.latent(view.z).tobytes() == sample.z.tobytes()
    drop(workspace.canvas(), urls(file))
    client.run()
    assert state(workspace).model == str(path) and notices[-1][1] == "good"


def test_a_corner_and_a_keyframe_take_the_picture_alone(workspace, client, trained_again, notices):
    put, said = [], []
    workspace.acts.show_facet("paths")
    client.run()
    from flow_explorer.explorer.facets.base import Host
    from flow_explorer.explorer.facets.paths.picture_input import PictureInput

    intake = PictureInput(Host(workspace.controller, workspace.context, workspace.transfers), workspace)
    intake.take(urls(WRITTEN / "sample-mnist-enlarged.png"), put.append, said.append)
    (slot,) = put
    assert not slot.latent and workspace.controller.store.picture(slot.picture).pixels.shape[:2] == (8, 8) and not said
    assert "has changed" in notices[-1][0] and "is used as the picture that it is" in notices[-1][0]


def test_a_sample_carries_its_weights_wherever_it_goes(workspace, client, bundle):
    name = "faces"
    write_checkpoint(bundle / "models" / "faces.safetensors", b"new", title="Faces")
    workspace.acts.set_model(name)
    client.run()
    sample, weights = workspace.controller.page.view.slots[0], open_model(name).weights
    assert sample.weights == weights != weights_of(name)
    workspace.acts.put_latent("A", sample)
    client.run()
    slot = state(workspace).a
    assert slot.latent_weights == weights and workspace.controller.slots["A"].view.z == slot.latent
    (item,) = read_mime(mime_of(sample, workspace.exporter.picture(sample), "sample.png"))
    assert item.latent.weights == weights
    data = workspace.exporter.picture(sample)
    assert read_latent(recipe.extract(data) or {}, data).weights == weights
    there = replace(sample, name="of the page no longer")
    assert f"check_weights(MODEL, {weights!r})" in workspace.exporter.script(there)
    # The checkpoint is replaced under its name, as a training does: the z is no longer this model's, the picture is.
    write_checkpoint(bundle / "models" / "faces.safetensors", b"newer", title="Faces")
    workspace.acts.put_latent("B", sample)
    client.run()
    view = workspace.controller.slots["B"].view
    assert view.z != slot.latent == state(workspace).b.latent
    assert client.sent(EncodePicture)[-1].place == "B" and view.weights == open_model(name).weights != weights


def test_older_files_are_of_the_weights_that_shipped_and_newer_ones_of_what_they_say():
    old = {"picture": "p1", "name": "a", "latent": "z1", "latent_model": "mnist"}
    assert Slot.from_dict(old).latent_weights == weights_of("mnist")
    assert Slot.from_dict({**old, "latent_model": "/somewhere/run"}).latent_weights == ""
    assert Slot.from_dict({**old, "latent": ""}).latent_weights == ""
    for weights in ("", "0123456789abcdef"):
        slot = replace(Slot.from_dict(old), latent_weights=weights)
        assert Slot.from_dict(json.loads(json.dumps(slot.to_dict()))) == slot
    slot = replace(Slot.from_dict(old), latent_weights="0123456789abcdef")
    assert slot.keeps_latent("mnist") and slot.keeps_latent("mnist", "0123456789abcdef")
    assert not slot.keeps_latent("mnist", "f" * 16) and slot.keeps_latent("/elsewhere", "0123456789abcdef")
    paths = Paths(corners=(slot,) * 4, stops=(Stop(slot),))
    assert Paths.from_dict(json.loads(json.dumps(paths.to_dict()))) == paths


def test_the_files_are_what_these_tests_take_them_for():
    """Written before files said any weights, by the models that shipped then."""
    for name in ("samples-mnist.flowsession", "walk-faces.flowsession"):
        assert "weights" not in session(name)
    for path in WRITTEN.glob("*.png"):
        found = recipe.extract(path)
        assert found is not None and "weights" not in found and found["model"] in path.stem
    assert read_picture(WRITTEN / "decoded-mnist.png").pixels.shape[:2] == (28, 28)
