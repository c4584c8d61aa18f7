"""The four stages of a step of a continuous flow: draw times, velocity asked for, gradient, update."""

from __future__ import annotations

import numpy as np

from flow_explorer import theme
from flow_explorer.engine.client import Message
from flow_explorer.i18n import tr
from flow_explorer.toylab.slow.layers import show_update, update_figures
from flow_explorer.toylab.slow.panel import NO_LINES, PointsPanel
from flow_explorer.toylab.views.lines import arrows

__all__ = ["ARROWS", "SHORTER", "MatchingScript"]

ARROWS = 40
"""How many of the points are shown with their lines and arrows: more would cover each other."""
SHORTER = 4
"""Velocities are drawn so many times shorter than they are: in a time of 1 a point goes all its way."""


class MatchingScript:
    """What slow motion shows of flow matching; see `flowcore.plane.step_matching.MatchingInDetail` for the numbers."""

    reach = 3.0

    @property
    def captions(self) -> list[tuple[str, str, str]]:
        """(title, sentence, formula) of each stage."""
        return [
            (tr("1 Draw times"), tr("Each data point x gets noise z and a time t, and stands so far along the straight line."),
             "xₜ = (1 − t) z + t x"),
            (tr("2 Velocity asked for"),
             tr("There the field is to point along the line. The loss is its gap, squared; as lines cross, it never gets to 0."),
             "L = |v(xₜ, t) − (x − z)|²"),
            (tr("3 Gradient"), tr("Backwards through the field's network: how the loss changes with its weights."), "∂L/∂θ"),
            (tr("4 Update"), tr("The weights go a small step downhill, and samples move with the field."),
             "θ ← θ − η · Adam(∂L/∂θ)"),
        ]  # fmt: skip

    @property
    def norm_words(self) -> tuple[str, str]:
        """The bars' name, and what stands beside them."""
        return tr("Length of the gradient by the field's three layers"), tr("layer of the field's network")

    def draw(self, panel: PointsPanel, detail: Message, stage: int, fraction: float) -> None:
        """The points at a moment of a stage."""
        if stage == 3:
            show_update(panel, detail, fraction)
            panel.show_legend([("b", tr("samples"))])
            return
        tones = theme.current()
        count = len(detail.arrays["place"])
        chosen = np.unique(np.linspace(0, count - 1, min(ARROWS, count)).round().astype(int))
        names = ("noise", "data", "place", "wanted", "field")
        noise, data, place, wanted, field = (detail.arrays[name][chosen] for name in names)
        panel.widen(min(8.0, float(np.ceil(2 * np.abs(np.concatenate([noise, data])).max()) / 2)))
        if stage == 0:
            eased = np.float32(fraction * fraction * (3 - 2 * fraction))
            note = tr("{n} of the {count} points", n=len(chosen), count=f"{detail.data['batch']:,}")
            panel.show_moment(
                noise + (place - noise) * eased, tones.text, note, paths=np.stack([noise, data], 1), faint=0.3, ends=(noise, data)
            )
            panel.show_legend([("z", tr("noise z")), ("a", tr("data x")), ("text", "xₜ")])
            return
        asked, own, gap = _growth(stage, fraction)
        tips = [place + velocity / np.float32(SHORTER) for velocity in (wanted, field)]
        grown = [arrows(place, place + (tip - place) * np.float32(share)) for tip, share in zip(tips, (asked, own), strict=True)]
        gaps = np.stack([tips[1], tips[1] + (tips[0] - tips[1]) * np.float32(gap)], 1) if gap else NO_LINES
        panel.show_moment(
            place, tones.text, tr("velocities, drawn {k} times shorter", k=SHORTER), paths=gaps, faint=0.75, arrows=tuple(grown)
        )
        panel.show_legend([("a", tr("asked for")), ("b", tr("the field's")), ("text", tr("gap"))])

    def figures(self, detail: Message, stage: int, fraction: float) -> list[str]:
        """What stands below each sentence once its stage has come."""
        data = detail.data
        times = tr("{n} points, t from {first} to {last}", n=f"{data['batch']:,}", first=f"{data['earliest']:.2f}",
                   last=f"{data['latest']:.2f}")  # fmt: skip
        _, own, gap = _growth(stage, fraction)
        words = tr("mean {square} = {n}", square="|x − z|²", n=f"{data['wanted_square']:.3f}")
        if own:
            words += ", " + tr("mean {square} = {n}", square="|v|²", n=f"{data['field_square']:.3f}")
        loss = f"{data['loss']:.3f}" if gap else "…"
        words += "\nL = " + tr("mean {square} = {n}", square="|v − (x − z)|²", n=loss)
        return [times, words, *update_figures(data)]


def _growth(stage: int, fraction: float) -> tuple[float, float, float]:
    """How much there is to see of what is asked for, of the field's own velocity, and of the gap, 0 to 1 each."""
    if stage != 1:
        return (1.0, 1.0, 1.0) if stage > 1 else (0.0, 0.0, 0.0)
    asked, own, gap = (min(1.0, max(0.0, 3 * fraction - number)) for number in range(3))
    return asked, own, gap
