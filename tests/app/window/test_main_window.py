"""The window around its workspaces, driven by mouse and keyboard."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QMenu

from flow_explorer import theme
from flow_explorer.dialogs.about import AboutDialog
from flow_explorer.dialogs.shortcuts import ShortcutsSheet
from flow_explorer.shell.banners import Banners
from flow_explorer.shell.keys import is_plain
from flow_explorer.widgets import Button, EmptyState


def click(widget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def key(window, code, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, code, modifier)


def test_the_rail_shows_what_exists_and_nothing_else(make_window):
    window = make_window()
    assert [entry.id for entry in window.entries] == ["counter", "broken"]
    assert window.rail.button("counter").isChecked()
    assert window.current.calls == ["shown"]


def test_nothing_is_imported_before_its_first_visit(make_window):
    window = make_window(begin=None)
    assert window.workspaces == {} and window.current is None and not window.is_idle()
    window.undo()
    window.save()
    window.begin()
    assert list(window.workspaces) == ["counter"]


def test_undo_redo_by_buttons_and_keys(make_window):
    window = make_window()
    workspace = window.current
    assert not window.topbar.undo.isEnabled() and not window.topbar.redo.isEnabled()
    click(workspace.button)
    click(workspace.button)
    assert window.topbar.undo.toolTip() == "Undo: Set to 2  (Ctrl+Z)"
    click(window.topbar.undo)
    assert workspace.history.state.number == 1 and window.topbar.redo.isEnabled()
    key(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert workspace.history.state.number == 2
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert workspace.history.state.number == 0 and not window.topbar.undo.isEnabled()
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert workspace.history.state.number == 1


def test_space_is_the_workspaces_unless_a_control_wants_it(make_window):
    window = make_window()
    workspace = window.current
    window.setFocus()
    key(window, Qt.Key.Key_Space)
    assert workspace.history.state.number == 1
    workspace.slider.track.setFocus()
    key(window, Qt.Key.Key_Space)  # a slider has no use for it
    assert workspace.history.state.number == 2
    key(window, Qt.Key.Key_Right)  # ... but it has one for this
    assert workspace.history.state.number == 2 and workspace.slider.value() == 1
    workspace.slider.field.setFocus()
    QTest.keyClicks(workspace.slider.field, " 2")
    assert workspace.history.state.number == 2 and window.rail.button("counter").isChecked()
    window.topbar.save.setFocus()
    before = workspace.history.state.number
    QTest.keyPress(window.topbar.undo, Qt.Key.Key_Space)
    QTest.keyRelease(window.topbar.undo, Qt.Key.Key_Space)
    assert workspace.history.state.number == before - 1  # the focused button was pressed, nothing added


@pytest.mark.parametrize("field", ["seed", "slider"])
def test_undo_in_a_field_is_the_fields_only_while_something_is_typed(make_window, field):
    window = make_window()
    workspace = window.current
    workspace.add()
    box = workspace.seed if field == "seed" else workspace.slider.field
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "7")
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert workspace.history.state.number == 1  # the 7 was taken back
    QTest.keyClicks(box, "5")
    QTest.keyClick(box, Qt.Key.Key_Return)
    before = workspace.history.state.number
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert workspace.history.state.number != before
    window.undo()
    assert not workspace.history.can_undo


def test_digits_switch_workspaces_and_commands_follow(make_window):
    window = make_window()
    first = window.current
    window.setFocus()
    key(window, Qt.Key.Key_2)
    assert window.rail.button("broken").isChecked() and window.current is None
    assert first.calls == ["shown", "hidden"]
    key(window, Qt.Key.Key_Space)
    key(window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert first.history.state.number == 0 and "copy" not in first.calls
    key(window, Qt.Key.Key_1)
    key(window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert first.calls == ["shown", "hidden", "shown", "copy"]


def test_a_workspace_that_cannot_open_says_so_in_its_place(make_window):
    window = make_window()
    click(window.rail.button("broken"))
    page = window.stack.currentWidget()
    assert isinstance(page, EmptyState) and "Broken could not be opened" in page.label.text()
    click(page.findChild(Button))
    assert "no such thing as a canvas" in QGuiApplication.clipboard().text()
    assert not window.column.isVisible() and not window.topbar.save.isVisible()
    click(window.rail.button("counter"))
    assert window.column.isVisible() and window.topbar.save.isVisible()


@pytest.mark.parametrize("part", ["rail", "topbar", "column", "stack"])
def test_a_drop_anywhere_goes_to_the_workspace_in_front(make_window, part):
    window = make_window()
    widget = getattr(window, part)
    place = widget.rect().center()
    for text, taken in (("a file", True), ("", False)):
        mime = QMimeData()
        if text:
            mime.setText(text)
        rest = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        enter = QDragEnterEvent(place, *rest)
        QApplication.sendEvent(widget, enter)
        assert enter.isAccepted() == taken
        if taken:
            QApplication.sendEvent(widget, QDropEvent(QPointF(place), *rest))
    assert [call for call in window.current.calls if "file" in call] == ["a file"]


def test_save_does_the_first_that_it_can(make_window):
    window = make_window()
    key(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert window.current.calls[-1] == "save two"
    menu: QMenu = window.topbar.save.menu()
    menu.aboutToShow.emit()
    assert [(a.text(), a.isEnabled()) for a in menu.actions()] == [
        ("Save the picture", False), ("Save the number", True),
    ]  # fmt: skip


def test_the_inspector_folds_and_stays_so(make_window):
    window = make_window()
    width = window.stack.width()
    click(window.topbar.sidebar)
    assert not window.column.isVisible()
    QApplication.processEvents()
    assert window.stack.width() == width + window.column.width()
    again = make_window()
    assert not again.column.isVisible()
    key(again, Qt.Key.Key_Backslash, Qt.KeyboardModifier.ControlModifier)
    assert again.column.isVisible()


def test_the_session_comes_back(make_window):
    window = make_window()
    click(window.current.button)
    click(window.current.button)
    window.close()
    again = make_window(begin="")
    assert again.current.history.state.number == 2 and not again.current.history.can_undo


def test_work_is_on_disk_soon_after_the_act(make_window, qtbot):
    window = make_window()
    click(window.current.button)

    def on_disk():
        stored = json.loads(window.session.path.read_text())
        assert stored["workspaces"]["counter"] == {"number": 1} and stored["running"]

    qtbot.waitUntil(lambda: window.session.path.exists(), timeout=3000)
    qtbot.waitUntil(lambda: json.loads(window.session.path.read_text())["workspaces"] != {}, timeout=3000)
    on_disk()


def test_an_odd_session_costs_the_session_only(make_window):
    window = make_window(begin=None)
    window.session.states["counter"] = {"number": "seven"}
    window.begin("counter")
    assert window.current.history.state.number == 0
    assert "The number in the session is no number." in window.banners.notice.sentence


def test_the_theme_is_chosen_from_the_menu_and_kept(make_window):
    window = make_window()
    looks = next(a.menu() for a in window.app_menu.actions() if a.menu() is not None)
    looks.aboutToShow.emit()
    assert [a.isChecked() for a in looks.actions()] == [False, True, False]
    looks.actions()[2].trigger()
    assert theme.current().name == "dark" and window.settings.get("theme", "") == "dark"
    theme.choose("light")


def test_f1_and_question_mark_open_the_sheet_of_keys(make_window, qtbot):
    window = make_window()
    window.setFocus()
    QTest.keyClicks(window, "?")
    sheet = window.findChild(ShortcutsSheet)
    assert sheet.isVisible() and ("Add one", ("Space",)) in sheet.rows
    assert ("Undo", ("Ctrl+Z",)) in sheet.rows
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.findChild(ShortcutsSheet) is None, timeout=2000)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    key(window, Qt.Key.Key_F1)
    assert window.findChild(ShortcutsSheet).isVisible()
    window.findChild(ShortcutsSheet).accept()
    qtbot.waitUntil(lambda: window.findChild(ShortcutsSheet) is None, timeout=2000)


def test_every_key_of_the_sheet_is_bound(make_window):
    window = make_window()
    window.show_shortcuts()
    sheet = window.findChild(ShortcutsSheet)
    from PySide6.QtGui import QKeySequence, QShortcut

    bound = {k.toString() for s in window.findChildren(QShortcut) for k in s.keys()}
    plain = {k for c in window.current.commands() for k in c.keys} | set(window._plain_keys)
    widget_keys = {"Tab", "Shift+Tab", "Left", "Shift+Left", "Home", "End"}
    for _text, keys in sheet.rows:
        for name in keys:
            shown = QKeySequence(name).toString()
            assert shown in bound or name in plain or name in widget_keys, name
    sheet.accept()


def test_the_hint_comes_once_and_again_on_request(make_window):
    window = make_window(hint=True)
    assert window.hint.isVisible() and window.hint.label.text() == "Press Add. Press it again."
    QApplication.processEvents()
    below = window.hint.mapTo(window, QPoint(0, window.hint.height())).y()
    assert window.stack.mapTo(window, QPoint(0, 0)).y() >= below  # nothing is covered
    click(window.rail.button("broken"))
    assert not window.hint.isVisible()
    click(window.rail.button("counter"))
    assert window.hint.isVisible()
    click(window.hint.done_button)
    assert not window.hint.isVisible() and window.settings.get("hint.counter.seen", False)
    again = make_window(hint=True)
    assert not again.hint.isVisible()
    again.show_hint()
    assert again.hint.isVisible()
    click(again.hint.keys_button)
    assert again.findChild(ShortcutsSheet).isVisible()
    again.findChild(ShortcutsSheet).accept()


def test_a_screenshot_shows_no_hint(make_window):
    window = make_window(hint=True, screenshot="x.png")
    assert not window.hint.isVisible()


def test_about_opens(make_window, qtbot):
    window = make_window()
    window.show_about()
    about = window.findChild(AboutDialog)
    assert about.isVisible()
    QTest.keyClick(about, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.findChild(AboutDialog) is None, timeout=2000)


def test_an_error_stays_when_a_notice_comes(make_window):
    window = make_window()
    window.notify("photo.jpg is cut short.", "Traceback")
    window.notify("Saved.", kind="good")
    banners: Banners = window.banners
    assert banners.error.sentence == "photo.jpg is cut short." and banners.notice.sentence == "Saved."
    assert banners.error.details == "Traceback"


@pytest.mark.parametrize("size", [(1024, 640), (1280, 720), (1440, 900), (2560, 1440)])
def test_nothing_is_cut_at_any_size(make_window, size):
    window = make_window()
    window.resize(*size)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    bar = window.topbar
    edges = []
    for part in (bar.name, bar.slot, bar.device, bar.undo, bar.redo, bar.save, bar.sidebar):
        left = part.mapTo(window, QPoint(0, 0)).x()
        edges.append((left, left + part.width()))
    assert edges == sorted(edges) and edges[-1][1] <= size[0]
    assert all(right <= next_left for (_, right), (next_left, _) in zip(edges, edges[1:], strict=False))
    assert window.column.width() == 300
    assert window.stack.width() == size[0] - 300 - window.rail.width()


def test_tab_reaches_every_control_and_none_is_nameless(make_window):
    window = make_window()
    window.setFocus()
    seen, nameless = [], []
    for _ in range(40):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused in seen:
            break
        seen.append(focused)
        text = focused.text() if isinstance(focused, QAbstractButton | QLabel | QLineEdit) else ""
        if not (focused.accessibleName() or text):
            nameless.append(focused)
    assert window.current.slider.track in seen and window.rail.button("counter") in seen
    assert window.topbar.save in seen and window.rail.menu_button in seen
    assert nameless == []


@pytest.mark.parametrize(
    ("name", "plain"),
    [("Space", True), ("Shift+Left", True), ("1", True), ("?", True), ("F", True), ("F1", False),
     ("Ctrl+C", False), ("Alt+Left", False), ("Ctrl++", False), ("+", True)],
)  # fmt: skip
def test_plain_keys_are_told_from_the_others(name, plain):
    assert is_plain(name) == plain
