"""Opened, saved, copied and brought back: models, recipes, sessions, dialogs."""

from __future__ import annotations

import json

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from flow_explorer.engine.requests.explorer import OpenModel
from flow_explorer.explorer.facets.levels.state import LevelsState
from flowcore.pictures import recipe
from flowcore.pictures.images import read_picture
from tests.app.explorer.conftest import write_checkpoint
from tests.app.explorer.workspace.case import answer_dialog, drop, fill, state, urls


def test_examples_menu(workspace, client, bundle):
    menu = workspace.slots["A"].examples_button.menu()
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["Blue", "Red"]
    menu.actions()[1].trigger()
    client.run()
    assert state(workspace).a.name == "red.png"


def test_a_checkpoint_dropped_on_the_window(workspace, client, make_checkpoint):
    path = make_checkpoint("other", title="Other", default_seed=9, channels=1)
    drop(workspace.canvas(), urls(path))
    assert workspace.topbar().texts[0] == "Opening…"
    client.run()
    assert state(workspace).model == str(path) and state(workspace).seed == 9
    assert client.sent(OpenModel)[-1].model == str(path) and workspace.topbar().texts[0] == "Other"
    workspace.topbar().fill()
    texts = [action.text() for action in workspace.topbar().menu().actions()]
    assert any(text.startswith("Tiny") for text in texts) and any(text.startswith("Other") for text in texts)
    workspace.history.undo()
    assert workspace.topbar().texts[0] == "Tiny"


def test_a_saved_picture_restores_its_settings(workspace, client, bundle, tmp_path, notices):
    fill(workspace, bundle, client)
    workspace.acts.set_temperature(0.4)
    workspace.acts.set_position(0.25)
    client.run()
    saved = state(workspace)
    frames = [frame.tobytes() for frame in workspace.controller.walk.view.frames]
    path = tmp_path / "walk.png"
    workspace.transfers.write(str(path), workspace.exporter.strip)
    assert notices[-1][1] == "good" and read_picture(path).pixels.shape == (8, 72, 4)
    for which in "AB":
        workspace.acts.clear(which)
    workspace.acts.set_temperature(1.2)
    steps = workspace.history.length
    drop(workspace.canvas(), urls(path))
    client.run()
    back = state(workspace)
    assert (back.temperature, back.walk, back.seed, back.a.name) == (0.4, saved.walk, saved.seed, "red.png")
    assert [frame.tobytes() for frame in workspace.controller.walk.view.frames] == frames
    assert workspace.history.length == steps + 1
    workspace.history.undo()
    assert state(workspace).temperature == 1.2 and state(workspace).a.empty


def test_a_saved_recipe_holds_no_more_of_a_photograph_than_the_model_sees(workspace, client, png, tmp_path):
    workspace.acts.put_picture("A", png(np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)), "me.png")
    client.run()
    found = recipe.extract(workspace.exporter.page())
    from flow_explorer.explorer.store import Store

    store = Store()
    for key in store.load_dict(found["store"]):
        assert store.picture(key).pixels.shape[:2] == (8, 8)


def test_a_saved_sample_dropped_on_a_slot_comes_back_with_its_z(workspace, client, tmp_path, notices):
    sample = workspace.controller.page.view.slots[5]
    path = tmp_path / "sample.png"
    path.write_bytes(workspace.exporter.picture(sample, 8))
    drop(workspace.slots["B"], urls(path))
    client.run()
    z = workspace.controller.store.latent(workspace.controller.slots["B"].view.z)
    assert z.tobytes() == sample.z.tobytes()
    workspace.acts.set_seed(99)
    text, act = notices[-1][2]
    assert text == "Restore the settings"
    act()
    assert state(workspace).seed == 4


def test_a_saved_picture_holds_what_it_needs_and_the_rest_only_where_asked(workspace, client, png, tmp_path, notices):
    rng = np.random.default_rng(0)
    for which, name in (("A", "Anna at the sea.png"), ("B", "passport.jpg")):
        workspace.acts.put_picture(which, png(rng.integers(0, 256, (9, 9, 3), np.uint8)), name)
    workspace.acts.set_facet("levels", LevelsState(order="likelihood"), "Sort them")
    client.run()
    assert state(workspace).facets
    exporter, page = workspace.exporter, workspace.controller.page.view
    bare = [exporter.picture(page.slots[2]), exporter.page(), exporter.picture(workspace.controller.slot_latent("A"))]
    for data in bare:
        found = recipe.extract(data)
        assert found["store"] == {"pictures": {}, "latents": {}} and "facets" not in found["explorer"]
        assert not any(word in json.dumps(found) for word in ("Anna", "passport"))
    assert len(bare[1]) < 9000
    walk = recipe.extract(exporter.strip())
    assert len(walk["store"]["pictures"]) == 2 and not any(word in json.dumps(walk) for word in ("Anna", "passport"))
    asked = json.dumps(recipe.extract(exporter.picture(page.slots[2], everything=True)))
    assert "Anna at the sea.png" in asked and "passport.jpg" in asked
    texts = [text for text, _act, _enabled in workspace.save_menu() if "everything" in text]
    assert len(texts) == 2 and all("A, B" in text and "names" in text for text in texts)
    # What a picture does not hold stays as it is where its settings are restored.
    before = state(workspace)
    workspace.acts.set_seed(77)
    workspace.controller.restore_recipe(recipe.extract(bare[1]))
    client.run()
    after = state(workspace)
    assert (after.seed, after.a, after.b, after.facets) == (before.seed, before.a, before.b, before.facets)


def test_a_recipe_says_a_models_name_and_finds_it_by_its_weights(workspace, client, tmp_path, notices):
    folder = tmp_path / "secret folder"
    folder.mkdir()
    path = write_checkpoint(folder / "mine.safetensors", b"of my own", title="Mine")
    workspace.acts.set_model(str(path))
    client.run()
    data = workspace.exporter.page()
    assert "secret folder" not in json.dumps(recipe.extract(data)) and recipe.extract(data)["model"] == "mine.safetensors"
    file = tmp_path / "page.png"
    file.write_bytes(data)
    workspace.acts.set_model("tiny")
    workspace.acts.set_seed(5)
    client.run()
    drop(workspace.canvas(), urls(file))
    client.run()
    assert (state(workspace).model, state(workspace).seed) == (str(path), 4) and notices[-1][1] == "good"


def test_a_picture_whose_model_is_gone_is_used_as_a_picture(workspace, client, tmp_path, notices, png):
    made = recipe.new("samples", model="gone", seed=3)
    path = tmp_path / "old.png"
    path.write_bytes(recipe.embed(png(), made))
    before = state(workspace)
    drop(workspace.canvas(), urls(path))
    after = state(workspace)
    assert (after.model, after.seed, after.a.name) == (before.model, before.seed, "old.png")
    words, kind, act = notices[-1]
    assert "There is no model 'gone'" in words and "old.png is used as the picture that it is." in words and kind == "notice"
    act[1]()
    assert (state(workspace).model, state(workspace).seed) == (before.model, 3)
    assert "which draws the samples too" in notices[-1][0]


def test_a_simple_recipe_restores_seed_and_temperature(workspace, tmp_path, png):
    path = tmp_path / "grid.png"
    path.write_bytes(recipe.embed(png(), recipe.new("sample", model="tiny", seed=3, temperature=0.5, count=20)))
    drop(workspace.canvas(), urls(path))
    assert (state(workspace).seed, state(workspace).temperature, state(workspace).count) == (3, 0.5, 36)


def test_a_recipe_of_a_later_version_is_said_and_the_picture_is_used(workspace, client, tmp_path, png, notices):
    data = recipe.embed(png(), recipe.new("sample")).replace(b'"flow_explorer_recipe":1', b'"flow_explorer_recipe":7')
    import struct
    import zlib

    at = data.index(b"iTXt")
    length = struct.unpack(">I", data[at - 4 : at])[0]
    body = data[at : at + 4 + length]
    data = data[: at + 4 + length] + struct.pack(">I", zlib.crc32(body)) + data[at + 8 + length :]
    path = tmp_path / "future.png"
    path.write_bytes(data)
    drop(workspace.slots["A"], urls(path))
    assert state(workspace).a.name == "future.png" and "version 7" in notices[-1][0]


def test_an_unwritable_place_is_said(workspace, notices, tmp_path):
    sample = workspace.controller.page.view.slots[0]
    workspace.transfers.write(str(tmp_path / "no" / "such" / "x.png"), lambda: workspace.exporter.picture(sample))
    assert notices[-1][1] == "error" and "no folder" in notices[-1][0]


def test_copy_and_paste_keeps_the_z(workspace, client):
    sample = workspace.controller.page.view.slots[2]
    workspace.transfers.copy(sample)
    assert not QGuiApplication.clipboard().image().isNull()
    workspace.paste()
    client.run()
    z = workspace.controller.store.latent(workspace.controller.slots["A"].view.z)
    assert z.tobytes() == sample.z.tobytes()


def test_save_menu_offers_what_is_there(workspace, client, bundle):
    def enabled():
        return [act for _text, _act, act in workspace.save_menu()]

    assert enabled() == [True, True, True, True, False, False, False, False, False, False, True, True, True]
    fill(workspace, bundle, client)
    assert all(enabled())


def test_the_session_comes_back(workspace, client, bundle, qtbot, home):
    fill(workspace, bundle, client)
    workspace.acts.set_temperature(0.5)
    stored = workspace.state()
    import json

    from flow_explorer.explorer.workspace import create

    other = create(workspace.context)
    qtbot.addWidget(other)
    qtbot.addWidget(other.canvas())
    qtbot.addWidget(other.inspector())
    qtbot.addWidget(other.topbar())
    other.restore(json.loads(json.dumps(stored)))
    assert other.history.state == state(workspace) and not other.history.can_undo
    qtbot.waitUntil(lambda: other.controller.started)
    client.run()
    before = [frame.tobytes() for frame in workspace.controller.walk.view.frames]
    assert [frame.tobytes() for frame in other.controller.walk.view.frames] == before


def test_a_session_comes_back_but_for_what_is_gone(workspace, bundle, client, tmp_path, notices):
    fill(workspace, bundle, client)
    stored = workspace.state()
    workspace.restore({**stored, "model": str(tmp_path / "gone.safetensors")})
    assert "gone.safetensors" in notices[-1][0] and notices[-1][1] == "notice"
    assert state(workspace).model.endswith("gone.safetensors") and not state(workspace).a.empty
    assert workspace.canvas().no_model.isVisible()
    workspace.restore({**stored, "a": {"picture": "p" + "0" * 32, "name": "lost.png"}})
    assert "A cannot be found" in notices[-1][0]
    assert state(workspace).model == "tiny" and state(workspace).a.empty and not state(workspace).b.empty


def test_save_by_the_dialog(workspace, qtbot, tmp_path, notices):

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    workspace.save_menu()[2][1]()
    answer_dialog(workspace, qtbot, tmp_path / "page.png")
    assert read_picture(tmp_path / "page.png").pixels.shape[:2] == (32, 32)
    assert recipe.extract(tmp_path / "page.png")["kind"] == "samples" and "page.png" in notices[-1][0]


def test_pick_by_the_dialog(workspace, client, qtbot, bundle):

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    qtbot.mouseClick(workspace.slots["B"].pick_button, Qt.MouseButton.LeftButton)
    answer_dialog(workspace, qtbot, bundle / "examples" / "red.png")
    client.run()
    assert state(workspace).b.name == "red.png"
