"""`python -m flow_explorer` is `flow-explorer`."""

from __future__ import annotations

import sys

from flow_explorer.cli import main

if __name__ == "__main__":
    sys.exit(main())
