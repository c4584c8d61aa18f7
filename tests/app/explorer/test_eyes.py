"""The two-eye guide in a well's crop editor: two dots, one gesture, and only for models whose card says where eyes are."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from flowcore.pictures.crop import Crop, crop_for_eyes

LEFT = Qt.MouseButton.LeftButton
EYES = ((0.37, 0.515), (0.63, 0.515))


def drag(widget, *points: QPointF) -> None:
    kinds = [QEvent.Type.MouseButtonPress, *[QEvent.Type.MouseMove] * (len(points) - 1), QEvent.Type.MouseButtonRelease]
    for kind, point in zip(kinds, [*points, points[-1]], strict=True):
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else LEFT
        place = QPointF(widget.mapToGlobal(point.toPoint()))
        QApplication.sendEvent(widget, QMouseEvent(kind, point, place, button, held, Qt.KeyboardModifier.NoModifier))


@pytest.fixture
def marking(workspace, client, make_checkpoint, png, qtbot):
    """A well with a picture of 240×200, on a model of faces, its crop editor marking eyes."""
    workspace.controller.choose_model(str(make_checkpoint("faces", eyes=[list(eye) for eye in EYES])))
    client.run()
    pixels = np.random.default_rng(0).integers(0, 256, (200, 240, 3), dtype=np.uint8)
    workspace.acts.put_picture("A", png(pixels), "photo.png")
    client.run()
    slot = workspace.slots["A"]
    qtbot.mouseClick(slot.stats.crop_button, LEFT)
    assert slot.stats.eyes_button.isVisible() and not slot.eyes.isVisible()
    qtbot.mouseClick(slot.stats.eyes_button, LEFT)
    assert slot.eyes.isVisible() and not slot.seen.isVisible()
    return slot


def crop(workspace) -> Crop:
    return workspace.history.state.a.crop


def close(a: Crop, b: Crop, within: float = 0.02) -> bool:
    values = [(c.center_x * 100, c.center_y * 100, c.zoom * 10, c.angle) for c in (a, b)]
    return bool(np.allclose(*values, atol=within))


def test_dots_begin_where_the_model_sees_its_eyes_and_mapping_goes_both_ways(marking, workspace):
    view = marking.eyes
    # The largest centred square of 240×200 is 200 wide, from x = 20.
    np.testing.assert_allclose(view.marks, ((20 + 74, 103), (20 + 126, 103)), atol=1e-6)
    view._crop = Crop(0.4, 0.6, 1.7, 33.0)
    for x, y in ((10, 20), (200, 3)):
        back = view.on_picture(view.on_widget(QPointF(x, y)))
        assert (back.x(), back.y()) == pytest.approx((x, y))


def test_two_drags_turn_zoom_and_move_in_one_and_each_is_one_act(marking, workspace, client, qtbot):
    view = marking.eyes
    before = workspace.history.length
    for index, target in ((0, (70, 90)), (1, (120, 110))):
        start = view.on_widget(view._marks[index])
        end = view.on_widget(QPointF(*target))
        drag(view, start, (start + end) / 2, end)
    assert workspace.history.length == before + 2
    np.testing.assert_allclose(view.marks, ((70, 90), (120, 110)), atol=1.0)
    left, right = view.marks
    expected = crop_for_eyes(left, right, EYES, (240, 200), (8, 8))
    assert close(crop(workspace), expected) and abs(crop(workspace).angle - 21.8) < 2 and crop(workspace).zoom > 0.9
    client.run()
    assert marking.stats.turn.value() == pytest.approx(-crop(workspace).angle, abs=0.1)
    workspace.history.undo()  # the dots go where the model sees the eyes again
    np.testing.assert_allclose(view.marks[1], (146, 103), atol=1.5)
    workspace.history.undo()
    assert crop(workspace) == Crop()
    np.testing.assert_allclose(view.marks, ((94, 103), (146, 103)), atol=1e-6)


def test_the_line_between_moves_both_and_elsewhere_only_what_is_looked_at(marking, workspace, client):
    view = marking.eyes
    first, second = (view.on_widget(mark) for mark in view._marks)
    middle = (first + second) / 2
    marks = np.array(view.marks)
    drag(view, middle, middle + QPointF(6, -4))
    moved = np.array(view.marks) - marks
    assert np.allclose(moved[0], moved[1]) and moved[0, 0] > 0 > moved[0, 1]
    assert crop(workspace).angle == pytest.approx(0, abs=1e-6) and crop(workspace).zoom == pytest.approx(1, abs=1e-6)
    before, marks = crop(workspace), view.marks
    place = QPointF(6, 6)
    drag(view, place, place + QPointF(20, 12))
    wheel = QWheelEvent(place, place, QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
                        Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(view, wheel)
    assert crop(workspace) == before and view.marks == marks and view._crop != before


def test_keys_move_a_dot_space_takes_the_other_and_done_ends_it(marking, workspace, client, qtbot):
    view = marking.eyes
    view.setFocus()
    marks = np.array(view.marks)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.marks[0][0] > marks[0][0] and view.marks[1] == tuple(marks[1])
    qtbot.keyClick(view, Qt.Key.Key_Space)
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert view.marks[1][1] > marks[1][1] and crop(workspace).angle > 0
    # Dots on top of each other change nothing, crossed ones are sorted.
    second = view.on_widget(view._marks[1])
    before = crop(workspace)
    view._marks[0] = QPointF(view._marks[1])
    view._tell()
    assert crop(workspace) == before
    view._marks[0] = view.on_picture(second + QPointF(30, 0))
    view._tell()
    assert abs(crop(workspace).angle) < 1  # not upside down
    assert not marking.eyes.grab().isNull()
    qtbot.mouseClick(marking.stats.done_button, LEFT)
    assert not marking.eyes.isVisible() and marking.seen.isVisible() and not marking.stats.eyes_button.isChecked()


def test_a_model_of_anything_else_has_no_such_guide(workspace, client, png, qtbot):
    workspace.acts.put_picture("A", png(), "photo.png")
    client.run()
    slot = workspace.slots["A"]
    qtbot.mouseClick(slot.stats.crop_button, LEFT)
    assert not slot.stats.eyes_button.isVisible()


def test_another_model_ends_the_marking(marking, workspace, client, make_checkpoint):
    workspace.controller.choose_model(str(make_checkpoint("plain")))
    client.run()
    assert not marking.eyes.isVisible() and not marking.stats.eyes_button.isVisible()
