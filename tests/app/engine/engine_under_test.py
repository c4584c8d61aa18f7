"""The real engine process with jobs that only tests ask for: ``python -m engine_under_test``."""

from __future__ import annotations

import os
import sys

from flow_explorer.engine.__main__ import main

if os.environ.get("ENGINE_TEST_DIE"):
    sys.exit("told to die")

if __name__ == "__main__":
    main(job_modules={"explorer": "flow_explorer.engine.jobs.explorer", "test": "engine_test_jobs"})
