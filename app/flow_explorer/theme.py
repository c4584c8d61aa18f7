"""Colours, type and the application's style: light and dark, following the system.

Widgets that paint themselves ask ``current()`` in their ``paintEvent`` and connect ``changed`` to ``update``;
nobody keeps a colour. The data colours (``a``, ``b``, ``z``, ``good``, ``warning``) are Okabe and Ito's, safe
for colour-blind eyes, and mean the same everywhere; their ``*_text`` companions are the same hues at a
contrast that can be read as text on a surface (at least 4.5 to 1).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from flow_explorer import assets
from flow_explorer.theme_sheet import style_sheet

FONT_PIXELS = 13
"""Size of all text but the smallest labels, in logical pixels."""

SMALL_PIXELS = 11
"""Size of the rail's labels and of figures inside plots, in logical pixels."""

CHOICES = ("system", "light", "dark")


@dataclass(frozen=True)
class Theme:
    """Every colour of the window as "#rrggbb"; two instances exist, ``LIGHT`` and ``DARK``."""

    name: str
    dark: bool
    window: str  # the canvas, behind pictures
    surface: str  # rail, top bar, inspector, cards
    raised: str  # buttons, fields, the wells' mats
    hover: str  # raised, under the pointer
    pressed: str  # raised, held down
    line: str  # hairlines between surfaces
    track: str  # the empty part of a slider or a progress bar
    text: str
    muted: str  # second-level text, at least 4.5 to 1 on window and surface
    faint: str  # disabled text, placeholders
    accent: str  # what can be pressed, and what is chosen
    accent_hover: str
    accent_text: str  # text on the accent
    link: str  # the accent as text
    a: str = "#E69F00"
    b: str = "#56B4E9"
    z: str = "#CC79A7"
    good: str = "#009E73"
    warning: str = "#D55E00"
    a_text: str = "#E69F00"
    b_text: str = "#56B4E9"
    z_text: str = "#CC79A7"
    good_text: str = "#009E73"
    warning_text: str = "#D55E00"


LIGHT = Theme(
    name="light", dark=False,
    window="#f3f3f1", surface="#ffffff", raised="#ebebe7", hover="#e2e2dd", pressed="#d8d8d2",
    line="#e1e1dd", track="#dededa", text="#1b1c1e", muted="#63666b", faint="#9b9da1",
    accent="#1f6feb", accent_hover="#1a62d2", accent_text="#ffffff", link="#185fcf",
    a_text="#8f6100", b_text="#0f6ba3", z_text="#a04a7d", good_text="#00785a", warning_text="#b34e00",
)

DARK = Theme(
    name="dark", dark=True,
    window="#17181b", surface="#1f2023", raised="#2a2c30", hover="#34363b", pressed="#3d4046",
    line="#2e3034", track="#383a3f", text="#e9eaec", muted="#9fa3a9", faint="#6d7076",
    accent="#5a9bff", accent_hover="#74abff", accent_text="#0a1730", link="#7db0ff",
    a_text="#f0b030", b_text="#6cc0f0", z_text="#dd96bd", good_text="#2fc199", warning_text="#ff8a4c",
)


class _Notifier(QObject):
    changed = Signal()


_notifier = _Notifier()
changed = _notifier.changed
"""Emitted after another theme took effect; connect a widget's ``update`` to it."""

_current: Theme = LIGHT
_choice: str = "system"
_follows = False


def current() -> Theme:
    """The theme in effect."""
    return _current


def choice() -> str:
    """What the person asked for: "system", "light" or "dark"."""
    return _choice


def color(name: str, alpha: float = 1.0) -> QColor:
    """The current theme's colour ``name`` as a QColor, ``alpha`` in 0..1."""
    value = QColor(getattr(_current, name))
    value.setAlphaF(alpha)
    return value


def rgb(of: QColor | str) -> tuple[int, int, int]:
    """Red, green and blue of a colour or its name, 0..255."""
    value = QColor(of)
    return value.red(), value.green(), value.blue()


def mix(first: str, second: str, amount: float) -> str:
    """The colour ``amount`` (0..1) of the way from ``first`` to ``second``, both "#rrggbb"."""
    channels = [round(u + (v - u) * amount) for u, v in zip(rgb(first), rgb(second), strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*channels)


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two "#rrggbb" colours, 1 to 21."""

    def luminance(name: str) -> float:
        color = QColor(name)
        channels = (color.redF(), color.greenF(), color.blueF())
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@cache
def _bundled_family() -> str:
    """The bundled face, known to Qt from the first call on: the window keeps its measure whatever fonts the desk has."""
    for path in sorted((assets.root() / "fonts").glob("*.otf")):
        QFontDatabase.addApplicationFont(str(path))
    return "Inter"


def font(pixels: int = FONT_PIXELS, bold: bool = False) -> QFont:
    """Inter at ``pixels``, with tabular figures so that live numbers do not dance; the system's faces for scripts it lacks."""
    face = QFont(_bundled_family())
    face.setStyleHint(QFont.StyleHint.SansSerif)
    face.setPixelSize(pixels)
    face.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    face.setFeature(QFont.Tag("tnum"), 1)
    face.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return face


def running_application() -> QApplication | None:
    """The application that runs, None before there is one, and where it has no widgets."""
    running = QApplication.instance()
    return running if isinstance(running, QApplication) else None


def animations_enabled() -> bool:
    """Whether the system allows motion (the widgets' animation time is 0 where it asks for less)."""
    if running_application() is None:
        return False
    return QApplication.style().styleHint(QApplication.style().StyleHint.SH_Widget_Animation_Duration) > 0


def apply(application: QApplication, wanted: str = "system") -> None:
    """Give ``application`` the Fusion style, our palette, font and sheet; ``wanted`` is one of ``CHOICES``."""
    global _follows
    if QApplication.style().objectName() != "fusion":
        application.setStyle("Fusion")
    application.setFont(font())
    if not _follows:
        _follows = True
        QGuiApplication.styleHints().colorSchemeChanged.connect(_system_changed)
    choose(wanted, force=True)


def choose(wanted: str, force: bool = False) -> None:
    """Switch to "system", "light" or "dark"; does nothing when that changes no colour (unless ``force``)."""
    global _current, _choice
    if wanted not in CHOICES:
        raise ValueError(f"theme {wanted!r} is none of {', '.join(CHOICES)}")
    _choice = wanted
    if wanted == "system":
        dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    else:
        dark = wanted == "dark"
    theme = DARK if dark else LIGHT
    if theme is _current and not force:
        return
    _current = theme
    application = running_application()
    if application is not None:
        application.setPalette(palette(theme))
        application.setStyleSheet(style_sheet(asdict(theme)))
    changed.emit()


def _system_changed(*_unused: object) -> None:
    if _choice == "system":
        choose("system")


def palette(theme: Theme) -> QPalette:
    """The palette Fusion paints with, for plain Qt widgets and for dialogs."""
    role = QPalette.ColorRole
    value = QPalette()
    for name, tone in {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.surface,
        role.AlternateBase: theme.raised, role.Text: theme.text, role.Button: theme.raised,
        role.ButtonText: theme.text, role.BrightText: theme.warning, role.ToolTipBase: theme.surface,
        role.ToolTipText: theme.text, role.Highlight: theme.accent, role.HighlightedText: theme.accent_text,
        role.Link: theme.link, role.LinkVisited: theme.link, role.PlaceholderText: theme.faint,
        role.Light: theme.surface, role.Midlight: theme.raised, role.Mid: theme.line, role.Dark: theme.line,
        role.Shadow: "#000000", role.Accent: theme.accent,
    }.items():
        value.setColor(name, QColor(tone))
    for name in (role.WindowText, role.Text, role.ButtonText):
        value.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.faint))
    return value


def paint_with(widget: QWidget) -> None:
    """Repaint ``widget`` whenever the theme changes (the connection ends with the widget)."""
    changed.connect(widget.update)
