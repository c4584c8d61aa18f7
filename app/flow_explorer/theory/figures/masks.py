"""Figure 5: masks on a real picture, copied and transformed step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_picture
from flow_explorer.i18n import tr
from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.figure import Figure, Handle
from flow_explorer.theory.state import TheoryState
from flowcore.theory.masking import Masked, steps_of, walk

__all__ = ["SIDE", "MasksFigure", "to_picture"]

SIDE = 32


def to_picture(values: np.ndarray) -> np.ndarray:
    """Values (C, H, W), −0.5 to 0.5, as uint8 (H, W, C); what lies beyond is cut."""
    return np.ascontiguousarray(np.clip((values + 0.5) * 256, 0, 255).astype(np.uint8).transpose(1, 2, 0))


class MasksFigure(Figure):
    """The picture as it is now, the mask on it, and what has changed so far; the way through the steps below."""

    id = "masks"

    def __init__(self, controller: TheoryController) -> None:
        super().__init__(controller)
        self._cache = PictureCache()
        self._made: tuple[object, Masked, list[np.ndarray]] | None = None

    def numbers(self, state: TheoryState) -> np.ndarray:
        return np.array([float(state.masks.phase), 2.0 * steps_of(state.masks.mask)])

    def masked(self) -> Masked:
        """Where the picture is on its way."""
        return self._content()[0]

    def _content(self) -> tuple[Masked, list[np.ndarray]]:
        """The walk, and the three pictures; made once for each state and theme."""
        state, tones = self.state.masks, theme.current()
        key = (state, tones.name)
        if self._made is None or self._made[0] != key:
            picture = self.controller.pictures.get(state.picture, SIDE)
            masked = walk(picture, state.mask, state.phase)
            self._made = (key, masked, [to_picture(masked.values), self._mask(masked), self._changed(masked)])
        return self._made[1], self._made[2]

    def _mask(self, masked: Masked) -> np.ndarray:
        """What is copied, in its own colours; the rest stands dark, or, once transformed, in the model's colour."""
        picture = to_picture(np.where(masked.kept, masked.values, -0.5))
        if not masked.kept.any(0).all():
            # Places of which nothing is copied.
            tone = QColor(theme.mix(theme.current().window, theme.current().b, 0.6))
            picture[~masked.kept.any(0)] = theme.rgb(tone)
        return picture

    @staticmethod
    def _changed(masked: Masked) -> np.ndarray:
        tones = theme.current()
        off, on = (np.array(theme.rgb(tone), float) for tone in (tones.raised, tones.b))
        share = masked.done.mean(0)[..., None]
        return np.ascontiguousarray((off + share * (on - off)).round().astype(np.uint8))

    # Where things are

    def _squares(self) -> list[QRectF]:
        unit = self.unit
        gap = 28 * unit
        side = min((self.width() - 2 * gap - 24) / 3, self.height() - 148 * unit)
        # Whole pixels of the picture on whole pixels of the screen.
        ratio = self.devicePixelRatioF()
        side = max(SIDE, int(side * ratio) // SIDE * SIDE) / ratio
        left = (self.width() - 3 * side - 2 * gap) / 2
        top = 34 * unit + max(0.0, (self.height() - 148 * unit - side) / 2)
        return [QRectF(round(left + i * (side + gap)), round(top), side, side) for i in range(3)]

    def _track(self) -> tuple[float, float, float]:
        """The way's left and right end, and its y."""
        squares = self._squares()
        return squares[0].left() + 40 * self.unit, squares[2].right() - 40 * self.unit, self.height() - 44 * self.unit

    def _stop(self, phase: float) -> QPointF:
        left, right, y = self._track()
        return QPointF(left + (right - left) * phase / (2 * steps_of(self.state.masks.mask)), y)

    def handles(self) -> Sequence[Handle]:
        phase = min(float(self.shown[0]), 2.0 * steps_of(self.state.masks.mask))
        return [Handle("phase", self._stop(phase), self.stage(), "across")]

    def drag(self, key: str, to: QPointF) -> None:
        left, right, _ = self._track()
        last = 2 * steps_of(self.state.masks.mask)
        phase = round((to.x() - left) / max(1.0, right - left) * last)
        self.controller.walk_mask(max(0, min(last, phase)) - self.state.masks.phase)

    def nudge(self, key: str, across: float, up: float) -> None:
        self.controller.walk_mask(1 if (across or up) > 0 else -1)

    def press(self, at: QPointF) -> str | None:
        if at.y() < self._track()[2] - 24 * self.unit:
            return None
        self.drag("phase", at)
        return "phase"

    def stage(self) -> str:
        """Where the steps are, in words."""
        phase = self.state.masks.phase
        if phase == 0:
            return tr("At the beginning: nothing has changed.")
        step = (phase + 1) // 2
        return tr("Step {n}: copied.", n=step) if phase % 2 else tr("Step {n}: copied and transformed.", n=step)

    def words(self) -> str:
        return tr("{share} of all numbers have changed so far.", share=f"{self.masked().share:.0%}")

    # Drawing

    def draw(self, painter: QPainter) -> None:
        masked, pictures = self._content()
        unit = self.unit
        phase = self.state.masks.phase
        last = phase == 2 * steps_of(self.state.masks.mask)
        mask = tr("what step {n} copies", n=phase // 2 + (0 if last else 1))
        titles = [tr("the picture now"), mask, tr("changed so far")]
        count = int(masked.done.sum())
        notes = [
            tr("log-det so far {value} nat", value=f"{masked.log_det:,.1f}".replace("-", "−")),
            self._mask_note(masked),
            tr("{count} of {all} numbers, {share}", count=f"{count:,}", all=f"{masked.done.size:,}", share=f"{masked.share:.0%}"),
        ]
        for area, picture, title, note in zip(self._squares(), pictures, titles, notes, strict=True):
            self.text(painter, title, QPointF(area.center().x(), area.top() - 16 * unit), "text", 13, 0.5, bold=True)
            draw_picture(painter, area, picture, self._cache, smooth=False)
            self.text(painter, note, QPointF(area.center().x(), area.bottom() + 18 * unit), "muted", 12, 0.5)
        self._way(painter)

    def _mask_note(self, masked: Masked) -> str:
        share = f"{masked.kept.mean():.0%}"
        kinds = {
            "half": tr("the first or second half of the rows"), "checkerboard": tr("row + column even, or odd"),
            "channel": tr("half of the channels after a squeeze"), "cycle": tr("one colour of three"),
        }  # fmt: skip
        return f"{kinds[self.state.masks.mask]}, {share}"

    def _way(self, painter: QPainter) -> None:
        unit, phase = self.unit, self.state.masks.phase
        last = 2 * steps_of(self.state.masks.mask)
        self.line(painter, self._stop(0), self._stop(last), "track", 4)
        self.line(painter, self._stop(0), self._stop(min(float(self.shown[0]), last)), "accent", 4)
        for stop in range(last + 1):
            at = self._stop(stop)
            painter.setPen(QPen(theme.color("window"), 2))
            painter.setBrush(theme.color("accent" if stop <= phase else "track"))
            painter.drawEllipse(at, 5 * unit, 5 * unit)
            if stop == 0:
                words = tr("start")
            else:
                words = tr("{n}: copy", n=(stop + 1) // 2) if stop % 2 else tr("{n}: affine", n=stop // 2)
            here = stop == phase
            self.text(painter, words, at + QPointF(0, 22 * unit), "text" if here else "muted", 12, 0.5, bold=here)
        painter.setBrush(Qt.BrushStyle.NoBrush)
