"""The column's part of each figure: its values as sliders, and every live number in rows that add up."""

from app.theory.panels.convolution import ConvolutionPanel
from app.theory.panels.coupling import CouplingPanel
from app.theory.panels.curve import CurvePanel
from app.theory.panels.masks import MasksPanel
from app.theory.panels.plane import AffinePanel, MatrixPanel

ALL = {
    "affine": AffinePanel, "curve": CurvePanel, "matrix": MatrixPanel, "coupling": CouplingPanel, "masks": MasksPanel,
    "convolution": ConvolutionPanel,
}  # fmt: skip

__all__ = ["ALL"]
