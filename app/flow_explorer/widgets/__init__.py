"""Widgets that two workspaces share. Every one paints from ``flow_explorer.theme``, takes the keyboard and has a name.

| widget | for |
|---|---|
| ``Button``, ``IconButton``, ``ChipButton`` | acts; a chip shows a choice in two tones with an optional live dot |
| ``Segmented``, ``Choice``, ``Toggle`` | one of a few, one of many, yes or no |
| ``Tabs`` | views of one place, as words in a row |
| ``ValueSlider``, ``NumberField`` | a number: slid, typed, stepped by arrow keys; reset lights up off default |
| ``Legend`` | dots with words, for a plot; the plot itself is ``flow_explorer.widgets.plot``, imported where it is needed |
| ``PictureLabel`` | one picture: enlarged smoothly or by whole pixels, selectable, draggable |
| ``Inspector``, ``Heading``, ``Fold``, ``ValueRow``, ``Card``, ``Separator`` | the column on the right and its parts |
| ``Banner``, ``EmptyState``, ``Spinner``, ``ProgressView`` | errors and notices, empty places, waiting |
"""

from flow_explorer.widgets.banner import Banner
from flow_explorer.widgets.button import Button, ChipButton, IconButton
from flow_explorer.widgets.choice import Choice, Segmented, Toggle
from flow_explorer.widgets.empty import EmptyState
from flow_explorer.widgets.field import NumberField
from flow_explorer.widgets.fold import Card, Fold, Heading, Inspector, Label, Separator, ValueRow
from flow_explorer.widgets.legend import Legend
from flow_explorer.widgets.picture import PictureLabel
from flow_explorer.widgets.progress import ProgressView, Spinner
from flow_explorer.widgets.slider import ValueSlider
from flow_explorer.widgets.tabs import Tabs

__all__ = [
    "Banner", "Button", "Card", "ChipButton", "Choice", "EmptyState", "Fold", "Heading", "IconButton", "Inspector",
    "Label", "Legend", "NumberField", "PictureLabel", "ProgressView", "Segmented", "Separator", "Spinner", "Tabs", "Toggle",
    "ValueRow", "ValueSlider",
]
