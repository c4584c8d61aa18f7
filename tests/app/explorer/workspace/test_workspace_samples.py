"""The page of samples: selected, tempered, drawn anew."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible

from flow_explorer.engine.requests.explorer import SamplePage
from flow_explorer.widgets.cells import CellView
from tests.app.explorer.workspace.case import fill, state


def test_first_view(workspace, client):
    page = client.sent(SamplePage)[0]
    assert (page.seed, page.temperature, page.count) == (4, 0.7, 16)
    assert workspace.grid.current == 0 and workspace.inspector().picture.array() is not None
    assert workspace.topbar().texts == ("Tiny", "Glow 8×8 · 3.50 bpd · CC0")
    assert workspace.wells["A"].empty.isVisible() and workspace.walk.empty.isVisible()


def test_click_selects_and_arrows_move(workspace, qtbot, client):
    grid = workspace.grid
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.cell(6).center().toPoint())
    assert state(workspace).selected == 6
    np.testing.assert_array_equal(workspace.inspector().picture.array(), workspace.controller.page.view.picture(6))
    for key, index in ((Qt.Key.Key_Down, 10), (Qt.Key.Key_Left, 9), (Qt.Key.Key_Up, 5), (Qt.Key.Key_Home, 0),
                       (Qt.Key.Key_Left, 0), (Qt.Key.Key_End, 15), (Qt.Key.Key_Right, 15)):
        qtbot.keyClick(grid, key)
        assert state(workspace).selected == index
    qtbot.waitUntil(lambda: bool(client.asked))
    client.run()
    assert workspace.inspector().bpd.value.text() == "2.50"
    assert "held-out" in workspace.inspector().likelier.value.text()
    assert grid.accessibleDescription() == "16 samples, sample 16 selected"


def test_enter_puts_the_sample_in_the_first_empty_well(workspace, qtbot, client):
    qtbot.keyClick(workspace.grid, Qt.Key.Key_Return)
    qtbot.keyClick(workspace.grid, Qt.Key.Key_Right)
    qtbot.keyClick(workspace.grid, Qt.Key.Key_Return)
    client.run()
    assert not state(workspace).a.empty and not state(workspace).b.empty and workspace.controller.walk.possible


def test_temperature_slider(workspace, qtbot, client):
    slider = workspace.inspector().temperature
    slider.track.setFocus()
    for _ in range(5):
        qtbot.keyClick(slider.track, Qt.Key.Key_Right)
    assert state(workspace).temperature == 0.75 and workspace.history.length == 1
    client.run()
    assert client.sent(SamplePage)[-1].temperature == 0.75
    workspace.history.undo()
    assert slider.value() == 0.7


def test_temperature_per_level(workspace, qtbot, client):
    panel = workspace.inspector()
    assert panel.per_level.isVisible() and not panel.per_level.is_unfolded()
    qtbot.mouseClick(panel.per_level.header, Qt.MouseButton.LeftButton)
    assert [panel.per_level.body.itemAt(i).widget().label.text() for i in range(3)] == ["Coarse", "Middle", "Fine"]
    before = workspace.controller.page.view.slots[0].z
    fine, middle, coarse = panel.levels
    for _ in range(3):
        qtbot.keyClick(fine.track, Qt.Key.Key_Left)
    assert state(workspace).temperatures(3) == (0.67, 0.7, 0.7) and workspace.history.length == 1
    client.run()
    assert client.sent(SamplePage)[-1].temperature == (0.67, 0.7, 0.7)
    # The finest level's numbers come first in z, and they alone have moved.
    after, third = workspace.controller.page.view.slots[0].z, 64
    np.testing.assert_allclose(after[:third], before[:third] * 0.67 / 0.7, rtol=1e-6)
    np.testing.assert_array_equal(after[third:], before[third:])
    fine.editing_finished.emit()
    qtbot.keyClick(coarse.track, Qt.Key.Key_End)
    assert state(workspace).temperatures(3) == (0.67, 0.7, 1.5) and workspace.history.length == 2
    assert panel.temperature.value() == 1.5
    workspace.history.undo()
    assert (fine.value(), middle.value(), coarse.value()) == (0.67, 0.7, 0.7)
    fine.reset_button.click()
    assert state(workspace).temperatures(3) == 0.7 and state(workspace).profile == ()
    qtbot.keyClick(panel.temperature.track, Qt.Key.Key_Right)
    assert [slider.value() for slider in panel.levels] == [0.71] * 3 and state(workspace).profile == ()
    client.run()
    assert client.sent(SamplePage)[-1].temperature == 0.71


def test_a_model_of_one_level_offers_no_temperature_per_level(workspace, client, make_checkpoint):
    panel = workspace.inspector()
    workspace.acts.set_level_temperature(2, 1.2, 3)
    one = make_checkpoint("one", architecture={"system": "nice", "shape": [3, 8, 8]})
    workspace.controller.choose_model(str(one))
    client.run()
    assert not panel.per_level.isVisible() and client.sent(SamplePage)[-1].temperature == 0.7
    workspace.history.undo()
    client.run()
    assert panel.per_level.isVisible() and client.sent(SamplePage)[-1].temperature == (0.7, 0.7, 1.2)


def test_new_samples_count_and_seed(workspace, qtbot, client):
    canvas = workspace.canvas()
    qtbot.mouseClick(canvas.new_button, Qt.MouseButton.LeftButton)
    assert state(workspace).seed == 5 and canvas.seed.value() == 5
    canvas.seed.setFocus()
    canvas.seed.selectAll()
    qtbot.keyClicks(canvas.seed, "18")
    qtbot.keyClick(canvas.seed, Qt.Key.Key_Return)
    assert state(workspace).seed == 18
    canvas.count.setCurrentIndex(3)
    canvas.count.activated.emit(3)
    assert state(workspace).count == 64 and workspace.grid.count == 64
    client.run()
    assert workspace.controller.page.view.complete
    for expected in (16, 5, 4):
        workspace.history.undo()
        assert expected in (state(workspace).count, canvas.seed.value())


def test_a_screen_reader_finds_every_picture_of_the_page_and_of_the_walk(workspace, client, bundle, qtbot):
    fill(workspace, bundle, client)
    qtbot.mouseClick(workspace.grid, Qt.MouseButton.LeftButton, pos=workspace.grid.cell(6).center().toPoint())
    views = [view for view in workspace.window_for_test.findChildren(CellView) if view.isVisible()]
    assert workspace.grid in views and workspace.walk.strip in views
    for view in views:
        reader = QAccessible.queryAccessibleInterface(view)
        names = [reader.child(index).text(QAccessible.Text.Name) for index in range(reader.childCount())]
        assert names and all(names) and len(set(names)) == len(names), view
    reader = QAccessible.queryAccessibleInterface(workspace.grid)
    cells = [reader.child(index) for index in range(reader.childCount())]
    assert [cell.text(QAccessible.Text.Name) for cell in cells if cell.state().selected] == ["Sample 7"]
