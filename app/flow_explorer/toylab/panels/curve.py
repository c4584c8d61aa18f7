"""A training's curve as it is saved: every held-out loss with its error, when it was, and the learning rate. No Qt."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from flowcore.errors import ConfigError
from flowcore.plane.course import Course
from flowcore.plane.shots import CurvePoint

__all__ = ["MAX_POINTS", "Curve"]

MAX_POINTS = 4000


class Curve:
    """Points by step."""

    def __init__(self, points: Sequence[CurvePoint] = ()) -> None:
        self.points = list(points)

    def add(self, point: CurvePoint) -> None:
        """Take up a point; what was known of its step and of later ones is forgotten."""
        if self.points and point.step <= self.points[-1].step:
            self.forget_after(point.step - 1)
        self.points.append(point)
        if len(self.points) > MAX_POINTS:
            # Every other point of what is long past.
            half = MAX_POINTS // 2
            self.points[:half] = self.points[:half:2]

    def forget_after(self, step: int) -> None:
        """A training that was taken up from a snapshot has lost what came after it."""
        del self.points[bisect.bisect_right(self.steps, step) :]

    @property
    def steps(self) -> list[int]:
        """When the losses were measured."""
        return [point.step for point in self.points]

    @property
    def losses(self) -> list[float]:
        """Nats."""
        return [point.nll for point in self.points]

    def seconds_at(self, step: int) -> float:
        """The training time of the last point up to a step that knows one, 0 where none does."""
        return next((point.seconds for point in reversed(self.until(step)) if math.isfinite(point.seconds)), 0.0)

    def until(self, step: int) -> list[CurvePoint]:
        """The points up to and with a step."""
        return [point for point in self.points if point.step <= step]

    def with_rates(self, course: Course | None) -> list[CurvePoint]:
        """The points with the learning rate of each, where the course is known."""
        if course is None:
            return list(self.points)
        return [
            CurvePoint(p.step, p.nll, p.standard_error, p.seconds, course.learning_rate(p.step)) for p in self.points
        ]  # fmt: skip

    def to_list(self, step: int) -> list[list[float | int | None]]:
        """Plain JSON values, up to and with a step."""
        return [
            [p.step, p.nll, p.standard_error, p.seconds if math.isfinite(p.seconds) else None] for p in self.until(step)
        ]  # fmt: skip

    @classmethod
    def from_list(cls, values: object) -> Curve:
        """The opposite of `to_list`. Raises `ConfigError` where it is none."""
        broken = ConfigError("The curve of this training is damaged.")
        if not isinstance(values, list) or len(values) > 10 * MAX_POINTS:
            raise broken
        points: list[CurvePoint] = []
        for value in values:
            if not isinstance(value, list) or len(value) != 4:
                raise broken
            step, *numbers = value
            if isinstance(step, bool) or not isinstance(step, int) or step < 0 or (points and step <= points[-1].step):
                raise broken
            if numbers[2] is None:
                numbers[2] = math.nan
            if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
                raise broken
            nll, error, seconds = map(float, numbers)
            if not (math.isfinite(nll) and math.isfinite(error)):
                raise broken
            points.append(CurvePoint(step, nll, error, seconds))
        return cls(points)
