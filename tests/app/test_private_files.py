"""What the program keeps of a person, only that person may read, also where an older version left it to everybody."""

from __future__ import annotations

import logging.handlers
import os
from pathlib import Path

import pytest

from flow_explorer.settings import Settings
from flow_explorer.shell.log import Log, logger
from flow_explorer.shell.session import Session

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions are another thing on Windows")


def readable_by_others(folder: Path) -> list[str]:
    """The files and folders below that somebody else may read or list."""
    return [path.name for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]


@pytest.mark.parametrize("left_open", [False, True])
def test_settings_session_and_logs_are_the_owners_alone(qapp, home, left_open):
    config, state = home / "config", home / "state"
    before = os.umask(0o000)
    try:
        if left_open:
            for folder, names in ((config, ["settings.json"]), (state, ["session.json"]),
                                  (state / "log", ["flow-explorer.log", "crash.log"])):  # fmt: skip
                folder.mkdir(parents=True)
                for name in names:
                    (folder / name).write_text("{}")
        Settings().set("theme", "dark")
        session = Session()
        session.states["explorer"] = {"seed": 4}
        session.close()
        log = Log()
        try:
            for handler in logger.handlers:
                if isinstance(handler, logging.handlers.RotatingFileHandler):
                    handler.maxBytes = 2_000
            for number in range(60):
                logger.warning("a picture of mine could not be read, number %d %s", number, "-" * 60)
        finally:
            log.close()
    finally:
        os.umask(before)
    files = {path.name for path in home.rglob("*") if path.is_file()}
    assert {"settings.json", "session.json", "flow-explorer.log", "flow-explorer.log.1", "crash.log"} <= files
    assert [name for name in readable_by_others(config) + readable_by_others(state) if "." in name] == []
    if not left_open:
        assert readable_by_others(config) == [] and set(readable_by_others(state / "log")) == set()
