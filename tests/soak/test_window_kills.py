"""Windows killed at many moments of their saves, two at a time."""

from __future__ import annotations

import os
import time

import pytest

from tests.app.window.test_killed_saves import kill_at_random_moments

ROUNDS = int(os.environ.get("FLOW_EXPLORER_SOAK_ROUNDS", "60"))
SEED = int(os.environ.get("FLOW_EXPLORER_SOAK_SEED", "0")) or int(time.time())


@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.name != "posix", reason="signals are another thing on Windows")
def test_sessions_are_whole_whenever_windows_are_killed(tmp_path):
    print(f"seed {SEED}")
    kill_at_random_moments(tmp_path / "home", ROUNDS, SEED)
