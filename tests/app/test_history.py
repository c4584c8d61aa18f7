"""Undo, redo, merging and telling, against a plain list of states as the model."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow_explorer.history import History


def test_undo_and_redo_walk_the_same_states():
    history = History(0)
    for value in (1, 2, 3):
        assert history.do(value, f"to {value}")
    assert history.undo_label == "to 3" and not history.can_redo
    assert history.undo() and history.undo() and history.state == 1
    assert history.redo_label == "to 2"
    assert history.redo() and history.state == 2
    assert history.do(9, "to 9") and not history.can_redo
    assert [history.undo(), history.undo(), history.undo(), history.undo()] == [True, True, True, False]
    assert history.state == 0


def test_a_state_that_changes_nothing_is_no_step():
    history = History((1, 2))
    assert not history.do((1, 2), "nothing")
    assert not history.can_undo


def test_a_drag_is_one_step_until_sealed():
    history = History(0.0)
    for value in (0.1, 0.2, 0.3):
        history.do(value, "Temperature", merge="temperature")
    history.seal()
    history.do(0.4, "Temperature", merge="temperature")
    assert history.length == 2
    history.undo()
    assert history.state == 0.3
    history.undo()
    assert history.state == 0.0
    history.redo()
    assert history.state == 0.3


def test_a_drag_that_returns_leaves_no_step():
    history = History(5)
    history.do(6, "x", merge="x")
    history.do(5, "x", merge="x")
    assert not history.can_undo and history.state == 5
    history.do(7, "x", merge="x")
    history.undo()
    assert history.state == 5


def test_another_merge_key_or_an_undo_in_between_starts_a_new_step():
    history = History(0)
    history.do(1, "a", merge="a")
    history.do(2, "b", merge="b")
    history.do(3, "a", merge="a")
    assert history.length == 3
    history.undo()
    history.do(4, "b", merge="b")
    assert history.length == 3


def test_amend_belongs_to_the_last_step():
    history = History("start")
    history.do("a", "a")
    history.do("b", "b")
    history.undo()
    history.amend("a, measured")
    history.redo()
    assert history.state == "b"
    history.undo()
    assert history.state == "a, measured"
    history.undo()
    assert history.state == "start"


def test_the_oldest_steps_are_forgotten():
    history = History(0, limit=10)
    for value in range(1, 31):
        history.do(value, str(value))
    assert history.length == 10
    while history.undo():
        pass
    assert history.state == 20
    with pytest.raises(ValueError, match="at least one"):
        History(0, limit=0)


def test_a_listener_may_change_the_state_and_all_end_on_the_newest():
    history = History(0)
    seen: list[int] = []

    def correct(state: int) -> None:
        if state == 1:
            history.do(10, "corrected")

    history.subscribe(correct)
    history.subscribe(seen.append)
    history.do(1, "one")
    assert seen[-1] == 10 and history.state == 10


def test_unsubscribe_and_reset():
    history = History(0)
    seen: list[int] = []
    stop = history.subscribe(seen.append)
    history.do(1, "one")
    stop()
    stop()
    history.do(2, "two")
    assert seen == [1]
    history.reset(7)
    assert (history.state, history.can_undo, history.can_redo) == (7, False, False)


@given(st.lists(st.tuples(st.sampled_from(["do", "undo", "redo"]), st.integers(0, 3)), max_size=60))
def test_it_behaves_as_a_list_with_a_cursor(acts):
    history, states, cursor = History(0, limit=1000), [0], 0
    for act, value in acts:
        if act == "do" and history.do(value, "x"):
            states = [*states[: cursor + 1], value]
            cursor += 1
        elif act == "undo" and history.undo():
            cursor -= 1
        elif act == "redo" and history.redo():
            cursor += 1
        assert history.state == states[cursor]
        assert history.can_undo == (cursor > 0)
        assert history.can_redo == (cursor < len(states) - 1)


def test_it_knows_nothing_of_qt():
    code = "import sys, flow_explorer.history; sys.exit(any(name.startswith('PySide6') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
