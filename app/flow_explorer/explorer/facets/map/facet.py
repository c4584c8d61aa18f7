"""The map as the Explorer knows it: puts state, link and views together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QMimeData, QTimer
from PySide6.QtWidgets import QWidget

from flow_explorer.dialogs.files import LastFolder, any_file, ask_file, ask_folder, ask_save
from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.facets.map.camera import Camera
from flow_explorer.explorer.facets.map.colours import Colouring, colouring
from flow_explorer.explorer.facets.map.link import MapLink
from flow_explorer.explorer.facets.map.panel import MapPanel
from flow_explorer.explorer.facets.map.side import MapSide
from flow_explorer.explorer.facets.map.state import State
from flow_explorer.explorer.facets.map.work import MapWork
from flow_explorer.explorer.model import is_checkpoint
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import Shown
from flow_explorer.i18n import plural, tr
from flow_explorer.widgets.dropping import local_files
from flowcore.latents.map.points import inside, pack, unpack

__all__ = ["MapFacet", "facet"]

ARRAYS = (".zip", ".npz", ".npy", ".gz")
PAINT_MS = 60
"""New rows are painted this often while they come in."""


class MapFacet(Facet):
    """Pictures as points in z."""

    id = "map"

    def __init__(self, host: Host, parent=None) -> None:
        super().__init__(host, parent)
        self._panel = MapPanel()
        self._side = MapSide(host.context.settings)
        self.link = MapLink(host.controller.client, self._on_link)
        self.work = MapWork(host.controller.client, host.context.notify, self._show_progress)
        self._colouring: tuple[tuple, Colouring] | None = None
        self._shown: State | None = None
        self._paint = QTimer(self, interval=PAINT_MS, singleShot=True)
        self._paint.timeout.connect(self._show_rows)
        self._wire()

    def _wire(self) -> None:
        panel, canvas = self._panel, self._panel.canvas
        panel.folder_wanted.connect(self._ask_folder)
        panel.file_wanted.connect(self._ask_file)
        panel.samples_wanted.connect(self.use_samples)
        panel.method_chosen.connect(lambda key: self._set(tr("Change how the map is made"), method=key, view=()))
        panel.levels_chosen.connect(lambda levels: self._set(tr("Choose the map's levels"), levels=levels, view=()))
        panel.colour_chosen.connect(lambda key: self._set(tr("Colour the map"), colour=key))
        panel.stopped.connect(self._stop)
        panel.went_on.connect(lambda: self._set(tr("Encode the rest"), limit=0))
        panel.again_wanted.connect(self._again)
        panel.pile_wanted.connect(self._ask_pile)
        panel.direction_wanted.connect(self._ask_direction)
        panel.lasso_cleared.connect(self.clear_lasso)
        canvas.picked.connect(self.select)
        canvas.lassoed.connect(self._lasso)
        canvas.viewed.connect(self._view)
        canvas.escaped.connect(self._escape)
        self._side.picked.connect(self.select)
        self.host.controller.page_changed.connect(self._on_page)

    # The Explorer's contract

    def widget(self) -> QWidget:
        return self._panel

    def inspector_part(self) -> QWidget:
        return self._side

    @property
    def busy(self) -> bool:
        return self.link.busy or self.work.busy or self._paint.isActive()

    def sync(self) -> None:
        controller, state = self.host.controller, self.state
        self.link.sync(state, controller.model, controller.page.view)
        self._sync_wells()
        self.link.sync_selected(state.selected)
        if state != self._shown:
            self._shown = state
            self._show_all()
        # The theme, the model or the page may have changed with the state as it was.
        elif self._colouring is None or self._colouring[0] != self._colour_key():
            self._show_rows()

    def forget(self) -> None:
        self.link.forget()

    def large(self) -> Latent | None:
        return self.link.selected.latent

    def shown(self) -> Shown | None:
        data, row = self.link.data, self.state.selected
        if not 0 <= row < data.count:
            return None if not self.state.source else Shown(note=tr("Click a picture on the map to see it large"))
        found = self.link.selected
        picture = found.latent.picture if found.latent is not None else data.picture(row)
        label = found.latent.label if found.latent is not None else ()
        return Shown("map", data.names[row], picture, found.figures, label=label)

    def save_entries(self) -> list[tuple[str, Callable[[], object], bool]]:
        there = bool(self._members().any())
        return [(tr("Pile of the pictures in the lasso…"), self._ask_pile, there),
                (tr("Direction to the pictures in the lasso…"), self._ask_direction, there and not self._members().all()),
                (tr("Picture of the map…"), self._ask_picture, self.link.data.placed > 0)]  # fmt: skip

    def drop(self, mime: QMimeData) -> bool:
        for path in local_files(mime):
            if (path.is_dir() and not is_checkpoint(path)) or path.suffix.lower() in ARRAYS or path.name.endswith("-ubyte"):
                self.open_path(str(path))
                return True
        return False

    # What the person does

    def open_path(self, path: str) -> None:
        """Put a folder, a zip or an array file on the map."""
        kept = self.state
        if kept.source == "data" and kept.path == path and not self.link.data.error:
            return
        if kept.source == "data" and kept.path == path:
            self._again()
            return
        state = State(source="data", path=path, method=kept.method, levels=kept.levels, colour=kept.colour)
        self.change(state, tr("Put a folder on the map"))

    def use_samples(self) -> None:
        """Put the samples of the page on the map."""
        kept = self.state
        state = State(source="samples", method=kept.method, levels=kept.levels, colour=kept.colour)
        self.change(state, tr("Put the samples on the map"))

    def select(self, row: int) -> None:
        """Pick a picture; -1 for none."""
        if row != self.state.selected:
            self._set(tr("Pick a picture on the map") if row >= 0 else tr("Pick nothing"), selected=row)

    def clear_lasso(self) -> None:
        """Let the pictures in the lasso go."""
        if self.state.lasso:
            self._set(tr("Clear the lasso"), lasso=b"")

    def _set(self, label: str, **changes: object) -> None:
        self.change(replace(self.state, **changes), label)

    def _lasso(self, polygon: np.ndarray) -> None:
        members = np.zeros(self.link.data.count, bool)
        points = self.link.data.points
        members[: len(points)] = inside(points, polygon)
        self._panel.lasso.setChecked(False)
        if members.any():
            count = int(members.sum())
            self._set(plural(count, "Lasso {count} picture", "Lasso {count} pictures"), lasso=pack(members))
        else:
            self.clear_lasso()

    def _escape(self) -> None:
        self._panel.lasso.setChecked(False)
        if self.state.lasso:
            self.clear_lasso()
        else:
            self.select(-1)

    def _view(self, camera: Camera | None) -> None:
        """Where one looks is no act of its own."""
        view = () if camera is None else (camera.x, camera.y, camera.span)
        controller = self.host.controller
        controller.history.amend(controller.state.with_facet(self.id, replace(self.state, view=view)))

    def _stop(self) -> None:
        """Leave out the pictures that are still to come, or give up what is being made."""
        data, state = self.link.data, self.state
        if self.work.busy:
            self.work.cancel()
        elif data.stage == "arranging":
            self._set(tr("Give up UMAP"), method="pca")
        elif data.stage == "encoding" and data.count >= 2 and state.source == "data":
            self._set(tr("Stop encoding"), limit=data.taken)
        else:
            self.change(State(method=state.method, levels=state.levels, colour=state.colour), tr("Give up the map"))

    def _again(self) -> None:
        self.link.stop()
        self.sync()

    def _ask_folder(self) -> None:
        ask_folder(self._panel, tr("Choose a folder of pictures"), self.open_path, self._last_folder())

    def _ask_file(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in ARRAYS)
        ask_file(self._panel, tr("Choose a zip or an array file"), self.open_path, self._last_folder(),
                 [tr("Zip and array files ({kinds})", kinds=kinds), any_file()])  # fmt: skip

    def _ask_pile(self) -> None:
        ask_folder(self._panel, tr("Choose a folder for the pile"), self.make_pile, self._last_folder())

    def _ask_direction(self) -> None:
        ask_save(self._panel, tr("Save the direction"), "lasso.safetensors", self.make_direction, self._last_folder(),
                 tr("Directions"))  # fmt: skip

    def _ask_picture(self) -> None:
        ask_save(self._panel, tr("Save a picture of the map"), "map.png", self.save_picture, self._last_folder())

    def _last_folder(self) -> LastFolder:
        return LastFolder(self.host.context.settings, "explorer.map_folder")

    def save_picture(self, path: str) -> None:
        """Save the map as it is seen."""
        if not self._panel.canvas.grab().save(path):
            self.host.context.notify(tr("{path} cannot be written: choose another folder.", path=path))

    def make_pile(self, folder: str) -> None:
        """Copy the pictures in the lasso into a folder."""
        rows, model = np.flatnonzero(self._members()), self.host.controller.model
        if len(rows) and model is not None:
            self.work.pile(model, self.state.path, rows, folder)

    def make_direction(self, file: str) -> None:
        """Save the direction to the pictures in the lasso."""
        rows, model = np.flatnonzero(self._members()), self.host.controller.model
        if not len(rows) or model is None:
            return
        if len(rows) == self.link.data.count:
            self.host.context.notify(tr("All pictures are in the lasso: leave some outside to make a direction."))
            return
        self.work.direction(model, self.state.path, rows, file)

    # What is shown

    def _members(self) -> np.ndarray:
        return unpack(self.state.lasso, self.link.data.count)

    def _sync_wells(self) -> None:
        controller = self.host.controller
        self.link.sync_places({which: None if controller.state.well(which).empty else controller.wells[which].view
                               for which in "AB"})  # fmt: skip

    def _on_page(self, *_which: int) -> None:
        controller = self.host.controller
        if self.state.source == "samples" and controller.facet is self and controller.page.view.complete:
            self.sync()

    def _on_link(self, what: str) -> None:
        if what == "rows":
            # They come faster than they need to be painted.
            if not self._paint.isActive():
                self._paint.start()
            return
        if what in ("layout", "stage"):
            self._sync_wells()
            self.link.sync_selected(self.state.selected)
            self._show_all()
        elif what == "places":
            self._panel.canvas.show_marks(self.link.places)
        elif what == "selected":
            self._side.show_picked(self.link.data, self.state.selected, self.link.selected.error)
        self.changed.emit()

    def _levels(self) -> int:
        model = self.host.controller.model
        return model.levels if model is not None else 1

    def _show_all(self) -> None:
        self._paint.stop()
        self._show_rows()
        data, state = self.link.data, self.state
        members = self._members()
        self._panel.show_state(state, self._levels(), int(members.sum()), bool(self.link.data.class_names))
        self._panel.canvas.show_camera(state.view)
        near = data.neighbours[state.selected].tolist() if 0 <= state.selected < len(data.neighbours) else []
        self._panel.canvas.show_picked(state.selected, near, members if members.any() else None)
        self._panel.canvas.show_marks(self.link.places)
        self._side.show_picked(data, state.selected, self.link.selected.error)
        self._side.show_data(data)

    def _show_rows(self) -> None:
        key = self._colour_key()
        if self._colouring is None or self._colouring[0] != key:
            model = self.host.controller.model
            made = colouring(self.link.data, self.state.colour, dict(model.card) if model is not None else None)
            self._colouring = (key, made)
        self._panel.canvas.show_data(self.link.data, self._colouring[1])
        if self.state.lasso and self.link.data.count:
            members = self._members()
            state, near = self.state, self.link.data.neighbours
            rows = near[state.selected].tolist() if 0 <= state.selected < len(near) else []
            self._panel.canvas.show_picked(state.selected, rows, members if members.any() else None)
        self._show_progress()

    def _colour_key(self) -> tuple:
        from flow_explorer import theme

        data = self.link.data
        return id(data), data.count, data.version, self.state.colour, theme.current().name

    def _show_progress(self) -> None:
        self._panel.show_data(self.link.data, self.state, self._levels(), self.work.shown)
        self.changed.emit()


facet = MapFacet
