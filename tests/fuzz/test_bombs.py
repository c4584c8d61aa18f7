"""Files made to swell: each is answered within seconds and two gigabytes, in a sentence, and nothing is written."""

from __future__ import annotations

import pytest

from tests.fuzz.bombs import bombs
from tests.fuzz.harness import answer, quick_folder
from tests.fuzz.targets import all_targets

TARGETS = {target.name: target for target in all_targets()}
SMALL = list(bombs(heavy=False))


@pytest.mark.parametrize("reader", sorted({reader for reader, _, _ in SMALL}))
def test_a_bomb_is_answered_in_a_sentence(reader):
    said = {}
    for name, data in [(name, data) for known, name, data in SMALL if known == reader]:
        with quick_folder() as folder:
            try:
                said[name] = answer(TARGETS[reader], data, folder)
            except BaseException as error:
                raise AssertionError(f"{reader}, {name}: {type(error).__name__}: {error!s:.500}") from error
    borne = {"attributes-txt"}  # of which the one small bomb is a count that is not needed
    assert reader in borne or TARGETS[reader].bears_all or any(said.values())


def test_there_are_more_than_a_hundred():
    assert len({(reader, name) for reader, name, _ in SMALL}) > 100
