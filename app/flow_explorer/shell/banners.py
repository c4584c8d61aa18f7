"""Two banners, one over the other: an error stays although a notice comes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from flow_explorer.widgets.banner import Banner


class Banners(QWidget):
    """The newest error and the newest notice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.error, self.notice = Banner(), Banner()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for banner in (self.error, self.notice):
            layout.addWidget(banner)

    def show_message(
        self, sentence: str, details: str = "", kind: str = "error",
        act: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Show a sentence in the banner of its kind."""
        (self.error if kind == "error" else self.notice).show_message(sentence, details, kind, act)
