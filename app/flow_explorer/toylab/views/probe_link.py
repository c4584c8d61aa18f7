"""Keeps the probe's numbers those of the newest weights: asks the engine one thing at a time, calmly while it trains."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal

from flow_explorer.engine.client import Message
from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.toy_views import PROBE_REACH, ProbeToy
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.views.probe_data import ProbeData

__all__ = ["CALM_S", "ProbeLink"]

CALM_S = 0.2
"""While it trains, a probe that stands still is followed this seldom: digits that dance cannot be read."""

Point = tuple[float, float]


class ProbeLink(QObject):
    """``data`` is the newest answer for the probe of the state, None where there is none (yet)."""

    changed = Signal()
    """``data`` or ``error`` is another."""

    def __init__(self, controller: ToyController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.controller = controller
        self.data: ProbeData | None = None
        self.error = ""
        self.version = 0
        self._query = Query(controller.engine)
        self._known: tuple[int, int, Point] | None = None  # (run, step, x) that has been answered
        self.wish_z: Point | None = None  # a z whose x is not known yet
        self._absent = False
        self._last = 0.0
        self._seal_later = False
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self.look)
        controller.changed.connect(self.look)
        controller.arrived.connect(self._arrived)

    # What the person does

    def put(self, x: Point | None, drag: bool = False) -> None:
        """Probe x, or (None) put the probe away."""
        self.wish_z = None
        self.controller.set("probe", None if x is None else _within(x), drag)

    def put_z(self, z: Point) -> None:
        """Probe the x that f sends to z: part of a drag, until ``seal``."""
        self.wish_z = _within(z)
        self.look()

    def seal(self) -> None:
        """A drag has ended."""
        self._seal_later = self.wish_z is not None
        if not self._seal_later:
            self.controller.seal()

    def is_idle(self) -> bool:
        """Nothing is asked or left to ask."""
        if self._query.busy or self.wish_z is not None:
            return False
        return not self._can_ask() or self.controller.state.probe is None or self._known == self._wanted()

    def engine_restarted(self) -> None:
        """Whatever was asked is lost."""
        self._query.forget()
        self._absent = False
        self._known = None

    # The engine

    def _can_ask(self) -> bool:
        """There is a training to follow a point through, and no race in its place."""
        return not self.controller.state.rivals and self.controller.training.is_shown()

    def _wanted(self) -> tuple[int, int, Point] | None:
        run, probe = self.controller.training, self.controller.state.probe
        return None if probe is None else (run.number, run.step, probe)

    def _arrived(self) -> None:
        self._absent = False
        self.look()

    def look(self) -> None:
        """Ask if there is something to ask, and time to."""
        wanted = self._wanted()
        if wanted is None and self.wish_z is None:
            self._query.want(None)
            self._known = None
            if self.data is not None or self.error:
                self._show(None)
        if self._absent or not self._can_ask():
            return
        if self.wish_z is not None:
            self._ask(self.wish_z, "z")
            return
        if wanted is None or wanted == self._known:
            return
        stands = self._known is not None and (self._known[0], self._known[2]) == (wanted[0], wanted[2])
        wait = CALM_S - (time.monotonic() - self._last)
        if stands and self.controller.playing and wait > 0:
            if not self._later.isActive():
                self._later.start(int(1000 * wait) + 1)
            return
        self._ask(wanted[2], "x")

    def _ask(self, point: Point, side: str) -> None:
        """Ask for a point, once what is on its way has come: the newest alone then."""
        if not self._query.busy:
            self._query.forget()  # the same point may lie elsewhere with other weights
        run = self.controller.training
        known = run.number, run.step, point
        if self._query.want(
            ProbeToy(run.number, point, side),
            lambda message, _current: self._answered(message, point, side),
            lambda sentence, _details: self._failed(sentence, known, side),
        ):
            self._last = time.monotonic()

    def _answered(self, message: Message, point: Point, side: str) -> None:
        if message.kind != "probe":
            self._absent = True  # the run is on its way: look again when something of it arrives
            return
        data = ProbeData.from_answer(message.data, message.arrays)
        is_wanted = data.run == self.controller.state.run and (side == "x" or self.wish_z is not None)
        if side == "z" and point == self.wish_z:
            self.wish_z = None
        if is_wanted:
            x = point if side == "x" else data.x
            self._known = (data.run, data.step, x)
            if side == "z":
                self.controller.set("probe", x, drag=True)
            if self.controller.state.probe == x:
                self._show(data)
        self._maybe_seal()
        self.look()

    def _failed(self, sentence: str, asked: tuple[int, int, Point], side: str) -> None:
        if side == "x":
            self._known = asked
        else:
            self.wish_z = None
        self._show(None, sentence)
        self._maybe_seal()
        self.look()

    def _maybe_seal(self) -> None:
        if self._seal_later and self.wish_z is None:
            self._seal_later = False
            self.controller.seal()

    def _show(self, data: ProbeData | None, error: str = "") -> None:
        self.data, self.error = data, error
        self.version += 1
        self.changed.emit()


def _within(point: Point) -> Point:
    return tuple(min(PROBE_REACH, max(-PROBE_REACH, float(number))) for number in point)  # type: ignore[return-value]
