"""The four stages of a step of a flow of layers: forward, log-det, gradient, update. In words, figures and points."""

from __future__ import annotations

import numpy as np

from flow_explorer import theme
from flow_explorer.engine.client import Message
from flow_explorer.i18n import tr
from flow_explorer.toylab.layers.layers import between
from flow_explorer.toylab.slow.panel import NO_LINES, PointsPanel, magnified

__all__ = ["LayersScript", "show_update", "update_figures"]


class LayersScript:
    """What slow motion shows of maximum likelihood; see `flowcore.plane.step.StepInDetail` for the numbers."""

    reach = 4.2

    @property
    def captions(self) -> list[tuple[str, str, str]]:
        """(title, sentence, formula) of each stage."""
        return [
            (tr("1 Forward"), tr("The batch flows through the layers to z."), "z = f(x)"),
            (tr("2 Log-det"), tr("How likely z is, and how much space was stretched on the way, add up to the loss."),
             "L = − log π(z) − log |det ∂f/∂x|"),
            (tr("3 Gradient"), tr("Backwards through the layers: how the loss changes with the weights of each."), "∂L/∂θ"),
            (tr("4 Update"), tr("The weights go a small step downhill, and samples move with them."), "θ ← θ − η · Adam(∂L/∂θ)"),
        ]  # fmt: skip

    @property
    def norm_words(self) -> tuple[str, str]:
        """The bars' name, and what stands beside them."""
        return tr("Length of the gradient, layer by layer"), tr("layer, from x to z")

    def draw(self, panel: PointsPanel, detail: Message, stage: int, fraction: float) -> None:
        """The points at a moment of a stage."""
        path = detail.arrays["path"]
        panel.show_legend([])
        panel.widen(min(8.0, float(np.ceil(2 * np.quantile(np.abs(path), 0.99)) / 2)))
        tones = theme.current()
        if stage == 0:
            position = fraction * (len(path) - 1)
            note = tr("the batch, after {n} of {count} layers", n=int(position + 1e-6), count=len(path) - 1)
            panel.show_moment(between(path, position), theme.mix(tones.a, tones.z, fraction), note, rings=True)
        elif stage in (1, 2):
            panel.show_moment(path[-1], tones.z, tr("the batch in z; rings at 1, 2, 3 standard deviations"), rings=True)
        else:
            show_update(panel, detail, fraction)

    def figures(self, detail: Message, stage: int, fraction: float) -> list[str]:
        """What stands below each sentence once its stage has come."""
        data = detail.data
        share = 1 - (1 - fraction) ** 3
        prior, log_det = data["prior_term"], data["log_det_term"]
        whole = stage > 1 or (stage == 1 and fraction >= 1)
        loss = data["loss"] if whole else prior + share * log_det
        return [
            tr("{n} layers", n=len(detail.arrays["path"]) - 1),
            f"{prior:.3f} {'+' if log_det >= 0 else '−'} {abs(log_det) * (1 if whole else share):.3f} = {loss:.3f} nat",
            *update_figures(data),
        ]


def show_update(panel: PointsPanel, detail: Message, fraction: float) -> None:
    """Samples on their way from where the weights before have them to where those after do, drawn longer than it is."""
    before, after = detail.arrays["before"], detail.arrays["after"]
    ends, factor = magnified(before, after)
    points = before + (ends - before) * np.float32(fraction)
    paths = np.stack([before, points], 1) if len(before) else NO_LINES
    note = tr("samples, their way drawn {k} times as long", k=f"{factor:,.0f}")
    panel.show_moment(points, theme.current().b, note, paths=paths)


def update_figures(data: dict) -> list[str]:
    """The gradient's length, and what the update is."""
    cut = tr(", cut to {n}", n=f"{data['norm'] * data['scale']:.3g}") if data["scale"] < 1 else ""
    return [
        tr("length {n} over all weights", n=f"{data['norm']:.3g}") + cut,
        tr("learning rate {rate}: new weights at step {n}", rate=f"{data['learning_rate']:.2g}", n=f"{data['step']:,}"),
    ]
