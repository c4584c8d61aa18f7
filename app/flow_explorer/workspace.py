"""What a workspace is, and what the window gives it.

A workspace lives in a module named in ``REGISTRY`` that has one function, ``create(context) -> Workspace``;
it is imported on the first visit only. The window shows ``canvas()`` in the middle, ``inspector()`` in the
column on the right (the window scrolls it and gives it its width), ``topbar()`` in the top bar's free slot,
and binds undo, redo, save and the workspace's own ``commands()`` while it is the one in front.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from flow_explorer.history import History
from flow_explorer.i18n import tr
from flow_explorer.past import Past, read_past
from flowcore.errors import ConfigError

if TYPE_CHECKING:
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.settings import Settings

INSPECTOR_WIDTH = 300
"""Width of the column on the right, in logical pixels; its content has a margin of 16 inside."""


@dataclass(frozen=True)
class Entry:
    """A workspace as the rail shows it, before anything of it is imported."""

    id: str
    title: str  # English; shown through tr()
    icon: str
    module: str

    def exists(self) -> bool:
        """Whether the module is part of this installation."""
        try:
            return importlib.util.find_spec(self.module) is not None
        except ModuleNotFoundError:
            return False


REGISTRY = (
    Entry("explorer", "Explorer", "explorer", "flow_explorer.explorer.workspace"),
    Entry("toylab", "Toy lab", "toylab", "flow_explorer.toylab.workspace"),
    Entry("theory", "Theory", "theory", "flow_explorer.theory.workspace"),
    Entry("training", "Training", "training", "flow_explorer.training.workspace"),
)


@dataclass(frozen=True)
class Command:
    """Something the person can do by a key while the workspace is in front; listed in the shortcuts sheet.

    ``keys`` are portable key names ("Space", "Ctrl+C", "Shift+Left"); the first is the one that is shown.
    Keys without Ctrl, Alt or Meta come to the window only when the focused control has no use for them: Space
    presses the focused button, types into a field, and otherwise runs the command.
    """

    text: str
    keys: tuple[str, ...]
    run: Callable[[], object]
    repeats: bool = False


def _no_trace(_event: str, **_data: object) -> None:
    """What ``trace`` is where nobody asked for one."""


def _no_model(_path: str) -> None:
    """What ``open_model`` is where there is no window (tests)."""


def _no_notice(_sentence: str, _details: str = "", _kind: str = "error") -> None:
    """What ``notify`` is where there is no window (tests)."""


@dataclass
class WorkspaceContext:
    """What the window gives a workspace.

    ``engine`` is shared by all. ``notify(sentence, details="", kind="error")`` shows a banner under the top
    bar ("error", "notice" or "good"; ``details``, a traceback, is what "Copy details" copies); what fails at
    one place of the workspace is better shown there. ``open_model(path)`` shows a checkpoint in the Explorer.
    ``trace(event, **data)`` writes a line to ``--trace`` and costs nothing without it.
    """

    engine: EngineClient
    settings: Settings
    notify: Callable[..., None] = _no_notice
    trace: Callable[..., None] = _no_trace
    open_model: Callable[[str], None] = _no_model
    options: dict[str, Any] = field(default_factory=dict)


class Workspace(QWidget):
    """Base class of the workspaces. It is itself the canvas, unless ``canvas`` says otherwise.

    Subclasses set ``history`` (a ``History`` over a frozen dataclass) in their constructor, after
    ``super().__init__(context)``, and override what differs from the defaults below.
    """

    state_changed = Signal()
    """Something that ``state()`` returns has changed: the window saves the session soon."""

    idle_changed = Signal()
    """``is_idle()`` may answer differently now (the window also asks on a timer while it waits)."""

    topbar_changed = Signal()
    """``topbar()`` or ``save_menu()`` would return something else now."""

    thumbnail_changed = Signal(int)
    """``thumbnail`` of this moment would return something else now."""

    history: History[Any]

    def __init__(self, context: WorkspaceContext, parent: QWidget | None = None) -> None:
        """Keep the context; nothing slow may happen here: send requests to the engine instead."""
        super().__init__(parent)
        self.context = context
        self.history = History(None)
        self._past = Past()

    def canvas(self) -> QWidget:
        """The widget in the middle."""
        return self

    def inspector(self) -> QWidget | None:
        """The column on the right, made once; None hides the column. Use ``flow_explorer.widgets.Inspector``."""
        return None

    def topbar(self) -> QWidget | None:
        """What stands in the top bar between the app's name and the device chip, made once (the model menu)."""
        return None

    def commands(self) -> list[Command]:
        """The workspace's keys; asked once, after ``create``."""
        return []

    def save_menu(self) -> list[tuple[str, Callable[[], object], bool]]:
        """What Save offers: (text, act, enabled) each; asked when it opens. Ctrl+S does the first enabled one."""
        return []

    def can_drop(self, mime: QMimeData) -> bool:
        """Whether what is dragged over the window, beside every place of its own, is something to take. Be quick."""
        return False

    def drop(self, mime: QMimeData) -> None:
        """Take what was let go there."""

    def state(self) -> dict[str, Any]:
        """The state as JSON values, for the session file."""
        return {}

    def keep_contents(self) -> None:
        """Put what the state names by key on disk, before a session that names it; raises OSError where that cannot be."""

    def restore(self, state: dict[str, Any]) -> list[str] | None:
        """Take up a state that ``state`` once returned, perhaps of an older version; raises FlowError if it cannot.

        Returns a sentence for each part that is gone: the window then keeps the session as it was.
        """

    def past(self) -> dict[str, Any]:
        """What can be undone as JSON values, as far as it has room; {} for nothing."""
        return self._past.write(self.history) if hasattr(self.history.state, "to_dict") else {}

    def restore_past(self, past: dict[str, Any]) -> None:
        """Take up what ``past`` once returned, after ``restore``; raises FlowError, changing nothing, if it cannot."""
        moments, at = read_past(past, self.read_past_state)
        self.history.take_up(moments, at)

    def read_past_state(self, values: Any) -> Any:
        """A state of the history from JSON values. Raises FlowError."""
        return type(self.history.state).from_dict(values)

    def portable(self) -> dict[str, Any]:
        """The state as JSON values that mean the same on another machine, for a session file: pictures by content."""
        return {"state": self.state()}

    def prepare(self, data: dict[str, Any], _folder: Path) -> Callable[[], list[str]]:
        """Read what ``portable`` wrote in a file of this folder, changing nothing yet; raises FlowError if it cannot.

        What is returned takes it up as one act that can be undone, and returns sentences on what is missing here.
        """
        state = data.get("state")
        read = getattr(type(self.history.state), "from_dict", None)
        if not isinstance(state, dict) or read is None:
            raise ConfigError(tr("The session holds nothing that this workspace can read."))
        made = read(state)

        def take() -> list[str]:
            self.history.seal()
            self.history.do(made, tr("Open a session"))
            self.history.seal()
            return []

        return take

    def thumbnail(self, _serial: int) -> QImage | None:
        """A small picture of a moment of the history, None where there is none."""
        return None

    def is_idle(self) -> bool:
        """Whether what is on screen is final: nothing asked of the engine, nothing moving."""
        return True

    def engine_ready(self, info: dict[str, Any]) -> None:
        """The engine is up for the first time: ``devices``, ``device``, ``versions``."""

    def engine_restarted(self) -> None:
        """The engine died and another is up: ask again for whatever the state on screen needs."""

    def device_changed(self, device: str) -> None:
        """The person chose another device; answers may differ in the last digits from here on."""

    def shown(self) -> None:
        """The workspace came to the front."""

    def hidden(self) -> None:
        """Another workspace came to the front: stop what only makes sense when seen."""

    def hint(self) -> str:
        """One sentence for the first-run hint; "" shows none."""
        return ""

    def about_data(self) -> list[dict[str, Any]]:
        """Further entries for the About page: ``title``, ``licence``, ``credit``, ``note``."""
        return []
