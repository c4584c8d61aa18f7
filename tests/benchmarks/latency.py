"""How far what is seen lags behind the hand: the real window on the bundled faces, its sliders dragged at 60 Hz.

    python -m tests.benchmarks.latency [--seconds 6] [--write]        (what `make latency` does)

Everything is read from the trace that ``--trace`` writes (docs/trace.md). The *lag* of a move is the time from the request
that it sent to the end of the first painted frame that shows its value or a newer one, so that requests which a newer one
replaced count in full; at rest, the time from the last move to the exact picture. Goals: a draft within 50 ms at the 95th
percentile for one picture, a page of sixteen within 500 ms.
"""

from __future__ import annotations

import argparse
import bisect
import json
import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "docs" / "latency.json"
HZ = 60
GOALS = {"one picture": 50.0, "page of sixteen": 500.0}


@dataclass(frozen=True)
class Drag:
    """What one drag showed; times in milliseconds."""

    picture: list[float]
    """The lag of one picture, one number a move."""
    page: list[float]
    """The lag of the whole page, one number a move; empty for the walk."""
    rest: float
    """From the last move to the exact picture, and page, on screen; NaN where all that is drawn is exact."""
    frames: list[float]
    """Between two frames."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of them does not exceed; NaN where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))] if ordered else float("nan")


def lags(requests: Sequence[tuple[float, int]], seen: Sequence[tuple[float, int]]) -> list[float]:
    """For each request (time, id) the milliseconds until something of this id or a newer one was seen.

    `seen` is (time, id) in the order of time. A request after which nothing came is left out: it was never answered.
    """
    newest, times, ids = -1, [], []
    for when, id_ in seen:
        if id_ > newest:
            newest = id_
            times.append(when)
            ids.append(id_)
    found = []
    for when, id_ in requests:
        index = bisect.bisect_left(ids, id_)
        if index < len(ids):
            found.append(1000 * (max(times[index], when) - when))
    return found


def carried(moves: Sequence[float], requests: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """For each move's time the request that took its value along, as (the move's time, id): the first one after it.

    A view that asks for nothing while an answer is on its way sends fewer requests than there are moves; the moves wait too.
    """
    times = [when for when, _ in requests]
    found = []
    for move in moves:
        index = bisect.bisect_left(times, move)
        if index < len(times):
            found.append((move, requests[index][1]))
    return found


def read(lines: Sequence[dict], kind: str, selected: int, count: int, start: float, stop: float,
         moves: Sequence[float] | None = None) -> Drag:
    """One drag from the trace: requests of `kind` between two times, and what was seen of them. Lags count from `moves` where
    they are given, from the requests where each move sends one."""
    kinds = ("explorer.page", "explorer.draft") if kind == "explorer.page" else (kind,)
    requests = [(line["time"], line["id"]) for line in lines
                if line["event"] == "request" and line["kind"] in kinds and start <= line["time"] <= stop]
    frames = [line["time"] for line in lines if line["event"] == "frame"]

    def painted(when: float) -> float:
        index = bisect.bisect_left(frames, when)
        return frames[index] if index < len(frames) else when

    picture, page, slots = [], [], [-1] * count
    known = {id_ for _, id_ in requests}
    for line in lines:
        if line["event"] != "answer" or line["kind"] not in kinds or line["time"] < start:
            continue
        if kind != "explorer.page":
            if line["id"] in known:
                picture.append((painted(line["time"]), line["id"]))
            continue
        indices = line.get("indices") or range(line["first"], line["first"] + line["count"])
        if selected in indices:
            picture.append((painted(line["time"]), line["id"]))
        for index in indices:
            slots[index] = line["id"]
        page.append((painted(line["time"]), min(slots)))
    inside = [line["interval_ms"] for line in lines
              if line["event"] == "frame" and start < line["time"] <= stop and line["interval_ms"] is not None]
    exact = [painted(line["time"]) for line in lines if line["event"] == "exact" and line["time"] > start]
    rest = 1000 * (exact[-1] - requests[-1][0]) if exact and requests else float("nan")
    asked = requests if moves is None else carried(moves, requests)
    return Drag(lags(asked, picture), lags(asked, page), rest, inside)


class Driver:
    """The real window, with its trace."""

    def __init__(self, trace: Path, model: str = "faces") -> None:
        from PySide6.QtWidgets import QApplication

        from flow_explorer import theme
        from flow_explorer.engine.client import EngineClient
        from flow_explorer.explorer.workspace import ExplorerWorkspace
        from flow_explorer.main_window import MainWindow
        from flow_explorer.settings import Settings
        from flow_explorer.shell.session import Session
        from flow_explorer.shell.trace import Trace
        from flow_explorer.shell.watch import Watch

        running = QApplication.instance()
        self.application = running if isinstance(running, QApplication) else QApplication([])
        theme.apply(self.application, "dark")
        settings = Settings(Path(tempfile.mkdtemp()) / "settings.json")
        settings.set("hint.explorer.seen", True)
        self.trace = Trace(trace)
        engine = EngineClient(preload=model)
        engine.start()
        self.window = MainWindow(engine, settings, Session(keep=False), self.trace)
        Watch(self.window, engine, self.trace)
        self.window.resize(1440, 900)
        self.window.show()
        self.window.begin("explorer")
        self.wait(1.0)
        self.settle()
        workspace = self.window.current
        assert isinstance(workspace, ExplorerWorkspace)
        self.explorer = workspace
        self.explorer.controller.choose_model(model)
        self.settle()

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let the window live for a time, or until something is so."""
        from PySide6.QtCore import QEventLoop, QTimer

        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            loop = QEventLoop()
            QTimer.singleShot(5, loop.quit)
            loop.exec()

    def settle(self) -> None:
        """Wait until everything on screen is exact."""
        self.wait(0.2)
        self.wait(180, self.window.is_idle)
        assert self.window.is_idle(), "the window never came to rest"

    def drag(self, track, seconds: float, changed=None) -> tuple[float, float, list[float] | None]:
        """Press a slider, move it there and back at 60 Hz, let it go; returns when that began and ended, and when the signal
        `changed` told of another value (None without one)."""
        from math import cos, pi

        from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
        from PySide6.QtGui import QMouseEvent

        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        width, middle = track.width(), track.height() / 2

        def send(kind: QEvent.Type, x: float, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
            place = QPointF(x, middle)
            everywhere = QPointF(track.mapToGlobal(QPoint(round(x), round(middle))))
            nonlocal sent_at
            sent_at = time.perf_counter() - self.trace.started
            event = QMouseEvent(kind, place, everywhere, button, buttons, Qt.KeyboardModifier.NoModifier)
            self.application.sendEvent(track, event)

        moves: list[float] = []
        sent_at = 0.0  # when the mouse moved: by the time the signal tells, the request may have been sent already

        def note(*_value: object) -> None:
            moves.append(sent_at)

        if changed is not None:
            changed.connect(note)
        began = time.perf_counter() - self.trace.started
        start = time.perf_counter()
        send(QEvent.Type.MouseButtonPress, 0.15 * width, left, left)
        loop = QEventLoop()

        def tick() -> None:
            passed = time.perf_counter() - start
            if passed >= seconds:
                timer.stop()
                loop.quit()
                return
            share = 0.5 - 0.35 * cos(2 * pi * passed / 3.0)
            send(QEvent.Type.MouseMove, share * width, none, left)

        timer = QTimer(interval=1000 // HZ)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(tick)
        timer.start()
        loop.exec()
        send(QEvent.Type.MouseButtonRelease, 0.5 * width, left, none)
        ended = time.perf_counter() - self.trace.started
        if changed is not None:
            changed.disconnect(note)
        self.settle()
        return began, ended, None if changed is None else moves

    def close(self) -> None:
        self.window.close()
        self.wait(0.2)
        self.trace.close()


@dataclass(frozen=True)
class Span:
    """One drag: of what kind its requests are, when it began and ended, and the times of its moves where they were noted."""

    kind: str
    start: float
    stop: float
    moves: list[float] | None = None


def temperature_and_walk(driver: Driver, seconds: float) -> dict[str, Span]:
    """The first view: the temperature of a page of sixteen, then the walk between two of its samples."""
    driver.explorer.acts.set_count(16)
    driver.explorer.acts.select(5)
    driver.settle()
    temperature = driver.explorer.inspector().temperature.track
    spans = {"Temperature, sixteen samples": Span("explorer.page", *driver.drag(temperature, seconds))}
    driver.explorer.use_two_samples()
    driver.settle()
    return spans | {"Walk": Span("explorer.walk.at", *driver.drag(driver.explorer.walk.track, seconds))}


def further_views(driver: Driver, seconds: float, folder: Path) -> dict[str, Span]:
    """What unfolds: a direction, the pad, the strength between two piles, and the zoom of a photograph's crop."""
    from flow_explorer import assets
    from flow_explorer.explorer.facets.directions.facet import DirectionsFacet
    from flow_explorer.explorer.facets.paths.facet import PathsFacet
    from flow_explorer.explorer.facets.paths.pad_view import PadPanel
    from flow_explorer.explorer.facets.piles.facet import PilesFacet

    explorer = driver.explorer
    slots = [slot.picture for slot in explorer.controller.page.view.slots if slot is not None]
    explorer.look_deeper()
    spans = {}
    explorer.acts.show_facet("directions")
    driver.settle()
    directions = explorer.controller.facets["directions"]
    assert isinstance(directions, DirectionsFacet)
    rows = directions.widget().rows
    spans["Direction"] = Span("directions.edit", *_drag(driver, next(iter(rows.values())).slider, seconds))

    explorer.acts.show_facet("paths")
    paths = explorer.controller.facets["paths"]
    assert isinstance(paths, PathsFacet)
    paths.show_part("pad")
    paths.pad.fill()
    driver.settle()
    panel = paths.pad.panel()
    assert isinstance(panel, PadPanel)
    pad = panel.pad
    spans["Pad of four pictures"] = Span("paths.pad.at", *driver.drag(pad, seconds, pad.moved))

    explorer.acts.show_facet("piles")
    piles = explorer.controller.facets["piles"]
    assert isinstance(piles, PilesFacet)
    for which, pictures in (("A", slots[:8]), ("B", slots[8:])):
        pile = folder / f"pile {which}"
        pile.mkdir(exist_ok=True)
        for number, picture in enumerate(pictures):
            Image.fromarray(picture).save(pile / f"{number}.png")
        piles.take_data(which, [pile])
    driver.settle()
    spans["Strength between two piles"] = Span("piles.one", *_drag(driver, piles.inspector_part().strength, seconds))

    explorer.acts.show_facet("samples")
    explorer.acts.put_picture("A", (assets.root() / "examples" / "portrait-1.png").read_bytes(), "portrait-1.png")
    stats = explorer.wells["A"].stats
    stats.set_editing(True)
    driver.settle()
    spans["Zoom of a photograph's crop"] = Span("explorer.encode", *_drag(driver, stats.zoom, seconds))
    return spans


def _drag(driver: Driver, slider, seconds: float) -> tuple[float, float, list[float] | None]:
    return driver.drag(slider.track, seconds, slider.value_changed)


def measure(seconds: float, trace: Path, model: str = "faces", further: bool = True) -> dict[str, Drag]:
    """Drag everything that there is to drag, and read the trace."""
    driver = Driver(trace, model)
    try:
        spans = temperature_and_walk(driver, seconds)
        if further:
            spans |= further_views(driver, seconds, trace.parent)
    finally:
        driver.close()
    lines = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    drags = {}
    for name, span in spans.items():
        after = min((other.start for other in spans.values() if other.start > span.stop), default=float("inf"))
        part = [line for line in lines if line["time"] < after]
        drags[name] = read(part, span.kind, 5, 16, span.start, span.stop, span.moves)
    return drags


def table(drags: dict[str, Drag]) -> tuple[str, list[dict]]:
    """A Markdown table, and the same as data."""
    rows = []
    for name, drag in drags.items():
        measured = [("one picture", drag.picture), ("page of sixteen", drag.page)]
        for what, values in measured:
            if values:
                rows.append({
                    "drag": name, "what": what, "moves": len(values), "median_ms": round(percentile(values, 0.5), 1),
                    "p95_ms": round(percentile(values, 0.95), 1), "goal_ms": GOALS[what],
                    "reached": percentile(values, 0.95) <= GOALS[what],
                    "exact_on_rest_ms": None if math.isnan(drag.rest) else round(drag.rest, 1),
                    "frame_median_ms": round(percentile(drag.frames, 0.5), 1),
                    "frame_p95_ms": round(percentile(drag.frames, 0.95), 1),
                })  # fmt: skip
    lines = ["| drag | what is seen | moves | median | 95th percentile | goal | exact on rest | between frames, median / 95th |",
             "|---|---|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        verdict = "" if row["reached"] else " **missed**"
        rest = "–" if row["exact_on_rest_ms"] is None else f"{row['exact_on_rest_ms']:.0f} ms"
        lines.append(f"| {row['drag']} | {row['what']} | {row['moves']} | {row['median_ms']:.0f} ms "
                     f"| {row['p95_ms']:.0f} ms{verdict} "
                     f"| {row['goal_ms']:.0f} ms | {rest} "
                     f"| {row['frame_median_ms']:.0f} / {row['frame_p95_ms']:.0f} ms |")
    return "\n".join(lines), rows


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="latency", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=6.0, help="of each drag")
    parser.add_argument("--trace", type=Path, help="keep the trace here")
    parser.add_argument("--write", action="store_true", help="keep the figures in docs/latency.json")
    options = parser.parse_args(argv)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        drags = measure(options.seconds, options.trace or Path(folder) / "trace.jsonl")
    words, rows = table(drags)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(words)
    print(f"\n{os.cpu_count()} cores ({platform.machine()}), load {load:.1f} at the end, {os.environ['QT_QPA_PLATFORM']}")
    if options.write:
        REPORT.write_text(json.dumps({"cores": os.cpu_count(), "load": round(load, 1), "rows": rows}, indent=1) + "\n")
    return 0 if all(row["reached"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
