"""The small style sheet for the plain Qt widgets that we do not paint ourselves: fields, menus, bars, tips.

Widgets opt into a tone by a dynamic property: ``tone`` = "muted", "small", "heading", "good", "warning",
"a", "b", "z" on a QLabel, ``surface`` = "window", "surface", "raised", "card" on a QFrame or QWidget.
"""

from __future__ import annotations

from string import Template

_SHEET = Template(
    """
QWidget[surface="window"] { background: $window; }
QWidget[surface="surface"] { background: $surface; }
QWidget[surface="raised"] { background: $raised; }
QWidget[surface="card"] { background: $surface; border: 1px solid $line; border-radius: 8px; }

QLabel { background: transparent; color: $text; }
QLabel:disabled { color: $faint; }
QLabel[tone="muted"] { color: $muted; }
QLabel[tone="small"] { color: $muted; font-size: 11px; }
QLabel[tone="title"] { font-size: 17px; font-weight: 600; }
QLabel[tone="name"] { font-size: 14px; font-weight: 600; }
QLabel[tone="strong"] { font-weight: 600; }
QLabel[tone="heading"] { color: $muted; font-weight: 600; font-size: 12px; }
QLabel[tone="good"] { color: $good_text; }
QLabel[tone="warning"] { color: $warning_text; }
QLabel[tone="a"] { color: $a_text; font-weight: 600; }
QLabel[tone="b"] { color: $b_text; font-weight: 600; }
QLabel[tone="z"] { color: $z_text; font-weight: 600; }

QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit {
  background: $raised; color: $text; border: 1px solid transparent; border-radius: 6px; padding: 4px 8px;
  selection-background-color: $accent; selection-color: $accent_text;
}
QLineEdit:hover, QAbstractSpinBox:hover { background: $hover; }
QLineEdit:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus { border-color: $accent; }
QLineEdit:disabled, QAbstractSpinBox:disabled { color: $faint; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QAbstractSpinBox { padding: 0; }
QAbstractSpinBox QLineEdit { background: transparent; border: none; padding: 0; }

QComboBox {
  background: $raised; color: $text; border: 1px solid transparent; border-radius: 6px;
  padding: 4px 8px 4px 10px; min-height: 22px;
}
QComboBox:hover { background: $hover; }
QComboBox:focus { border-color: $accent; }
QComboBox:disabled { color: $faint; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox QAbstractItemView {
  background: $surface; color: $text; border: 1px solid $line; border-radius: 8px; padding: 4px; outline: 0;
  selection-background-color: $hover; selection-color: $text;
}
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 8px; border-radius: 5px; }

QCheckBox { spacing: 8px; background: transparent; }

QMenu { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 5px; margin: 0; }
QMenu::item:selected { background: $hover; color: $text; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }
QMenu#models { icon-size: 36px; }
QMenu#models::item { padding: 6px 24px 6px 12px; min-width: 360px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 8px; }

QToolTip { background: $surface; color: $text; border: 1px solid $line; padding: 6px 8px; }

QScrollArea { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle { background: $track; border-radius: 3px; min-height: 32px; min-width: 32px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; border: none; background: none; }
QScrollBar::add-page, QScrollBar::sub-page { background: none; }

QTextBrowser { background: transparent; border: none; padding: 0; }
QTabBar { background: transparent; }
QTabBar::tab { padding: 6px 12px; color: $muted; border-bottom: 2px solid transparent; background:
transparent; } QTabBar::tab:selected { color: $text; border-bottom-color: $accent; } QTabBar::tab:focus {
color: $link; } QTabWidget::pane { border: none; border-top: 1px solid $line; }
"""
)


def style_sheet(tokens: dict[str, object]) -> str:
    """The sheet with a theme's tokens filled in; raises KeyError for a token that the theme lacks."""
    return _SHEET.substitute(tokens)
