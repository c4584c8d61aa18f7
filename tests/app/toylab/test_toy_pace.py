"""How much of the engine's time goes into frames."""

from __future__ import annotations

from flow_explorer.engine.jobs.toy_pace import FRAMES_AT_LEAST, FRAMES_AT_MOST, SHOWING_SHARE, Pace


def drive(seconds: float, step: float, points: float, heat: float) -> tuple[float, float, float]:
    """A second of training by a made-up clock: (share of training, point frames a second, heat maps a second)."""
    now, training, counts = 0.0, 0.0, {"points": 0, "heat": 0}
    pace = Pace(now)
    while now < seconds:
        now += step
        training += step
        pace.spent(training=step)
        for what, cost in (("points", points), ("heat", heat)):
            if pace.is_due(what, now):
                pace.made(what, now)
                counts[what] += 1
                now += cost
                pace.spent(showing=cost)
    return training / now, counts["points"] / now, counts["heat"] / now


def test_cheap_frames_come_as_often_as_they_can_be_shown():
    share, points, heats = drive(20, 0.002, 0.0005, 0.001)
    assert share > 1 - SHOWING_SHARE - 0.02
    assert 40 < points <= FRAMES_AT_MOST + 1 and heats >= 5


def test_frames_keep_to_their_share_where_the_least_allows_it():
    share, points, heats = drive(20, 0.006, 0.003, 0.012)
    assert share >= 0.8 - 0.02
    assert points >= 20 and heats >= 5


def test_dear_frames_still_come_at_the_least_rate():
    share, points, heats = drive(20, 0.006, 0.02, 0.02)
    assert points > 0.8 * FRAMES_AT_LEAST * share and points < FRAMES_AT_LEAST + 1 and heats >= 4
