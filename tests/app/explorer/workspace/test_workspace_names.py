"""Names that come from anywhere are shown, and never read as HTML or as mnemonics, wherever in the window they stand."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction, Qt
from PySide6.QtWidgets import QLabel, QMenu, QMessageBox, QWidget

from flow_explorer.dialogs import files
from flow_explorer.widgets import Button, Choice, IconButton
from flow_explorer.widgets.plain import plain, unmarked
from tests.app.explorer.conftest import write_checkpoint

HOSTILE = [
    "<img src='{path}'>", "<b>bold</b> & <i>more</i>.png", "a&b & c.png", "&lt;img&gt; x.png", "<!doctype html>x", "<?xml?><p>y",
]  # fmt: skip


def is_html(text: str) -> bool:
    return Qt.mightBeRichText(text)


def check(*roots: QWidget) -> list[str]:
    """Walks every widget, and returns all words that a tooltip or a label has."""
    said = []
    for root in roots:
        for widget in (root, *root.findChildren(QWidget)):
            assert not is_html(widget.toolTip()), (widget, widget.toolTip())
            said += [widget.toolTip(), widget.accessibleName()]
            if isinstance(widget, QLabel):
                assert widget.textFormat() == Qt.TextFormat.PlainText or not is_html(widget.text()), (widget, widget.text())
                said.append(widget.text())
        for action in root.findChildren(QAction):
            assert not is_html(action.toolTip()) or not any(menu.toolTipsVisible() for menu in action.associatedObjects()
                                                            if isinstance(menu, QMenu)), action.text()  # fmt: skip
    return said


@pytest.mark.parametrize("name", HOSTILE)
def test_no_widget_reads_a_name(workspace, client, png, tmp_path, name, qtbot):
    name = name.format(path=tmp_path / "other.png")
    for which in "AB":
        workspace.acts.put_picture(which, png(), name)
    path = write_checkpoint(tmp_path / "named.safetensors", b"x", title=name, data={"name": name, "licence": name})
    client.run()
    workspace.acts.set_model(str(path))
    client.run()
    workspace.topbar().fill()
    menu = workspace.topbar().menu()
    said = check(workspace.canvas(), workspace.inspector(), workspace.topbar(), menu)
    assert name in said  # it is shown, as it is
    assert any(plain(name) == text.split("\n")[0] for text in said)
    texts = [action.text() for action in menu.actions()]
    assert any(text.startswith(unmarked(name)) for text in texts)


@pytest.mark.parametrize("name", HOSTILE[:4])
def test_the_words_stay_the_same_to_the_eye(name):
    assert plain(name).replace("\u2060", "") == name and not is_html(plain(name)) and not is_html(f"  {plain(name)}")
    assert unmarked("a&b").count("&") == 2 and plain("1 < 2 & 3 > x\n<b>") == "1 < 2 & 3 > x\n<b>"


def test_controls_take_any_tooltip(qtbot):
    words = "<b>y</b>"
    for widget in (Button("x", tooltip=words), IconButton("close", words), Choice([("a", words)], name="z", tooltip=words)):
        qtbot.addWidget(widget)
        assert widget.toolTip() == "<\u2060b>y<\u2060/b>"


def test_a_question_about_a_file_is_no_html(workspace, tmp_path):
    path = tmp_path / "<b>there<"
    path.write_bytes(b"")
    files._ask_to_replace(workspace.window_for_test, str(path), lambda _path: None)
    (box,) = workspace.window_for_test.findChildren(QMessageBox)
    assert box.textFormat() == Qt.TextFormat.PlainText and "<b>there<" in box.text()
    box.close()
