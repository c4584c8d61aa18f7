"""What a person has set in the Explorer: plain frozen data, without Qt, written to and read from JSON.

Pictures and latents are named by their key in a :class:`~flow_explorer.explorer.store.Store`; the state itself is small, so a
history of hundreds of states costs little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from flow_explorer import shipped
from flow_explorer.explorer import facets
from flow_explorer.explorer.facets import SAMPLES, FacetState
from flowcore.errors import ConfigError
from flowcore.fields import Setting, choice, number, other, settings, several, shown, text, whole
from flowcore.latents.latent import MODES
from flowcore.model.labels import MAX_CLASS, Label, from_json, single, to_json
from flowcore.model.temperature import TEMPERATURE_MAX, Temperature, scaled, split
from flowcore.pictures.crop import Crop

__all__ = [
    "CONDITIONAL_SCHEMA",
    "COUNTS",
    "FACET_SCHEMA",
    "MODES",
    "ORDERS",
    "SCHEMA",
    "STRIP",
    "SUBJECTS",
    "TEMPERATURE_MAX",
    "ExplorerState",
    "Slot",
    "Walk",
    "with_slots",
]  # fmt: skip

SCHEMA = 1
CONDITIONAL_SCHEMA = 2
"""Of a state that names classes, which an older reader would pass over. All others are written as schema 1."""
FACET_SCHEMA = 3
"""Of a state that says what was set in one of the facets."""
COUNTS = (4, 16, 36, 64)
ORDERS = ("drawn", "likelihood")
"""As they were drawn, or the likeliest first."""
SHOWN = ("sample", "walk")
SUBJECTS = ("sample", "A", "B", "walk")
"""What a facet can be about: the selected sample, the picture in a slot, or the walk's present frame."""
LEVELS_MAX = 10
TEXT_MAX = 4096
SEED_MAX = 2**31 - 1
STRIP = 9
"""Frames in the strip of a walk, both ends counted."""


_TEMPERATURE = Setting("number", low=0.0, high=TEMPERATURE_MAX)


def _level(value: Any) -> float:
    return float(_TEMPERATURE.legal(value, "The temperature of a level"))


def _count(value: Any) -> int:
    if type(value) is not int or value not in COUNTS:
        raise ConfigError(f"A page has {', '.join(map(str, COUNTS))} samples, not {shown(value)}.")
    return value


@dataclass(frozen=True)
class Slot:
    """One end of the walk: nothing, a picture of the person's own, or a sample with its own z.

    A sample also has its decoded picture, which stands in when another model is chosen: z means nothing to that one.
    """

    picture: str = text("", TEXT_MAX, low=0)
    """Key of the picture's file bytes; empty for an empty slot."""
    name: str = text("", TEXT_MAX, low=0)
    crop: Crop = field(default_factory=Crop)
    latent: str = text("", TEXT_MAX, low=0)
    """Key of the z that it came with; empty for a picture that must be encoded."""
    latent_model: str = text("", TEXT_MAX, low=0, called="latent_model")
    """The model that the z, and the class, are of."""
    label: Label = ()
    """The class of that z, or the one that the person chose to encode under; () for the likeliest."""
    latent_weights: str = text("", TEXT_MAX, low=0, called="latent_weights")
    """Fingerprint of the weights that the z is of; "" where it is not known."""

    @property
    def empty(self) -> bool:
        return not self.picture

    def is_of(self, model: str, weights: str = "") -> bool:
        """Whether its z and class are this model's: of the same weights, whatever their name, where both are known."""
        if self.latent_weights and weights:
            return self.latent_weights == weights
        return self.latent_model == model

    def keeps_latent(self, model: str, weights: str = "") -> bool:
        """Whether its own z can be used with this model."""
        return bool(self.latent) and self.is_of(model, weights)

    def label_for(self, model: str, weights: str = "") -> Label:
        """The class that this model is to take it under; () for the likeliest."""
        return self.label if self.is_of(model, weights) else ()

    def without_latent(self) -> Slot:
        """The picture alone, to be encoded anew."""
        return replace(self, latent="", latent_model="", latent_weights="", label=())

    def to_dict(self) -> dict:
        return {"picture": self.picture, "name": self.name, "crop": self.crop.to_dict(),
                "latent": self.latent, "latent_model": self.latent_model,
                **({"latent_weights": self.latent_weights} if self.latent else {}),
                **({"label": to_json(self.label)} if self.label else {})}

    @classmethod
    def from_dict(cls, data: object) -> Slot:
        data = _mapping(data, "a well")
        texts = {"latent": "", "latent_model": "", **_declared(cls, data)}
        if not texts.get("picture"):
            return cls()
        if texts["latent"] and "latent_weights" not in data:  # written before files said it
            texts["latent_weights"] = shipped.weights_of(texts["latent_model"])
        return cls(crop=Crop.from_dict(_mapping(data.get("crop", {}), "crop")), label=from_json(data.get("label")), **texts)


@dataclass(frozen=True)
class Walk:
    """Where the person stands between A (t = 0) and B (t = 1), and along which path."""

    t: float = number(0.5, 0.0, 1.0)
    mode: str = choice("linear", MODES)

    def to_dict(self) -> dict:
        return {"t": self.t, "mode": self.mode}

    @classmethod
    def from_dict(cls, data: object) -> Walk:
        values = _declared(cls, _mapping(data, "the walk"))
        return cls(**{**values, "t": float(values.get("t", 0.5))})


@dataclass(frozen=True)
class ExplorerState:
    """Everything that decides what is on the screen."""

    model: str = text("", TEXT_MAX, low=0)
    """Name of a bundled model, or the path of a checkpoint or run folder."""
    seed: int = whole(0, 0, SEED_MAX)
    temperature: float = number(0.7, 0.0, TEMPERATURE_MAX)
    """That of all levels of z; where they differ, the highest level's."""
    profile: tuple[float, ...] = several((), _level, LEVELS_MAX)
    """Where they differ: by their ratios what each level's is, the finest first; empty where all stand at `temperature`."""
    count: int = other(16, _count)
    order: str = "drawn"
    """In which order they stand, one of `ORDERS`."""
    sampled_class: int = whole(-1, -1, MAX_CLASS, called="sampled_class")
    """The class that a conditional model's samples are of; -1 for all of its classes in turn."""
    selected: int = whole(-1, -1, COUNTS[-1] - 1)
    """Which sample is worked on; -1 for none."""
    shown: str = "sample"
    """What the inspector shows large: the selected ``sample`` or the ``walk``'s present frame."""
    a: Slot = Slot()
    b: Slot = Slot()
    walk: Walk = Walk()
    facet: str = SAMPLES
    """The view in front."""
    subject: str = "sample"
    """The picture that facets are about, one of `SUBJECTS`."""
    facets: tuple[tuple[str, FacetState], ...] = ()
    """What was set in them, by id in alphabetical order; one without an entry is as it was at first."""

    def of(self, id_: str) -> FacetState:
        """A facet's own state."""
        found = dict(self.facets).get(id_)
        return facets.initial(id_) if found is None else found

    def with_facet(self, id_: str, state: FacetState) -> ExplorerState:
        kept = dict(self.facets) | {id_: state}
        if state == facets.initial(id_):
            del kept[id_]
        return replace(self, facets=tuple(sorted(kept.items(), key=lambda item: item[0])))

    def temperatures(self, levels: int, at: float | None = None) -> Temperature:
        """What a model of so many levels is sampled at: one number, or one a level, the finest first; with the temperature
        moved to `at`, where that is given.
        """
        temperature = self.temperature if at is None else at
        return scaled(self.profile, temperature) if len(self.profile) == levels else temperature

    def with_temperatures(self, temperatures: Temperature) -> ExplorerState:
        """Sampled at one number, or at one a level."""
        temperature, profile = split(temperatures)
        return replace(self, temperature=temperature, profile=profile)

    def sampled_label(self, classes: int) -> Label:
        """The label of every sample of a model of so many classes; () for all classes in turn, or for a model of none."""
        return single(self.sampled_class) if 0 <= self.sampled_class < classes else ()

    def slot(self, which: str) -> Slot:
        return self.a if which == "A" else self.b

    def with_slot(self, which: str, slot: Slot) -> ExplorerState:
        return replace(self, **{which.lower(): slot})

    @property
    def first_empty_slot(self) -> str:
        """The slot that the next picture goes to: the first empty one, A when both are full."""
        if self.a.empty:
            return "A"
        return "B" if self.b.empty else "A"

    @property
    def keys_of_slots(self) -> set[str]:
        """The keys of the store that the two slots need."""
        return {key for slot in (self.a, self.b) for key in (slot.picture, slot.latent) if key}

    @property
    def keys(self) -> set[str]:
        """Every key of the store that this state needs."""
        return self.keys_of_slots.union(*(state.keys for _, state in self.facets))

    @property
    def conditional(self) -> bool:
        """Whether it names classes."""
        return self.sampled_class >= 0 or bool(self.a.label or self.b.label)

    def to_dict(self) -> dict:
        # What is drawn at stands in the file, for any reader; the profile only where its ratios cannot be told from that.
        levels = scaled(self.profile, self.temperature) if self.profile else ()
        schema = FACET_SCHEMA if self.facets else CONDITIONAL_SCHEMA if self.conditional else SCHEMA
        return {"schema": schema,
                "model": self.model, "seed": self.seed, "temperature": self.temperature,
                "level_temperatures": list(levels), "count": self.count,
                "selected": self.selected, "shown": self.shown,
                "a": self.a.to_dict(), "b": self.b.to_dict(), "walk": self.walk.to_dict(),
                **({"profile": list(self.profile)} if levels != self.profile else {}),
                **({"sampled_class": self.sampled_class} if self.sampled_class >= 0 else {}),
                **({"order": self.order} if self.order != ORDERS[0] else {}),
                **({"facet": self.facet} if self.facet != SAMPLES else {}),
                **({"subject": self.subject} if self.subject != SUBJECTS[0] else {}),
                **({"facets": {id_: state.to_dict() for id_, state in self.facets}} if self.facets else {})}

    @classmethod
    def from_dict(cls, data: object) -> ExplorerState:
        """Read a state; raises `ConfigError` in one sentence for another schema or a value out of range."""
        data = _mapping(data, "the Explorer's state")
        schema = data.get("schema")
        if type(schema) is not int or schema not in (SCHEMA, CONDITIONAL_SCHEMA, FACET_SCHEMA):
            raise ConfigError(f"This was saved by another version (schema {shown(schema)}); this one reads "
                              f"{SCHEMA} to {FACET_SCHEMA}.")
        values = _declared(cls, data)
        temperature, profile = _temperatures(values, _LEVELS.legal(data.get("level_temperatures", ()), "The level temperatures"))
        if values.get("selected", -1) >= values.get("count", 16):
            raise ConfigError(f"The saved settings cannot be used: sample {values['selected']} is not on its page.")
        return cls(**{
            **values, "temperature": temperature, "profile": profile,
            "order": _known(data, "order", ORDERS), "shown": _known(data, "shown", SHOWN),
            "subject": _known(data, "subject", SUBJECTS),
            "a": Slot.from_dict(data.get("a", {})), "b": Slot.from_dict(data.get("b", {})),
            "walk": Walk.from_dict(data.get("walk", {})),
            "facet": facet if isinstance(facet := data.get("facet"), str) and facets.entry(facet) is not None else SAMPLES,
            "facets": _facets(data.get("facets", {})),
        })  # fmt: skip


def _known(data: dict, name: str, options: tuple[str, ...]) -> str:
    """One of the options; the first where a later version had another."""
    value = data.get(name)
    return value if isinstance(value, str) and value in options else options[0]


def with_slots(value: Any, change: Callable[[Slot], Slot]) -> Any:
    """A state, a facet's too, or a part of one, with every slot in it changed."""
    if isinstance(value, Slot):
        return change(value)
    if isinstance(value, tuple):
        parts = [with_slots(part, change) for part in value]
        same = all(part is before for part, before in zip(parts, value, strict=True))
        return value if same else tuple(parts) if type(value) is tuple else type(value)(*parts)
    if is_dataclass(value) and not isinstance(value, type):
        before = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        after = {name: with_slots(part, change) for name, part in before.items()}
        changed = {name: part for name, part in after.items() if part is not before[name]}
        return replace(value, **changed) if changed else value
    return value


def _facets(data: object) -> tuple[tuple[str, FacetState], ...]:
    """The facets' own states; one of a version that knows more facets is passed over."""
    found = _mapping(data, "facets")
    read = {id_: facets.read(id_, _mapping(value, id_)) for id_, value in found.items() if facets.entry(id_) is not None}
    return tuple(sorted((item for item in read.items() if item[1] != facets.initial(item[0])), key=lambda item: item[0]))


def _mapping(data: object, what: str) -> dict:
    if not isinstance(data, dict):
        raise ConfigError(f"The saved settings cannot be read: {what} is not an object.")
    return data


def _declared(cls: type, data: dict) -> dict[str, Any]:
    """The values of a class's declared fields that are in the data, each checked; raises `ConfigError`."""
    known = settings(cls).items()
    return {name: setting.legal(data[name], f"The saved {setting.called or name}") for name, setting in known if name in data}


_LEVELS = settings(ExplorerState)["profile"]


def _temperatures(values: dict[str, Any], levels: tuple[float, ...]) -> tuple[float, tuple[float, ...]]:
    """The temperature and the profile. `levels` is what was drawn at, or where it is empty the one number is."""
    temperature, profile = float(values.get("temperature", 0.7)), values.get("profile", ())
    if not levels:
        return temperature, ()
    if len(profile) == len(levels) and scaled(profile, temperature) == levels:
        return temperature, profile
    return split(levels)
