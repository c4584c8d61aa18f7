"""Widgets that two workspaces share. Every one paints from ``app.theme``, takes the keyboard and has a name.

| widget | for |
|---|---|
| ``Button``, ``IconButton``, ``ChipButton`` | acts; a chip shows a choice in two tones with an optional live dot |
| ``Segmented``, ``Choice``, ``Toggle`` | one of a few, one of many, yes or no |
| ``Tabs`` | views of one place, as words in a row |
| ``ValueSlider``, ``NumberField`` | a number: slid, typed, stepped by arrow keys; reset lights up off default |
| ``Legend`` | dots with words, for a plot; the plot itself is ``app.widgets.plot``, imported where it is needed |
| ``PictureLabel`` | one picture: enlarged smoothly or by whole pixels, selectable, draggable |
| ``Inspector``, ``Heading``, ``Fold``, ``ValueRow``, ``Card``, ``Separator`` | the column on the right and its parts |
| ``Banner``, ``EmptyState``, ``Spinner``, ``Progress`` | errors and notices, empty places, waiting |
"""

from app.widgets.banner import Banner
from app.widgets.button import Button, ChipButton, IconButton
from app.widgets.choice import Choice, Segmented, Toggle
from app.widgets.empty import EmptyState
from app.widgets.field import NumberField
from app.widgets.fold import Card, Fold, Heading, Inspector, Label, Separator, ValueRow
from app.widgets.legend import Legend
from app.widgets.picture import PictureLabel
from app.widgets.progress import Progress, Spinner
from app.widgets.slider import ValueSlider
from app.widgets.tabs import Tabs

__all__ = [
    "Banner", "Button", "Card", "ChipButton", "Choice", "EmptyState", "Fold", "Heading", "IconButton", "Inspector",
    "Label", "Legend", "NumberField", "PictureLabel", "Progress", "Segmented", "Separator", "Spinner", "Tabs", "Toggle",
    "ValueRow", "ValueSlider",
]
