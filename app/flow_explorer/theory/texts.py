"""What each figure says: a sentence or two, its formula, and things to try, whose words in [brackets] do something."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from flow_explorer.i18n import tr
from flowcore.theory.curve import straight

__all__ = ["Text", "texts", "try_line"]


@dataclass(frozen=True)
class Text:
    """``tries`` are sentences with words in [brackets], and what a click on each of them changes: values of the figure's state,
    or "step", "learn" or "learn:TARGET", which the page does itself."""

    tab: str
    tip: str
    sentence: str
    formula: str
    tries: tuple[tuple[str, tuple[dict | str, ...]], ...]


def texts() -> dict[str, Text]:
    """The six figures' texts, in the window's language."""
    return {
        "affine": Text(
            tr("1  One number"), tr("A uniform, stretched and moved"),
            tr(
                "Stretch a density and it gets lower: what was in an interval stays in it, so width times height is the same "
                "before and after. The bars keep a density positive when the line falls."
            ),
            r"\b{p(x)} = \z{π(z)} \abs{\frac{dz}{dx}} \q x = s z + t \q \b{p(x)} = \frac{1}{\abs{s}}",
            (
                (tr("Make it [narrow] or [wide]: the areas stay 1."), ({"slope": 0.5}, {"slope": 2.5})),
                (tr("Turn it over with [a slope of −2]: without the bars, p would be below zero."), (
                    {"slope": -2.0, "offset": 3.0},)),
            ),
        ),
        "curve": Text(
            tr("2  Any curve"), tr("A rising curve between two densities"),
            tr(
                "Any curve that always rises takes one density to another. Where it is steep the strip spreads out and p is low, "
                "where it is flat p is high. Learning moves the knots until the points on the left are likely."
            ),
            r"\b{p(x′) Δx} = \z{π(z′) Δz} \q log \b{p(x)} = log \z{π(z)} − log \frac{dx}{dz}",
            (
                (tr("Drag a knot up and down, or let it [learn the target]."), ("learn",)),
                (
                    tr("Put the strip where the curve is steep: [between two hills]; then [begin anew] from a straight line."),
                    ({"z": 0.0}, {"heights": straight(), "steps": 0}),
                ),
                (tr("Then learn [a box]: its edges make the curve flat at both ends."), ("learn:box",)),
            ),
        ),
        "matrix": Text(
            tr("3  A square"), tr("A square under a 2×2 matrix"),
            tr(
                "A matrix turns the square into a parallelogram. Its area is the determinant, and the same dots on that area "
                "give the density: one over the determinant. Where the sign turns, the picture is turned over."
            ),
            r"det \mat{a & b \\ c & d} = a d − b c \q \b{p(x)} = \frac{\z{π(z)}}{\abs{det W}}",
            (
                (tr("Keep the area: [shear it] or [turn it]."), (
                    {"a": 1.0, "b": 0.9, "c": 0.0, "d": 1.0}, {"a": 0.8, "b": -0.6, "c": 0.6, "d": 0.8})),
                (tr("[Swap the edges]: the sign turns."), ({"a": 0.5, "b": 1.5, "c": 1.2, "d": 0.4},)),
                (tr("[Lay one edge on the other]: no area, no way back."), ({"a": 1.6, "b": 0.8, "c": 1.0, "d": 0.5},)),
            ),
        ),
        "coupling": Text(
            tr("4  A coupling"), tr("A coupling layer and its Jacobian"),
            tr(
                "Two numbers are copied, and say how to scale and shift the other two. So the Jacobian has a block of zeros, and "
                "its determinant is the product of its diagonal, however complicated the network is."
            ),
            r"\frac{∂z}{∂x} = \mat{I & 0 \\ ∗ & diag β} \q log \abs{det \frac{∂z}{∂x}} = Σ_{i} log β_{i}(x_{1}, x_{2})",
            (
                (tr("Drag x₃: only z₃ moves. Drag x₁: z₃ and z₄ do. Then stack [two layers without a swap]."), (
                    {"layers": "same", "matrix": "both"},)),
                (tr("[Swap the halves]: now every number changes, and [the second layer]'s zeros stand at the other side."), (
                    {"layers": "swap", "matrix": "both"}, {"layers": "swap", "matrix": "second"})),
            ),
        ),
        "masks": Text(
            tr("5  Masks"), tr("Masks on a real picture"),
            tr(
                "A mask says which numbers of a picture are copied. The copied ones decide how the others are scaled and "
                "shifted; with the next mask they change places, until nothing is left as it was."
            ),
            r"z = m ⊙ x + (1 − m) ⊙ (x ⊙ β(m ⊙ x) + γ(m ⊙ x))",
            (
                (tr("[Take a step], with Space or Right, and watch the right picture fill."), ("step",)),
                (tr("Compare [checkerboard], [half], [channel] and [the three-way cycle]."), (
                    {"mask": "checkerboard", "phase": 2}, {"mask": "half", "phase": 2}, {"mask": "channel", "phase": 2},
                    {"mask": "cycle", "phase": 2})),
            ),
        ),
        "convolution": Text(
            tr("6  1×1 convolution"), tr("A 1×1 convolution, plain, turned and learned"),
            tr(
                "Instead of swapping halves by hand, Glow mixes the channels by a matrix. A permutation is one such matrix, a "
                "rotation contains it, and a learned W may do anything whose determinant is not zero."
            ),
            r"z_{i,j} = W x_{i,j} \q log \abs{det \frac{∂z}{∂x}} = h · w · log \abs{det W}",
            (
                (tr("Turn from [0°] to [120°]: the rotation becomes [the permutation] that takes (3, 1, 2) to (1, 2, 3)."), (
                    {"kind": "rotation", "angle": 0.0}, {"kind": "rotation", "angle": 120.0}, {"kind": "permutation"})),
                (tr("See what a Glow has learned: [its first step], [its last step] of the first level."), (
                    {"kind": "learned", "step": 1}, {"kind": "learned", "step": 8})),
            ),
        ),
    }  # fmt: skip


def try_line(text: Text, colour: str) -> tuple[str, list[dict | str]]:
    """The "Try this" line as HTML with a link for each act, and the acts by the links' numbers."""
    acts: list[dict | str] = []
    parts = []
    for sentence, changes in text.tries:
        pieces, rest = [], sentence
        for change in changes:
            before, _, rest = rest.partition("[")
            words, _, rest = rest.partition("]")
            link = f'<a href="{len(acts)}" style="color: {colour}; text-decoration: none;">{escape(words)}</a>'
            pieces += [escape(before), link]
            acts.append(change)
        parts.append("".join(pieces) + escape(rest))
    return " ".join(parts), acts
