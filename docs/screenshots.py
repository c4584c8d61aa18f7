"""Make the guide's pictures of the window, by driving the real one.

    python docs/screenshots.py explorer docs/explorer.png --theme dark --size 1440x900
    python docs/screenshots.py explorer docs/levels.png --facet levels --subject A
    python docs/screenshots.py toylab docs/toylab.png --seconds 30
    python docs/screenshots.py toylab docs/race.webp --race spline glow nice --density --seconds 40
    python docs/screenshots.py toylab docs/probe.png --probe 0.8 -0.4 --views data samples density contours stretch prior
    python docs/screenshots.py toylab docs/slow.png --seconds 5 --stage 1                (slow motion, 0 to 3)
    python docs/screenshots.py toylab docs/draw.png --seconds 0 --sheet draw             (or formula; or a file of points)
    python docs/screenshots.py theory docs/theory.png --figure curve
    python docs/screenshots.py training docs/training.png --runs RUNS --select run-1      (a folder of runs)
    python docs/screenshots.py training docs/new-run.png --data PICTURES                  (the form)

On a machine without a screen run it under xvfb, whose fonts look like a desktop's.
"""
from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("", "app")]

from PySide6.QtCore import Qt  # noqa: E402
from PySide6.QtGui import QImage  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from flow_explorer import assets, theme  # noqa: E402
from flow_explorer.engine.client import EngineClient  # noqa: E402
from flow_explorer.engine.requests.toy_views import VIEWS  # noqa: E402
from flow_explorer.explorer import facets  # noqa: E402
from flow_explorer.explorer.facets.directions.facet import DirectionsFacet  # noqa: E402
from flow_explorer.explorer.workspace import ExplorerWorkspace  # noqa: E402
from flow_explorer.main_window import MainWindow  # noqa: E402
from flow_explorer.settings import Settings  # noqa: E402
from flow_explorer.shell.session import Session  # noqa: E402
from flow_explorer.theory.workspace import Theory  # noqa: E402
from flow_explorer.toylab.workspace import ToyLab  # noqa: E402
from flow_explorer.training.workspace import TrainingWorkspace  # noqa: E402
from flowcore.pictures.animation import animation_bytes  # noqa: E402


def wait(application: QApplication, seconds: float, until=lambda: False) -> None:
    """Let the window live for a time, or until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        application.processEvents()
        time.sleep(0.002)


def explore(application: QApplication, window: MainWindow, options: argparse.Namespace) -> None:
    """Two pictures in the wells and a walk between them."""
    workspace = window.current
    assert isinstance(workspace, ExplorerWorkspace)
    state = workspace.history.state
    if options.model:
        workspace.controller.choose_model(options.model)
        wait(application, 120, window.is_idle)
    if options.empty:
        show_facet(application, workspace, options)
        return
    for which, name in zip("AB", options.pictures, strict=False):
        if name.isdigit():
            workspace.controller.acts.select(int(name))
            wait(application, 60, window.is_idle)
            workspace.send(which)
        else:
            path = next(p for p in assets.examples() if p.stem == name)
            workspace.controller.acts.put_picture(which, path.read_bytes(), path.name)
        wait(application, 120, window.is_idle)
    workspace.controller.acts.select(state.selected)
    workspace.controller.acts.set_position(0.62)
    workspace.controller.acts.show_walk()
    show_facet(application, workspace, options)


def show_facet(application: QApplication, workspace: ExplorerWorkspace, options: argparse.Namespace) -> None:
    """One of the further views, if one was asked for."""
    if options.facet:
        workspace.look_deeper()
        workspace.acts.set_subject(options.subject)
        workspace.acts.show_facet(options.facet)
        wait(application, 60, workspace.is_idle)
        if options.facet_state:
            state = facets.read(options.facet, json.loads(options.facet_state))
            workspace.acts.set_facet(options.facet, state, "Set by hand")
        if options.amounts:
            facet = workspace.controller.facet
            assert isinstance(facet, DirectionsFacet)
            for row, amount in zip(facet.link.rows(facet.state), options.amounts, strict=False):
                facet.set_amount(row.held.key, amount)
        wait(application, 60, workspace.is_idle)


def learn(application: QApplication, window: MainWindow, options: argparse.Namespace) -> None:
    """A flow that has learned for a while, with some of its views, or a point probed half way through the layers."""
    lab = toy_lab(window)
    controller = lab.controller
    if options.race:
        race(application, window, options)
        return
    if options.views:
        controller.set("views", tuple(name for name in VIEWS if name in options.views))
    controller.play()
    wait(application, options.seconds)
    if not options.playing:
        controller.pause()
    if options.probe:
        controller.set("probe", tuple(options.probe))
        lab.canvas().go_to(controller.state.depth // 2)
    lab.inspector().layers.set_unfolded(options.layers)
    if options.stage is not None:
        slow_motion(application, controller, options.stage)
    if options.sheet:
        open_sheet(application, window, options.sheet)


def toy_lab(window: MainWindow) -> ToyLab:
    """The toy lab, which is in front."""
    workspace = window.current
    assert isinstance(workspace, ToyLab)
    return workspace


def slow_motion(application: QApplication, controller, stage: int) -> None:
    """A step in slow motion, in the midst of one of its four stages."""
    controller.set("speed", "stages")
    wait(application, 20, lambda: controller.slow.detail is not None)
    controller.play()
    wait(application, 30, lambda: controller.slow.stage == stage and controller.slow.fraction > 0.6)
    controller.pause()


def open_sheet(application: QApplication, window: MainWindow, sheet: str) -> None:
    """One of the sheets in which a target is made: "draw", "formula", or the table of points of that name."""
    targets = toy_lab(window).targets
    if sheet in ("draw", "formula"):
        targets.make(sheet)
    else:
        targets.take_points(sheet)
    wait(application, 10, lambda: targets.sheet() is not None and window.is_idle())


def race(application: QApplication, window: MainWindow, options: argparse.Namespace) -> None:
    """Several flows side by side; an animation shows the whole race, evenly over the training time."""
    lab = toy_lab(window)
    controller = lab.controller
    controller.set("density", options.target)
    for flow in options.race:
        controller.race.add()
        rivals = controller.state.rivals
        controller.race.change(len(rivals) - 1, replace(rivals[-1], flow=flow))
    controller.race.show_density(options.density)
    wait(application, 60, window.is_idle)
    controller.play()
    film = options.out.endswith((".gif", ".webp"))
    frames, began = [], time.monotonic()
    while time.monotonic() - began < options.seconds:
        wait(application, 0.15)
        if film and controller.race.run.least_seconds >= len(frames) * options.every:
            image = lab.canvas().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
            image = image.scaledToWidth(640, Qt.TransformationMode.SmoothTransformation)
            rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
            frames.append(rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy())
    controller.pause()
    if film:
        frames += frames[-1:] * 10  # the end stays for a while
        Path(options.out).write_bytes(animation_bytes(Path(options.out).suffix, frames, fps=10))


def explain(application: QApplication, window: MainWindow, options: argparse.Namespace) -> None:
    """One of the theory page's figures; the curve has learned its target."""
    workspace = window.current
    assert isinstance(workspace, Theory)
    controller = workspace.controller
    controller.show_figure(options.figure)
    if options.figure == "curve":
        controller.learn()
        wait(application, 120, lambda: controller.state.curve.steps >= 300)
        controller.pause()


def train(application: QApplication, window: MainWindow, options: argparse.Namespace) -> None:
    """The form with pictures in it, a run, or several compared."""
    workspace = window.current
    assert isinstance(workspace, TrainingWorkspace)
    controller = workspace.controller
    if options.runs:
        folder = Path(options.runs).resolve()
        controller.open_runs(folder)
        wait(application, 20, lambda: bool(controller.runs()) and not controller.watcher.busy)
        controller.select([folder / name for name in options.select])
    if options.data:
        controller.choose_data(Path(options.data).resolve())
        wait(application, 120, window.is_idle)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workspace", choices=("explorer", "toylab", "theory", "training"))
    parser.add_argument("out")
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--model")
    parser.add_argument("--pictures", nargs=2, default=("avatar-3", "6"))
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--facet", help="explorer: the further view in front, such as levels")
    parser.add_argument("--facet-state", help="explorer: what is set there, as a session has it (JSON)")
    parser.add_argument("--amounts", type=float, nargs="*", help="directions: how far along each, in standard deviations")
    parser.add_argument("--subject", default="A", choices=("sample", "A", "B", "walk"), help="explorer: what it is about")
    parser.add_argument("--figure", default="curve", help="theory: affine, curve, matrix, coupling, masks or convolution")
    parser.add_argument("--race", nargs="*", default=(), help="toylab: the flows that race against the first")
    parser.add_argument("--target", default="pinwheel", help="toylab: what they race on")
    parser.add_argument("--density", action="store_true", help="toylab: densities instead of samples in a race")
    parser.add_argument("--every", type=float, default=0.15, help="toylab: seconds of training between a GIF's frames")
    parser.add_argument("--views", nargs="*", default=(), help="toylab: which of its views, such as density contours stretch")
    parser.add_argument("--probe", type=float, nargs=2, help="toylab: where x is probed")
    parser.add_argument("--playing", action="store_true")
    parser.add_argument("--layers", action="store_true", help="toylab: with the list of layers unfolded")
    parser.add_argument("--stage", type=int, choices=range(4), help="toylab: a step in slow motion, at one of its four stages")
    parser.add_argument("--sheet", help="toylab: draw, formula, or a file of points whose sheet is open")
    parser.add_argument("--runs", help="training: a folder of runs")
    parser.add_argument("--select", nargs="*", default=(), help="training: which of them")
    parser.add_argument("--data", help="training: pictures for a new run")
    options = parser.parse_args()

    application = QApplication([])
    theme.apply(application, options.theme)
    settings = Settings(Path(tempfile.mkdtemp()) / "settings.json")
    for name in ("explorer", "toylab", "theory", "training"):
        settings.set(f"hint.{name}.seen", True)
    engine = EngineClient()
    engine.start()
    window = MainWindow(engine, settings, Session(keep=False), options={"screenshot": options.out})
    window.resize(*map(int, options.size.split("x")))
    window.show()
    window.begin(options.workspace)
    wait(application, 1.0)
    wait(application, 120, window.is_idle)
    acts = {"explorer": explore, "toylab": learn, "theory": explain, "training": train}
    acts[options.workspace](application, window, options)
    wait(application, 1.0)
    if not options.playing:
        wait(application, 60, window.is_idle)
    wait(application, 0.5)
    if not options.out.endswith((".gif", ".webp")):
        window.grab().save(options.out)
    window.close()
    wait(application, 0.3)


if __name__ == "__main__":
    main()
