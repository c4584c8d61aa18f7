"""What the window may ask of the engine: frozen dataclasses that say what to compute, nothing about how.

A request with a `slot` is *replaceable*: a newer one in the slot replaces one still waiting, and no answer of an older
one is delivered after an answer of a newer one. A request whose slot is None *must finish*: it queues, reports
progress, can be cancelled, and is sent again when the engine had to be restarted.

A new kind of request is a frozen dataclass in this package and a job in `engine/jobs`: two files. The module of jobs is called as
the kind begins ("map.place" is in `jobs/map.py`) and is imported with the first of its requests. Fields are plain JSON values,
tuples, or numpy arrays. This module imports neither torch nor Qt.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.latent import MODES
from flowcore.model.labels import Label, from_json
from flowcore.model.temperature import Temperature

from ..protocol import ProtocolError

__all__ = [
    "MAX_COUNT", "MAX_FRAMES", "DescribeLatent", "DraftPage", "EncodePicture", "OpenModel", "Priority", "Request",
    "SamplePage", "ScorePage", "TemperatureFrames", "WalkAt", "WalkFrames", "check_label", "check_latent", "check_mode",
    "check_number", "check_temperature", "check_times", "check_whole", "from_fields", "to_fields",
]  # fmt: skip

MAX_COUNT = 4096
MAX_FRAMES = 10_000


class Priority(enum.IntEnum):
    """What the engine's loop serves first: the smaller number."""

    INTERACTIVE = 0
    PAGE = 1
    TOY = 2
    EXPORT = 3


class Request:
    """The base of every request. Subclasses are frozen dataclasses with `eq=False` (arrays have no single equality).

    Class attributes, of which a subclass sets what differs (`slot` may also be a property):

    - `kind`: the name in the engine's job table, such as "explorer.page". Setting it registers the class.
    - `slot`: name of the slot, or None for a request that must finish.
    - `priority`: see `Priority`.
    - `strict`: False: answers of an older request of the slot are still delivered until a newer one has answered
      (so a drag stays live however fast it is). True: a newer request stops and silences the older at once.
    - `patience`: having waited so many seconds, its job gets one turn before the more urgent ones.
    - `grace`: a replaced job that has answered something may run on for this many seconds from its start.
    - `adopts`: a newer request in the slot does not stop the running job; the job takes it over with `context.take()`
      and answers under the new number from then on (a trainer whose settings change).
    - `background`: does not count as busy (a trainer that plays for hours), so waiting until idle does not wait for it.
    """

    kind: ClassVar[str] = ""
    slot: ClassVar[str | None] = None
    priority: ClassVar[int] = Priority.EXPORT
    strict: ClassVar[bool] = False
    patience: ClassVar[float] = 0.1
    grace: ClassVar[float] = 0.0
    adopts: ClassVar[bool] = False
    background: ClassVar[bool] = False

    _by_kind: ClassVar[dict[str, type[Request]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            known = Request._by_kind.get(cls.kind)
            if known is not None and known.__qualname__ != cls.__qualname__:
                raise TypeError(f"two kinds of request are called {cls.kind!r}")
            Request._by_kind[cls.kind] = cls


def to_fields(request: Request) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A request as plain JSON fields and arrays by field name."""
    fields: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for field in dataclasses.fields(request):  # type: ignore[arg-type]
        value = getattr(request, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        else:
            fields[field.name] = value
    return fields, arrays


def from_fields(kind: str, fields: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Request:
    """The request that `to_fields` took apart; lists come back as tuples.

    Raises `ProtocolError` for an unknown kind or field, `ConfigError` for a value out of range.
    """
    cls = Request._by_kind.get(kind)
    if cls is None:
        raise ProtocolError(f"no request is called {kind!r}")
    names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values = {name: _tuples(value) for name, value in fields.items()} | dict(arrays)
    if not set(values) <= names:
        raise ProtocolError(f"{kind!r} has no field {sorted(set(values) - names)}")
    try:
        return cls(**values)
    except TypeError as error:
        raise ProtocolError(f"{kind!r} does not fit its fields: {error}") from error


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {name: _tuples(item) for name, item in value.items()}
    return value


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")


def check_number(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")


def check_latent(name: str, value: Any) -> None:
    if not isinstance(value, np.ndarray) or value.dtype not in (np.float32, np.float64) or value.ndim != 1:
        raise ConfigError(f"{name} must be one latent of 32- or 64-bit floats.")
    if not np.isfinite(value).all():
        raise ConfigError(f"{name} holds a number that is not finite.")


def check_mode(value: Any) -> None:
    if value not in MODES:
        raise ConfigError(f"A walk is {', '.join(MODES[:-1])} or {MODES[-1]}, not {value!r}.")


def check_temperature(value: Any) -> None:
    """One number, or one a level, the finest first; how many levels there are is the model's to say."""
    for each in value if isinstance(value, tuple) else (value,):
        check_number("The temperature", each, 0.0, 10.0)


def check_label(value: Any) -> None:
    """() or ((class, weight), …), as `flowcore.model.labels` describes it."""
    if not isinstance(value, tuple) or (value and from_json([list(pair) for pair in value]) != value):
        raise ConfigError("A label must be pairs of a class and its weight, ascending by class.")


def check_times(values: Any) -> None:
    if not isinstance(values, tuple) or not 1 <= len(values) <= MAX_FRAMES:
        raise ConfigError(f"A walk has from 1 to {MAX_FRAMES} frames.")
    for value in values:
        check_number("A position on the walk", value, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class OpenModel(Request):
    """Load a model. Answers `{card, path, device, num_dims, event_shape, levels}`, levels as `[name, start, stop]`."""

    kind = "explorer.open"
    priority = Priority.INTERACTIVE

    model: str


@dataclass(frozen=True, eq=False)
class SamplePage(Request):
    """Pictures `first` to `first + count` of a seed. Several answers `{first, count, done}` as they are ready, with
    `pictures` uint8 (n, H, W, C) and `z` float32 (n, D), already at the temperature; of a conditional model also
    `labels`, one a picture as `flowcore.model.labels.to_json` writes them.

    `temperature` is one number, or one per level (finest first). Picture i depends on (seed, i) and its class alone.
    """

    kind = "explorer.page"
    slot = "explorer.page"
    priority = Priority.PAGE
    grace = 0.15

    model: str
    seed: int
    first: int
    count: int
    temperature: Temperature = 1.0
    label: Label = ()
    """The class of all of them; () for all classes of a conditional model in turn: picture i is of class i mod classes."""

    def __post_init__(self) -> None:
        check_label(self.label)
        check_whole("The seed", self.seed, 0, 2**63 - 1)
        check_whole("The first picture's number", self.first, 0, 2**53)
        check_whole("The count", self.count, 1, MAX_COUNT)
        check_temperature(self.temperature)


@dataclass(frozen=True, eq=False)
class ScorePage(Request):
    """`{bpd: [...]}` of the 8-bit pictures that the z's (n, D) decode to, each under its own label, at their bin centres."""

    kind = "explorer.score"
    slot = "explorer.score"
    priority = Priority.PAGE
    strict = True

    model: str
    z: np.ndarray
    labels: tuple[Label, ...] = ()

    def __post_init__(self) -> None:
        good = isinstance(self.z, np.ndarray) and self.z.dtype in (np.float32, np.float64) and self.z.ndim == 2
        if not good or not 1 <= len(self.z) <= MAX_COUNT or not np.isfinite(self.z).all():
            raise ConfigError("A page to score must be latents of finite 32- or 64-bit floats.")
        if len(self.labels) not in (0, len(self.z)):
            raise ConfigError("A page to score has a label for each picture, or none.")
        for label in self.labels:
            check_label(label)


@dataclass(frozen=True, eq=False)
class DraftPage(Request):
    """Samples of a seed for the eye, while their temperature is dragged: those of `indices` whose last draft is oldest come
    first, and sample `hand` (-1 for none), the one that is looked at, comes with the first few of them. Several answers
    `{indices, done}` with `pictures` uint8 (n, H, W, C) and `z` float32 (n, D), of a conditional model also `labels`.

    z is exact, but the networks may compute in bfloat16 where that is faster, so that a picture may be off by a grey level:
    never to be kept. `SamplePage` draws what is.
    """

    kind = "explorer.draft"
    slot = "explorer.draft"
    priority = Priority.INTERACTIVE

    model: str
    seed: int
    indices: tuple[int, ...]
    temperature: Temperature = 1.0
    label: Label = ()
    hand: int = -1

    def __post_init__(self) -> None:
        check_label(self.label)
        check_whole("The seed", self.seed, 0, 2**63 - 1)
        check_whole("The sample in hand", self.hand, -1, 2**53)
        if not isinstance(self.indices, tuple) or not 1 <= len(self.indices) <= MAX_COUNT:
            raise ConfigError(f"A draft has from 1 to {MAX_COUNT} samples.")
        for index in self.indices:
            check_whole("A sample's number", index, 0, 2**53)
        check_temperature(self.temperature)


@dataclass(frozen=True, eq=False)
class TemperatureFrames(Request):
    """One sample's z at many temperatures. Several answers `{first, count, done}` with `pictures` uint8 (n, H, W, C);
    `first` indexes `temperatures`, each one number or one a level (finest first). The sample is number `index` of `seed`,
    as in `SamplePage`.
    """

    kind = "explorer.temperatures"
    slot = "explorer.temperatures"
    priority = Priority.PAGE

    model: str
    seed: int
    index: int
    temperatures: tuple[Temperature, ...]
    label: Label = ()

    def __post_init__(self) -> None:
        check_label(self.label)
        check_whole("The seed", self.seed, 0, 2**63 - 1)
        check_whole("The sample's number", self.index, 0, 2**53)
        if not isinstance(self.temperatures, tuple) or not 1 <= len(self.temperatures) <= MAX_FRAMES:
            raise ConfigError(f"A strip has from 1 to {MAX_FRAMES} temperatures.")
        for temperature in self.temperatures:
            check_temperature(temperature)


@dataclass(frozen=True, eq=False)
class EncodePicture(Request):
    """Encode an 8-bit picture (uint8 (H, W, C), as the model sees it) for well "A" or "B".

    Answers `z` float32 or float64 (D,), `picture` (its reconstruction) and
    `{differing, max_error, bpd, likelier_than, typicality, dtype}`; of a conditional model also the `label`: the class
    asked for, or with () the one under which the picture is likeliest.

    With `in_hand` its crop is being moved: z and its figures are answered first, without `picture`, `differing` and
    `max_error`; the round trip is proved when nothing newer waits by then.
    """

    kind = "explorer.encode"
    priority = Priority.INTERACTIVE

    model: str
    well: str
    picture: np.ndarray
    label: Label = ()
    in_hand: bool = False

    @property
    def strict(self) -> bool:  # type: ignore[override]
        """A crop in the hand would never come to its z if every move began anew."""
        return not self.in_hand

    @property
    def slot(self) -> str:  # type: ignore[override]
        return f"explorer.encode.{self.well}"

    def __post_init__(self) -> None:
        if not isinstance(self.picture, np.ndarray) or self.picture.dtype != np.uint8 or self.picture.ndim != 3:
            raise ConfigError("A picture to encode must be 8-bit, height by width by channels.")
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class DescribeLatent(Request):
    """`{bpd, likelier_than, typicality}` of the 8-bit picture that `z` (D,) decodes to, under its own class."""

    kind = "explorer.describe"
    slot = "explorer.describe"
    priority = Priority.PAGE
    strict = True

    model: str
    z: np.ndarray
    label: Label = ()

    def __post_init__(self) -> None:
        check_latent("The latent", self.z)
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class WalkFrames(Request):
    """The pictures at `ts` (0 is A, 1 is B) between two latents. Several answers `{first, count, bpd: [...], done}`
    with `pictures` uint8 (n, H, W, C); `first` indexes `ts`, bpd has n numbers.

    A conditional model needs the ends' labels. Where they differ, the class goes evenly with z: at t the prior's locations
    and log-scales lie at t between those of A's and B's class, so that the walk has no jump and ends exactly in both.
    Each bpd is under the label of its place.
    """

    kind = "explorer.walk"
    slot = "explorer.walk"
    priority = Priority.PAGE
    strict = True

    model: str
    a: np.ndarray
    b: np.ndarray
    mode: str
    ts: tuple[float, ...]
    label_a: Label = ()
    label_b: Label = ()

    def __post_init__(self) -> None:
        check_latent("End A", self.a)
        check_latent("End B", self.b)
        check_mode(self.mode)
        check_times(self.ts)
        check_label(self.label_a)
        check_label(self.label_b)


@dataclass(frozen=True, eq=False)
class WalkAt(Request):
    """The picture at `t` between two latents: `picture` uint8 (H, W, C) and `z` (D,) at once, then a second answer
    `{t, bpd}` when nothing newer waits. Both answers carry `t`. Labels are as in `WalkFrames`.

    A `draft`, while an end is being moved, is for the eye: a third of a grey level off where the processor draws it faster so,
    and its bits per dimension are not asked for.
    """

    kind = "explorer.walk.at"
    slot = "explorer.walk.at"

    model: str
    a: np.ndarray
    b: np.ndarray
    mode: str
    t: float
    label_a: Label = ()
    label_b: Label = ()
    draft: bool = False

    @property
    def priority(self) -> Priority:  # type: ignore[override]
        """The end that is in the hand comes first, …"""
        return Priority.PAGE if self.draft else Priority.INTERACTIVE

    @property
    def patience(self) -> float:  # type: ignore[override]
        """… and what follows it draws on in the time between."""
        return 0.04 if self.draft else Request.patience

    def __post_init__(self) -> None:
        check_label(self.label_a)
        check_label(self.label_b)
        check_latent("End A", self.a)
        check_latent("End B", self.b)
        check_mode(self.mode)
        check_number("The position on the walk", self.t, 0.0, 1.0)
