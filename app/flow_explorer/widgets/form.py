"""Controls made from declared fields: what a setting is, its range and its words stand with the field alone.

``form = Form(ToyConfig())`` makes a control for each field that has a title; ``form.places[name]`` is what to lay out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QLayout, QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.widgets.choice import Choice, Segmented, Toggle
from flow_explorer.widgets.field import NumberField
from flow_explorer.widgets.fold import Label
from flow_explorer.widgets.slider import ValueSlider
from flowcore.fields import Setting, settings

__all__ = ["Form", "column", "row", "words"]

_SLIDER_POSITIONS = 10**6
"""A whole number with a wider range than this is typed."""


def words(text: str) -> str:
    """A help text in the window's language, line by line: a formula has none."""
    return "\n".join(tr(line) for line in text.split("\n")) if text else ""


def row(*parts: QWidget | QLayout, spacing: int = 8, stretch: int = 0) -> QHBoxLayout:
    """Parts side by side; the one numbered ``stretch`` takes what room there is."""
    return _laid(QHBoxLayout(), parts, spacing, stretch)


def column(*parts: QWidget | QLayout, spacing: int = 12, parent: QWidget | None = None) -> QVBoxLayout:
    """Parts below each other, without a margin; the layout of ``parent`` where one is given."""
    return _laid(QVBoxLayout(parent) if parent is not None else QVBoxLayout(), parts, spacing, -1)


def _laid(layout: Any, parts: Iterable[QWidget | QLayout], spacing: int, stretch: int) -> Any:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for index, part in enumerate(parts):
        add = layout.addWidget if isinstance(part, QWidget) else layout.addLayout
        add(part, int(index == stretch))
    return layout


class Form(QObject):
    """The controls of an object's declared fields, by name, for ``names`` or all that have a title.

    ``value`` gives the defaults that a reset returns to. ``places`` holds what is to be laid out for each: the control itself,
    or a widget that has it beside its title. ``show`` tells nobody.
    """

    changed = Signal(str, object, bool)
    """(name, value, whether it is one of many steps of a drag)"""
    rested = Signal()
    """A drag has ended."""

    def __init__(self, value: Any, names: Iterable[str] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        known = settings(value)
        wanted = known if names is None else tuple(names)
        self.settings = {name: known[name] for name in wanted if known[name].title and known[name].kind in _MAKERS}
        self.controls: dict[str, Any] = {}
        self.places: dict[str, QWidget] = {}
        for name, setting in self.settings.items():
            self.controls[name] = self.places[name] = _MAKERS[setting.kind](self, name, setting, getattr(value, name))
            if isinstance(self.controls[name], Choice | NumberField):
                self.places[name] = beside = QWidget()
                spacing = 4 if isinstance(self.controls[name], NumberField) else 8
                beside.setLayout(row(Label(tr(setting.title)), self.controls[name], spacing=spacing))

    def show(self, value: Any) -> None:
        """Show an object's values, and only the controls that mean something there."""
        for name, setting in self.settings.items():
            control, now = self.controls[name], getattr(value, name)
            if isinstance(control, Segmented | Choice):
                if control.current() != now:
                    control.set_current(now)
            elif isinstance(control, Toggle):
                control.setChecked(now)
            else:
                low, high = setting.usual or (setting.low, setting.high)
                now = min(max(now, low), high)
                if control.value() != now:
                    control.set_value(now)
            if setting.when is not None:
                self.places[name].setVisible(setting.when(value))

    def _number(self, name: str, setting: Setting, default: Any) -> QWidget:
        low, high = setting.usual or (setting.low, setting.high)
        take = int if setting.kind == "whole" else float
        if setting.kind == "whole" and not setting.stops and high - low > _SLIDER_POSITIONS:
            made: Any = NumberField(tr(setting.title), int(low), int(high), default, tooltip=words(setting.help))
            made.value_changed.connect(lambda value: self.changed.emit(name, value, False))
            return made
        made = ValueSlider(
            tr(setting.title), low, high, default, setting.step, setting.decimals, tr(setting.unit), setting.logarithmic,
            words(setting.help), setting.stops or None, setting.tone,
        )  # fmt: skip
        made.value_changed.connect(lambda value: self.changed.emit(name, take(value), True))
        made.editing_finished.connect(self.rested)
        return made

    def _choice(self, name: str, setting: Setting, _default: Any) -> QWidget:
        if setting.menu:
            options = [(key, tr(title)) for key, title in setting.titles.items()]
            made: Any = Choice(options, tr(setting.title), words(setting.help))
        else:
            options = [(key, tr(title), words(help)) for key, (title, help) in setting.options.items()]
            made = Segmented(options, tr(setting.title), columns=setting.columns, compact=setting.compact)
        made.chosen.connect(lambda key: self.changed.emit(name, key, False))
        return made

    def _flag(self, name: str, setting: Setting, _default: Any) -> QWidget:
        made = Toggle(tr(setting.title), words(setting.help))
        made.clicked.connect(lambda: self.changed.emit(name, made.isChecked(), False))
        return made


_MAKERS = {"whole": Form._number, "number": Form._number, "choice": Form._choice, "flag": Form._flag}
