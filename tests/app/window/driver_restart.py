"""The real window on the real engine: work in two workspaces, further views and a training, or what came back of it.

Run in a process of its own by `test_restart.py`: ``driver_restart.py work|see PILES``, PILES a folder with two of pictures.
Prints a JSON line of what there is, and then waits to be killed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path


def main() -> int:
    what, folder = sys.argv[1], Path(sys.argv[2])

    import numpy as np
    from PySide6.QtCore import QTimer

    from flow_explorer import main_window, startup
    from flow_explorer.explorer.facets.map.state import MapState
    from flow_explorer.explorer.facets.piles.state import PilesState, Side
    from flowcore.pictures.images import to_png_bytes

    made, said = [], []
    build, notify = main_window.MainWindow.__init__, main_window.MainWindow.notify

    def remember(self, *args, **kwargs) -> None:
        build(self, *args, **kwargs)
        made.append(self)

    def listen(self, words: str, *args, **kwargs) -> None:
        said.append(words)
        notify(self, words, *args, **kwargs)

    main_window.MainWindow.__init__, main_window.MainWindow.notify = remember, listen

    def digest(array) -> str:
        return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()

    def moments(workspace) -> list:
        return [[moment.label, moment.state.to_dict(), moment.present] for moment in workspace.history.moments()]

    def facts(window) -> dict:
        explorer, lab = window.workspaces["explorer"], window.workspaces["toylab"]
        piles, chart = (explorer.controller.facets[name] for name in ("piles", "map"))
        training = lab.controller.training
        return {
            "explorer": moments(explorer), "toylab": moments(lab), "said": said,
            "undo": explorer.history.undo_label, "redo": explorer.history.redo_label,
            "piles": {which: [digest(picture) for picture in pile.view.pictures] for which, pile in piles.links.piles.items()},
            "translated": piles.links.fit.ready,
            "map": [chart.link.data.count, list(chart.link.data.names), digest(chart.link.data.points)],
            "step": training.step, "snapshot": digest(training.snapshot),
            "curve": [[point.step, point.nll] for point in training.curve.until(training.snapshot_step)],
        }  # fmt: skip

    def pictures(explorer) -> None:
        acts, rng = explorer.acts, np.random.default_rng(5)
        for which in "ABA":
            acts.put_picture(which, to_png_bytes(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)), f"noise {which}.png")
        acts.set_position(0.3)
        acts.rest()
        for label, facet, state in (
            ("Choose both piles", "piles", PilesState(a=Side(str(folder / "a")), b=Side(str(folder / "b")), strength=0.5)),
            ("Choose the map", "map", MapState(source="data", path=str(folder / "a"), selected=2, colour="bpd")),
        ):
            acts.set_facet(facet, state, label)
        acts.show_facet("piles")

    def train(lab) -> None:
        lab.history.do(replace(lab.history.state, depth=2, width=16, batch=64, run=7), "A small flow")
        lab.controller.play()

    steps = {
        "work": [
            ("explorer", pictures), ("explorer", lambda explorer: explorer.acts.show_facet("map")),
            ("explorer", lambda explorer: (explorer.acts.set_position(0.7), explorer.acts.rest(), explorer.history.undo())),
            ("toylab", train), ("toylab", lambda lab: lab.controller.pause()),
        ],
        "see": [
            ("explorer", lambda explorer: None), ("explorer", lambda explorer: visit(explorer, "piles")),
            ("explorer", lambda explorer: visit(explorer, "map")), ("toylab", lambda lab: None),
        ],
    }[what]  # fmt: skip

    def visit(explorer, name: str) -> None:
        """Have a look without an act."""
        explorer.history.amend(replace(explorer.history.state, facet=name))

    def look() -> None:
        window = made[0] if made else None
        if window is None or window.current is None or window.engine.state not in ("ready", "busy"):
            return
        lab = window.workspaces.get("toylab")
        playing = lab is not None and lab.controller.playing
        if (playing and lab.controller.training.step < 40) or not (playing or window.is_idle()):
            return
        if steps:
            name, act = steps.pop(0)
            window.show_workspace(name)
            act(window.current)
            return
        timer.stop()
        print(json.dumps(facts(window)), flush=True)
        if what == "see":
            lab.controller.step_on()
            QTimer.singleShot(0, application, wait)

    def wait() -> None:
        lab = made[0].workspaces["toylab"]
        if lab.controller.training.step and made[0].is_idle():
            print(json.dumps({"step": lab.controller.training.step}), flush=True)
            made[0].close()
        else:
            QTimer.singleShot(30, application, wait)

    application = startup._application()
    timer = QTimer(application, interval=30)
    timer.timeout.connect(look)
    timer.start()
    return startup.run_gui(Namespace(workspace="explorer"))


if __name__ == "__main__":
    sys.exit(main())
