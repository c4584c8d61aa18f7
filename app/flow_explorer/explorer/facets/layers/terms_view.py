"""What the likelihood is made of: its terms as rows that add up."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.layers.names import signed
from flow_explorer.explorer.facets.layers.view_model import LayerRow, LayersView, bits
from flow_explorer.i18n import plural, tr
from flow_explorer.widgets.plain import plain

__all__ = ["TermsView"]

ROW, LOW_ROW = 21, 19
HEAD = 20
GAP = 9
"""Before a sum's own line."""
NATS = 92
BITS = 76
SUMS = ("volume", "likelihood")


class TermsView(QWidget):
    """Painted, so that figures stand under each other; each row says in its tooltip what it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = LayersView()
        self._rows: list[LayerRow] = []
        self._hovered = -1
        self._row = ROW
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("What the likelihood is made of"))
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(280, round(self._top(len(self._rows))) + 4)

    minimumSizeHint = sizeHint

    def show_view(self, view: LayersView) -> None:
        """Show what is known by now."""
        before, self._view = len(self._rows), view
        self._rows = view.rows() if view.count else []
        if len(self._rows) != before:
            self.updateGeometry()
        self.setAccessibleDescription("; ".join(f"{self.name(row)} {self.figures(row)[0]}" for row in self._rows))
        self.update()

    def set_low(self, low: bool) -> None:
        """Lower rows, for a low window."""
        row = LOW_ROW if low else ROW
        if row != self._row:
            self._row = row
            self.updateGeometry()
            self.update()

    @property
    def rows(self) -> list[LayerRow]:
        return self._rows

    # Words

    def name(self, row: LayerRow) -> str:
        """What a row is called."""
        if row.kind == "start":
            return tr("Before level 1")
        if row.kind == "layers":
            return tr("Level {number}: {layers}", number=row.level, layers=plural(row.count, "{count} layer", "{count} layers"))
        if row.kind == "volume":
            return tr("Σ log-det")
        if row.kind == "prior":
            return tr("Prior of level {number}", number=row.level) if len(self._view.levels) > 1 else tr("Prior")
        return tr("log p(x)")

    def figures(self, row: LayerRow) -> tuple[str, str]:
        """Its nats, and what it costs in bits per dimension."""
        if row.nats is None:
            return "…", "…"
        cost = bits(row.nats, self._view.num_dims)
        nats = signed(row.nats, 1 if abs(row.nats) < 1e6 else 0)
        decimals = 3 if abs(cost) < 1e3 else 1
        return nats, f"{cost:.{decimals}f}".replace("-", "−") if row.kind == "likelihood" else signed(cost, decimals)

    def tip(self, index: int) -> str:
        """What a row is, and its formula."""
        if not 0 <= index < len(self._rows):
            return ""
        row = self._rows[index]
        texts = {
            "start": tr("What happens to the grey levels before the first level, above all the change of unit.\n"
                        "log |det ∂h/∂x|: −D log 256 for h = x / 256 − ½"),
            "layers": tr("How much the layers of this level, its split's whitening among them, stretch the space around\n"
                         "this picture: what is stretched can be told apart more finely, and is likelier.\n"
                         "Σ log |det ∂h_i/∂h_(i−1)|"),
            "volume": tr("All layers together: the change of volume from the picture to its z.\nlog |det ∂z/∂x|"),
            "prior": tr("How likely the prior finds this level's {count} numbers of z.\nΣ log π(ε)", count=f"{row.count:,}"),
            "likelihood": tr("The sum of all rows above but Σ, which is a sum itself.\nlog p(x) = Σ log π(ε) + log |det ∂z/∂x|; "
                             "bits per dimension = −log₂ p(x) / D"),
        }  # fmt: skip
        return texts[row.kind]

    # Painting

    def _top(self, index: int) -> float:
        """Where a row begins."""
        gaps = sum(GAP for row in self._rows[:index] if row.kind in SUMS) + sum(
            GAP / 2 for row in self._rows[: index + 1] if row.kind in SUMS)  # fmt: skip
        return HEAD + index * self._row + gaps

    def _row_at(self, y: float) -> int:
        return next((index for index in range(len(self._rows)) if self._top(index) <= y < self._top(index) + self._row), -1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        width = self.width()
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(width - BITS - NATS, 0, NATS, HEAD), right, tr("nats"))
        painter.drawText(QRectF(width - BITS, 0, BITS, HEAD), right, tr("bits/dim"))
        for index, row in enumerate(self._rows):
            top, total = self._top(index), row.kind in SUMS
            area = QRectF(0, top, width, self._row)
            if total:
                painter.setPen(QPen(theme.color("line"), 1))
                painter.drawLine(0, round(top - GAP / 4), width, round(top - GAP / 4))
            if index == self._hovered:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("raised", 0.6))
                painter.drawRoundedRect(area.adjusted(-4, 0, 4, 0), 3, 3)
            painter.setFont(theme.font(bold=total))
            painter.setPen(theme.color("z_text" if row.kind == "prior" else "text"))
            painter.drawText(area.adjusted(0, 0, -NATS - BITS, 0), left, self.name(row))
            nats, cost = self.figures(row)
            painter.setPen(theme.color("text"))
            painter.drawText(QRectF(width - BITS - NATS, top, NATS, self._row), right, nats)
            painter.setPen(theme.color("text" if total else "muted"))
            painter.drawText(QRectF(width - BITS, top, BITS, self._row), right, cost)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().y())
        if row != self._hovered:
            self._hovered = row
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._row_at(event.pos().y())
            QToolTip.showText(event.globalPos(), plain(self.tip(index)), self)
            return True
        return super().event(event)
