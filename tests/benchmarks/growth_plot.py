"""docs/cost.png: measured cost and expected law, both axes logarithmic."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

__all__ = ["draw"]

# Okabe and Ito's colours, told apart with every kind of colour vision; the markers differ as well.
_COLOURS = {"stored": "#0072B2", "inverted": "#D55E00"}
_MARKERS = {"stored": "o", "inverted": "s"}
_INK, _GRID = "#303030", "#E4E4E4"
_LABELS = {"depth": "depth K", "width": "channels of the networks", "resolution": "side in pixels", "batch": "batch"}
_LAWS = {
    ("time", "depth"): "law: ∝ K", ("time", "width"): "law: ∝ a·w + b·w²", ("time", "resolution"): "law: ∝ side²",
    ("time", "batch"): "law: ∝ N", ("memory", "depth"): "law: ∝ K, and constant", ("memory", "width"): "law: ∝ w",
    ("memory", "resolution"): "law: ∝ side²", ("memory", "batch"): "law: ∝ N",
}  # fmt: skip


def _panel(axes, data: dict, quantity: str, name: str) -> None:
    values = data["values"]
    for path, figures in data[quantity].items():
        colour = _COLOURS[path]
        expected = data["law"][f"{quantity}, {path}"]
        factor = figures[-1] / expected[-1]
        axes.plot(values, [factor * each for each in expected], "--", color=colour, linewidth=1.2, alpha=0.75)
        axes.plot(values, figures, color=colour, marker=_MARKERS[path], markersize=5, linewidth=1.8, label=path)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(values)
    decades = math.log10(max(axes.get_ylim()) / min(axes.get_ylim()))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(NullLocator())
    axes.grid(True, color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(_LAWS[quantity, name], fontsize=9, color=_INK, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _throughput(axes, rates: dict) -> None:
    works = ["1 process, 1 thread", "1 process, 2 threads", "2 processes"]
    for offset, (path, found) in zip((-0.2, 0.2), rates.items(), strict=False):
        known = [(place + offset, found[words]) for place, words in enumerate(works) if words in found]
        if not known:
            continue
        places, heights = zip(*known, strict=True)
        bars = axes.bar(places, heights, 0.38, color=_COLOURS[path], label=path)
        axes.bar_label(bars, [f"{height:.0f}" for height in heights], fontsize=8, color=_INK, padding=2)
        if works[0] in found:
            for place in (1, 2):
                left, right = place + offset - 0.19, place + offset + 0.19
                axes.hlines(2 * found[works[0]], left, right, color=_INK, linestyle="--", linewidth=1.2)
    axes.set_xticks(range(3), ["1 process\n1 thread", "1 process\n2 threads", "2 processes\n1 thread each"], fontsize=8)
    axes.set_title("pictures a second in training; law: × 2", fontsize=9, color=_INK, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def draw(data: dict, path: Path) -> None:
    """Write the figure."""
    names = [name for name in _LABELS if name in data]
    with plt.rc_context({"font.size": 9, "axes.edgecolor": _INK, "text.color": _INK, "axes.labelcolor": _INK}):
        figure = plt.figure(figsize=(15, 6.6), layout="constrained", facecolor="white")
        grid = figure.add_gridspec(2, len(names) + 1)
        for column, name in enumerate(names):
            for row, (quantity, label) in enumerate((("time", "ms a training step"), ("memory", "peak activation memory, MB"))):
                axes = figure.add_subplot(grid[row, column])
                _panel(axes, data[name], quantity, name)
                if column == 0:
                    axes.set_ylabel(label)
                if row == 1:
                    axes.set_xlabel(_LABELS[name])
        _throughput(figure.add_subplot(grid[0, len(names)]), data.get("throughput", {}))
        key = figure.add_subplot(grid[1, len(names)])
        key.axis("off")
        for name, marker in _MARKERS.items():
            words = {"stored": "activations stored", "inverted": "invertible backpropagation"}[name]
            key.plot([], [], color=_COLOURS[name], marker=marker, linewidth=1.8, label=words)
        key.plot([], [], "--", color=_INK, linewidth=1.2, label="expected law, through the largest value")
        key.legend(loc="center left", frameon=False, fontsize=9)
        figure.savefig(path, dpi=110)
        plt.close(figure)
