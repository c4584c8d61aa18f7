"""Saves a session that names other pictures every time, until it is killed: ``driver_saves.py SEED``.

Run in a process of its own by `test_killed_saves.py`, which looks at what is on disk afterwards.
"""

from __future__ import annotations

import sys


def main() -> None:
    import numpy as np
    from PySide6.QtCore import QCoreApplication

    from flow_explorer.explorer.store import Store
    from flow_explorer.explorer.store_files import StoreFiles
    from flow_explorer.shell.session import WindowSession

    application = QCoreApplication([])
    session, store, rng = WindowSession(), Store(), np.random.default_rng(int(sys.argv[1]))
    files = StoreFiles(session.path.parent / "explorer")
    number = int(session.states.get("explorer", {}).get("number", 0))

    def collect() -> None:
        keys = {store.put_array(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)) for _ in range(3)}
        keys.add(store.put_latent(rng.standard_normal(50).astype(np.float32)))
        files.write(store, keys)
        session.states["explorer"] = {"number": number, "keys": sorted(keys)}

    session.collect = collect
    while application is not None:
        number += 1
        assert session.save(), session.trouble
        print(number, session.path.name, flush=True)


if __name__ == "__main__":
    main()
