"""200 files that are nearly right for every reader; `make soak` gives each 20,000."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.harness import Target, fuzz, quick_folder, seed_of_the_day
from tests.fuzz.targets import all_targets

COUNT = 200


@pytest.mark.parametrize("target", all_targets(), ids=lambda target: target.name)
def test_a_damaged_file_is_answered_in_a_sentence(target: Target, tmp_path: Path):
    print(f"FLOW_EXPLORER_FUZZ_SEED={seed_of_the_day()}")
    with quick_folder() as folder:
        refused, _ = fuzz(target, COUNT, folder, keep=tmp_path)
    assert refused > 0 or target.bears_all  # or nothing of what was changed is looked at
