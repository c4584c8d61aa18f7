"""Files that are dropped on a widget, and the widget that takes a drop."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

__all__ = ["DropTarget", "has_files", "local_file", "local_files", "local_path"]


def local_path(url: QUrl) -> Path | None:
    """The file of this computer that an address names, byte for byte; None for any other address."""
    path = unquote_to_bytes(url.path(QUrl.ComponentFormattingOption.FullyEncoded))
    host = url.host().lower()
    if url.scheme() == "smb" and hasattr(os, "getuid"):
        # Where GNOME's file manager has opened the share, it is a folder too
        share, _, rest = os.fsdecode(path).lstrip("/").partition("/")
        mounted = Path(f"/run/user/{os.getuid()}/gvfs/smb-share:server={host},share={share.lower()}") / rest
        return mounted if host and share and mounted.exists() else None
    if url.scheme() != "file" or not path:
        return None
    if os.name == "nt":
        return Path(url.toLocalFile()) if host != "localhost" else Path(os.fsdecode(path).lstrip("/"))
    return Path(os.fsdecode(path)) if host in ("", "localhost", "127.0.0.1", "::1", socket.gethostname().lower()) else None


def local_files(mime: QMimeData) -> list[Path]:
    """The files and folders of this machine in what is dragged."""
    return [path for url in mime.urls() if (path := local_path(url)) is not None]


def local_file(mime: QMimeData) -> str:
    """The path of the first of them; "" where there is none."""
    return next(map(str, local_files(mime)), "")


def has_files(mime: QMimeData) -> bool:
    """Whether there is one."""
    return any(local_path(url) is not None for url in mime.urls())


class DropTarget(QWidget):
    """A widget that takes drops and lights up under one: `takes` says what, `take` has it, `hovering` whether it does.

    What is dropped is copied, never moved: a file manager must not delete it.
    """

    hovering = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)

    def takes(self, mime: QMimeData) -> bool:
        """Whether what is dragged can be dropped here; asked while the pointer moves, so it looks at names alone."""
        raise NotImplementedError

    def take(self, mime: QMimeData) -> None:
        """It was dropped."""
        raise NotImplementedError

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        source = event.source()
        # What is let go where it came from stays what it was.
        own = isinstance(source, QWidget) and (source is self or self.isAncestorOf(source))
        if not own and self.takes(event.mimeData()):
            _copy(event)
            self._hover(True)
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        _copy(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._hover(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._hover(False)
        if self.takes(event.mimeData()):
            _copy(event)
            self.take(event.mimeData())
        else:
            event.ignore()

    def _hover(self, hovering: bool) -> None:
        self.hovering = hovering
        self.update()


def _copy(event: QDropEvent) -> None:
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()
