"""The six figures, one file each, in the order of the page."""

from app.theory.figures.affine import AffineFigure
from app.theory.figures.convolution import ConvolutionFigure
from app.theory.figures.coupling import CouplingFigure
from app.theory.figures.curve import CurveFigure
from app.theory.figures.masks import MasksFigure
from app.theory.figures.matrix import MatrixFigure

ALL = (AffineFigure, CurveFigure, MatrixFigure, CouplingFigure, MasksFigure, ConvolutionFigure)

__all__ = ["ALL"]
