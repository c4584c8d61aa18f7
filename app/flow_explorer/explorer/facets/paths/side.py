"""The same two pictures, every way from the one to the other."""

from __future__ import annotations

from flow_explorer.explorer.facets.paths.part import Part
from flow_explorer.explorer.facets.paths.side_link import SideLink
from flow_explorer.explorer.facets.paths.side_view import SidePanel
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr

__all__ = ["SidePart"]


class SidePart(Part[SidePanel]):
    """Its ends are the Explorer's own A and B."""

    id = "side"

    def __init__(self, facet) -> None:
        super().__init__(facet)
        self.link = SideLink(self.host.controller.client, self.answered)

    def make_panel(self) -> SidePanel:
        panel, transfers = SidePanel(), self.host.transfers
        panel.moved.connect(lambda t: self.change(tr("Move along the walks"), "t", t=round(t, 4)))
        panel.rested.connect(self.facet.rest)
        panel.way_chosen.connect(lambda way: self.amend(way=way))
        panel.two_samples_wanted.connect(self.use_two_samples)
        panel.dragged.connect(lambda way: transfers.drag(panel, self.link.latent(way)))
        for way, row in panel.rows.items():
            row.picture.drag_data = lambda way=way: transfers.mime(self.link.latent(way))
        return panel

    @property
    def busy(self) -> bool:
        return self.link.busy

    def forget(self) -> None:
        self.link.forget()

    def sync(self, model: Model) -> None:
        a, b = (self.host.controller.slot_latent(which) for which in "AB")
        self.link.sync(model, a, b, self.state.t)

    def show(self) -> None:
        panel = self.panel()
        panel.set_smooth(self.smooth)
        panel.set_aspect(self.aspect)
        possible = all(self.host.controller.slot_latent(which) is not None for which in "AB")
        panel.show_rows(self.link.rows, possible, self.link.error)
        panel.show_position(self.state.t, self.state.way)

    def large(self) -> tuple[Latent | None, float | None]:
        return self.link.latent(self.state.way), self.link.bpd(self.state.way)

    def use_two_samples(self) -> None:
        """Fill A and B with samples."""
        samples = self.samples()
        if len(samples) >= 2:
            self.host.controller.acts.put_two(samples[0], samples[-1])
