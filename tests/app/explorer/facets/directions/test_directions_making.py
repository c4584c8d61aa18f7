"""Directions made from marks, folders and axes; opened and saved."""

from __future__ import annotations

import json

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from flow_explorer.engine.requests import directions as rd
from flow_explorer.explorer.facets.directions.state import DirectionsState
from flowcore.errors import ConfigError
from tests.app.explorer.facets.directions.case import LEFT, drop, rows


def ask(engine, request) -> list:
    """Every answer to a request; raises what it failed with."""
    answers, errors = [], []
    engine.send(request, on_answer=answers.append, on_error=lambda sentence, _details: errors.append(sentence))
    assert engine.wait_until_idle(60_000)
    if errors:
        raise ConfigError(errors[0])
    return answers


def test_marks_make_a_direction_that_is_renamed_and_deleted_and_all_of_it_undone(facet, client, workspace, qtbot):
    view = facet.widget()
    view.pane.button("make").click()
    grid = view.make.grid
    grid.resize(276, 276)
    assert view.make.make_marks.isEnabled() is False and "Nothing is marked" in view.make.count.text()
    for index in (1, 2, 2, 5, 6, 6, 6):
        qtbot.mouseClick(grid, LEFT, pos=grid.cell(index).center().toPoint())
    slots = workspace.controller.page.view.slots
    assert [grid._marks[index] for index in (1, 2, 5, 6)] == [1, -1, 1, 0] and view.make.count.text() == "2 more, 1 less"
    qtbot.mouseClick(view.make.make_marks, LEFT)
    assert facet.link.making and view.make.progress.isVisibleTo(view)
    client.run()
    (request,) = client.sent(rd.FromLatents)
    assert np.array_equal(request.more, np.stack([slots[1].z, slots[5].z])) and np.array_equal(request.less[0], slots[2].z)
    made = rows(facet)[-1]
    assert made.slider.label.text() == "Marked" and facet.state.hand == made.key and view.panes.currentIndex() == 0
    assert made.quality.text() == "Too few pictures to measure it on"
    made.unfold(True)
    made.name.setText("A nod")
    qtbot.keyClick(made.name, Qt.Key.Key_Return)
    assert made.slider.label.text() == "A nod" and facet.state.held[0].title == "A nod"
    qtbot.mouseClick(made.delete, LEFT)
    client.run()
    assert len(rows(facet)) == 2 and not facet.state.held
    workspace.history.undo()
    client.run()
    assert rows(facet)[-1].slider.label.text() == "A nod"
    while workspace.history.can_undo:
        workspace.history.undo()
    assert facet.state == DirectionsState()


def test_marks_stay_over_pages_and_can_be_set_by_keys(facet, client, qtbot):
    view = facet.widget()
    view.show_pane("make")
    qtbot.keyClick(view.make.grid, Qt.Key.Key_Right)
    qtbot.keyClick(view.make.grid, Qt.Key.Key_Space)
    assert view.make.grid._marks[:3] == [0, 1, 0]
    qtbot.mouseClick(view.make.other_samples, LEFT)
    client.run()
    assert view.make.grid._marks[:3] == [0, 0, 0] and len(facet.state.more) == 1
    facet.host.controller.history.undo()
    client.run()
    assert view.make.grid._marks[:3] == [0, 1, 0]


def test_two_dropped_folders_make_a_direction_and_broken_ones_say_so(facet, client, tmp_path, workspace, qtbot):
    folders = [tmp_path / name for name in ("with", "without")]
    for folder in folders:
        folder.mkdir()
    workspace.drop(drop(*folders))
    view = facet.widget()
    assert (facet.state.more_folder, facet.state.less_folder) == tuple(map(str, folders)) and view.panes.currentIndex() == 1
    assert workspace.history.state.a.empty  # it was no picture for a well
    client.fail = rd.FromFolders
    qtbot.mouseClick(view.make.make_folders, LEFT)
    client.run()
    assert view.make.problem.text() == "It could not be computed." and not facet.link.making
    client.fail = None
    qtbot.mouseClick(view.make.make_folders, LEFT)
    (entry,) = [entry for entry in client.asked if isinstance(entry.request, rd.FromFolders)]
    entry.progress(0.25, "5 of 20 pictures")
    assert view.make.progress.label.text() == "5 of 20 pictures"
    qtbot.mouseClick(view.make.progress.cancel_button, LEFT)
    assert entry.id in client.cancelled and not facet.link.making and not facet.state.held
    qtbot.mouseClick(view.make.make_folders, LEFT)
    client.run()
    assert rows(facet)[-1].slider.label.text() == "with" and view.make.problem.text() == ""


def test_one_folder_after_the_other_and_the_axes_of_one(facet, client, tmp_path, qtbot):
    view = facet.widget()
    assert facet.drop(drop(tmp_path)) and facet.state.more_folder == str(tmp_path)
    view.make.source.button("axes").click()
    view.make.axes_source.button("folder").click()
    qtbot.mouseClick(view.make.make_axes, LEFT)
    client.run()
    (request,) = client.sent(rd.FromFolders)
    assert (request.more, request.less, request.axes) == (str(tmp_path), "", 2)
    assert [row.held.title for row in facet.link.rows(facet.state)][2:] == [f"{tmp_path.name}, axis {n}" for n in (1, 2)]
    view.make.axes_source.button("page").click()
    qtbot.mouseClick(view.make.make_axes, LEFT)
    client.run()
    assert len(client.sent(rd.FromLatents)[0].more) == 16
    view.make.folders["more"].cleared.emit()
    assert facet.state.more_folder == ""


def test_a_dropped_file_is_opened_a_picture_goes_to_a_slot_and_save_writes(facet, client, tmp_path, workspace, png, notices):
    from safetensors.numpy import save_file

    path = tmp_path / "smile.safetensors"
    save_file({"direction": np.ones(3, np.float32)}, path, metadata={"format": "flow-explorer-direction", "card": "{}"})
    workspace.drop(drop(path))
    client.run()
    assert client.sent(rd.OpenDirection)[0].path == str(path) and rows(facet)[-1].slider.label.text() == "opened"
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    workspace.drop(drop(picture))
    assert not workspace.history.state.a.empty
    key = rows(facet)[-1].key
    facet.rename(key, "Mine")
    facet.save_to(key, str(tmp_path / "out.safetensors"))
    client.run()
    (request,) = client.sent(rd.SaveDirection)
    assert json.loads(request.card)["name"] == "Mine" and "Saved" in notices[-1][0]


def test_what_can_be_saved_is_offered_and_asked_for(facet, client, tmp_path, workspace, qtbot):
    entries = {text: (act, enabled) for text, act, enabled in workspace.save_menu()}
    act, enabled = entries["Strip of the direction as PNG…"]
    assert enabled
    act()
    dialog = facet.widget().window().findChild(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "strip.png"))
    dialog.close()
    from flowcore.pictures.images import read_picture

    assert read_picture(tmp_path / "strip.png").pixels.shape[:2] == (8, 56)
