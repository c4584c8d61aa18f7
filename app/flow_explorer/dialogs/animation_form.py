"""What every sheet that saves an animation has: its format, rows of choices, what they come to, what is wrong, and Save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from flow_explorer.dialogs.sheet import Sheet
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, Choice, Label, Segmented, ValueRow
from flowcore.errors import FlowError
from flowcore.pictures.animation import require_video

__all__ = ["AnimationForm"]


class AnimationForm(Sheet):
    """Base: `wanted(settings)` when the person presses Save."""

    wanted = Signal(object)

    def __init__(self, title: str, gif: str, webp: str, width: int, height: int, parent: QWidget | None = None) -> None:
        super().__init__(title, parent, width, height)
        video = tr("A video, the smallest file; needs PyAV: pip install 'flow-explorer[video]'")
        self.format = Segmented([(".gif", "GIF", gif), (".webp", "WebP", webp), (".mp4", "MP4", video)], name=tr("Format"))
        self.what = ValueRow(tr("Together"))
        self.problem = Label("", "warning", wrap=True)
        self.save = Button(tr("Save…"), "primary", tooltip=tr("Choose where the file goes"))
        self.save.clicked.connect(self._save)

    @property
    def settings(self) -> Any:
        """What is chosen."""
        raise TypeError(f"{type(self).__name__} does not define settings")

    def _fill(self, choices: Sequence[tuple[str, Choice]], width: int, above: Sequence[QWidget] = (),
              below: Sequence[QWidget] = ()) -> None:
        """Lay everything out: the choices so wide, `above` and `below` the line that says what they come to."""
        self.body.addWidget(self.format)
        for label, choice in choices:
            row = QHBoxLayout()
            row.addWidget(Label(label), 1)
            choice.setFixedWidth(width)
            row.addWidget(choice)
            self.body.addLayout(row)
        for part in (*above, self.what, *below, self.problem):
            self.body.addWidget(part)
        self.body.addStretch(1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.save)
        self.body.addLayout(foot)

    def _show_problem(self, check: Callable[[], object] = lambda: None) -> None:
        """Say what `check` raises, or that the chosen format cannot be written here; without either, Save can be pressed."""
        problem = ""
        try:
            check()
            if self.settings.suffix == ".mp4":
                require_video()
        except FlowError as error:
            problem = str(error)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.save.setEnabled(not problem)

    def _save(self) -> None:
        chosen = self.settings
        self.accept()
        self.wanted.emit(chosen)
