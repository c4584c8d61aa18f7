"""`flow-explorer layers`: terms that add up to what `score` says, and a readable table."""

from __future__ import annotations

import pytest


def test_the_terms_add_up_to_the_score(cli, model, image):
    (row,) = cli("layers", image, "--model", model, "--json").json
    (scored,) = cli("score", image, "--model", model, "--json").json
    terms = [layer["log_det"] for layer in row["layers"]] + [level["log_prob"] for level in row["levels"]]
    assert sum(terms) == pytest.approx(row["log_prob"], abs=1e-9)
    assert sum(part["bits"] for part in (*row["layers"], *row["levels"])) == pytest.approx(row["bpd"])
    assert row["bpd"] == pytest.approx(scored["bpd"], abs=1e-3)
    assert [layer["kind"] for layer in row["layers"]][:4] == ["rescale", "squeeze", "actnorm", "linear"]
    assert [level["numbers"] for level in row["levels"]] == [384, 384]
    assert all(level["shell"][0] < level["shell"][1] and 0 <= level["ks_p_value"] <= 1 for level in row["levels"])


def test_the_table_names_every_layer(cli, model, image):
    ran = cli("layers", image, image, "--model", model)
    lines = ran.out.splitlines()
    assert ran.code == 0 and sum("bits per dimension" in line and "log p(x)" in line for line in lines) == 2
    assert sum("AffineCoupling" in line for line in lines) == 8 and any(line.startswith("level 2") for line in lines)


def test_it_refuses_what_score_refuses(refused, model, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    assert str(broken) in refused("layers", broken, "--model", model, "--json")
    assert "--class" in refused("layers", broken, "--model", model, "--class", "cat")
