"""JSON of files is read strictly: what no JSON can say is none."""

from __future__ import annotations

import pytest

from flowcore import plain_json


def test_what_json_says_is_read():
    text = '{"a": [1, -2.5, 1e300, true, null, "é"], "state": 340282366920938463463374607431768211455}'
    assert plain_json.loads(text) == {"a": [1, -2.5, 1e300, True, None, "é"], "state": 2**128 - 1}
    assert plain_json.loads(text.encode()) == plain_json.loads(text)


@pytest.mark.parametrize("text", [
    "NaN", "Infinity", "-Infinity", "1e999", "[-1e999]", "9" * 400, "9" * 5000, "[" * 10**5, '{"a":' * 10**5, "{}x", "", "'a'",
    b"\xff", "[" + "[]," * 1_000_000 + "[]]", "[" + "1," * 4_000_001 + "1]", 5, None, {},
], ids=lambda text: repr(text)[:12])  # fmt: skip
def test_what_it_cannot_say_is_refused(text):
    with pytest.raises(ValueError):
        plain_json.loads(text)
