"""What the dialogs share: a title line with a close button over calm, scrollable content."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.i18n import tr
from app.widgets.button import IconButton
from app.widgets.fold import Label, Separator


class Sheet(QDialog):
    """A window-modal dialog; add content to ``body``. Escape and the cross close it, and it is deleted then."""

    def __init__(self, title: str, parent: QWidget | None = None, width: int = 560, height: int = 520) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "surface")
        head = QHBoxLayout()
        head.setContentsMargins(24, 16, 12, 12)
        head.addWidget(Label(title, "title"), 1)
        close = IconButton("close", tr("Close"), size=32, icon_size=16)
        close.clicked.connect(self.accept)
        head.addWidget(close)
        inner = QWidget()
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(24, 16, 24, 24)
        self.body.setSpacing(8)
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setWidget(inner)
        self.scroll.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(Separator())
        layout.addWidget(self.scroll, 1)
        room = parent.size() if parent is not None else self.size()
        self.resize(min(width, max(320, room.width() - 64)), min(height, max(240, room.height() - 64)))
        self.scroll.setFocus()
