"""The toy lab's middle: one to six panels and the strip of layers, drawn anew at 60 Hz where something moves."""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.keep.toy_trace import ToyTrace
from flow_explorer.toylab.layers.layers import LayersPanel, LayerStrip
from flow_explorer.toylab.pace_bar import PaceBar
from flow_explorer.toylab.panels.loss_panel import LossPanel
from flow_explorer.toylab.panels.panels import DensityPanel, GridPanel, PriorPanel, SamplesPanel
from flow_explorer.toylab.race.view import RaceView
from flow_explorer.toylab.slow.view import SlowView
from flow_explorer.toylab.views.fields import DisplacementPanel, StretchPanel, TrajectoriesPanel
from flow_explorer.toylab.views.gallery import Gallery
from flow_explorer.toylab.views.gradients import GradientsPanel
from flow_explorer.toylab.views.menu import ViewsButton
from flow_explorer.toylab.views.names import panels_of
from flow_explorer.toylab.views.probing import Probing
from flow_explorer.widgets import IconButton, Label
from flow_explorer.widgets.dropping import has_files, local_file
from flow_explorer.widgets.reading import reading_unit

__all__ = ["ToyCanvas"]

FRAME_MS = 16
LAYER_S = 0.38
"""How long the animation takes from a layer to the next."""
END_S = 0.7
"""How long it stays at an end."""


class ToyCanvas(QWidget):
    """Panels, strip and clock. It reads the controller's run; it never asks the engine for anything."""

    dropped = Signal(str)
    """A file was dropped: its path."""

    def __init__(self, controller: ToyController) -> None:
        super().__init__()
        self.controller = controller
        self.setAcceptDrops(True)
        self.samples, self.density, self.prior = SamplesPanel(), DensityPanel(), PriorPanel()
        self.loss, self.grid, self.layers = LossPanel(), GridPanel(), LayersPanel()
        own = {
            "points": self.samples, "density": self.density, "prior": self.prior, "loss": self.loss, "grid": self.grid,
            "layers": self.layers,
        }  # fmt: skip
        self.gallery = Gallery({name: lambda panel=panel: panel for name, panel in own.items()} | {
            "displacement": DisplacementPanel, "stretch": StretchPanel, "trajectories": TrajectoriesPanel,
            "gradients": GradientsPanel,
        })  # fmt: skip
        self.probing = Probing(controller, self)
        self.gallery.made.connect(self.probing.attach)
        for name in own:
            self.gallery.panel(name)
        self.views = ViewsButton()
        self.strip = LayerStrip()
        self.play_layers = IconButton(
            "play", tr("Play the layers"), tooltip=tr("Follow the points through the layers, there and back.") + "\nL"
        )
        self.where = Label("", "muted")
        self.where.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        above = QHBoxLayout()
        above.setSpacing(12)
        above.addWidget(self.gallery, 1)
        above.addWidget(self.probing.ledger)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self.play_layers)
        below.addWidget(self.strip, 1)
        below.addWidget(self.views)
        self._column = layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 12)
        layout.setSpacing(12)
        layout.addLayout(above, 1)
        self.pace = PaceBar(controller)
        layout.addWidget(self.pace)
        layout.addLayout(below)
        self.race, self.slow = RaceView(controller, self), SlowView(controller, controller.slow, self)
        self._unit = 1.0
        self.trace: ToyTrace | None = None
        """Where each frame is told, where anybody asked for that."""
        self._moving: tuple[float, float] | None = None  # (when it began, where)
        self._direction = 1
        self._follows_end = True
        self._ticks = self._calm = 0
        self._held_collection = False
        self.clock = QTimer(self, interval=FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self.clock.timeout.connect(self.tick)
        self.strip.moved.connect(self._scrubbed)
        self.play_layers.clicked.connect(self.toggle_layers)
        self.probing.scrubbed.connect(self.go_to)
        self.probing.link.changed.connect(self.wake)
        controller.arrived.connect(self.wake)
        controller.changed.connect(self.wake)
        controller.changed.connect(self.show_views)
        self.show_views()
        theme.changed.connect(self.wake)

    def show_views(self) -> None:
        """Show the panels that are switched on."""
        views = self.controller.state.views
        self.views.show_views(views)
        self.samples.show_clouds("data" in views, "samples" in views)
        self.density.show_how("contours" in views, "logarithmic" in views)
        self.gallery.show_panels(panels_of(views))

    # The clock

    def wake(self) -> None:
        """Something may have to be drawn: let the clock run."""
        self._calm = 0
        if not self.clock.isActive() and self.isVisible():
            self.clock.start()
            # Automatic collection would fall into frames at random; here it is done between two of them.
            self._held_collection = gc.isenabled()
            gc.disable()

    def sleep(self) -> None:
        """Nothing moves, or nobody looks: stop the clock."""
        self.clock.stop()
        if self._held_collection:
            self._held_collection = False
            gc.enable()

    def tick(self) -> None:
        """One frame: draw what has changed, then collect garbage."""
        if not self.isVisible():
            self.sleep()
            return
        busy = self.draw()
        self._ticks += 1
        gc.collect(1 if self._ticks % 32 == 0 else 0)
        self._calm = 0 if busy or self._moving is not None or self.controller.playing else self._calm + 1
        if self._calm > 30:
            self.sleep()
            gc.collect()

    def draw(self) -> bool:
        """Draw what has changed; whether anything had."""
        if self.trace is not None:
            self.trace.drew(self.controller)
        covers = ((self.race, bool(self.controller.state.rivals)), (self.slow, self.controller.slow.on))
        for cover, wanted in sorted(covers, key=lambda pair: pair[1]):  # the one that goes before the one that comes
            cover.set_up(wanted)
        for cover, wanted in covers:
            if wanted:
                return cover.draw()
        self.pace.refresh()
        run, state = self.controller.shown, self.controller.state
        expected, busy = state.stages, False
        self.prior.show_prior(state.prior, state.components)
        busy = self.strip.show_run(run, expected) or busy
        self._advance()
        if self._follows_end:
            self.strip.set_position(float(self.strip.count()))
        for panel in self.gallery.shown:
            moves = getattr(panel, "show_at", None)
            busy = (moves(run, self.strip.position) if moves is not None else panel.show_run(run)) or busy
        busy = self.probing.draw(self.strip.position) or busy
        self.layers.note.write(self.strip.words(), self.strip.short_words())
        live = self.controller.playing and run is self.controller.training
        speed = f" · {run.rate:,.0f} " + tr("steps/s") if live and run.rate else ""
        step = tr("step {n}", n=f"{run.step:,}")
        self.loss.note.write(step + speed, step)
        return busy

    def is_still(self) -> bool:
        """Nothing is left to draw."""
        return self._moving is None and not (self.isVisible() and self.draw())

    # The layers

    def toggle_layers(self) -> None:
        """Play the layers there and back, or stay."""
        if self._moving is not None:
            self.stop_layers()
            return
        self._follows_end = False
        here, last = self.strip.position, float(self.strip.count())
        if here >= last:
            here = 0.0
        self._direction = 1
        self._moving = (time.monotonic(), here)
        self.play_layers.set_icon("pause")
        self.play_layers.set_name(tr("Stay at this layer"))
        self.wake()

    def stop_layers(self) -> None:
        """Stay at the layer where the animation is."""
        self._moving = None
        self.play_layers.set_icon("play")
        self.play_layers.set_name(
            tr("Play the layers"), tr("Follow the points through the layers, there and back.") + "\nL"
        )

    def _advance(self) -> None:
        if self._moving is None:
            return
        began, start = self._moving
        last = float(self.strip.count())
        gone = (time.monotonic() - began) / LAYER_S
        position = start + self._direction * gone
        over = position - last if self._direction > 0 else -position
        if over > END_S / LAYER_S:
            self._direction = -self._direction
            self._moving = (time.monotonic(), last if self._direction < 0 else 0.0)
        self.strip.set_position(min(last, max(0.0, position)))

    def go_to(self, position: float) -> None:
        """Move the strip to a position, as the person's hand on it would."""
        self.strip.set_position(position)
        self._scrubbed(position)

    def _scrubbed(self, position: float) -> None:
        self.stop_layers()
        self._follows_end = position >= self.strip.count()
        self.wake()

    # Saving and dropping

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if has_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = local_file(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.dropped.emit(path)

    def picture(self) -> QImage:
        """The panels and the strip as they are on screen."""
        self.draw()
        return self.grab().toImage()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        unit = reading_unit(self.size())
        if unit != self._unit:
            self._unit = unit
            for part in (self.gallery, self.strip, self.pace, self.race, self.slow, self.probing.ledger):
                part.set_unit(unit)

    def add_below(self, widget: QWidget) -> None:
        """Put a widget below everything."""
        self._column.addWidget(widget)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.wake()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.sleep()
