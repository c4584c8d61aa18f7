"""A training's curve as it is saved: every held-out loss with its error, when it was, and the learning rate. No Qt."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from typing import Any

from flowcore.errors import ConfigError
from flowcore.plane.course import Course
from flowcore.plane.shots import CurvePoint

__all__ = ["MAX_POINTS", "Curve"]

MAX_POINTS = 4000


class Curve:
    """Points by step. Engines come and go (a kill, an undo): each counts its seconds from nothing, the curve adds them up."""

    def __init__(self, points: Sequence[CurvePoint] = ()) -> None:
        self.points = list(points)
        self._before = 0.0

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """Take up an answer of the engine."""
        step = int(data["step"])
        if kind == "start":
            del self.points[bisect.bisect_right([point.step for point in self.points], step) :]
            known = [point.seconds for point in self.points if math.isfinite(point.seconds)]
            self._before = known[-1] if known else 0.0
        if "nll" not in data:
            return
        seconds = self._before + float(data["seconds"]) if "seconds" in data else math.nan
        point = CurvePoint(step, float(data["nll"]), float(data["standard_error"]), seconds)
        if self.points and step <= self.points[-1].step:
            del self.points[bisect.bisect_left([known.step for known in self.points], step) :]
        self.points.append(point)
        if len(self.points) > MAX_POINTS:
            # Every other point of what is long past.
            half = MAX_POINTS // 2
            self.points[:half] = self.points[:half:2]

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
