"""What takes long is run by `make soak` alone; the usual suite passes this folder over."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("FLOW_EXPLORER_SOAK") else ["test_*.py"]
