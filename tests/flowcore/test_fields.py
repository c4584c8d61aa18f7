"""Settings declared once: what is refused and how it is told, and what a file of them holds."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

import pytest

from flowcore import fields
from flowcore.errors import ConfigError


@dataclass(frozen=True)
class Part:
    corners: tuple[float, ...] = fields.numbers((0.0, 1.0), -2.0, 2.0)

    def __post_init__(self) -> None:
        fields.check(self, "A part's")


@dataclass(frozen=True)
class Example:
    depth: int = fields.whole(8, 1, 64, "Layers", "How many", usual=(2, 24), restarts=True)
    limit: int | None = fields.whole(None, 1, 10, optional=True)
    rate: float = fields.number(0.5, 1e-3, 1.0, "Rate", act="Learning rate")
    kind: str = fields.choice("plain", {"plain": "Plain", "fine": ("Fine", "Finer")}, "Kind")
    on: bool = fields.flag(False)
    name: str = fields.text("a", 5)
    part: Part = Part()

    def __post_init__(self) -> None:
        fields.check(self, "An example's")


HUGE = (10**400, -(10**400), 10**5000)


@pytest.mark.parametrize("name, value", [
    *[(name, value) for name in ("depth", "rate", "limit") for value in (True, "8", [8], {}, math.nan, math.inf, 0, 65, *HUGE)],
    ("depth", 8.0), ("depth", None), ("rate", None), ("kind", "coarse"), ("kind", ["plain"]), ("kind", None), ("on", 1),
    ("on", "yes"), ("name", ""), ("name", "a\0"), ("name", "longer"), ("name", 3), ("part", 3), ("part", None),
    ("part", {"corners": [0.0]}), ("part", {"corners": [0.0, math.nan]}), ("part", {"corners": [0.0, True]}),
    ("part", {"corners": "01"}), ("part", {"corners": [0.0, 10**5000]}),
], ids=fields.shown)  # fmt: skip
def test_what_is_out_of_range_or_of_another_type_is_one_sentence(name, value):
    with pytest.raises(ConfigError) as caught:
        fields.read(Example, {name: value}, "An example's")
    assert str(caught.value).endswith(".") and len(str(caught.value)) < 240


def test_the_sentence_says_what_would_work():
    with pytest.raises(ConfigError, match="^An example's depth must be a whole number from 1 to 64, not 65.$"):
        Example(depth=65)
    with pytest.raises(ConfigError, match="cannot be 'coarse': choose one of plain, fine."):
        Example(kind="coarse")


def test_a_file_holds_everything_and_gives_the_same_object():
    value = Example(depth=3, limit=4, kind="fine", part=Part((-1.0, 2)))
    written = json.loads(json.dumps(fields.to_dict(value)))
    assert set(written) == set(Example.__dataclass_fields__) and written["rate"] == 0.5
    assert fields.read(Example, written, "An example's") == value
    assert fields.read(Example, {"depth": 3, "of a later version": 1}, "An example's") == Example(depth=3)
    with pytest.raises(ConfigError, match="of a later version"):
        fields.read(Example, {"of a later version": 1}, "An example's", strict=True)
    for damaged in (None, 3, [], "text"):
        with pytest.raises(ConfigError, match="damaged"):
            fields.read(Example, damaged, "An example's")


def test_a_setting_knows_its_words_and_can_stand_in_another_class():
    known = fields.settings(Example)
    assert list(known) == ["depth", "limit", "rate", "kind", "on", "name"]  # a part has settings of its own
    assert known["rate"].label == "Learning rate" and known["depth"].label == "Layers"
    assert known["kind"].titles == {"plain": "Plain", "fine": "Fine"} and known["kind"].options["fine"][1] == "Finer"

    @dataclass(frozen=True)
    class Other:
        depth: int = fields.like(Example, "depth", title="Depth")

    assert Other().depth == 8 and fields.settings(Other)["depth"] == replace(known["depth"], title="Depth")


def _even(value: object) -> int:
    number = fields.Setting("whole", low=0, high=100).legal(value, "An entry")
    if number % 2:
        raise ConfigError(f"An entry must be even, not {number}.")
    return number


@dataclass(frozen=True)
class Listed:
    first: Part = Part()
    entries: tuple[int, ...] = fields.several((), _even, 3)
    note: str = fields.text("", 4, low=0)

    def __post_init__(self) -> None:
        fields.check(self, "A list's")


def test_several_values_are_each_taken_and_a_tuple_that_is_legal_stays_the_same():
    entries = (2, 4)
    assert Listed(entries=entries).entries is entries
    assert fields.read(Listed, {"entries": [2, 4]}, "A list's") == Listed(entries=entries)
    wrongs: list[Any] = [[1], [2, 4, 6, 8], "24", {"2": 4}, [True], [10**400], None]
    for wrong in wrongs:
        with pytest.raises(ConfigError):
            Listed(entries=wrong)


def test_a_text_may_be_empty_where_that_is_declared():
    assert Listed(note="abcd").note == "abcd"
    wrongs: list[Any] = ["abcde", 3, "\0", None]
    for wrong in wrongs:
        with pytest.raises(ConfigError, match="0 to 4 characters"):
            Listed(note=wrong)


def test_changes_are_what_is_not_at_its_default_and_parts_write_themselves():
    @dataclass(frozen=True)
    class Named:
        name: str = fields.other("", None)

        def to_dict(self) -> dict:
            return {"called": self.name}

    @dataclass(frozen=True)
    class Whole:
        count: int = fields.whole(1, 0, 9)
        inner: Named = Named()
        several: tuple[Named, ...] = ()

    assert fields.changes(Whole()) == {}
    assert fields.changes(Whole(2, Named("a"), (Named(), Named("b")))) == {
        "count": 2, "inner": {"called": "a"}, "several": [{"called": ""}, {"called": "b"}],
    }  # fmt: skip


def test_a_finite_number_is_one_that_a_float_holds():
    assert all(map(fields.is_finite, (0, -3, 1.5, 10**300, -1e308)))
    assert not any(map(fields.is_finite, (10**400, -(10**400), float("inf"), float("nan"), True, None, "1", [1])))
