"""The real window on the real engine with work in it, until somebody kills it; or again, to see what came back.

Run in a process of its own by `test_keep.py`: ``driver_keep.py work|see [FILE.flowsession]``. Prints JSON lines.
"""

from __future__ import annotations

import hashlib
import json
import sys
from argparse import Namespace
from pathlib import Path


def main() -> int:
    what, session = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None

    import numpy as np
    from PySide6.QtCore import QTimer

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "explorer"))
    import random_acts

    from flow_explorer import main_window, startup
    from flow_explorer.explorer import facets
    from flowcore.pictures.images import to_png_bytes

    # A facet of the tests' own, as far as its state goes.
    known = facets._state_class
    facets._state_class = lambda id_: random_acts.DrawerState if id_ == random_acts.FACET else known(id_)
    facets.REGISTRY = (*facets.REGISTRY, facets.Entry(random_acts.FACET, "Drawer", "For tests"))

    made: list[main_window.MainWindow] = []
    build = main_window.MainWindow.__init__

    said: list[str] = []
    notify = main_window.MainWindow.notify

    def remember(self, *args, **kwargs) -> None:
        build(self, *args, **kwargs)
        made.append(self)

    def listen(self, words: str, *args, **kwargs) -> None:
        said.append(words)
        notify(self, words, *args, **kwargs)

    main_window.MainWindow.__init__ = remember
    main_window.MainWindow.notify = listen

    def tell(**values: object) -> None:
        print(json.dumps(values), flush=True)

    def screen(explorer) -> str:
        """A digest of every picture on screen."""
        controller = explorer.controller
        pictures = [slot.picture for slot in controller.page.view.slots] + [controller.walk.view.picture]
        pictures += [controller.slots[which].view.reconstruction for which in "AB"]
        return hashlib.sha256(b"".join(picture.tobytes() for picture in pictures)).hexdigest()

    steps = []

    def work(explorer) -> None:
        acts, rng = explorer.acts, np.random.default_rng(5)
        acts.put_picture("A", to_png_bytes(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)), "noise.png")
        acts.put_latent("B", explorer.controller.page.view.slots[4])
        acts.set_position(0.3)
        kept = explorer.controller.store.put_picture(to_png_bytes(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)))
        acts.set_facet(random_acts.FACET, random_acts.DrawerState(2.5, "mine", (kept,)), "Change the drawer")

    def look() -> None:
        window = made[0] if made else None
        if window is None or window.current is None or not window.is_idle() or window.engine.state != "ready":
            return
        if what == "work" and not steps:
            steps.append("worked")
            work(window.current)
            return
        timer.stop()
        explorer = window.current
        tell(state=explorer.history.state.to_dict(), screen=screen(explorer), engine=window.engine.pid,
             said=said, undo=explorer.history.undo_label)
        if what == "see":
            window.close()

    application = startup._application()
    timer = QTimer(application, interval=30)
    timer.timeout.connect(look)
    timer.start()
    return startup.run_gui(Namespace(workspace="explorer", session=session))


if __name__ == "__main__":
    sys.exit(main())
