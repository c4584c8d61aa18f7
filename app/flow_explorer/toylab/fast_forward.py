"""Fast-forward: train without frames until the held-out loss stands still. No widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow_explorer.engine.client import Message
from flow_explorer.engine.requests.toy import RunToy
from flow_explorer.i18n import tr
from flowcore.plane.convergence import EarlyStopping

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController
    from flow_explorer.toylab.state import ToyState

__all__ = ["FastForward", "rule_in_words"]


def rule_in_words() -> str:
    """When it stops, as a sentence."""
    rule = EarlyStopping()
    return tr(
        "Stops once {patience} steps have brought less than {gain} nat on held-out points, and after {most} steps at the latest.",
        patience=f"{rule.patience:,}", gain=f"{rule.gain:g}", most=f"{rule.most:,}",
    )  # fmt: skip


class FastForward:
    """Whether the present training is being wound forward, and how far it has come."""

    def __init__(self, controller: ToyController) -> None:
        self._controller = controller
        self._run: int | None = None
        self.fraction = 0.0
        """How much of the rule's patience is used up."""
        self.quiet = 0
        """Steps without progress so far."""

    @property
    def active(self) -> bool:
        """It is under way."""
        return self._run is not None and self._run == self._controller.state.run

    def begin(self) -> None:
        """Wind the present training forward; it stands still afterwards."""
        controller = self._controller
        if self.active or controller.state.rivals:
            return
        controller.stand_still()
        self._run, self.fraction, self.quiet = controller.state.run, 0.0, 0
        controller.refresh()

    def stop(self) -> None:
        """Forget it, without asking."""
        self._run = None

    def cancel(self) -> None:
        """Stand still where it is."""
        if self._run is not None:
            self._run = None
            self._controller.refresh()

    def wanted(self, state: ToyState) -> bool:
        """Whether the engine is to wind forward; another training, or a race, ends it."""
        if self._run is not None and (self._run != state.run or state.rivals):
            self._run = None
        return self._run is not None and self._controller.is_seen

    def took(self, message: Message) -> None:
        """An answer of the present training has come."""
        if message.kind == "forward":
            self.fraction, self.quiet = float(message.data["fraction"]), int(message.data["quiet"])
        elif message.kind == "rest" and self._run is not None and isinstance(message.request, RunToy) and message.request.forward:
            self._run = None
            self._controller.refresh()
