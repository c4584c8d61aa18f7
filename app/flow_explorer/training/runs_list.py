"""The runs there are: name, how it stands, best bpd, a small curve. One is looked at, several are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.training.findings import smoothed
from flow_explorer.training.record import RunSnapshot
from flow_explorer.training.state import system_title
from flow_explorer.widgets.focus import ring

__all__ = ["RunsList", "second_line", "state_tone", "state_words"]

ROW = 68
RUN = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


def state_words(run: RunSnapshot) -> str:
    """How it stands, in a word or two."""
    words = {
        "starting": tr("starting"), "running": tr("running"), "paused": tr("paused"), "done": tr("done"),
        "failed": tr("failed"), "gone": tr("folder gone"),
    }  # fmt: skip
    return words[run.state]


def state_tone(run: RunSnapshot) -> str:
    """The theme's colour for that."""
    return {"starting": "accent", "running": "good", "paused": "muted", "done": "b"}.get(run.state, "warning")


def second_line(run: RunSnapshot) -> str:
    """System, size and data."""
    parts = [system_title(run.system)] if run.system else []
    if len(run.shape) == 3:
        parts.append(f"{run.shape[2]}×{run.shape[1]}")
    if run.data_name or run.data:
        parts.append(run.data_name or Path(run.data).name)
    return " · ".join(parts)


def figure(run: RunSnapshot) -> str:
    """The best held-out bpd, else the last of training."""
    if run.best is not None:
        return tr("{bpd} bpd", bpd=f"{run.best:.3f}")
    return tr("{bpd} in training", bpd=f"{run.bpd[-1]:.3f}") if len(run.bpd) else ""


class _Model(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.runs: list[RunSnapshot] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.runs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self.runs):
            return None
        run = self.runs[index.row()]
        if role == RUN:
            return run
        if role == Qt.ItemDataRole.DisplayRole:
            return run.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (run.name, state_words(run), second_line(run), figure(run))))
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(run.path)
        return None

    def set_runs(self, runs: list[RunSnapshot]) -> None:
        """Show these; rows that stay only change."""
        if [run.path for run in runs] == [run.path for run in self.runs]:
            self.runs = runs
            if runs:
                self.dataChanged.emit(self.index(0), self.index(len(runs) - 1))
            return
        self.beginResetModel()
        self.runs = runs
        self.endResetModel()


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(200, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        run: RunSnapshot = index.data(RUN)
        tones = theme.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(0, 1, 0, -1)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hover = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if chosen or hover:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.pressed if chosen and tones.dark else tones.hover if chosen else tones.raised))
            painter.drawRoundedRect(area, 7, 7)
        view = option.widget
        if option.state & QStyle.StateFlag.State_HasFocus and getattr(view, "by_keyboard", False):
            ring(painter, area, 6)
        inner = area.adjusted(12, 8, -12, -8)
        curve = QRectF(inner.right() - 52, inner.top() + 2, 52, 22)
        line = inner.height() / 3
        self._text(painter, theme.font(bold=True), tones.text, run.name, inner.adjusted(0, 0, -62, -2 * line))
        self._text(painter, theme.font(theme.SMALL_PIXELS), tones.muted, second_line(run),
                   inner.adjusted(0, line, -62, -line))  # fmt: skip
        last = inner.adjusted(0, 2 * line, 0, 0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(state_tone(run)))
        painter.drawEllipse(QPointF(last.left() + 4, last.center().y()), 3.5, 3.5)
        words = state_words(run)
        if run.state == "running" and run.total_steps:
            words += f" · {100 * run.step / run.total_steps:.0f} %"
        small = theme.font(theme.SMALL_PIXELS)
        best = figure(run)
        width = QFontMetricsF(small).horizontalAdvance(best) + 2
        ink = tones.warning_text if run.state in ("failed", "gone") else tones.muted
        self._text(painter, small, ink, words, last.adjusted(14, 0, -width - 4, 0))
        painter.setPen(QColor(tones.text))
        painter.setFont(small)
        painter.drawText(last, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, best)
        self._sparkline(painter, run, curve)
        painter.restore()

    @staticmethod
    def _text(painter: QPainter, font: QFont, ink: str, text: str, area: QRectF) -> None:
        painter.setFont(font)
        painter.setPen(QColor(ink))
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)

    @staticmethod
    def _sparkline(painter: QPainter, run: RunSnapshot, area: QRectF) -> None:
        held = len(run.held_bpd) > 2
        x, y = (run.held_steps, run.held_bpd) if held else (run.steps, run.bpd)
        if len(x) < 2:
            return
        if len(x) > 60:
            keep = np.linspace(0, len(x) - 1, 60).round().astype(int)
            x, y = x[keep], y[keep]
        y = y if held else smoothed(y, 0.6)
        low, high = float(y.min()), float(np.quantile(y, 0.95)) + 1e-6
        across = area.left() + area.width() * (x - x[0]) / max(1e-9, float(x[-1] - x[0]))
        down = area.bottom() - area.height() * np.clip((y - low) / (high - low + 1e-9), 0, 1)
        painter.setPen(QPen(theme.color("b" if held else "a"), 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(across.tolist(), down.tolist(), strict=True)]))


class RunsList(QListView):
    """Rows that are chosen by mouse (Ctrl and Shift add) or keyboard; ``chosen(list of folders)``."""

    chosen = Signal(object)
    asked = Signal(str, object)
    """("delete", "rename", "open" or "menu", where) about the current run."""

    def __init__(self) -> None:
        super().__init__()
        self.runs_model = _Model()
        self.by_keyboard = False
        self._telling = True
        self.setModel(self.runs_model)
        self.setItemDelegate(_Delegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; border: none; outline: 0; }")
        self.setAccessibleName(tr("Runs"))
        self.setToolTip("")
        self.selectionModel().selectionChanged.connect(self._tell)
        theme.changed.connect(self.viewport().update)

    def show_runs(self, runs: list[RunSnapshot], selected: tuple[str, ...]) -> None:
        """Show the runs, and which of them are chosen, without telling."""
        self._telling = False
        self.runs_model.set_runs(runs)
        wanted = QItemSelection()
        for row, run in enumerate(runs):
            if str(run.path) in selected:
                index = self.runs_model.index(row)
                wanted.select(index, index)
        have = sorted(index.row() for index in self.selectedIndexes())
        if sorted(index.row() for index in wanted.indexes()) != have:
            self.selectionModel().select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if wanted.indexes() and not self.currentIndex().isValid():
            no_change = QItemSelectionModel.SelectionFlag.NoUpdate
            self.selectionModel().setCurrentIndex(wanted.indexes()[0], no_change)
        self._telling = True

    def paths(self) -> list[Path]:
        """The chosen runs, from top to bottom."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        return [self.runs_model.runs[row].path for row in rows]

    def _tell(self, *_unused: object) -> None:
        if self._telling:
            self.chosen.emit(self.paths())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.by_keyboard = True
        acts: dict[int, str] = {
            Qt.Key.Key_Delete: "delete", Qt.Key.Key_Backspace: "delete", Qt.Key.Key_F2: "rename",
            Qt.Key.Key_Return: "open", Qt.Key.Key_Enter: "open",
        }  # fmt: skip
        act = acts.get(event.key())
        if act and self.paths():
            self.asked.emit(act, None)
        elif event.text().isdigit() or event.key() == Qt.Key.Key_Space:
            event.ignore()  # the window's keys, not a search by name
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.by_keyboard = False
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.paths():
            self.asked.emit("menu", event.globalPos())
