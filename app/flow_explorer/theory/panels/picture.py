"""Which picture figures 5 and 6 show: a bundled one, or a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer.dialogs.files import ask_file, pictures
from flow_explorer.i18n import tr
from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.pictures import EXAMPLES
from flow_explorer.widgets import Choice, IconButton, Label

__all__ = ["PictureChoice"]


class PictureChoice(QWidget):
    """A list of the bundled pictures and the file that was opened or dropped; below it what went wrong with one."""

    def __init__(self, controller: TheoryController) -> None:
        super().__init__()
        self.controller = controller
        self.choice = Choice(self._options(), tr("Picture"), tr("The picture that is shown; drop one of your own on the window."))
        self.open = IconButton("open", tr("Open a picture"))
        self.error = Label("", "warning", wrap=True)
        self.error.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.choice, 1)
        row.addWidget(self.open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row)
        layout.addWidget(self.error)
        self.choice.chosen.connect(controller.set_picture)
        self.open.clicked.connect(self._ask)

    @staticmethod
    def _options(own: str = "") -> list[tuple[str, str]]:
        found = [(key, tr(title)) for key, title in EXAMPLES.items()]
        return [*found, (own, Path(own).name)] if own and own not in EXAMPLES else found

    def show_picture(self, name: str) -> None:
        """Show which one it is, and why another is shown where it cannot be read."""
        if self.choice.findData(name) < 0 or self.choice.count() > len(EXAMPLES) and name in EXAMPLES:
            self.choice.set_options(self._options(name))
        if self.choice.current() != name:
            self.choice.set_current(name)
        sentence = self.controller.pictures.error(name)
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))

    def _ask(self) -> None:
        ask_file(self, tr("Open a picture"), self.controller.set_picture, filters=pictures()[:1])
