"""Pixels: looking into a picture's z, and painting with it. Puts the state, the links and the views together."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.facets.pixels.controls import Controls
from flow_explorer.explorer.facets.pixels.look_canvas import LookCanvas
from flow_explorer.explorer.facets.pixels.look_link import LookLink
from flow_explorer.explorer.facets.pixels.maps_view import level_name
from flow_explorer.explorer.facets.pixels.paint_canvas import PaintCanvas
from flow_explorer.explorer.facets.pixels.paint_link import PaintLink
from flow_explorer.explorer.facets.pixels.state import ZPlace
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import InspectorPicture
from flow_explorer.i18n import tr
from flow_explorer.widgets import EmptyState, Segmented
from flowcore.pictures.painting import Stroke

__all__ = ["Pixels", "facet"]


class _Canvas(QWidget):
    """The switch, and below it the half that is in front, or what to do where there is no picture."""

    def __init__(self, pixels: Pixels) -> None:
        super().__init__()
        self._pixels = pixels
        self.mode = Segmented(
            [("look", tr("Look"), tr("Point into the picture: which z a pixel moves, which pixels a z moves")),
             ("paint", tr("Paint"), tr("Paint on the picture, see z change, and make it plausible"))],
            name=tr("Look or paint"), compact=True, parent=self)  # fmt: skip
        self.look, self.paint = LookCanvas(self), PaintCanvas(self)
        self.empty = EmptyState(tr("Choose a picture to look into: a sample, one of yours in A or B, or the walk's."),
                                (tr("Take the first sample"), pixels.take_sample), parent=self)  # fmt: skip

    def resizeEvent(self, event) -> None:
        size = self.mode.sizeHint()
        self.mode.setGeometry(0, 0, size.width(), size.height())
        # A calm gap below the switch; the halves begin with a heading of their own.
        top = size.height() + 8
        for part in (self.look, self.paint):
            part.setGeometry(0, top, self.width(), self.height() - top - 12)
        self.empty.setGeometry(self.rect())
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._pixels.state.place is not None and self._pixels.state.mode == "look":
            self._pixels.leave_place()
        else:
            super().keyPressEvent(event)


class Pixels(Facet):
    """See the package."""

    id = "pixels"

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(host, parent)
        client = host.controller.client
        self.looking = LookLink(client, self._show)
        self.painting = PaintLink(client, self._show)
        self.controls = Controls()
        self.canvas = _Canvas(self)
        self._wire()

    # What it gives

    def widget(self) -> QWidget:
        return self.canvas

    def inspector_part(self) -> QWidget | None:
        return self.controls

    @property
    def busy(self) -> bool:
        return self.looking.busy or self.painting.busy

    def forget(self) -> None:
        self.looking.forget()
        self.painting.forget()

    def hidden(self) -> None:
        self.looking.stop()
        self.painting.stop()

    def large(self) -> Latent | None:
        latent = self.painting.result if self.state.mode == "paint" else None
        return None if latent is None else replace(latent, name=self._title(latent))

    def shown(self) -> InspectorPicture | None:
        latent = self.painting.result if self.state.mode == "paint" else None
        if latent is None:
            return None
        return InspectorPicture("pixels", self._title(latent), latent.picture, self.painting.result_figures, label=latent.label)

    def _title(self, latent: Latent) -> str:
        plausible = self.painting.result_amount > 0
        return tr("Plausible: {name}", name=latent.name) if plausible else tr("Painted: {name}", name=latent.name)

    def sync(self) -> None:
        model, state = self.host.controller.model, self.state
        if model is None:
            return
        subject = self.host.controller.subject()
        if state.mode == "look":
            self.painting.stop()
            self.looking.sync(model, subject, state)
        else:
            self.looking.stop()
            self.painting.sync(model, subject, state)
        self._show()

    # What the person does

    def _wire(self) -> None:
        canvas, look, paint = self.canvas, self.controls.look, self.controls.paint
        canvas.mode.chosen.connect(lambda key: self.change(replace(self.state, mode=key), tr("Look or paint")))
        canvas.look.point.pointed.connect(self._point)
        canvas.look.maps.picked.connect(self._pick)
        canvas.look.maps.left.connect(self.leave_place)
        canvas.paint.brush.drawn.connect(self._draw)
        for part in (canvas.look.point, canvas.look.maps, canvas.paint.brush, look, paint):
            part.rested.connect(self.rest)
        look.reach_changed.connect(self._set_reach)
        look.opacity_changed.connect(
            lambda value: self.change(replace(self.state, opacity=value), tr("Change the opacity"), "opacity"))
        look.channel_chosen.connect(self._set_channel)
        look.back_wanted.connect(self.leave_place)
        paint.brush_changed.connect(lambda value: self.change(replace(self.state, brush=value), tr("Change the brush"), "brush"))
        paint.colour_chosen.connect(
            lambda colour: self.change(replace(self.state, colour=colour, erasing=False), tr("Choose a colour")))
        paint.erasing_chosen.connect(
            lambda: self.change(replace(self.state, erasing=not self.state.erasing), tr("Take the eraser or the brush")))
        paint.amount_changed.connect(
            lambda value: self.change(replace(self.state, amount=value), tr("Make it plausible"), "amount"))
        paint.clear_wanted.connect(self._clear)

    def take_sample(self) -> None:
        """Be about a sample: the selected one, or the first."""
        acts, state = self.host.controller.acts, self.host.controller.state
        acts.set_subject("sample")
        if state.selected < 0:
            acts.select(0)

    def leave_place(self) -> None:
        """Show again what the pixel moves."""
        self.change(replace(self.state, place=None), tr("Look at the pixel"))

    def _point(self, x: float, y: float) -> None:
        # Whoever points into the picture wants to see its pixel again.
        self.change(replace(self.state, x=round(x, 5), y=round(y, 5), place=None), tr("Look at another pixel"), "point")

    def _pick(self, level: int, row: int, column: int) -> None:
        before = self.state.place
        channel = before.channel if before is not None and before.level == level else -1
        self.change(replace(self.state, place=ZPlace(level, row, column, channel)), tr("Look at a place of z"), "place")

    def _set_channel(self, channel: int) -> None:
        if self.state.place is not None:
            self.change(replace(self.state, place=replace(self.state.place, channel=channel)), tr("Look at another number of z"))

    def _set_reach(self, pixels: float) -> None:
        subject = self.host.controller.subject()
        side = max(subject.picture.shape[:2]) if subject is not None else 64
        self.change(replace(self.state, reach=min(round(pixels / side, 5), 0.25)), tr("Change the region"), "reach")

    def _draw(self, points: tuple[tuple[float, float], ...]) -> None:
        subject = self.host.controller.subject()
        if subject is None:
            return
        state, key = self.state, self.painting.key_of(subject)
        strokes = state.strokes(key)
        stroke = Stroke(points, state.brush, None if state.erasing else state.colour)
        # A stroke that grows takes the place of what it was a moment ago.
        growing = len(points) > 1 and bool(strokes) and strokes[-1].points == points[:-1]
        grown = (*(strokes[:-1] if growing else strokes), stroke)
        self.change(state.with_strokes(key, grown), tr("Erase a stroke") if state.erasing else tr("Paint a stroke"), "stroke")

    def _clear(self) -> None:
        subject = self.host.controller.subject()
        if subject is not None:
            self.change(self.state.with_strokes(self.painting.key_of(subject), ()), tr("Take all strokes off"))

    # What is shown

    def _show(self) -> None:
        state, subject = self.state, self.host.controller.subject()
        canvas, there = self.canvas, subject is not None
        looks = state.mode == "look"
        canvas.mode.set_current(state.mode)
        canvas.mode.setVisible(there)
        canvas.empty.setVisible(not there)
        canvas.look.setVisible(there and looks)
        canvas.paint.setVisible(there and not looks)
        self.controls.setVisible(there)
        self.controls.show_mode(state.mode)
        if subject is not None:
            smooth = not self.host.context.settings.get("explorer.whole_pixels", False)
            canvas.look.point.set_smooth(smooth)
            canvas.paint.set_smooth(smooth)
            if looks:
                canvas.look.show_look(subject.picture, state, self.looking)
            else:
                shapes = [size[1:] for size in self.looking.sizes]
                canvas.paint.show_paint(subject.picture, state, self.painting, shapes)
            self._show_controls(subject)
        self.changed.emit()

    def _show_controls(self, subject: Latent) -> None:
        state, link = self.state, self.looking
        place = link.place_in(state.place)
        words, channels = "", 0
        if place is not None:
            channels, height, width = link.sizes[place.level]
            level = level_name(place.level, len(link.sizes))
            words = tr("{level}: row {row} of {height}, column {column} of {width}", level=level, row=place.row + 1,
                       height=height, column=place.column + 1, width=width)  # fmt: skip
        self.controls.look.show_look(state, max(subject.picture.shape[:2]), words, channels)
        painting = self.painting
        strokes = len(state.strokes(painting.key_of(subject)))
        known = painting.kept if painting.current else None
        self.controls.paint.show_paint(state, subject.picture, strokes, known, painting.outside)


facet = Pixels
