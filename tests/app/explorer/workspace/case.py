"""What the workspace's tests share: a hand that drops things."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication


def urls(*paths) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drop(widget, mime) -> bool:
    """Drag something over a widget and let it go, as the window system does; whether it was taken."""
    place = widget.rect().center()
    enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
                            Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
                       Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def fill(workspace, bundle, client) -> None:
    drop(workspace.slots["A"], urls(bundle / "examples" / "red.png"))
    drop(workspace.slots["B"], urls(bundle / "examples" / "blue.png"))
    client.run()


def state(workspace):
    return workspace.history.state


def answer_dialog(workspace, qtbot, path) -> None:
    """Choose a file in the dialog that is open."""
    from PySide6.QtWidgets import QFileDialog

    qtbot.waitUntil(lambda: bool(workspace.window_for_test.findChildren(QFileDialog)))
    (dialog,) = workspace.window_for_test.findChildren(QFileDialog)
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(path.name)
    dialog.accept()
    qtbot.waitUntil(lambda: not workspace.window_for_test.findChildren(QFileDialog))
