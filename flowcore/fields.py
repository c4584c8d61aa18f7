"""Settings declared once, as fields of a dataclass: default, range, words for a person.

``depth: int = whole(8, 1, 64, "Layers", "How many couplings follow each other", usual=(2, 24), restarts=True)`` is a plain
``dataclasses.field`` with a :class:`Setting` in its metadata. From it come the check with its sentence (:func:`check`, to be
called by ``__post_init__``), reading and writing JSON values (:func:`read`, :func:`to_dict`), the argument of a command, the
label of an undo and the control in the window. Neither torch nor Qt nor numpy.
"""
from __future__ import annotations

import math
import operator
import reprlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, NoReturn, TypeGuard

from .errors import ConfigError

__all__ = [
    "Setting", "changes", "check", "choice", "flag", "is_finite", "is_number", "like", "number", "numbers", "other", "read",
    "settings", "several", "shown", "text", "to_dict", "whole",
]  # fmt: skip

_KEY = "setting"
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60


def shown(value: object) -> str:
    """A value as a sentence may quote it: of a bounded length, also where it is a number of more digits than Python writes."""
    try:
        return _short.repr(value)
    except ValueError:
        return "a number of too many digits"


def is_number(value: object) -> TypeGuard[float]:
    """Whether what JSON holds is a number; true and false are none."""
    return type(value) in (int, float)


def is_finite(value: object) -> TypeGuard[float]:
    """Whether it is a number that a float can hold; an int of 400 digits is none."""
    return is_number(value) and -sys.float_info.max <= value <= sys.float_info.max


@dataclass(frozen=True)
class Setting:
    """What is known of a field beside its default.

    ``low`` to ``high`` is what is legal, everywhere; ``usual`` what a slider spans and ``stops`` the values that it has, where
    that is less. ``options`` maps each legal text to (title, help). A setting without a ``title`` has no control. ``act`` is
    what changing it is called in the undo menu. One that ``restarts`` makes another run; the others act in the run that goes on.
    ``when`` says of the object whether the setting means anything there.
    """

    kind: str
    title: str = ""
    help: str = ""
    low: float = -math.inf
    high: float = math.inf
    usual: tuple[float, float] | None = None
    stops: tuple[float, ...] = ()
    options: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    count: int = 0
    optional: bool = False
    take: Callable[[Any], Any] | None = None
    called: str = ""
    act: str = ""
    restarts: bool = False
    when: Callable[[Any], bool] | None = None
    unit: str = ""
    step: float = 0.01
    decimals: int = 2
    logarithmic: bool = False
    columns: int = 0
    compact: bool = False
    menu: bool = False
    tone: str = "accent"

    @property
    def label(self) -> str:
        """What a change of it is called."""
        return self.act or self.title

    @property
    def titles(self) -> dict[str, str]:
        """What a person reads for each option."""
        return {key: title for key, (title, _help) in self.options.items()}

    def legal(self, value: Any, subject: str) -> Any:
        """The value as it is to be kept (a list of JSON as a tuple); ``subject`` begins the sentence where it is none.

        Raises:
            ConfigError: for a value that is none.
        """
        if value is None and self.optional:
            return None
        return _LEGAL[self.kind](self, value, subject)

    def _number(self, value: Any, subject: str, kinds: Any = int | float, what: str = "number") -> Any:
        # A bool is an int to Python, NaN is in no range, and a comparison, unlike math.isfinite, bears an int of 400 digits.
        fits = isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high
        if not fits or (isinstance(value, float) and not math.isfinite(value)):
            low, high = (f"{end:,}" if isinstance(end, int) and abs(end) < 10**7 else f"{end:g}" for end in (self.low, self.high))
            _refuse(f"{subject} must be a {what} from {low} to {high}, not {shown(value)}.")
        return value

    def _whole(self, value: Any, subject: str) -> int:
        return self._number(value, subject, int, "whole number")

    def _numbers(self, value: Any, subject: str) -> tuple:
        value = tuple(value) if isinstance(value, list) else value
        if not isinstance(value, tuple) or len(value) != self.count:
            _refuse(f"{subject} must be {self.count} numbers, not {shown(value)}.")
        return tuple(self._number(part, f"Each of {subject[0].lower()}{subject[1:]}") for part in value)

    def _choice(self, value: Any, subject: str) -> str:
        if not isinstance(value, str) or value not in self.options:
            _refuse(f"{subject} cannot be {shown(value)}: choose one of {', '.join(self.options)}.")
        return value

    def _flag(self, value: Any, subject: str) -> bool:
        if not isinstance(value, bool):
            _refuse(f"{subject} is true or false, not {shown(value)}.")
        return value

    def _text(self, value: Any, subject: str) -> str:
        if not isinstance(value, str) or not self.low <= len(value) <= self.high or "\0" in value:
            _refuse(f"{subject} must be a text of {self.low:g} to {self.high:g} characters, not {shown(value)}.")
        return value

    def _several(self, value: Any, subject: str) -> tuple:
        if not isinstance(value, list | tuple) or not self.low <= len(value) <= self.high:
            _refuse(f"{subject} must be a list of {self.low:g} to {self.high:g} entries, not {shown(value)}.")
        taken = tuple(map(self.take or (lambda part: part), value))
        same = isinstance(value, tuple) and all(map(operator.is_, value, taken))
        return tuple(value) if same else taken  # the tuple itself

    def _other(self, value: Any, _subject: str) -> Any:
        return value if self.take is None else self.take(value)


_LEGAL: dict[str, Callable[[Setting, Any, str], Any]] = {
    kind: getattr(Setting, f"_{kind}") for kind in ("number", "whole", "numbers", "choice", "flag", "text", "several", "other")
}


def _refuse(sentence: str) -> NoReturn:
    raise ConfigError(sentence)


def _field(default: Any, kind: str, title: str = "", help: str = "", **more: Any) -> Any:
    return field(default=default, metadata={_KEY: Setting(kind, title, help, **more)})


def whole(default: int | None, low: int, high: int, title: str = "", help: str = "", **more: Any) -> Any:
    """A whole number; ``optional=True`` where None is legal too. ``more`` are fields of :class:`Setting`, here and below."""
    return _field(default, "whole", title, help, **{"low": low, "high": high, "step": 1, "decimals": 0, **more})


def number(default: float, low: float, high: float, title: str = "", help: str = "", **more: Any) -> Any:
    """A finite number."""
    return _field(default, "number", title, help, low=low, high=high, **more)


def numbers(default: tuple[float, ...], low: float, high: float, title: str = "", help: str = "", **more: Any) -> Any:
    """A tuple of so many finite numbers as the default has."""
    return _field(default, "numbers", title, help, low=low, high=high, count=len(default), **more)


def choice(default: str, options: Iterable[str] | Mapping[str, Any], title: str = "", help: str = "", **more: Any) -> Any:
    """One of a few texts: their names, or a mapping of each to its title or to (title, help)."""
    words = options if isinstance(options, Mapping) else dict.fromkeys(options, "")
    pairs = {key: (word, "") if isinstance(word, str) else tuple(word) for key, word in words.items()}
    return _field(default, "choice", title, help, options=pairs, **more)


def flag(default: bool, title: str = "", help: str = "", **more: Any) -> Any:
    """Yes or no."""
    return _field(default, "flag", title, help, **more)


def text(default: Any, most: int, title: str = "", help: str = "", **more: Any) -> Any:
    """A text of 1 to ``most`` characters; ``low=0`` where an empty one is legal too."""
    return _field(default, "text", title, help, **{"low": 1, "high": most, **more})


def several(default: tuple, take: Callable[[Any], Any], most: int, title: str = "", help: str = "", **more: Any) -> Any:
    """A tuple of up to ``most`` values, each as ``take`` returns it; from JSON it is a list."""
    return _field(default, "several", title, help, **{"low": 0, "high": most, "take": take, **more})


def other(default: Any, take: Callable[[Any], Any] | None, title: str = "", help: str = "", **more: Any) -> Any:
    """Anything else: ``take`` returns the value as it is to be kept, or raises ConfigError."""
    return _field(default, "other", title, help, take=take, **more)


def like(cls: Any, name: str, **more: Any) -> Any:
    """The same setting in another class; ``more`` are fields of :class:`Setting` that differ there."""
    known = cls.__dataclass_fields__[name]
    return field(default=known.default, metadata={_KEY: replace(known.metadata[_KEY], **more)})


def settings(of: Any) -> dict[str, Setting]:
    """The declared fields of a dataclass or of an object of one, by name, in order."""
    return {known.name: known.metadata[_KEY] for known in fields(of) if _KEY in known.metadata}


def check(value: Any, owner: str) -> None:
    """Check all declared fields of a (frozen) object; ``owner`` begins the sentences: "A toy flow's".

    Raises:
        ConfigError: for the first value that is none.
    """
    for name, setting in settings(value).items():
        given = getattr(value, name)
        legal = setting.legal(given, f"{owner} {setting.called or name.replace('_', ' ')}")
        if legal is not given:
            object.__setattr__(value, name, legal)


def to_dict(value: Any) -> dict[str, Any]:
    """All of an object as plain JSON values, defaults too: a file must mean the same where a later version has other defaults."""
    return {name: list(part) if isinstance(part, tuple) else part for name, part in asdict(value).items()}


def changes(value: Any) -> dict[str, Any]:
    """What of an object does not stand at its default, as plain JSON values; its parts write themselves by a ``to_dict``."""
    now = {known.name: (getattr(value, known.name), known.default) for known in fields(value)}
    return {name: _plain(part) for name, (part, default) in now.items() if part != default}


def _plain(part: Any) -> Any:
    if isinstance(part, tuple):
        return [_plain(each) for each in part]
    return part.to_dict() if hasattr(part, "to_dict") else part


def read(cls: type, values: Any, owner: str, *, strict: bool = False) -> Any:
    """An object from what :func:`to_dict` gave; what is missing takes its default, and so does all of a class's parts.

    What is unknown is left out, as a later version's; with ``strict`` it is refused.

    Raises:
        ConfigError: for anything that is no such object.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{owner} settings are damaged.")
    known = {part.name: part for part in fields(cls) if part.init}
    unknown = sorted(map(str, set(values) - set(known)))
    if strict and unknown:
        raise ConfigError(f"{owner} settings have no {shown(unknown[0])}; they have {', '.join(sorted(known))}.")
    taken = {}
    for name in known.keys() & values.keys():
        default = known[name].default
        is_part = default is not MISSING and is_dataclass(default) and not isinstance(default, type)
        taken[name] = read(type(default), values[name], owner) if is_part else values[name]
    try:
        return cls(**taken)
    except TypeError as error:
        raise ConfigError(f"{owner} settings are damaged.") from error
