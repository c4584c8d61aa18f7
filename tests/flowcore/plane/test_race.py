"""A race gives everybody the same training time, changes nothing about how a flow learns, and names no winner by chance."""

from __future__ import annotations

import itertools

import pytest
import torch

from flowcore.errors import ConfigError
from flowcore.plane.race import MAX_RACERS, SLICE_S, Race, leader
from flowcore.plane.trainer import Loss, ToyConfig, ToyTrainer


def trainer(flow="realnvp", **settings) -> ToyTrainer:
    return ToyTrainer(ToyConfig(flow=flow, **{"depth": 2, "width": 8, "batch": 32, **settings}))


class Clock:
    """Time that passes by a racer's own cost a step."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def slow_down(self, racer, cost):
        step = racer.step
        costs = itertools.cycle(cost)

        def slow():
            self.now += next(costs)
            return step()

        racer.step = slow


def test_times_never_differ_by_more_than_the_longest_turn():
    clock = Clock()
    trainers = [trainer("nice"), trainer("realnvp"), trainer("glow"), trainer("spline")]
    for racer, cost in zip(trainers, ([0.0004], [0.003], [0.0071, 0.002], [0.019]), strict=True):
        clock.slow_down(racer, cost)
    race = Race(trainers, clock)
    for _ in range(120):
        race.turn()
        times = [racer.seconds for racer in race.racers]
        assert max(times) - min(times) <= race.longest_turn + 1e-12
    assert race.longest_turn < SLICE_S + 0.019
    steps = [racer.trainer.step_count for racer in race.racers]
    assert steps == sorted(steps, reverse=True) and steps[0] > 20 * steps[3]


def test_a_turn_of_no_time_is_one_step():
    race = Race([trainer("nice"), trainer("realnvp")])
    for _ in range(2):
        race.turn(0.0)
    assert [racer.trainer.step_count for racer in race.racers] == [1, 1]


def test_real_flows_by_the_threads_own_clock():
    race = Race([trainer("nice"), trainer("spline")])
    while race.seconds < 0.05:
        race.turn()
    first, second = race.racers
    assert abs(first.seconds - second.seconds) <= race.longest_turn
    assert first.trainer.step_count > second.trainer.step_count > 0


def test_measuring_costs_nobody_time_and_takes_the_moment_it_began_at():
    race = Race([trainer("nice"), trainer("realnvp")])
    race.turn()
    racer = next(racer for racer in race.racers if racer.seconds)
    before = racer.seconds
    for _ in race.measure(racer, 256):
        pass
    assert racer.seconds == before and racer.curve == [(before, racer.trainer.step_count, racer.loss.nll)]
    assert racer.loss.count == 256


def test_in_a_race_a_flow_learns_as_it_does_alone():
    race = Race([trainer("glow"), trainer("realnvp")])
    while race.racers[0].trainer.step_count < 5:
        race.turn()
    alone = trainer("glow")
    alone.step(race.racers[0].trainer.step_count)
    for mine, theirs in zip(alone.flow.parameters(), race.racers[0].trainer.flow.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_racer_that_breaks_down_has_used_its_time():
    race = Race([trainer("nice")])

    def breaks(count: int = 1) -> float:
        raise ConfigError("broken")

    race.racers[0].trainer.step = breaks
    with pytest.raises(ConfigError):
        race.turn()
    assert race.racers[0].seconds >= 0


@pytest.mark.parametrize("others", [dict(seed=1), dict(batch=64), dict(density="rings")])
def test_all_learn_the_same_points(others):
    with pytest.raises(ConfigError, match="same points"):
        Race([trainer(), trainer(**others)])
    with pytest.raises(ConfigError, match="four|4"):
        Race([trainer()] * (MAX_RACERS + 1))


def test_only_what_chance_does_not_explain_leads():
    def loss(nll, error=0.01):
        return Loss(nll, error, 2048)

    assert leader([loss(1.90), loss(1.80), loss(2.0)]) == 1
    assert leader([loss(1.82), loss(1.80), loss(2.0)]) is None  # 0.02 < 2 √(0.01² + 0.01²)
    assert leader([loss(1.829), loss(1.80)]) == 1 and leader([loss(1.828), loss(1.80)]) is None
    assert leader([loss(1.9), loss(1.8, 0.1)]) is None
    assert leader([loss(1.9), None]) is None and leader([loss(1.0)]) is None
