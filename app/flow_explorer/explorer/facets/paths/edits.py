"""What can be done to a timeline's keyframes, as functions from one state to the next."""

from __future__ import annotations

from dataclasses import replace

from flow_explorer.explorer.facets.paths.state import SECONDS_MAX, SECONDS_MIN, STOPS_MAX, PathsState, Stop
from flow_explorer.explorer.state import Slot

__all__ = ["add", "changed", "delete", "duplicate", "moved", "start_of", "swapped"]


def start_of(state: PathsState, index: int) -> float:
    """The time of a keyframe, as times are kept: to the hundredth of a second."""
    timeline = state.timeline()
    return 0.0 if timeline is None else round(timeline.starts[index], 4)


def _stops(state: PathsState, stops: list[Stop], selected: int) -> PathsState:
    state = replace(state, stops=tuple(stops), selected=min(selected, len(stops) - 1))
    time = start_of(state, state.selected) if state.selected >= 0 else min(state.time, state.duration)
    return replace(state, time=time)


def add(state: PathsState, slot: Slot) -> PathsState:
    """A keyframe more, after the chosen one or at the end; the state itself where there are as many as there can be."""
    if len(state.stops) >= STOPS_MAX or slot.empty:
        return state
    place = state.selected + 1 if state.selected >= 0 else len(state.stops)
    stops = list(state.stops)
    stops.insert(place, Stop(slot))
    return _stops(state, stops, place)


def duplicate(state: PathsState, index: int) -> PathsState:
    """The same keyframe once more, right after it."""
    if not 0 <= index < len(state.stops) or len(state.stops) >= STOPS_MAX:
        return state
    stops = list(state.stops)
    stops.insert(index + 1, stops[index])
    return _stops(state, stops, index + 1)


def delete(state: PathsState, index: int) -> PathsState:
    """Without this keyframe. The one before takes over its time, so that those after stay where they are."""
    if not 0 <= index < len(state.stops):
        return state
    stops = list(state.stops)
    gone = stops.pop(index)
    if 0 < index < len(stops):
        before = stops[index - 1]
        stops[index - 1] = replace(before, seconds=min(before.seconds + gone.seconds, SECONDS_MAX))
    return _stops(state, stops, max(index - 1, 0) if stops else -1)


def swapped(state: PathsState, index: int, other: int) -> PathsState:
    """Two keyframes trade places; the times stay, the pictures move."""
    count = len(state.stops)
    if not (0 <= index < count and 0 <= other < count) or index == other:
        return state
    stops = list(state.stops)
    stops[index], stops[other] = (replace(stops[index], slot=stops[other].slot), replace(stops[other], slot=stops[index].slot))
    return _stops(state, stops, other)


def moved(state: PathsState, index: int, time: float) -> PathsState:
    """A keyframe at another time, between its neighbours, which stay; the first is always at 0. The last may go on."""
    count, timeline = len(state.stops), state.timeline()
    if timeline is None or not 0 < index < count:
        return state
    stops = list(state.stops)
    way, before = stops[index - 1], timeline.starts[index - 1]
    low, high = SECONDS_MIN, SECONDS_MAX
    if index < count - 1:
        # What the way to it gains, the way from it loses: the next keyframe stays.
        both = way.seconds + stops[index].seconds
        low, high = max(low, both - SECONDS_MAX), min(high, both - SECONDS_MIN)
    seconds = round(min(max(round(time - before, 2), low), high), 4)
    stops[index - 1] = replace(way, seconds=seconds)
    if index < count - 1:
        stops[index] = replace(stops[index], seconds=_seconds(both - seconds))
    return _stops(state, stops, index)


def changed(state: PathsState, index: int, *, seconds: float | None = None, easing: str | None = None) -> PathsState:
    """A keyframe with another duration, or another way in which time passes after it."""
    if not 0 <= index < len(state.stops):
        return state
    stops = list(state.stops)
    if seconds is not None:
        stops[index] = replace(stops[index], seconds=_seconds(seconds))
    if easing is not None:
        stops[index] = replace(stops[index], easing=easing)
    return _stops(state, stops, index)


def _seconds(value: float) -> float:
    return round(min(max(value, SECONDS_MIN), SECONDS_MAX), 4)
