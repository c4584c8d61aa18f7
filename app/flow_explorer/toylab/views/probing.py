"""The probe's place in the canvas: marks on the panels, hands that move it, and the ledger."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from flow_explorer import theme
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.panels.panel import ToyPanel
from flow_explorer.toylab.views.ledger import Ledger
from flow_explorer.toylab.views.overlay import ProbeHand, ProbeMark
from flow_explorer.toylab.views.probe_link import ProbeLink
from flow_explorer.widgets.plot import Plot

__all__ = ["Probing"]


@runtime_checkable
class _Probed(Protocol):
    """A panel that shows the plane, and says which side of the flow it is."""

    probe_side: str
    plot: Plot


class Probing(QObject):
    """``attach`` it to panels whose ``probe_side`` is "x", "z" (both can be pointed at) or "path" (which moves)."""

    scrubbed = Signal(float)

    def __init__(self, controller: ToyController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.controller = controller
        self.link = ProbeLink(controller, self)
        self.ledger = Ledger()
        self.ledger.hide()
        self.marks: list[tuple[str, ProbeMark]] = []
        self.hands: list[ProbeHand] = []
        self._shown: tuple[object, ...] | None = None
        self.ledger.copied.connect(self.copy)
        self.ledger.closed.connect(self.put_away)
        self.ledger.scrubbed.connect(self.scrubbed)

    def attach(self, panel: ToyPanel) -> None:
        """Let the probe be seen on a panel, and set where its sides can be pointed at."""
        if not isinstance(panel, _Probed):
            return
        side = panel.probe_side
        mark = ProbeMark()
        panel.plot.box.addItem(mark)
        self.marks.append((side, mark))
        self._shown = None
        if side == "path":
            return
        hand = ProbeHand(panel.plot)
        hand.pointed.connect(lambda x, y, drag, side=side: self._pointed(side, x, y, drag))
        hand.nudged.connect(lambda dx, dy, side=side: self._nudged(side, dx, dy))
        hand.rested.connect(self.link.seal)
        hand.put_away.connect(self.put_away)
        self.hands.append(hand)

    def put_away(self) -> None:
        """No probe any more."""
        if self.controller.state.probe is not None:
            self.link.put(None)

    def copy(self) -> None:
        """Put the ledger on the clipboard as text."""
        if self.link.data is not None:
            QGuiApplication.clipboard().setText(self.link.data.text())

    def draw(self, position: float) -> bool:
        """Draw what has changed, with the strip at a position; whether anything had."""
        state, data = self.controller.state, self.link.data
        if data is not None and data.run != state.run:
            data = None
        mark = (self.link.version, position, state.probe is None, state.run, theme.current().name, len(self.marks))
        if mark == self._shown:
            return False
        self._shown = mark
        self.ledger.setVisible(state.probe is not None)
        for hand in self.hands:
            hand.moves = state.probe is not None
        if state.probe is None or data is None:
            for _, item in self.marks:
                item.clear()
        else:
            path = data.states[data.whole]
            for side, item in self.marks:
                place = {"x": data.positions[0], "z": 0.0}.get(side, position)
                item.set_probe(path, data.parallelogram(place), data.at(place)[0])
        if state.probe is not None:
            self.ledger.show_probe(data, position, self.link.error)
        return True

    def _pointed(self, side: str, x: float, y: float, drag: bool) -> None:
        if side == "x":
            self.link.put((x, y), drag)
        else:
            self.link.put_z((x, y))

    def _nudged(self, side: str, dx: float, dy: float) -> None:
        data, probe = self.link.data, self.controller.state.probe
        # Held down, a key is a drag: one act.
        if side == "x" and probe is not None:
            self.link.put((probe[0] + dx, probe[1] + dy), drag=True)
        elif side == "z" and data is not None:
            z = self.link.wish_z or data.z
            self.link.put_z((z[0] + dx, z[1] + dy))
