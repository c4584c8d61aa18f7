"""Whatever is done to a timeline's keyframes, it stays one that can be played, saved and read again."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from flow_explorer.explorer.facets.paths import edits
from flow_explorer.explorer.facets.paths.state import SECONDS_MAX, SECONDS_MIN, STOPS_MAX, PathsState
from flow_explorer.explorer.state import Slot

WELLS = [Slot(picture=f"p{number:032x}", name=f"picture {number}") for number in range(5)]


def filled(*seconds: float, loop: bool = True) -> PathsState:
    state = PathsState(loop=loop)
    for index, value in enumerate(seconds):
        state = edits.changed(edits.add(state, WELLS[index]), index, seconds=value)
    return state


def test_a_moved_key_leaves_its_neighbours_where_they_are():
    state = filled(1.0, 2.0, 1.0)
    moved = edits.moved(state, 1, 2.5)
    assert moved.timeline().starts == pytest.approx((0, 2.5, 3)) and moved.duration == state.duration
    assert edits.moved(state, 1, 99.0).timeline().starts == pytest.approx((0, 2.9, 3))
    assert edits.moved(state, 1, -5.0).timeline().starts == pytest.approx((0, 0.1, 3))
    assert edits.moved(state, 0, 1.0) is state and edits.moved(state, 7, 1.0) is state
    assert edits.moved(state, 2, 5.0).duration == pytest.approx(6)  # the last one makes the whole longer


def test_a_deleted_key_leaves_those_after_it_where_they_are():
    state = edits.delete(filled(1.0, 2.0, 1.0), 1)
    assert state.timeline().starts == (0, 3.0) and [stop.slot for stop in state.stops] == [WELLS[0], WELLS[2]]
    assert edits.delete(filled(1.0), 0) == PathsState()


def test_keys_that_trade_places_trade_pictures_not_times():
    state = edits.swapped(filled(1.0, 2.0, 0.5), 0, 2)
    assert [stop.slot for stop in state.stops] == [WELLS[2], WELLS[1], WELLS[0]] and state.timeline().starts == (0, 1.0, 3.0)
    assert state.selected == 2 and state.time == 3.0


def test_a_new_key_goes_after_the_chosen_one_and_there_is_an_end_to_it():
    state = replace(filled(1.0, 1.0), selected=0)
    assert [stop.slot for stop in edits.add(state, WELLS[4]).stops] == [WELLS[0], WELLS[4], WELLS[1]]
    assert edits.add(state, Slot()) is state
    for _ in range(2 * STOPS_MAX):
        state = edits.duplicate(state, 0)
    assert len(state.stops) == STOPS_MAX and edits.add(state, WELLS[0]) is state


@pytest.mark.parametrize("seed", range(5))
def test_random_edits_keep_a_timeline_that_is_in_order(seed):
    draw = random.Random(seed)
    state = PathsState(loop=bool(seed % 2))
    for _ in range(400):
        index = draw.randrange(-1, len(state.stops) + 1)
        act = draw.randrange(6)
        if act == 0 or not state.stops:
            state = edits.add(state, draw.choice(WELLS))
        elif act == 1:
            state = edits.delete(state, index)
        elif act == 2:
            state = edits.duplicate(state, index)
        elif act == 3:
            state = edits.swapped(state, index, draw.randrange(-1, len(state.stops) + 1))
        elif act == 4:
            before = state.timeline().starts
            state = edits.moved(state, index, draw.uniform(-1, 30))
            after = state.timeline().starts
            assert all(abs(a - b) < 1e-3 for place, (a, b) in enumerate(zip(before, after, strict=True)) if place != index)
        else:
            state = edits.changed(state, index, seconds=draw.uniform(-1, 20), easing=draw.choice(("linear", "ease", "hold")))
        assert all(SECONDS_MIN <= stop.seconds <= SECONDS_MAX for stop in state.stops)
        assert -1 <= state.selected < len(state.stops) and 0 <= state.time <= max(sum(s.seconds for s in state.stops), 0)
        assert PathsState.from_dict(state.to_dict()) == state
