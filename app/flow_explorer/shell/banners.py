"""Banners one over the other: an error stays although a notice comes, and what lasts stays for as long as it lasts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from flow_explorer.widgets.banner import Banner


class Banners(QWidget):
    """What lasts (work that is not kept, an engine that does not answer), the newest error, and the newest notice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.error, self.notice = Banner(), Banner()
        self.lasting = {subject: Banner() for subject in ("session", "engine")}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for banner in (*self.lasting.values(), self.error, self.notice):
            layout.addWidget(banner)

    def show_lasting(self, subject: str, sentence: str, act: tuple[str, Callable[[], object]] | None = None) -> None:
        """Say what is wrong with "session" or "engine" until it is right again: a sentence of "" takes it away."""
        if sentence:
            self.lasting[subject].show_message(sentence, act=act)
        else:
            self.lasting[subject].close_message()

    def show_message(
        self, sentence: str, details: str = "", kind: str = "error",
        act: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Show a sentence in the banner of its kind."""
        (self.error if kind == "error" else self.notice).show_message(sentence, details, kind, act)
