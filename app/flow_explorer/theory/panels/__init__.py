"""The column's part of each figure: its values as sliders, and every live number in rows that add up."""

from flow_explorer.theory.panels.convolution import ConvolutionPanel
from flow_explorer.theory.panels.coupling import CouplingPanel
from flow_explorer.theory.panels.curve import CurvePanel
from flow_explorer.theory.panels.masks import MasksPanel
from flow_explorer.theory.panels.plane import AffinePanel, MatrixPanel

ALL = {
    "affine": AffinePanel, "curve": CurvePanel, "matrix": MatrixPanel, "coupling": CouplingPanel, "masks": MasksPanel,
    "convolution": ConvolutionPanel,
}  # fmt: skip

__all__ = ["ALL"]
