"""What could be undone comes back with its words, as far as it has room; what is no history is refused in a sentence."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field, replace

import pytest

from flow_explorer import past as module
from flow_explorer.history import History
from flow_explorer.past import Past, changed, read_past
from flowcore.errors import ConfigError, FlowError


@dataclass(frozen=True)
class State:
    number: int = 0
    more: dict = field(default_factory=dict)

    def to_dict(self) -> dict:
        return {"number": self.number, "more": self.more}

    @classmethod
    def from_dict(cls, values: dict) -> State:
        if not isinstance(values, dict) or not isinstance(values.get("number"), int):
            raise ConfigError("It has no number.")
        return cls(values["number"], values["more"])


def worked(count: int = 6, undone: int = 2) -> History[State]:
    history = History(State())
    for number in range(1, count + 1):
        more = {"a": {"b": number}} if number % 2 else {"c": [number]}
        history.do(State(number, more), f"Act {number}", merge="drag" if number in (3, 4) else None)
    for _ in range(undone):
        history.undo()
    return history


def moments(history: History) -> list:
    return [(moment.label, round(moment.when, 3), moment.state, moment.present) for moment in history.moments()]


@pytest.mark.parametrize("undone", [0, 2, 5])
def test_a_history_comes_back_and_can_be_walked(undone):
    history = worked(undone=undone)
    written = json.loads(json.dumps(Past().write(history)))
    again = History(history.state)
    told = []
    again.subscribe(told.append)
    again.take_up(*read_past(written, State.from_dict))
    assert moments(again) == moments(history) and not told
    assert len({moment.serial for moment in again.moments()}) == len(again.moments())
    while again.undo():
        history.undo()
        assert again.state == history.state and again.redo_label == history.redo_label
    while again.redo():
        history.redo()
        assert again.state == history.state and again.undo_label == history.undo_label
    again.do(State(99), "Another")
    assert again.undo() and again.state == history.state


def test_it_is_the_same_when_written_again_and_again():
    history, past = worked(), Past()
    first = past.write(history)
    assert past.write(history) == first == Past().write(history)
    history.redo()
    assert past.write(history) == Past().write(history) != first
    history.do(replace(history.state, number=50), "A new act")
    assert past.write(history) == Past().write(history)


def test_nothing_but_the_present_is_nothing():
    assert Past().write(History(State())) == {}


def test_what_is_nearest_to_the_present_has_room(monkeypatch):
    history = worked(count=60, undone=30)
    monkeypatch.setattr(module, "TEXT_BYTES", 600)
    written = Past().write(history)
    read, at = read_past(written, State.from_dict)
    assert 4 < len(read) < 20 and read[at].state == history.state
    assert abs(at - (len(read) - 1 - at)) <= 1, "as much before as after"
    labels = [moment.label for moment in history.moments()]
    place = [moment.present for moment in history.moments()].index(True)
    assert [moment.label for moment in read] == labels[place - at : place - at + len(read)]


def test_contents_have_a_bound_of_their_own(monkeypatch):
    history = worked(count=20, undone=0)
    monkeypatch.setattr(module, "CONTENT_BYTES", 50)
    past = Past(lambda state: {f"k{state.number}"}, lambda _key: 10)
    read, at = read_past(past.write(history), State.from_dict)
    assert len(read) == 6 and at == 5, "five contents beside the present one's"
    assert past.keys == {f"k{moment.state.number}" for moment in read}


def test_changes_lead_from_one_object_to_the_other():
    one, two = {"a": 1, "b": {"c": 1, "d": {"e": 2}}, "f": [1]}, {"b": {"c": True, "d": {}}, "f": {"g": 1}, "h": None}
    assert module._applied(one, changed(one, two), ConfigError("")) == two
    assert changed(one, copy.deepcopy(one)) == []


GOOD = Past().write(worked())


@pytest.mark.parametrize("hurt", [
    {"schema": 2}, {"schema": None}, {"at": -1}, {"at": 99}, {"at": True}, {"at": "1"}, {"at": 1e400}, {"first": None},
    {"first": [1, 2, {}]}, {"first": ["", 0, {"number": "x"}]}, {"steps": {}}, {"steps": []}, {"steps": [["", 0]]},
    {"steps": [["", 0, [[["nowhere", "a"], 1]]]]}, {"steps": [["", 0, [[[], 1]]]]}, {"steps": [["", 0, 5]]},
    {"steps": [["", float("nan"), []]]}, {"steps": [["", 10**400, []]]}, {"steps": [["", 0, [[["number"]]]]]},
    {"steps": [["", 0, [[["number"], 1]]]] * 401}, {"steps": [[["x"], 0, []]]}, {"steps": [["", 0, [[[["a"]], 1]]]]},
])  # fmt: skip
def test_what_is_no_history_is_refused_in_a_sentence(hurt):
    with pytest.raises(FlowError):
        read_past({**GOOD, **hurt}, State.from_dict)
