"""A map comes to be: a folder or samples, while they are encoded, what fails, and what can be chosen."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QFileDialog

from flow_explorer import theme
from flow_explorer.engine.requests.map import MapEncode
from flow_explorer.explorer.facets.map.state import MapState
from tests.app.explorer.facets.map.case import (
    LEFT,
    drop,
    encodes,
    state,
)


def test_an_empty_map_says_what_goes_here(mapped, qtbot, monkeypatch):
    assert mapped.panel.empty.isVisible() and not mapped.canvas.isVisible() and not encodes(mapped)
    assert "folder" in mapped.panel.empty.label.text()
    opened = []
    monkeypatch.setattr(QFileDialog, "open", lambda dialog: opened.append(dialog.fileMode()))
    qtbot.mouseClick(mapped.panel.folder_button, LEFT)
    assert opened == [QFileDialog.FileMode.Directory]


def test_a_dropped_folder_becomes_a_map(mapped, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert drop(mapped.workspace.window_for_test, folder)
    (request,) = encodes(mapped)
    assert (request.path, request.method, request.levels, request.have) == (str(folder), "pca", (), 0)
    assert mapped.panel.progress.isVisibleTo(mapped.panel) and mapped.facet.busy
    mapped.client.run()
    assert not mapped.facet.busy and not mapped.panel.progress.isVisibleTo(mapped.panel)
    text = mapped.panel.status.text()
    assert "40 pictures" in text and "25.0 %" in text and "1 left out" in text and "damaged" in mapped.panel.status.toolTip()
    assert "damaged" in mapped.side.left.text() and mapped.side.left_fold.isVisibleTo(mapped.side)
    assert mapped.canvas.isVisible() and mapped.panel.source.text() == "pictures"
    mapped.history.undo()
    assert mapped.panel.empty.isVisible() and not mapped.facet.link.data.count
    mapped.history.redo()
    mapped.client.run()
    assert mapped.facet.link.data.count == 40


def test_a_dropped_run_folder_or_picture_is_not_the_maps(mapped, tmp_path, bundle):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    assert drop(mapped.workspace.window_for_test, run) and not encodes(mapped)
    drop(mapped.workspace.window_for_test, bundle / "examples" / "red.png")
    mapped.client.run()
    assert not encodes(mapped) and not mapped.history.state.a.empty
    (tmp_path / "data.npz").write_bytes(b"")
    drop(mapped.workspace.window_for_test, tmp_path / "data.npz")
    assert encodes(mapped)[0].path.endswith("data.npz")


def test_pictures_appear_while_they_are_encoded_and_move_to_their_places(mapped, tmp_path, monkeypatch, qtbot):
    mapped.engine.stop_after = "rows"
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    data = mapped.facet.link.data
    assert data.count == 16 and data.placed == 16 and not data.complete
    qtbot.waitUntil(lambda: len(mapped.canvas._points) == 16)
    assert "16 of 40" in mapped.panel.progress.label.text()
    mapped.facet.select(3)
    assert "once all" in mapped.side.nothing.text()
    # The rest comes: what is there goes to its new place, eased, in at most 200 ms.
    monkeypatch.setattr(theme, "animations_enabled", lambda: True)
    before = mapped.canvas.place_of(0)
    mapped.engine.stop_after = None
    mapped.facet._again()
    mapped.client.run()
    assert mapped.canvas._motion.duration() <= 200 and mapped.canvas._motion.state() == mapped.canvas._motion.State.Running
    assert (mapped.canvas.place_of(0) - before).manhattanLength() < 40
    qtbot.waitUntil(lambda: mapped.canvas._old_points is None)
    np.testing.assert_allclose(mapped.canvas._now()[0], mapped.engine.points)


def test_stopping_keeps_what_there_is_and_the_rest_can_follow(mapped, tmp_path, qtbot):
    mapped.engine.stop_after = "rows"
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    qtbot.mouseClick(mapped.panel.progress.cancel_button, LEFT)
    assert state(mapped).limit == 16 and (encodes(mapped)[-1].limit, encodes(mapped)[-1].have) == (16, 16)
    mapped.engine.stop_after = None
    mapped.client.run()
    assert mapped.facet.link.data.complete and "16 of 40" in mapped.panel.status.text()
    qtbot.mouseClick(mapped.panel.rest, LEFT)
    mapped.client.run()
    assert mapped.facet.link.data.count == 40 and encodes(mapped)[-1].have == 16
    assert not mapped.panel.rest.isVisibleTo(mapped.panel)
    mapped.history.undo()
    assert state(mapped).limit == 16


def test_a_map_that_is_only_being_read_is_given_up_whole(mapped, tmp_path, qtbot):
    mapped.facet.open_path(str(tmp_path))
    assert mapped.panel.progress.cancel_button.text() == "Cancel"
    qtbot.mouseClick(mapped.panel.progress.cancel_button, LEFT)
    assert state(mapped) == MapState() and mapped.panel.empty.isVisible() and not mapped.facet.busy
    assert not any(isinstance(entry.request, MapEncode) for entry in mapped.client.asked)


def test_umap_that_takes_long_is_given_up_for_pca(full, qtbot):
    full.panel.has_umap = True
    full.engine.stop_after = "arranging"
    qtbot.mouseClick(full.panel.method.button("umap"), LEFT)
    full.client.run()
    assert full.panel.progress.label.text() == "Laying out by UMAP"
    full.engine.stop_after = None
    qtbot.mouseClick(full.panel.progress.cancel_button, LEFT)
    full.client.run()
    assert state(full).method == "pca" and full.facet.link.data.complete


def test_a_failure_stands_on_the_map_and_can_be_tried_again(mapped, tmp_path, qtbot):
    mapped.client.fail = MapEncode
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    assert mapped.panel.failed.isVisible() and mapped.panel.failed.label.text() == "It could not be computed."
    assert not mapped.facet.busy and not mapped.canvas.isVisible()
    mapped.client.fail = None
    qtbot.mouseClick(mapped.panel.again, LEFT)
    mapped.client.run()
    assert mapped.canvas.isVisible() and mapped.facet.link.data.complete
    # Where there is a map already, it stays, and the sentence stands under it.
    mapped.client.fail = MapEncode
    mapped.facet._set("levels", levels=(0,))
    mapped.client.run()
    assert mapped.canvas.isVisible() and mapped.panel.problem.text() == "It could not be computed."
    mapped.client.fail = None
    qtbot.mouseClick(mapped.panel.retry, LEFT)
    mapped.client.run()
    assert not mapped.panel.problem.isVisibleTo(mapped.panel) and mapped.facet.link.data.complete


def test_another_engine_is_asked_for_everything_again(full):
    full.workspace.engine_restarted()
    full.client.run()
    assert len(encodes(full)) == 2 and full.facet.link.data.complete and full.facet.link.data.count == 40


def test_the_samples_on_the_page_are_a_map_with_their_own_z(mapped, qtbot):
    qtbot.mouseClick(mapped.panel.samples_button, LEFT)
    mapped.client.run()
    (request,) = encodes(mapped)
    page = mapped.workspace.controller.page.view.slots
    np.testing.assert_array_equal(request.pictures, np.stack([slot.picture for slot in page]))
    # So few are nearly all seen as pictures, none over another.
    canvas = mapped.canvas
    canvas._motion.stop()
    canvas._arrived()
    assert canvas.side >= 32 and len(canvas._thumbs) >= 0.7 * 16
    apart = np.abs(canvas._screen[1][canvas._thumbs][:, None] - canvas._screen[1][canvas._thumbs]).max(2)
    assert (apart[~np.eye(len(apart), dtype=bool)] >= canvas.side).all()
    mapped.facet.select(4)
    mapped.client.run()
    assert mapped.facet.large() is page[4] and mapped.facet.shown().title == page[4].name
    mapped.workspace.acts.new_samples()
    mapped.client.run()
    assert len(encodes(mapped)) == 2
    np.testing.assert_array_equal(encodes(mapped)[-1].pictures[0], mapped.workspace.controller.page.view.slots[0].picture)


def test_levels_method_and_colour_are_acts(full, qtbot):
    full.panel.has_umap = True
    qtbot.mouseClick(full.panel.method.button("umap"), LEFT)
    full.client.run()
    assert (encodes(full)[-1].method, encodes(full)[-1].have) == ("umap", 40) and full.facet.link.data.method == "umap"
    assert "variance" not in full.panel.status.text()
    full.panel.levels.setCurrentIndex(full.panel.levels.findText("Coarsest level"))
    full.panel.levels.activated.emit(full.panel.levels.currentIndex())
    full.client.run()
    assert encodes(full)[-1].levels == (2,) and "coarsest" in full.panel.status.text()
    full.panel.colour.setCurrentIndex(1)
    full.panel.colour.activated.emit(1)
    full.client.run()
    assert state(full).colour == "bpd" and len(encodes(full)) == 3 and full.canvas._colouring.ends is not None
    for _ in range(3):
        full.history.undo()
    full.client.run()
    assert state(full) == MapState("data", full.path) and encodes(full)[-1].method == "pca"


def test_without_classes_none_is_offered_to_colour_by(mapped, tmp_path):
    mapped.engine.classes = []
    (tmp_path / "pictures").mkdir()
    assert drop(mapped.workspace.window_for_test, tmp_path / "pictures")
    mapped.client.run()
    colour = mapped.panel.colour
    assert colour.current() == "none" and not colour.model().item(colour.findData("class")).isEnabled()
    assert state(mapped).colour == "class", "another map with classes is coloured by them"


def test_umap_that_is_missing_cannot_be_chosen_and_says_how(full):
    full.panel.has_umap = False
    button = full.panel.method.button("umap")
    assert not button.isEnabled() and "pip install 'flow-explorer[map]'" in button.toolTip()
