"""One slot: an empty place to drop a picture on, then what the model sees, what comes back from z, and the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QMimeData, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QMenu, QWidget

from flow_explorer import theme
from flow_explorer.explorer.caption import Caption
from flow_explorer.explorer.examples import examples_menu
from flow_explorer.explorer.moving.drag_drop import can_read
from flow_explorer.explorer.slots.crop_editor import CropView
from flow_explorer.explorer.slots.eyes_view import Eyes, EyesView
from flow_explorer.explorer.slots.slot_stats import SlotStats
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.view_model import SlotView
from flow_explorer.i18n import plural, tr
from flow_explorer.widgets import EmptyState, PictureLabel
from flow_explorer.widgets.dropping import DropTarget
from flowcore.pictures.crop import Crop
from flowcore.pictures.images import Picture

__all__ = ["SlotPanel"]

PAD = 12
GAP = 12
CAPTION = 20
STATS_MIN = 176
STATS_MAX = 320
STATS_HIGH = 166
RADIUS = 8


class SlotPanel(DropTarget):
    """Shows a `Slot` and its `SlotView`; every act leaves as a signal."""

    dropped = Signal(str, QMimeData)
    chosen = Signal(str, str)
    """(slot, path) of an example."""
    pick_wanted = Signal(str)
    cleared = Signal(str)
    crop_changed = Signal(str, Crop)
    rested = Signal()
    dragged = Signal(str)
    """The slot's picture is pulled out."""
    class_chosen = Signal(str, object)
    """(slot, label to encode under)"""

    def __init__(self, which: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.which = which
        self.tone = which.lower()
        self._slot = Slot()
        self._view = SlotView()
        self._shown: np.ndarray | None = None
        self._problem = ""
        self._size = (1, 1)
        self._picture: Picture | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(300, 140)

        self.empty = EmptyState(tr("Drop a picture here, paste one, or try an example"))
        self.empty.setParent(self)
        self.pick_button = self.empty.add_action(tr("Choose a picture…"), lambda: self.pick_wanted.emit(which))
        self.examples_button = self.empty.add_action(tr("Examples"), lambda: None)
        self.examples_button.setMenu(examples_menu(self, lambda path: self.chosen.emit(which, path)))

        self.seen = CropView(self)
        self.seen.setAccessibleName(tr("What the model sees in {slot}", slot=which))
        self.eyes = EyesView(self.tone, self)
        self.eyes.hide()
        self._eyes: Eyes | None = None
        self.seen_caption = Caption(parent=self)
        self.seen_caption.set_words(tr("What the model sees"), tr("Model sees"))
        self.back = PictureLabel(tr("{slot} decoded from its z", slot=which), interactive=True, parent=self)
        self.back.setToolTip(tr("The picture that comes back from z: x = f⁻¹(f(x)).\nDrag it out to save it."))
        self.back_caption = Caption(parent=self)
        for caption in (self.seen_caption, self.back_caption):
            caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.back_caption.setFont(theme.font(12))
        self.stats = SlotStats(which, self)

        self.seen.changed.connect(lambda crop: self.crop_changed.emit(which, crop))
        self.seen.rested.connect(self.rested)
        self.seen.dragged_out.connect(lambda: self.dragged.emit(which))
        self.stats.cleared.connect(lambda: self.cleared.emit(which))
        self.stats.pick_wanted.connect(lambda: self.pick_wanted.emit(which))
        self.stats.chosen.connect(lambda path: self.chosen.emit(which, path))
        self.stats.crop_changed.connect(lambda crop: self.crop_changed.emit(which, crop))
        self.stats.rested.connect(self.rested)
        self.stats.class_chosen.connect(lambda label: self.class_chosen.emit(which, label))
        self.stats.editing_changed.connect(self._edit)
        self.stats.eyes_wanted.connect(self._mark_eyes)
        self.eyes.changed.connect(lambda crop: self.crop_changed.emit(which, crop))
        self.eyes.rested.connect(self.rested)
        theme.paint_with(self)
        self._arrange()

    def set_drag_data(self, drag_data: Callable[[], QMimeData | None]) -> None:
        """What leaves when the reconstruction is dragged out."""
        self.back.drag_data = drag_data

    def set_smooth(self, smooth: bool) -> None:
        self.back.set_smooth(smooth)
        self.seen.smooth = smooth
        self.seen.update()

    def show_well(
        self, slot: Slot, view: SlotView, picture: Picture | None, size: tuple[int, int], sees: str,
        classes: Sequence[str] = (), eyes: tuple | None = None,
    ) -> None:
        """Show the state's slot with what is known of it; `size` is the model's (height, width), `classes` its classes, `eyes`
        where it has eyes, as shares of its width and height, if it is one of faces."""
        before, self._slot, self._view = self._slot, slot, view
        if eyes != self._eyes or size != self._size:
            self.stats.eyes_button.setChecked(False)
        self._eyes, self._size, self._picture = eyes, size, picture
        self.stats.eyes_button.setVisible(eyes is not None and picture is not None)
        if slot.picture != before.picture:
            self.stats.set_editing(False)
        if not slot.empty:
            self._problem = ""
        self.empty.set_sentence(self._problem or tr("Drop a picture here, paste one, or try an example"),
                                "warning" if self._problem else "muted")
        self.seen.show_picture(picture, slot.crop, view.seen, size)
        self.seen.set_editing(self.stats.editing, not slot.latent)
        self.eyes.follow(slot.crop)
        if view.reconstruction is not self._shown:
            self._shown = view.reconstruction
            self.back.set_array(view.reconstruction)
        self.back.set_stale(view.busy and view.reconstruction is not None)
        self.stats.show_well(slot, view, picture, sees, classes)
        self._caption()
        self._arrange()
        self._describe()
        self.update()

    def show_problem(self, sentence: str) -> None:
        """Say what was wrong with what was dropped here; the slot keeps what it has."""
        self._problem = sentence
        if self._slot.empty:
            self.empty.set_sentence(sentence, "warning")
        else:
            self.stats.show_problem(sentence)

    def show_reading(self, name: str) -> None:
        """A large picture is being decoded."""
        self._problem = ""
        if self._slot.empty:
            self.empty.set_sentence(tr("Reading {name}…", name=name))
        else:
            self.back_caption.set_tone("small")
            self.back_caption.set_words(tr("reading…"))

    @property
    def problem(self) -> str:
        """The sentence that stands in the slot, if any."""
        return self._problem or self._view.error

    def _caption(self) -> None:
        view = self._view
        if view.error or view.differing is None:
            self.back_caption.set_tone("small")
            self.back_caption.set_words("" if view.error or self._slot.empty else tr("encoding…"))
        elif view.differing == 0:
            self.back_caption.set_tone("good")
            self.back_caption.set_words(tr("exact, 0 bytes differ"), tr("exact"))
        elif view.own:  # it is that picture's z, whose values lie on the border of two grey levels there
            self.back_caption.set_tone("small")
            self.back_caption.set_words(
                plural(view.differing, "its z, {count} byte rounds otherwise here", "its z, {count} bytes round otherwise here"),
                tr("{n} differ", n=view.differing),
            )
        else:
            self.back_caption.set_tone("warning")
            self.back_caption.set_words(
                plural(view.differing, "{count} byte differs", "{count} bytes differ"), tr("{n} differ", n=view.differing)
            )
        precise = tr("Encoded in double precision: single precision was not exact for this picture.\n")
        own = tr("The z that it came with was decoded and compared with the picture byte for byte.\ndecode(z) = x")
        self.back_caption.setToolTip(own if view.own else (precise if view.precise else "") + tr(
            "Round trip: the picture was encoded to z, decoded again and compared byte for byte.\n"
            "decode(encode(x)) = x"))  # fmt: skip

    def _describe(self) -> None:
        if self._slot.empty:
            text = tr("Well {slot}, empty. {sentence}", slot=self.which, sentence=self._problem)
        else:
            text = tr("Well {slot}: {name}", slot=self.which, name=self._slot.name)
        self.setAccessibleName(text.strip())
        self.setAccessibleDescription(" ".join(part for part in (self.back_caption.text(), self._view.error) if part))

    def _edit(self, editing: bool) -> None:
        self.seen.set_editing(editing, not self._slot.latent)
        if editing:
            self.seen_caption.set_words(tr("Drag to move it"), tr("Drag it"))
        else:
            self.seen_caption.set_words(tr("What the model sees"), tr("Model sees"))
        if not editing:
            self.rested.emit()

    def _mark_eyes(self, on: bool) -> None:
        """Two dots on the picture instead of the crop's frame, or that again."""
        on = on and self._eyes is not None and self._picture is not None
        if on and self._eyes is not None and self._picture is not None:
            self.eyes.begin(self._picture, self._slot.crop, self._size, self._eyes)
            self.seen_caption.set_words(tr("Dots onto the eyes"), tr("Dots on eyes"))
        elif self.stats.editing:
            self.seen_caption.set_words(tr("Drag to move it"), tr("Drag it"))
        self._arrange()
        if on:
            self.eyes.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.rested.emit()

    # Layout

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        full = not self._slot.empty
        self.empty.setVisible(not full)
        for part in (self.seen, self.seen_caption, self.back, self.back_caption, self.stats):
            part.setVisible(full)
        marking = full and self.stats.eyes_button.isChecked()
        self.eyes.setVisible(marking)
        self.seen.setVisible(full and not marking)
        self.empty.setGeometry(self.rect().adjusted(1, 1, -1, -1))
        room = self.width() - 2 * PAD - 2 * GAP
        side = max(40, min(self.height() - 2 * PAD - CAPTION + 4, (room - STATS_MIN) // 2))
        top = max(PAD, (self.height() - side - CAPTION) // 2)
        left = PAD
        for picture, caption in ((self.seen, self.seen_caption), (self.back, self.back_caption)):
            picture.setGeometry(left, top, side, side)
            if picture is self.seen:
                self.eyes.setGeometry(left, top, side, side)
            caption.setGeometry(left - 6, top + side + 2, side + 12, CAPTION - 2)
            left += side + GAP
        width = min(self.width() - left - PAD, STATS_MAX)
        # Beside the pictures where that is enough for the figures, else as high as the slot.
        room = self.height() - 2 * PAD
        high = max(min(side + CAPTION, room), min(room, STATS_HIGH))
        self.stats.setGeometry(QRect(left, max(PAD, min(top - 5, self.height() - PAD - high)), width, high))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        tones = theme.current()
        empty = self._slot.empty
        surface = tones.window if empty else tones.surface
        fill = theme.mix(surface, getattr(tones, self.tone), 0.16) if self.hovering else surface
        painter.setBrush(QColor(fill))
        line = Qt.PenStyle.DashLine if empty else Qt.PenStyle.SolidLine
        painter.setPen(QPen(theme.color(self.tone), 3 if self.hovering else 1.5 if empty else 2, line))
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        if empty:
            painter.setFont(theme.font(bold=True))
            painter.setPen(theme.color(f"{self.tone}_text"))
            painter.drawText(QRectF(PAD + 2, PAD - 2, 20, 20), Qt.AlignmentFlag.AlignVCenter, self.which)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(3, 3, -3, -3), RADIUS - 3, RADIUS - 3)
        painter.end()

    # Drops

    def takes(self, mime: QMimeData) -> bool:
        return can_read(mime)

    def take(self, mime: QMimeData) -> None:
        self.dropped.emit(self.which, mime)

    def focusInEvent(self, event) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event) -> None:
        self.update()
        super().focusOutEvent(event)

    def mousePressEvent(self, event) -> None:
        # A press anywhere in the slot gives it the focus, so that a paste goes there.
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def has_focus_inside(self) -> bool:
        """Whether the keyboard is in this slot."""
        focus = self.window().focusWidget()
        return focus is not None and (focus is self or self.isAncestorOf(focus))

    def add_to_menu(self, menu: QMenu) -> None:
        """The slot's acts for a context menu."""
        menu.addAction(tr("Choose a picture…"), lambda: self.pick_wanted.emit(self.which))
        menu.addMenu(examples_menu(menu, lambda path: self.chosen.emit(self.which, path)))
        clear = menu.addAction(tr("Clear {slot}", slot=self.which), lambda: self.cleared.emit(self.which))
        clear.setEnabled(not self._slot.empty)

    def contextMenuEvent(self, event) -> None:
        menu = QMenu(self)
        self.add_to_menu(menu)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
