"""What is dropped on a widget: files of this machine, what it takes, and what it lets go by."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from flow_explorer.widgets.dropping import DropTarget, has_files, local_file, local_files

MOVE_OR_COPY = Qt.DropAction.MoveAction | Qt.DropAction.CopyAction


class Target(DropTarget):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []

    def takes(self, mime: QMimeData) -> bool:
        return local_file(mime).endswith(".png")

    def take(self, mime: QMimeData) -> None:
        self.taken.append(local_file(mime))


def urls(*addresses: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl(address) for address in addresses])
    return mime


@pytest.fixture
def target(qtbot):
    made = Target()
    qtbot.addWidget(made)
    return made


def enter(target: QWidget, mime: QMimeData, action=MOVE_OR_COPY) -> QDragEnterEvent:
    event = QDragEnterEvent(QPoint(5, 5), action, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(target, event)
    return event


def drop(target: QWidget, mime: QMimeData) -> QDropEvent:
    event = QDropEvent(QPointF(5, 5), MOVE_OR_COPY, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(target, event)
    return event


def test_files_of_this_machine_are_told_from_addresses():
    mime = urls("https://example.org/a.png", "file:///tmp/b.png", "file:///tmp/c")
    assert [str(path) for path in local_files(mime)] == ["/tmp/b.png", "/tmp/c"]
    assert local_file(mime) == "/tmp/b.png" and has_files(mime)
    mime = urls("https://example.org/a.png")
    assert local_files(mime) == [] and local_file(mime) == "" and not has_files(mime)


def test_what_it_takes_lights_it_up_and_is_copied(target):
    mime = urls("file:///tmp/b.png")
    event = enter(target, mime)
    assert event.isAccepted() and event.dropAction() == Qt.DropAction.CopyAction and target.hovering
    event = drop(target, mime)
    assert event.isAccepted() and event.dropAction() == Qt.DropAction.CopyAction and not target.hovering
    assert target.taken == ["/tmp/b.png"]


def test_what_it_does_not_take_goes_to_what_is_below(target):
    mime = urls("file:///tmp/b.txt")
    assert not enter(target, mime).isAccepted() and not target.hovering
    assert not drop(target, mime).isAccepted() and target.taken == []


def test_a_drag_that_leaves_puts_the_light_out(target):
    enter(target, urls("file:///tmp/b.png"))
    QApplication.sendEvent(target, QDragLeaveEvent())
    assert not target.hovering
