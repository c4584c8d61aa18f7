"""The model in the top bar: what is chosen, and a menu of bundled and recent ones, a file, a folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from flow_explorer import assets
from flow_explorer.dialogs.files import LastFolder, any_file, ask_file, ask_folder
from flow_explorer.explorer.model import Model, open_model
from flow_explorer.i18n import tr
from flow_explorer.settings import Settings
from flow_explorer.widgets import ChipButton
from flow_explorer.widgets.pixels import enlarged
from flow_explorer.widgets.plain import plain, unmarked
from flowcore.errors import FlowError

__all__ = ["RECENT_MAX", "ModelMenu", "recent_models", "remember_model"]

RECENT = "explorer.recent_models"
RECENT_MAX = 6
ICON = 36
"""Side of a model's picture in the menu, as the style sheet has it."""


def remember_model(settings: Settings, name: str) -> None:
    """Put a model that is not bundled at the head of the recent ones."""
    if name in assets.model_names():
        return
    recent = [entry for entry in settings.get(RECENT, []) if isinstance(entry, str) and entry != name]
    settings.set(RECENT, [name, *recent][:RECENT_MAX])


def recent_models(settings: Settings) -> list[str]:
    """The models that are not bundled and were open last, the latest first."""
    return [name for name in settings.get(RECENT, []) if isinstance(name, str)]


def _face_of(picture: np.ndarray, ratio: float) -> QIcon:
    """A picture that a model drew, as the sign of it."""
    image = enlarged(picture, round(ICON * ratio), round(ICON * ratio))
    image.setDevicePixelRatio(ratio)
    return QIcon(QPixmap.fromImage(image))


class ModelMenu(ChipButton):
    """Shows the model; `chosen(name)` when the person picks another."""

    chosen = Signal(str)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(tr("No model"), parent=parent)
        self._settings = settings
        self._current = ""
        menu = QMenu(self)
        menu.setObjectName("models")
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.fill)
        self.setMenu(menu)
        self.setToolTip(tr("Choose another model"))

    def show_model(self, model: Model | None, opening: bool = False) -> None:
        """Show what is chosen, or that another one is being opened."""
        self._current = model.name if model else ""
        if opening:
            self.set_texts(tr("Opening…"), "")
        elif model is None:
            self.set_texts(tr("No model"), "")
        else:
            self.set_texts(model.title, model.summary)
        self.setAccessibleDescription(tr("The model; opens a menu of others"))

    def refusal(self, _model: Model) -> str:
        """Why a model is listed but cannot be chosen here; "" where it can."""
        return ""

    def fill(self) -> None:
        """Make the menu's entries anew: a recent file may be gone."""
        menu = self.menu()
        menu.clear()
        for path in assets.models():
            self._add(menu, path.stem)
        recent = [name for name in self._settings.get(RECENT, []) if isinstance(name, str) and os.path.exists(name)][:RECENT_MAX]
        if recent:
            menu.addSection(tr("Recent"))
            for name in recent:
                self._add(menu, name)
        menu.addSeparator()
        menu.addAction(tr("Open a file…"), self.pick_file)
        menu.addAction(tr("Open a run folder…"), self.pick_folder)

    def _add(self, menu: QMenu, name: str) -> None:
        try:
            model = open_model(name)
        except FlowError as error:
            action = menu.addAction(unmarked(Path(name).name))
            action.setEnabled(False)
            action.setToolTip(plain(str(error)))
            return
        # A tab puts what follows at the right, as menus do with shortcuts.
        action = menu.addAction(unmarked(f"{model.title}\t{model.summary}"),
                                lambda: self.chosen.emit(name))
        refusal = self.refusal(model)
        action.setEnabled(not refusal)
        action.setToolTip(plain(refusal or str(model.path)))
        if model.first_page:
            action.setIcon(_face_of(model.first_page[0], self.devicePixelRatioF()))
        action.setCheckable(True)
        action.setChecked(name == self._current)
        # Where there is a picture, the style shows it in the check mark's place.
        font = action.font()
        font.setBold(name == self._current)
        action.setFont(font)

    def pick_file(self) -> None:
        """Ask for a checkpoint file."""
        kinds = [tr("Checkpoints (*.safetensors)"), any_file()]
        ask_file(self, tr("Open a model"), self.chosen.emit, self._last_folder(), kinds)

    def pick_folder(self) -> None:
        """Ask for a run folder."""
        ask_folder(self, tr("Open a run folder"), self.chosen.emit, self._last_folder())

    def _last_folder(self) -> LastFolder:
        return LastFolder(self._settings, "explorer.model_folder")
