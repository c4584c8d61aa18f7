"""Targets of one's own, made by the real widgets: drawn, dropped, loaded, typed, reshaped. The engine only listens."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from flow_explorer.engine.client import Message
from flow_explorer.settings import Settings
from flow_explorer.toylab.state import ToyState
from flow_explorer.toylab.target.draw import DrawSheet
from flow_explorer.toylab.workspace import ToyLab
from flow_explorer.workspace import WorkspaceContext
from flowcore.plane.targets import targets as toy_targets
from flowcore.plane.targets.ink import SIDE

LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


_runs = itertools.count(1)


class Beside(QWidget):
    """The toy lab's canvas and column side by side, and what a window would be told."""

    def __init__(self, lab: ToyLab, told: list[str]) -> None:
        super().__init__()
        self.lab, self.told = lab, told


@pytest.fixture(scope="module")
def window(qapp, listener, tmp_path_factory):
    """The toy lab over an engine that only listens, its canvas and column side by side."""
    told: list[str] = []
    settings = Settings(tmp_path_factory.mktemp("targets") / "settings.json")
    lab = ToyLab(WorkspaceContext(listener, settings, notify=lambda words, *_rest, **_more: told.append(words)))
    window = Beside(lab, told)
    row = QHBoxLayout(window)
    row.addWidget(lab.canvas(), 1)
    lab.inspector().setFixedWidth(300)
    row.addWidget(lab.inspector())
    window.resize(1200, 680)
    window.show()
    lab.controller.start()
    yield window
    lab.targets.wait()
    window.close()
    lab.deleteLater()
    window.deleteLater()
    qapp.processEvents()


@pytest.fixture
def told(window):
    """What the window was told, in this test."""
    window.told.clear()
    return window.told


@pytest.fixture
def lab(qtbot, window):
    """The toy lab as it is when it is new."""
    lab = window.lab
    if lab.targets.sheet() is not None:
        lab.targets.sheet().leave()
    lab.history.reset(ToyState(run=1000 * next(_runs)))
    lab.canvas().density.which.set_current("model")
    for sheet in lab.targets._sheets.values():
        if hasattr(sheet, "surface"):
            sheet.choose_tool("pen")
            sheet.set_size(10)
    return lab


@pytest.fixture
def silent(listener):
    return listener


def plain(lab) -> bool:
    """Whether the settings are those of a new lab."""
    return replace(lab.controller.state, run=1) == ToyState()


def line(qtbot, surface, start, end):
    """A stroke from one place to another, in shares of the paper."""
    area = surface.area()
    first, last = (QPoint(round(area.x() + x * area.width()), round(area.y() + y * area.height())) for x, y in (start, end))
    qtbot.mousePress(surface, LEFT, pos=first)
    qtbot.mouseMove(surface, last)
    qtbot.mouseRelease(surface, LEFT, pos=last)


def drop(widget, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    rest = (Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(20, 20), *rest))
    QApplication.sendEvent(widget, QDropEvent(QPointF(20, 20), *rest))


def opened(qtbot, lab, kind):
    """The sheet that the picker's tile opens."""
    lab.inspector().density.kind_chosen.emit(kind)
    return lab.targets.sheet()


def checked(qtbot, sheet, text):
    sheet.line.setFocus()
    sheet.line.selectAll()
    qtbot.keyClicks(sheet.line, text)
    qtbot.waitUntil(sheet.is_settled, timeout=10_000)


# -- drawing --


def test_strokes_are_undone_one_by_one_and_use_is_one_act(qtbot, lab, silent):
    sheet = opened(qtbot, lab, "draw")
    surface = sheet.surface
    assert not sheet.use.isEnabled() and sheet.accessibleName()
    line(qtbot, surface, (0.2, 0.5), (0.8, 0.5))
    line(qtbot, surface, (0.5, 0.2), (0.5, 0.8))
    ink = surface.values()
    assert ink[SIDE // 2, 40] == 255 and ink[40, SIDE // 2] == 255 and ink[10, 10] == 0
    qtbot.keyClick(surface, Qt.Key.Key_Z, CTRL)
    assert surface.values()[40, SIDE // 2] == 0 and surface.values()[SIDE // 2, 40] == 255
    assert lab.history.length == 0  # the lab's own undo was not meant
    qtbot.keyClick(surface, Qt.Key.Key_Z, CTRL | SHIFT)
    assert np.array_equal(surface.values(), ink)
    qtbot.mouseClick(sheet.use, LEFT)
    state = lab.controller.state
    assert lab.targets.sheet() is None and lab.history.length == 1
    assert np.array_equal(toy_targets.grid_of(state.target), ink) and state.target["source"] == "drawn"
    assert silent.last.entries[0]["target"] == state.target and silent.last.run == state.run
    lab.history.undo()
    assert plain(lab)


def test_clear_is_a_stroke_and_cancel_changes_nothing(qtbot, lab):
    sheet = opened(qtbot, lab, "draw")
    line(qtbot, sheet.surface, (0.2, 0.5), (0.8, 0.5))
    qtbot.mouseClick(sheet.clear, LEFT)
    assert sheet.surface.is_blank() and not sheet.use.isEnabled() and not sheet.clear.isEnabled()
    qtbot.mouseClick(sheet.undo, LEFT)
    assert not sheet.surface.is_blank() and sheet.redo.isEnabled()
    qtbot.keyClick(sheet.surface, Qt.Key.Key_Escape)
    assert lab.targets.sheet() is None and plain(lab) and lab.history.length == 0


def test_drawing_begins_with_the_ink_of_the_target(qtbot, lab):
    values = np.zeros((SIDE, SIDE), np.uint8)
    values[20:30, 90:100] = 200
    lab.controller.set_target(toy_targets.from_grid(values, "Mine"), "Drawing")
    panel = lab.inspector()
    assert panel.density.text() == "Mine" and lab.topbar().texts[0] == "Mine"
    qtbot.mouseClick(panel.shape.edit, LEFT)
    assert np.array_equal(lab.targets.sheet().surface.values(), values)


def test_tools_have_keys_and_do_what_they_say(qtbot, lab):
    sheet = opened(qtbot, lab, "draw")
    surface = sheet.surface
    for key, tool in ((Qt.Key.Key_A, "air"), (Qt.Key.Key_E, "eraser"), (Qt.Key.Key_M, "magnet"), (Qt.Key.Key_P, "pen")):
        qtbot.keyClick(surface, key)
        assert surface.tool == tool == sheet.tools.current()
    before = surface.size_
    qtbot.keyClicks(surface, "]]]")
    assert surface.size_ == before + 6 == sheet.size_slider.value()
    qtbot.keyClicks(surface, "[" * 40)
    assert surface.size_ == 1
    sheet.set_size(20)
    line(qtbot, surface, (0.3, 0.5), (0.7, 0.5))
    full = float(surface.sheet.sum())
    qtbot.mouseClick(sheet.tools.buttons["magnet"], LEFT)
    line(qtbot, surface, (0.72, 0.46), (0.7, 0.44))
    assert float(surface.sheet.sum()) == pytest.approx(full, rel=1e-4) and surface.can_undo
    qtbot.mouseClick(sheet.tools.buttons["eraser"], LEFT)
    line(qtbot, surface, (0.5, 0.4), (0.5, 0.6))
    assert surface.sheet[SIDE // 2, SIDE // 2] == 0
    qtbot.mouseClick(sheet.tools.buttons["air"], LEFT)
    line(qtbot, surface, (0.1, 0.1), (0.1, 0.1))
    assert 0 < surface.sheet[13, 13] < 0.5


def test_drawing_by_keys_and_no_key_reaches_the_lab(qtbot, lab):
    sheet = opened(qtbot, lab, "draw")
    surface = sheet.surface
    qtbot.keyClick(surface, Qt.Key.Key_Space)
    for _ in range(5):
        qtbot.keyClick(surface, Qt.Key.Key_Right, SHIFT)
    qtbot.keyClick(surface, Qt.Key.Key_Space)
    assert surface.values()[SIDE // 2, SIDE // 2 + 38] == 255 and not lab.controller.playing
    surface.undo()
    assert surface.is_blank()  # one stroke
    sheet.window().activateWindow()
    surface.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(surface.hasFocus)
    seen = []
    for _ in range(12):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
        assert sheet.isAncestorOf(seen[-1])
    assert len(set(seen)) > 4


# -- pictures and tables --


def test_a_dropped_picture_becomes_the_density(qtbot, lab, told, tmp_path, monkeypatch):
    monkeypatch.setattr("flow_explorer.toylab.target_worker.SMALL_BYTES", -1)  # as a large one, on another thread
    pixels = np.full((60, 90, 3), 255, np.uint8)
    pixels[20:40, 35:55] = 0
    Image.fromarray(pixels).save(tmp_path / "spot.png")
    drop(lab.canvas(), tmp_path / "spot.png")
    qtbot.waitUntil(lambda: lab.controller.state.target is not None, timeout=10_000)
    target = lab.controller.state.target
    grid = toy_targets.grid_of(target)
    assert target["source"] == "picture" and target["title"] == "spot" and lab.history.undo_label == "Picture"
    assert grid.max() > 200 and grid[0, 0] == 0 and told == []


def test_a_picture_dropped_on_the_drawing_is_a_stroke_and_no_file_ends_it(qtbot, lab, told, tmp_path):
    sheet = opened(qtbot, lab, "draw")
    line(qtbot, sheet.surface, (0.2, 0.5), (0.8, 0.5))
    drawn = sheet.surface.values()
    drop(lab.canvas(), write_table(tmp_path / "birds.csv"))
    lab.inspector().density.kind_chosen.emit("formula")
    assert lab.targets.sheet() is sheet and np.array_equal(sheet.surface.values(), drawn)
    assert told == ["Use the drawing first, or cancel it."] * 2
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[:20, :20] = 0
    Image.fromarray(pixels).save(tmp_path / "corner.png")
    drop(lab.canvas(), tmp_path / "corner.png")
    assert sheet.surface.values()[10, 10] == 255 and sheet.surface.values()[SIDE // 2, 40] == 0
    qtbot.keyClick(sheet.surface, Qt.Key.Key_Z, CTRL)
    assert np.array_equal(sheet.surface.values(), drawn) and plain(lab)


@pytest.mark.parametrize("name", ["text.png", "table.csv", "array.npy", "nothing.txt"])
def test_a_broken_file_is_one_sentence(qtbot, lab, told, tmp_path, name):
    (tmp_path / name).write_bytes(b"" if name == "nothing.txt" else b"no such thing")
    drop(lab.canvas(), tmp_path / name)
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    assert len(told) == 1 and told[0].endswith(".") and plain(lab) and lab.targets.sheet() is None


def write_table(path):
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{10 * a + b:.3f}" for a, b in rng.normal(size=(300, 2))]
    path.write_text("\n".join(["length,depth,mass", *rows, "NA,1.0,2.0", "1.0,,3.0"]) + "\n")
    return path


def test_a_table_asks_for_two_columns(qtbot, lab, told, tmp_path):
    drop(lab.canvas(), write_table(tmp_path / "birds.csv"))
    qtbot.waitUntil(lambda: lab.targets.sheet() is not None, timeout=10_000)
    sheet = lab.targets.sheet()
    assert [sheet.column_x.itemText(i) for i in range(sheet.column_x.count())] == ["length", "depth", "mass"]
    qtbot.waitUntil(sheet.use.isEnabled, timeout=10_000)
    assert "2 rows" in sheet.note.text() and "standardised" in sheet.note.text() and sheet.cloud.count() > 200
    before = sheet.cloud._points.copy()
    sheet.column_y.setFocus()
    qtbot.keyClick(sheet.column_y, Qt.Key.Key_Down)
    assert sheet.column_y.current() == "2"
    qtbot.waitUntil(sheet.use.isEnabled, timeout=10_000)
    assert not np.array_equal(before, sheet.cloud._points)
    qtbot.mouseClick(sheet.use, LEFT)
    target = lab.controller.state.target
    assert target["kind"] == "points" and lab.history.undo_label == "Points" and told == []
    assert lab.inspector().shape.note.text() == target["note"] and not lab.inspector().shape.fold.isVisible()


def test_the_same_column_twice_is_a_sentence_in_the_sheet(qtbot, lab, tmp_path):
    lab.targets.take_points(str(write_table(tmp_path / "birds.csv")))
    qtbot.waitUntil(lambda: lab.targets.sheet() is not None, timeout=10_000)
    sheet = lab.targets.sheet()
    sheet.column_y.setFocus()
    qtbot.keyClick(sheet.column_y, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: bool(sheet.sentence.text()), timeout=10_000)
    assert sheet.sentence.text().endswith(".") and not sheet.use.isEnabled()


# -- formulas --


def test_a_formula_is_checked_while_it_is_typed(qtbot, lab):
    sheet = opened(qtbot, lab, "formula")
    qtbot.waitUntil(sheet.is_settled, timeout=10_000)
    assert sheet.use.isEnabled()
    checked(qtbot, sheet, "-(x^2 + y^2")
    assert sheet.wrong.text().endswith(".") and sheet.wrong.property("tone") == "warning" and not sheet.use.isEnabled()
    checked(qtbot, sheet, "__import__('os')")
    assert sheet.wrong.text().endswith(".") and not sheet.use.isEnabled()
    checked(qtbot, sheet, "-(x^2 + y^2)")
    assert sheet.wrong.text() == sheet.target()["note"] and sheet.use.isEnabled() and not lab.controller.playing
    level = sheet.image.image
    assert level.shape[0] == level.shape[1] and level[64, 64] > 0.9 > 0.2 > level[64, 4]
    qtbot.keyClick(sheet.line, Qt.Key.Key_Return)
    assert lab.controller.state.target == toy_targets.from_formula("-(x^2 + y^2)")
    assert lab.topbar().texts[0].startswith("log p = -(x^2") and lab.targets.sheet() is None


def test_every_example_is_a_density_and_the_way_up_is_up(qtbot, lab):
    sheet = opened(qtbot, lab, "formula")
    for button in sheet.examples.values():
        qtbot.mouseClick(button, LEFT)
        qtbot.waitUntil(sheet.is_settled, timeout=10_000)
        assert sheet.use.isEnabled() and sheet.wrong.property("tone") == "muted", button.text()
    checked(qtbot, sheet, "-3*((x - 2)^2 + (y - 1)^2)")
    row, column = np.unravel_index(sheet.image.image.argmax(), sheet.image.image.shape)
    assert row / 128 > 0.55 and column / 128 > 0.65  # row 0 is the lowest in the panels


# -- the density's own shape --


def test_a_slider_reshapes_the_density_as_one_act(qtbot, lab, silent):
    shape = lab.inspector().shape
    shape.fold.set_unfolded(True)
    key, slider = next(iter(shape.sliders.items()))
    asked = len(silent.sent)
    for _ in range(3):
        qtbot.keyClick(slider.track, Qt.Key.Key_Right)
    state = lab.controller.state
    assert state.target == {"kind": "parameters", key: slider.value()} and lab.history.length == 1
    assert len(silent.sent) == asked + 3 and lab.topbar().texts[0] == "Two moons, reshaped"
    qtbot.mouseClick(shape.reset, LEFT)
    assert lab.controller.state.target is None and slider.value() == slider.default
    lab.history.undo()
    assert lab.controller.state == state and slider.value() == state.target[key]


def test_another_density_leaves_the_target_in_one_act(qtbot, lab):
    lab.controller.set_target(toy_targets.from_formula("-(x^2 + y^2)"), "Formula")
    picker = lab.inspector().density
    assert picker._kind() == "formula"
    picker.setFocus()
    qtbot.keyClick(picker, Qt.Key.Key_Down)
    state = lab.controller.state
    assert state.target is None and state.density == "eight-gaussians" and lab.history.undo_label == "Density"
    assert set(lab.inspector().shape.sliders) == {p.key for p in toy_targets.PARAMETERS["eight-gaussians"]}


# -- a density that nobody knows --


def test_of_points_there_is_no_true_density_and_no_entropy(qtbot, lab, silent, tmp_path):
    lab.canvas().density.which.set_current("truth")
    lab.controller.set_target(toy_targets.from_points(write_table(tmp_path / "birds.csv"), 0, 1, 0), "Points")
    request, answer, _ = silent.sent[-1]

    def send(kind, **arrays):
        values = {"run": request.run, "steps": [5], "seconds": [0.1], "entropy": None, "reach": 8.0}
        values |= {} if kind == "start" else {"nll": [2.4], "standard_error": [0.01], "leader": None}
        answer(Message(len(silent.sent), kind, values, arrays, False, request))

    send("start", data=np.zeros((4, 2)))
    send("rest", heat0=np.full((64, 64), 0.3, np.float32), layers0=np.zeros((9, 4, 2)))
    lab.canvas().draw()
    panel, loss = lab.canvas().density, lab.canvas().loss
    assert not panel.which.button("truth").isEnabled() and panel.which.current() == "model"
    assert "not the density itself" in panel.which.button("truth").toolTip()
    assert panel.image.image is not None and panel.image.levels[1] == pytest.approx(0.3)
    assert loss.curve.isVisible() and not loss.entropy.isVisible() and not loss.entropy_label.isVisible()
    assert "(+" not in lab.topbar().texts[1] and "2.40 nat" in lab.topbar().texts[1]
    assert lab.canvas().samples.plot.box.viewRange()[1] == [-8, 8]
    lab.history.undo()
    request, answer, _ = silent.sent[-1]
    values = {"run": request.run, "steps": [0], "seconds": [0.0], "entropy": 1.8, "reach": 4.0}
    answer(Message(len(silent.sent), "start", values, {"data": np.zeros((4, 2))}, False, request))
    lab.canvas().draw()
    assert panel.which.button("truth").isEnabled() and loss.entropy.isVisible()
    assert lab.canvas().samples.plot.box.viewRange()[1] == [-4, 4]


# A sheet takes the keyboard, which the off-screen platform cannot give.
@pytest.mark.qt_log_ignore(r"This plugin does not support (grabbing the keyboard|raise\(\))")
def test_the_pickers_sheet_has_four_more_kinds(qtbot, lab):
    picker = lab.inspector().density
    qtbot.mouseClick(picker, LEFT)
    sheet = picker._sheet
    assert [tile.name for tile in sheet.kinds] == ["draw", "picture", "points", "formula"]
    assert all(tile.accessibleName() and tile.toolTip() for tile in sheet.kinds)
    for _ in range(5):
        qtbot.keyClick(sheet, Qt.Key.Key_Down)
    qtbot.keyClick(sheet, Qt.Key.Key_Return)
    assert not sheet.isVisible() and lab.targets.sheet() is lab.targets._sheets[DrawSheet]
