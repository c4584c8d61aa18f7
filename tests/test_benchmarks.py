"""The benchmarks' own arithmetic, tables, memory meter and checks; no other library is needed, and nothing is timed."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from flowcore.model.systems import build
from tests.benchmarks import checks, report
from tests.benchmarks.measure import (
    Figure,
    best_of,
    in_own_process,
    interleave,
    ratio,
    saved_bytes,
)
from tests.benchmarks.peers import GlowSize, glow
from tests.benchmarks.report import Claim, Section, Table

linux = pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")


# -- figures ----------------------------------------------------------------------------------------------------------


def test_a_ratio_says_how_many_times_better_ours_is():
    ours, peer = Figure.of([110.0, 100.0, 90.0]), Figure.of([200.0, 250.0, 180.0])
    assert (ours.median, ours.low, ours.high, ours.count) == (100.0, 90.0, 110.0, 3)
    assert ratio(ours, peer) == 2.0
    assert ratio(ours, peer, lower_is_better=False) == 0.5


def test_a_rate_turns_the_range_around():
    rate = Figure.of([10.0, 20.0, 40.0]).per_second(20)
    assert (rate.median, rate.low, rate.high) == (1000.0, 500.0, 2000.0)


def test_the_best_is_among_those_that_were_asked_for_and_measured():
    figures = {"a": Figure.of([3.0]), "b": Figure.of([2.0]), "ours": Figure.of([1.0])}
    assert best_of(figures, ["a", "b", "not measured"]) == "b"
    assert best_of(figures, ["a", "b"], lower_is_better=False) == "a"
    assert best_of(figures, ["not measured"]) is None


def test_every_round_takes_each_once_and_another_one_first():
    calls: list[str] = []
    figures = interleave({name: lambda name=name: calls.append(name) for name in "abc"}, rounds=3, warm_up=1)
    assert calls == [*"abc", *"abc", *"bca", *"cab"]
    assert all(figure.count == 3 and figure.low <= figure.median <= figure.high for figure in figures.values())


def test_rounds_end_when_the_time_is_up_but_not_before_the_third():
    calls: list[int] = []
    interleave({"a": lambda: calls.append(1)}, rounds=50, seconds=0.0, warm_up=0)
    assert len(calls) == 3


# -- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (Claim("w", 2.0, 2.0), "reached"),
        (Claim("w", 1.5, 2.0), "**missed** by 25 %"),
        (Claim("w", 0.4, 0.5, at_most=True), "reached"),
        (Claim("w", 0.6, 0.5, at_most=True), "**missed** by 20 %"),
        (Claim("w", 0.01, 0.0, at_most=True, unit="bpd"), "**missed** by 0.0100 bpd"),
        (Claim("w", 3.0), "told for information"),
        (Claim("w", None, 2.0, note="data not at hand"), "data not at hand"),
        (Claim("w", None, 2.0), "not measured"),
    ],
)
def test_a_verdict_says_reached_or_missed_by_how_much(claim, words):
    assert report.verdict(claim) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234.6, "1,235"), (99.94, "99.9"), (1.425, "1.43"), (0.0123, "0.0123"), (1.1e-6, "1.1e-06"), (math.inf, "inf")],
)
def test_numbers_have_three_digits(value, text):
    assert report.number(value) == text


@pytest.fixture
def section():
    table = Table("Milliseconds", ["step", "sample"], notes=["- a note"])
    table.put("peer", "step", Figure.of([200.0, 190.0, 210.0]))
    table.put("ours", "step", Figure.of([100.0]))
    table.put("ours", "sample", "not measured")
    claims = [Claim("step", 2.0, 2.0, peer="peer: 200 ms", ours="100 ms"), Claim("sample", None, 1.3)]
    return Section("glow", "Glow", ["A word."], claims, [table], ["peer: log-det is wrong"], data={"left": math.inf})


ABOUT = {
    "machine": {"processor": "x, 2 cores"}, "versions": {"versions": "torch 2"}, "date": "2026-01-01", "seconds": 600.0,
    "load_at_start": 0.1,
}  # fmt: skip


def test_the_page_has_a_row_for_every_claim_and_every_implementation(section):
    lines = report.to_markdown(ABOUT, [section]).splitlines()
    assert "| step | peer: 200 ms | 100 ms | 2.00× | ≥ 2.00× | reached |" in lines
    assert "| sample | – | – | – | ≥ 1.30× | not measured |" in lines
    assert "| | step | sample |" in lines
    assert "| peer | 200 [190–210] |  |" in lines
    assert "| ours | 100 | not measured |" in lines
    assert "- peer: log-det is wrong" in lines and "- a note" in lines and "- processor: x, 2 cores" in lines


def test_the_json_holds_the_same_and_is_strict(section):
    def refuse(word):
        raise AssertionError(word)

    found = json.loads(report.to_json(ABOUT, [section]), parse_constant=refuse)
    group = found["groups"]["glow"]
    assert group["tables"][0]["rows"]["peer"]["step"] == {"median": 200.0, "low": 190.0, "high": 210.0, "count": 3}
    assert [claim["reached"] for claim in group["claims"]] == [True, None]
    assert group["data"] == {"left": None} and found["date"] == "2026-01-01"


# -- memory -----------------------------------------------------------------------------------------------------------


@linux
def test_the_meter_sees_what_an_act_takes_at_most_and_not_what_was_there():
    found = in_own_process("tests.benchmarks.measure_probe", "peaks", [20_000_000, 40_000_000, 10_000_000])
    assert 39e6 < found["one after another"] < 42e6  # the kernel counts pages in batches
    assert 69e6 < found["together"] < 72e6
    assert found["nothing"] < 1e6


def test_saved_bytes_count_each_storage_once_and_leave_the_weights_out():
    layer = nn.Linear(64, 64, bias=False)
    x = torch.randn(100, 64, requires_grad=True)

    def act():
        h = layer(x)  # keeps x and the weight
        return h.exp() + h.exp()  # keeps each exp

    assert saved_bytes(act, besides=[layer.weight]) == 3 * 100 * 64 * 4
    assert saved_bytes(act) == 3 * 100 * 64 * 4 + 64 * 64 * 4


@linux
def test_a_process_of_its_own_gives_its_last_line_and_its_error():
    assert in_own_process("tests.benchmarks.measure_probe", "echo", {"a": [1, None]}) == {"got": {"a": [1, None]}}
    with pytest.raises(RuntimeError, match="no such act"):
        in_own_process("tests.benchmarks.measure_probe", "other", 1)


# -- checks -----------------------------------------------------------------------------------------------------------

TINY = GlowSize((3, 8, 8), levels=2, steps=1, width=4)


def tiny():
    torch.manual_seed(0)
    model = glow("flowcore", TINY)
    model.prepare(torch.rand(8, 3, 8, 8) * 256)
    model.disturb(scale=0.05)
    return model


def test_our_own_flow_passes_the_checks():
    x = torch.rand(2, 3, 8, 8) * 256
    assert checks.check(tiny(), tiny(), x, x[:1], tiny().network_parameter_count) == []


def test_a_wrong_log_det_a_wrong_inverse_and_another_size_are_found():
    x = torch.rand(2, 3, 8, 8) * 256
    off, small = tiny(), tiny()
    encode, decode = small.encode, off.decode
    small.encode = lambda x: (encode(x)[0], encode(x)[1] + 0.1)
    off.decode = lambda z: decode(z) + 1.0
    words = " ".join(checks.check(off, small, x, x[:1], networks=7))
    assert "parameters, not 7" in words and "autograd says" in words and "decode(encode(x)) is off" in words


# -- precision --------------------------------------------------------------------------------------------------------


def test_the_table_of_precisions_tells_where_auto_was_missed():
    from tests.benchmarks.precision import to_table

    def row(auto: float) -> dict:
        steps = {"auto": auto, "float32": 100.0, "bfloat16": 400.0}
        return {"auto": "float32", "steps": {name: Figure.of([value]).to_dict() for name, value in steps.items()}}

    text, held = to_table({"AVX2": row(104.0), "": row(99.0)})
    assert held and "missed" not in text and "1.040" in text and "all there is" in text
    text, held = to_table({"AVX2": row(104.0), "": row(106.0)})
    assert not held and text.splitlines()[2].endswith("missed: 1.05 is allowed")


# -- laws of growth ---------------------------------------------------------------------------------------------------


def test_where_cost_and_law_part_is_computed():
    from tests.benchmarks.growth import departure, parting

    law = {k: float(k) for k in (2, 4, 8, 16)}
    assert parting("K", "ms", {k: 3.0 * k for k in law}, law) == "within 25 % of the law throughout"
    measured = {k: 3.0 * k + 12.0 for k in law}
    assert departure(measured, law)[16] == 1.0 and departure(measured, law)[2] == pytest.approx(18 / 7.5)
    words = parting("K", "ms", measured, law)
    assert "within 25 % of the law for K = 8, 16; at K = 2 2.40 times" in words
    assert "A fixed 12.0 ms on top of the law accounts for all within 0 %" in words


def test_multiply_adds_grow_with_depth_batch_and_area():
    from tests.benchmarks.growth import multiply_adds

    base = multiply_adds(GlowSize((3, 32, 32), 3, 4, 64), 2)
    assert multiply_adds(GlowSize((3, 32, 32), 3, 8, 64), 2) == 2 * base
    assert multiply_adds(GlowSize((3, 32, 32), 3, 4, 64), 6) == 3 * base
    assert multiply_adds(GlowSize((3, 64, 64), 3, 4, 64), 2) == 4 * base
    assert 2 * base < multiply_adds(GlowSize((3, 32, 32), 3, 4, 128), 2) < 4 * base
    one = multiply_adds(GlowSize((3, 4, 4), 1, 1, 10), 1)
    assert one == 4 * (9 * 6 * 10 + 10 * 10 + 9 * 10 * 12)


# -- the table of likelihoods -----------------------------------------------------------------------------------------


def test_a_cell_is_trained_measured_written_and_passed_over_the_next_time(tmp_path, capsys, shared_data):
    from tests.benchmarks.likelihood_table import main

    shared_data("mnist")

    out = tmp_path / "table.json"
    given = ["--minutes", "0.01", "--preset", "tiny", "--cells", "mnist/nice", "--runs", str(tmp_path), "--out", str(out),
             "--device", "cpu"]  # fmt: skip
    main(given)
    (cell,) = json.loads(out.read_text())["cells"]
    assert cell["count"] == 10_000 and 0 < cell["bpd"] < 10 and 0 < cell["standard_error"] < 0.1 and cell["steps"] >= 100
    page = out.with_suffix(".md").read_text()
    assert f"| NICE | {cell['bpd']:.3f} ± {cell['standard_error']:.3f} (4.36) | not yet |" in page
    capsys.readouterr()
    main(given)
    assert capsys.readouterr().out == "" and json.loads(out.read_text())["cells"] == [cell]


# -- translation ------------------------------------------------------------------------------------------------------


def test_structural_similarity_is_one_for_equals_and_falls_with_noise():
    from tests.benchmarks.translation import structural_similarity

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 16, 16, 3), np.uint8)
    assert structural_similarity(pictures, pictures) == pytest.approx(np.ones(3), abs=1e-5)
    noisy = [np.clip(pictures + rng.normal(0, sigma, pictures.shape), 0, 255).astype(np.uint8) for sigma in (20, 80)]
    near, far = (structural_similarity(pictures, other) for other in noisy)
    assert (near < 1).all() and (far < near).all()
    assert (structural_similarity(pictures, 255 - pictures) < 0).all()


def test_an_interval_of_a_share_holds_it_and_narrows():
    from tests.benchmarks.translation import wilson

    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-9) and wilson(0, 10)[1] == pytest.approx(0.2775, abs=1e-3)
    low, high = wilson(85, 100)
    assert low < 0.85 < high and wilson(850, 1000)[1] - wilson(850, 1000)[0] < high - low


def test_a_bootstraps_interval_is_that_of_the_mean():
    from tests.benchmarks.translation import bootstrap, interval, wilson

    values = np.random.default_rng(0).standard_normal(400) + 3
    low, high = bootstrap(values)
    half = 1.96 * values.std(ddof=1) / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02) and high == pytest.approx(values.mean() + half, abs=0.02)
    assert bootstrap(values) == (low, high)
    assert interval(np.ones(50, bool)) == wilson(50, 50) and interval(np.zeros(50, bool))[1] > 0.05
    some = np.arange(50) < 10
    assert interval(some) == bootstrap(some)


def test_the_translation_table_tells_what_was_missed():
    from tests.benchmarks.translation import to_markdown

    row = {"task": "no smile → smile", "method": "mean shift", "strength": 1.25, "taken": 0.9, "taken_interval": [0.8, 0.95],
           "kept": 0.6, "kept_interval": [0.59, 0.61], "count": 80, "cycle_error": 4e-6}  # fmt: skip
    ends = {"no smile → smile": {"real_b_taken": 0.91, "untouched_a_taken": 0.08}}
    judge = {"accuracy": 0.905, "interval": [0.89, 0.92], "count": 1200, "tasks": ends}
    drawn = [{"task": task, "method": name, "strength": None, "distance": value, "interval": [value, value], "count": 177}
             for task in ("smile", "beard", "skin")
             for name, value in (("no change", 3.0 if task == "smile" else 26.0), ("the nearest of B", 23.7),
                                 ("mean shift of pixels", 21.2), ("transport", 20.1))]  # fmt: skip
    groups = {"faces": {"best": "mean shift", "rows": [row, {**row, "method": "transport", "kept": 0.8}], "classifiers": [judge]},
              "avatars": {"best": "transport", "pile": 1000, "rows": drawn}}  # fmt: skip
    text = to_markdown({"groups": groups})
    assert "| **mean shift** | 1.25 | 90.0% (80% to 95%) | 0.600 (0.590 to 0.610) | 4e-06 | **missed**: kept |" in text
    assert "| transport | 1.25 | 90.0% (80% to 95%) | 0.800" in text and "| reached |" in text
    assert "right on 90.5% (89.0% to 92.0%) of 1,200 held-out" in text and "no smile → smile: 91% and 8%" in text
    assert "| no beard → beard | **transport** | – | 20.100 (20.100 to 20.100) |" in text and "over\n177 test avatars" in text
    assert "smile: **missed**: not better than no change" in text and "light → dark skin: beats all three." in text


def fake_avatars(folder, splits, changes):
    """avatars.npz, its table and pairs, as assets/models/data.py writes them, of pictures that show skin, beard and smile."""
    from tests.benchmarks.translation import _script

    toon_heads = _script("toon_heads")

    def picture(number, avatar):
        seen = np.random.default_rng(number).integers(90, 110, (8, 8, 3))
        seen[2:6] += round(60 * (0.5 - avatar.tone))
        seen[6:] += -40 if avatar.parts["beard"] == "fullBeard" else 0
        seen[:2] += 4 if avatar.parts["mouth"] == "smile" else 0
        return seen.astype(np.uint8)

    arrays: dict[str, Any] = {
        f"x_{split}": np.stack([picture(n, toon_heads.avatar(n)) for n in numbers]) for split, numbers in splits.items()
    }
    np.savez(folder / "avatars.npz", **arrays)
    toon_heads.write_table(folder / "avatars.csv", splits)
    pairs = {}
    for name in changes:
        for key, split in ((name, "test"), (f"{name}_held", "validation")):
            numbers, before, after = toon_heads.counterparts(name, splits[split], 8)
            pairs |= {f"{key}_{side}": np.stack([picture(n, a) for n, a in zip(numbers, avatars, strict=True)])
                      for side, avatars in (("from", before), ("to", after))}  # fmt: skip
    np.savez(folder / "avatars-pairs.npz", **pairs)
    return folder / "avatars.npz"


def test_avatars_are_scored_by_the_distance_to_their_true_counterpart(tmp_path, capsys):
    from flowcore.model.systems import build
    from tests.benchmarks.translation import CHANGES, FLOORS, counterparts, to_markdown

    splits = {"train": list(range(400)), "validation": list(range(1000, 1080)), "test": list(range(100_000, 100_080))}
    file = fake_avatars(tmp_path, splits, CHANGES)
    flow = build({"system": "nice", "shape": [3, 8, 8], "depth": 2, "width": 8, "hidden": 1}).eval()
    flow.initialised_flag.fill_(True)
    found = counterparts(flow, file, count=6, pile=150)
    assert len(found["rows"]) == 3 * 7 and all(row["count"] == 6 for row in found["rows"])
    assert json.dumps(found, allow_nan=False)
    by = {(row["task"], row["method"]): row["distance"] for row in found["rows"]}
    with np.load(tmp_path / "avatars-pairs.npz") as pairs:
        assert by["skin", "no change"] == pytest.approx(
            np.abs(pairs["skin_from"][:6].astype(float) - pairs["skin_to"][:6]).mean())  # fmt: skip
    # This flow bends nothing, and a darker half of the picture is a shift of it.
    assert found["best"] not in FLOORS and by["skin", found["best"]] < min(by["skin", floor] for floor in FLOORS[:2])
    assert all(by[task, "the nearest of B"] > 0 for task in CHANGES)
    one = {row["strength"] for row in found["rows"] if row["method"] == found["best"]}
    assert len(one) == 1 and None not in one, "one strength for all changes"
    assert {row["strength"] for row in found["rows"] if row["method"] in FLOORS[:2]} == {None}
    assert "## Avatars" in to_markdown({"groups": {"avatars": found}})


def test_without_the_avatars_the_benchmark_says_what_makes_them(tmp_path):
    from flowcore.errors import DataError
    from tests.benchmarks.translation import counterparts

    with pytest.raises(DataError, match="data.py avatars NODE_FOLDER"):
        counterparts(build({"system": "nice", "shape": [1, 4, 4], "depth": 1, "width": 4}), tmp_path / "avatars.npz", 4, 4)
