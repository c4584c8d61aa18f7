"""Conditional models in the Explorer: the choosers, what is asked of the engine, undo, sessions, recipes, drops."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt

from flow_explorer.engine.requests.explorer import (
    DescribeLatent,
    EncodePicture,
    SamplePage,
    WalkAt,
    WalkFrames,
)
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.moving.drag_drop import mime_of, read_mime
from flow_explorer.explorer.moving.exporting import Exporter
from flow_explorer.explorer.moving.recipes import read_latent, read_recipe
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.store import Store
from flow_explorer.history import History
from flowcore.model.labels import between, single
from flowcore.pictures import recipe
from flowcore.pictures.crop import Crop


@pytest.fixture
def conditional(kinds, client, qapp) -> Controller:
    """A started controller on the conditional model; the first page has been answered."""
    client.classes = 3
    made = Controller(client, History(ExplorerState(model=str(kinds), seed=4, temperature=0.7)), Store())
    made.start()
    client.run()
    return made


@pytest.fixture
def offered(workspace, client, kinds):
    """The whole Explorer, showing the conditional model."""
    client.classes = 3
    workspace.controller.choose_model(str(kinds))
    client.run()
    return workspace


def fill(controller, client, png) -> None:
    controller.acts.put_picture("A", png((200, 40, 60)), "red.png")
    controller.acts.put_latent("B", controller.page.view.slots[5])
    client.run()


# -- the controller -------------------------------------------------------------------------------------------------


def test_all_classes_in_turn_at_first_then_the_one_that_is_chosen(conditional, client):
    assert client.sent(SamplePage)[-1].label == ()
    assert [slot.label for slot in conditional.page.view.slots[:4]] == [single(0), single(1), single(2), single(0)]
    conditional.acts.set_class(2)
    request = client.sent(SamplePage)[-1]
    assert (request.label, request.first, request.count) == (single(2), 0, 16)
    client.run()
    assert {slot.label for slot in conditional.page.view.slots} == {single(2)} and conditional.page.view.complete
    conditional.acts.set_count(36)
    assert client.sent(SamplePage)[-1].first == 16, "a larger page of the same class keeps what is there"
    client.run()
    conditional.history.undo()
    conditional.history.undo()
    client.run()
    assert conditional.state.sampled_class == -1 and conditional.page.view.slots[1].label == single(1)
    conditional.history.redo()
    client.run()
    assert conditional.page.view.slots[1].label == single(2)


def test_answers_of_another_class_are_not_shown(conditional, client):
    conditional.acts.set_class(0)
    old = client.asked[-1]
    conditional.acts.set_class(1)
    client.answer(old)
    assert not any(conditional.page.view.fresh)
    client.run()
    assert {slot.label for slot in conditional.page.view.slots} == {single(1)}


def test_the_figures_of_a_sample_are_those_of_its_class(conditional, client):
    conditional.acts.select(2)
    conditional._rest.timeout.emit()
    assert client.sent(DescribeLatent)[-1].label == single(2)
    client.run()
    assert conditional.shown().figures.bpd == 2.5 and conditional.shown().label == single(2)
    conditional.acts.set_class(0)
    assert conditional.shown().figures.bpd is None, "another class is another picture"
    client.run()


def test_a_picture_takes_the_likeliest_class_until_one_is_chosen(conditional, client, png):
    fill(conditional, client, png)
    view = conditional.slots["A"].view
    assert client.sent(EncodePicture)[0].label == () and (view.label, view.chosen) == (single(1), ())
    assert conditional.slots["B"].view.label == conditional.slots["B"].view.chosen == single(2)
    steps = conditional.history.length
    conditional.acts.set_slot_class("A", single(0))
    assert view.seen is not None and conditional.walk.possible, "the older z stands until the new one comes"
    client.run()
    view = conditional.slots["A"].view
    assert client.sent(EncodePicture)[-1].label == single(0) and view.label == view.chosen == single(0)
    conditional.acts.set_slot_class("A", single(0))
    assert conditional.history.length == steps + 1, "the same class again is no act"
    conditional.acts.set_crop("A", Crop(zoom=2.0))
    client.run()
    assert client.sent(EncodePicture)[-1].label == single(0), "a crop keeps the person's class"
    for _ in range(2):
        conditional.history.undo()
        client.run()
    assert conditional.slots["A"].view.label == single(1)


def test_another_class_for_a_sample_gives_it_another_z(conditional, client, png):
    fill(conditional, client, png)
    sample = conditional.page.view.slots[5]
    assert conditional.store.latent(conditional.slots["B"].view.z).tobytes() == sample.z.tobytes()
    conditional.acts.set_slot_class("B", single(0))
    client.run()
    assert not conditional.state.b.latent and conditional.slots["B"].view.label == single(0)
    conditional.history.undo()
    client.run()
    assert conditional.slots["B"].view.label == single(2)
    assert conditional.store.latent(conditional.slots["B"].view.z).tobytes() == sample.z.tobytes()
    conditional.acts.set_crop("B", Crop(zoom=2.0))
    client.run()
    assert conditional.slots["B"].view.label == single(1), "cropped it is another picture, of the likeliest class"


def test_the_walk_goes_from_class_to_class(conditional, client, png):
    fill(conditional, client, png)
    frames, at = client.sent(WalkFrames)[-1], client.sent(WalkAt)[-1]
    assert (frames.label_a, frames.label_b) == (at.label_a, at.label_b) == (single(1), single(2))
    middle = between(single(1), single(2), 0.5)
    assert conditional.shown().label == conditional.frame().label == middle
    assert conditional.strip_latent(0.25).label == between(single(1), single(2), 0.25)
    assert conditional.strip_latent(0.0).label == single(1)
    conditional.acts.swap()
    client.run()
    assert (client.sent(WalkFrames)[-1].label_a, client.sent(WalkFrames)[-1].label_b) == (single(2), single(1))
    # A frame between two classes goes into a well as what it is, and the walk starts from there.
    frame = conditional.frame()
    conditional.acts.put_latent("A", frame)
    client.run()
    assert conditional.slots["A"].view.label == middle and client.sent(WalkFrames)[-1].label_a == middle
    assert conditional.store.latent(conditional.slots["A"].view.z).tobytes() == frame.z.tobytes()


def test_the_same_z_of_another_class_is_another_walk(conditional, client, png):
    fill(conditional, client, png)
    asked = len(client.sent(WalkFrames))
    conditional.acts.set_slot_class("A", single(2))
    client.run()
    # The stand-in gives the same z for every class.
    assert len(client.sent(WalkFrames)) == asked + 1 and client.sent(WalkFrames)[-1].label_a == single(2)


def test_another_model_knows_nothing_of_the_class(conditional, client, png, checkpoint, kinds):
    fill(conditional, client, png)
    conditional.acts.set_slot_class("A", single(0))
    conditional.acts.set_class(2)
    client.run()
    client.classes = 0
    conditional.choose_model(str(checkpoint))
    client.run()
    assert conditional.state.sampled_class == -1 and client.sent(SamplePage)[-1].label == ()
    assert [request.label for request in client.sent(EncodePicture)[-2:]] == [(), ()]
    assert (client.sent(WalkFrames)[-1].label_a, client.sent(WalkFrames)[-1].label_b) == ((), ())
    client.classes = 3
    conditional.history.undo()
    client.run()
    assert conditional.state.model == str(kinds) and conditional.state.sampled_class == 2
    assert (conditional.slots["A"].view.label, conditional.slots["B"].view.label) == (single(0), single(2))


def test_a_restarted_engine_is_asked_for_the_same_classes(conditional, client, png):
    fill(conditional, client, png)
    conditional.acts.set_class(1)
    conditional.acts.set_slot_class("A", single(0))
    client.run()
    conditional.engine_restarted()
    client.run()
    assert client.sent(SamplePage)[-1].label == single(1)
    assert {request.place: request.label for request in client.sent(EncodePicture)[-2:]} == {"A": single(0), "B": single(2)}
    assert (client.sent(WalkFrames)[-1].label_a, client.sent(WalkFrames)[-1].label_b) == (single(0), single(2))


def test_a_class_beyond_the_models_is_not_asked_for(kinds, client, qapp):
    client.classes = 3
    controller = Controller(client, History(ExplorerState(model=str(kinds), sampled_class=7)), Store())
    controller.start()
    assert client.sent(SamplePage)[-1].label == ()
    client.run()


def test_a_z_without_a_class_is_encoded_anew(conditional, client, png):
    fill(conditional, client, png)
    sample = conditional.page.view.slots[3]
    from dataclasses import replace

    for label in ((), single(9)):
        conditional.acts.put_latent("A", replace(sample, label=label))
        client.run()
        view = conditional.slots["A"].view
        assert view.label == single(1) and view.chosen == () and conditional.walk.view.complete


# -- recipes and drops ----------------------------------------------------------------------------------------------


def test_a_recipe_brings_the_classes_back(conditional, client, png):
    fill(conditional, client, png)
    conditional.acts.set_slot_class("A", single(0))
    conditional.acts.set_class(2)
    client.run()
    for data in (Exporter(conditional).page(everything=True), Exporter(conditional).strip()):
        found = recipe.extract(data)
        assert found[recipe.VERSION_KEY] == 2 and found["explorer"]["schema"] == 2
        state = read_recipe(json.loads(json.dumps(found)), Store())
        assert (state.sampled_class, state.a.label, state.b.label) == (2, single(0), single(2))


def test_a_saved_sample_and_a_dragged_one_keep_their_class(conditional, client):
    sample = conditional.page.view.slots[5]
    png = Exporter(conditional).picture(sample)
    assert recipe.extract(png)[recipe.VERSION_KEY] == 2
    (item,) = read_mime(mime_of(sample, png, "sample.png"))
    assert read_latent(recipe.extract(png) or {}, png).label == item.latent.label == single(2)


def test_a_model_without_classes_writes_recipes_as_before(controller, client, png):
    client.run()
    fill(controller, client, png)
    for data in (Exporter(controller).page(), Exporter(controller).picture(controller.page.view.slots[1])):
        found = recipe.extract(data)
        assert found[recipe.VERSION_KEY] == 1 and found["explorer"]["schema"] == 1
        assert "label" not in found.get("latent", {}) and "sampled_class" not in found["explorer"]


# -- the widgets ----------------------------------------------------------------------------------------------------


def test_without_classes_nothing_is_seen_of_them(workspace, client, bundle):
    workspace.controller.acts.put_picture("A", (bundle / "examples" / "red.png").read_bytes(), "red.png")
    client.run()
    parts = [workspace.canvas().of_class, workspace.inspector().kind, *(w.stats.of_class for w in workspace.slots.values())]
    assert not any(part.isVisibleTo(workspace.window_for_test) for part in parts)
    assert workspace.slots["A"].stats.notice.isVisible() and workspace.canvas().new_button.text() == "New samples"


def test_the_chooser_of_the_samples(offered, client, qtbot):
    chooser = offered.canvas().of_class
    assert chooser.isVisible() and chooser.accessibleName() == "Class of the samples"
    assert [chooser.itemText(i) for i in range(chooser.count())] == ["All classes", "cat", "dog", "owl"]
    chooser.setFocus()
    qtbot.keyClick(chooser, Qt.Key.Key_Down)
    assert offered.history.state.sampled_class == 0 and client.sent(SamplePage)[-1].label == single(0)
    client.run()
    offered.acts.select(3)
    assert offered.inspector().kind.isVisible() and offered.inspector().kind.value.text() == "cat"
    offered.history.undo()
    offered.history.undo()
    assert chooser.current() == "-1"
    client.run()
    offered.acts.select(5)
    assert offered.inspector().kind.value.text() == "owl"


def test_the_choosers_go_with_the_model(offered, client):
    assert offered.canvas().of_class.isVisible()
    client.classes = 0
    offered.history.undo()
    client.run()
    assert not offered.canvas().of_class.isVisible() and not offered.inspector().kind.isVisible()


def test_a_slot_says_its_class_and_takes_another(offered, client, bundle, qtbot):
    offered.controller.acts.put_picture("A", (bundle / "examples" / "red.png").read_bytes(), "red.png")
    offered.acts.put_latent("B", offered.controller.page.view.slots[2])
    client.run()
    first, second = (offered.slots[which].stats.of_class for which in "AB")
    assert (first.currentText(), second.currentText()) == ("dog, likeliest", "owl")
    assert (first.accessibleName(), second.accessibleName()) == ("Class of A", "Class of B")
    assert offered.inspector().kind.value.text() == "dog 50 %, owl 50 %"
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    client.run()
    assert offered.history.state.a.label == single(0) and first.currentText() == "cat"
    assert first.itemText(0) == "Likeliest"
    qtbot.keyClick(first, Qt.Key.Key_Home)
    client.run()
    assert offered.history.state.a.label == () and first.currentText() == "dog, likeliest"
    offered.send("A")
    client.run()
    assert first.currentText() == "dog 50 %, owl 50 %", "a frame between two classes"


def test_the_session_brings_the_classes_back(offered, client, bundle, qtbot):
    from flow_explorer.explorer.workspace import create

    offered.controller.acts.put_picture("A", (bundle / "examples" / "red.png").read_bytes(), "red.png")
    offered.acts.put_latent("B", offered.controller.page.view.slots[2])
    offered.acts.set_slot_class("A", single(0))
    offered.acts.set_class(1)
    client.run()
    stored = json.loads(json.dumps(offered.state()))
    other = create(offered.context)
    for widget in (other, other.canvas(), other.inspector(), other.topbar()):
        qtbot.addWidget(widget)
    other.restore(stored)
    qtbot.waitUntil(lambda: other.controller.started)
    client.run()
    assert other.history.state == offered.history.state and other.canvas().of_class.current() == "1"
    assert [other.controller.slots[which].view.label for which in "AB"] == [single(0), single(2)]


def test_the_chooser_stands_between_new_samples_and_the_count(offered):
    canvas = offered.canvas()
    assert canvas.new_button.nextInFocusChain() is canvas.of_class
    assert canvas.of_class.geometry().right() < canvas.count.geometry().left()


@pytest.mark.parametrize("size", [(906, 640), (1066, 820), (2180, 1360), (650, 592)])
def test_nothing_is_cut_or_overlaps(offered, client, bundle, size):
    offered.controller.acts.put_picture("A", (bundle / "examples" / "red.png").read_bytes(), "red.png")
    offered.acts.put_latent("B", offered.controller.page.view.slots[2])
    client.run()
    canvas = offered.canvas()
    canvas.setParent(None)
    canvas.resize(*size)
    canvas.show()
    parts = [canvas.grid, canvas.controls, *canvas.slots.values(), canvas.walk]
    for index, part in enumerate(parts):
        assert canvas.rect().contains(part.geometry()), part
        for other in parts[index + 1 :]:
            assert not part.geometry().intersects(other.geometry()), (part, other)
    for slot in canvas.slots.values():
        stats = slot.stats
        places = [stats.of_class, stats.crop_button, stats.more_button, stats.typicality]
        for index, part in enumerate(places):
            assert part.isVisible() and stats.rect().contains(part.geometry()), (size, part)
            for other in places[index + 1 :]:
                assert not part.geometry().intersects(other.geometry()), (size, part, other)
    controls = [canvas.new_button, canvas.of_class, canvas.count, canvas.seed]
    for before, after in zip(controls, controls[1:], strict=False):
        assert before.geometry().right() < after.geometry().left()
    assert canvas.controls.rect().contains(canvas.seed.geometry())
    canvas.setParent(offered.window_for_test)


def test_a_page_keeps_the_pictures_of_a_slider_drag_in_its_class(conditional, client):
    conditional.acts.set_class(1)
    client.run()
    for value in (0.8, 0.9):
        conditional.acts.set_temperature(value)
    client.run()
    assert all(request.label == single(1) for request in client.sent(SamplePage)[-3:])
    assert {slot.label for slot in conditional.page.view.slots} == {single(1)}
    assert np.unique(conditional.page.view.temperatures).tolist() == [0.9]
