"""The six figures, one file each, in the order of the page."""

from flow_explorer.theory.figures.affine import AffineFigure
from flow_explorer.theory.figures.convolution import ConvolutionFigure
from flow_explorer.theory.figures.coupling import CouplingFigure
from flow_explorer.theory.figures.curve import CurveFigure
from flow_explorer.theory.figures.masks import MasksFigure
from flow_explorer.theory.figures.matrix import MatrixFigure

ALL = (AffineFigure, CurveFigure, MatrixFigure, CouplingFigure, MasksFigure, ConvolutionFigure)

__all__ = ["ALL"]
