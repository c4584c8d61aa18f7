"""The toy lab's middle: six panels and the strip of layers, drawn anew at 60 Hz where something moves."""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app import theme
from app.i18n import tr
from app.toylab.controller import ToyController
from app.toylab.layers import LayersPanel, LayerStrip
from app.toylab.loss_panel import LossPanel
from app.toylab.pace_bar import PaceBar
from app.toylab.panels import DensityPanel, GridPanel, PriorPanel, SamplesPanel
from app.toylab.race_view import RaceView
from app.toylab.slow_view import SlowView
from app.toylab.toy_trace import ToyTrace
from app.widgets import IconButton, Label

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
        self.panels = (self.samples, self.density, self.prior, self.loss, self.grid, self.layers)
        self.strip = LayerStrip()
        self.play_layers = IconButton(
            "play", tr("Play the layers"), tooltip=tr("Follow the points through the layers, there and back.") + "\nL"
        )
        self.where = Label("", "muted")
        self.where.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid = QGridLayout()
        grid.setSpacing(12)
        for index, panel in enumerate(self.panels):
            grid.addWidget(panel, index // 3, index % 3)
        for column in range(3):
            grid.setColumnStretch(column, 1)
            grid.setColumnMinimumWidth(column, 120)
        grid.setRowStretch(0, 1)
        grid.setRowStretch(1, 1)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self.play_layers)
        below.addWidget(self.strip, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 12)
        layout.setSpacing(12)
        layout.addLayout(grid, 1)
        self.pace = PaceBar(controller)
        layout.addWidget(self.pace)
        layout.addLayout(below)
        self.race, self.slow = RaceView(controller, self), SlowView(controller, controller.slow, self)
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
        controller.arrived.connect(self.wake)
        controller.changed.connect(self.wake)
        theme.changed.connect(self.wake)

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
        run, expected = self.controller.past.shown, self.controller.state.depth
        busy = False
        for panel in self.panels[:-1]:
            busy = panel.show_run(run) or busy
        busy = self.strip.show_run(run, expected) or busy
        self._advance()
        if self._follows_end:
            self.strip.set_position(float(self.strip.count()))
        busy = self.layers.show_at(run, self.strip.position) or busy
        self.layers.note.setText(self.strip.words())
        live = self.controller.playing and run is self.controller.run
        speed = f" · {run.rate:,.0f} " + tr("steps/s") if live and run.rate else ""
        self.loss.note.setText(tr("step {n}", n=f"{run.step:,}") + speed)
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

    def _scrubbed(self, position: float) -> None:
        self.stop_layers()
        self._follows_end = position >= self.strip.count()
        self.wake()

    # Saving and dropping

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        path = next((url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()), "")
        if path:
            event.acceptProposedAction()
            self.dropped.emit(path)

    def picture(self) -> QImage:
        """The six panels and the strip as they are on screen."""
        self.draw()
        return self.grab().toImage()

    def showEvent(self, event: object) -> None:  # noqa: N802
        super().showEvent(event)
        self.wake()

    def hideEvent(self, event: object) -> None:  # noqa: N802
        super().hideEvent(event)
        self.sleep()
