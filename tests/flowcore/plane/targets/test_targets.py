"""Targets of one's own: exact log-densities and entropies, and for every hostile input one sentence."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import time
import zlib
from typing import Any

import numpy as np
import pytest

from flowcore.errors import ConfigError, DataError, PictureError
from flowcore.plane import densities
from flowcore.plane.config import ToyConfig
from flowcore.plane.targets import targets as toy_targets
from flowcore.plane.targets.formula import evaluate, parse
from flowcore.plane.targets.grid import GridDensity
from flowcore.plane.targets.points import MAX_ROWS
from flowcore.plane.targets.shapes import ShapedDensity
from flowcore.plane.trainer import ToyTrainer


def says(error):
    """The one sentence, or two, of an error."""
    words = str(error.value)
    assert words.endswith(".") and "\n" not in words and 20 < len(words) < 240, words


def mass_and_entropy(target, side=900, reach=4.3):
    axis = reach * (2 * (np.arange(side) + 0.5) / side - 1)
    log_p = target.log_prob(np.stack(np.meshgrid(axis, axis), -1))
    cell = (2 * reach / side) ** 2
    p = np.exp(log_p)
    return p.sum() * cell, -(p * np.where(p > 0, log_p, 0)).sum() * cell


def blot():
    values = np.zeros((128, 128), np.uint8)
    values[20:40, 60:90] = 200
    values[100:104, 3:40] = np.arange(37) * 6
    values[0, 0] = 90  # in the corner, where the tent reaches over the edge
    return values


# -- the ten, reshaped --


@pytest.mark.parametrize("name", densities.NAMES)
def test_the_defaults_are_exactly_todays_densities(name):
    base, shaped = densities.get(name), ShapedDensity(name, {})
    points = base.sample(300, np.random.default_rng(0))
    assert np.abs(shaped.log_prob(points) - base.log_prob(points)).max() < 1e-10
    there, here = (one.sample(50, np.random.default_rng(1)) for one in (shaped, base))
    assert np.abs(there - here).max() < 1e-12
    assert shaped.entropy == pytest.approx(base.entropy, abs=2e-6) and shaped.entropy_error < 5e-5
    defaults = {one.key: one.default for one in toy_targets.PARAMETERS[name]}
    assert toy_targets.make({"kind": "parameters", **defaults}, name) is base


@pytest.mark.parametrize(
    ("name", "values"),
    [("two-moons", {"gap": -0.5}), ("two-spirals", {"turns": 2.5, "modes": 3}), ("rings", {"modes": 2}),
     ("pinwheel", {"twist": 0.5, "modes": 4}),
     ("checkerboard", {"modes": 6, "noise": 0.2}), ("swiss-roll", {"turns": 0.5}), ("gaussian-grid", {"modes": 3}),
     ("bridge", {"piers": 0.3}), ("gaussian", {"short": 0.2, "angle": -40})],
)  # fmt: skip
def test_a_changed_entropy_is_that_of_its_samples(name, values):
    target = toy_targets.make({"kind": "parameters", **values}, name)
    loss = -target.log_prob(target.sample(20_000, np.random.default_rng(3)))
    assert abs(loss.mean() - target.entropy) < 4 * loss.std() / math.sqrt(len(loss)) + target.entropy_error
    assert abs(target.entropy - densities.get(name).entropy) > 0.01


def test_a_twist_leaves_the_entropy_as_it_is():
    # Sheared thin by the twist, the arms would want a far finer grid; four places, so no rounding passes for agreement.
    entropies = [ShapedDensity("pinwheel", {"noise": 0.04, "twist": twist}).entropy for twist in (0.0, 0.25, 0.6)]
    assert entropies == pytest.approx([0.5347607] * 3, abs=1e-6)  # densities.quadrature_entropy at a spacing of 0.01


def test_the_largest_mixture_is_measured_in_small_pieces():
    target = ShapedDensity("two-spirals", {"noise": 0.04, "turns": 3.0, "modes": 4})
    sizes = []
    log_prob = target._measured.log_prob
    object.__setattr__(target._measured, "log_prob", lambda x: (sizes.append(x.size // 2), log_prob(x))[1])
    assert target.entropy == pytest.approx(2.98166, abs=1e-4)
    assert max(sizes) * target._terms < 2_000_000


def test_a_draw_never_falls_into_a_bare_cell():
    class Last:
        """Draws the largest number below 1, and a tent's middle."""

        def random(self, shape):
            return np.full(shape, np.nextafter(1, 0) if np.ndim(shape) == 0 else 0.5)

    for seed in range(20):
        # A formula's: bytes of ink add up without rounding. The first row is on top, and drawn last.
        weights = np.random.default_rng(seed).random((128, 128))
        weights[:28] = 0
        target = GridDensity("formula", "", weights)
        last: Any = Last()
        assert np.isfinite(target.log_prob(target.sample(1, last))).all()


def test_an_entropy_in_pieces_is_the_same():
    target = ShapedDensity("rings", {"noise": 0.1})
    assert len(list(target.measure())) > 3 and list(target.measure()) == []


@pytest.mark.parametrize(
    "values", [{"noise": 9.0}, {"noise": math.nan}, {"turns": 2}, {"noise": "1"}, {"modes": 1.5}, {"noise": True}]
)
def test_parameters_out_of_range(values):
    with pytest.raises(ConfigError) as error:
        toy_targets.check({"kind": "parameters", **values}, "eight-gaussians")
    says(error)


# -- grids --


def test_a_drawn_density_is_exact():
    target = toy_targets.make(toy_targets.from_grid(blot(), "Mine"), "two-moons")
    mass, entropy = mass_and_entropy(target, 1720)
    assert mass == pytest.approx(1, abs=1e-3) and target.entropy == pytest.approx(entropy, abs=3e-3)
    points = target.sample(40_000, np.random.default_rng(0))
    loss = -target.log_prob(points)
    assert np.isfinite(loss).all() and abs(loss.mean() - target.entropy) < 4 * loss.std() / 200 + target.entropy_error
    assert target.entropy_error < 1e-3
    # Row 0 is on top.
    upper = blot()[:64].astype(float).sum() / blot().astype(float).sum()
    assert (points[:, 1] > 0).mean() == pytest.approx(upper, abs=0.01)
    assert target.log_prob(np.array([3.0, -3.0])) == -np.inf and target.log_prob(np.array([50.0, 1e9])) == -np.inf


def test_a_grid_goes_there_and_back_as_plain_json():
    target = toy_targets.from_grid(blot(), "Mine")
    back = json.loads(json.dumps(target))
    assert np.array_equal(toy_targets.grid_of(back), blot())
    assert toy_targets.key(back, "rings") == toy_targets.key(target, "rings")


def test_a_pictures_darkness_counts_with_its_alpha_and_keeps_its_shape():
    pixels = np.zeros((40, 80, 4), np.uint8)
    pixels[:, :20, 3] = 255  # black and opaque at the left; the rest is black and transparent
    grid = toy_targets.grid_of(toy_targets.from_pixels(pixels, "left"))
    rows, columns = np.nonzero(grid > 128)
    assert (rows.min(), rows.max()) == (32, 95) and (columns.min(), columns.max()) == (0, 31)


@pytest.mark.parametrize(
    "pixels",
    [np.full((9, 9, 3), 255, np.uint8), np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 4), np.uint8),
     np.zeros((0, 9, 3), np.uint8),
     np.zeros((9, 9, 2), np.uint8), np.zeros((9, 9, 3)), np.zeros(9, np.uint8)],
)  # fmt: skip
def test_pictures_that_are_no_density(pixels):
    with pytest.raises(PictureError) as error:
        toy_targets.from_pixels(pixels, "Paper")
    says(error)


def packed(data):
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    "change",
    [{"values": packed(bytes(10))}, {"values": packed(bytes(16))}, {"values": packed(bytes(10**7))}, {"values": "!"},
    {"values": 3},
     {"side": 10**6}, {"side": True}, {"side": 4.0}, {"title": 3}, {"source": "x"}, {"more": 1}, {"kind": "else"},
     {"values": "A" * 10**6}],
)  # fmt: skip
def test_damaged_grids(change):
    good = {"kind": "grid", "title": "", "source": "drawn", "side": 4, "values": packed(bytes(range(16)))}
    toy_targets.check(good, "rings")
    with pytest.raises(ConfigError) as error:
        toy_targets.check(good | change, "rings")
    says(error)


@pytest.mark.parametrize("target", [[], "grid", {"kind": []}, {"kind": "formula", "text": {1, 2}}, {}])
def test_what_is_no_target(target):
    with pytest.raises(ConfigError) as error:
        ToyConfig(target=target)
    says(error)


# -- points --


def write(path, text):
    path.write_text(text)
    return path


def cloud(n=400, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 2)) * [2.0, 0.1] + [5.0, -3.0]


def csv_of(points, header="a,b"):
    return "\n".join([header, *(f"{x:.6f},{y:.6f}" for x, y in points)]) + "\n"


def test_two_columns_are_standardised_and_rows_left_out_are_counted(tmp_path):
    points = cloud()
    path = write(tmp_path / "t.csv", csv_of(points) + "NA,1\n3,inf\n1,2,3\n4\n\n# a remark\n")
    assert toy_targets.columns(path).names == ("a", "b") and toy_targets.columns(path).rows == 404
    target = toy_targets.from_points(path, "a", 1, 0)
    assert "4 rows without two finite numbers were left out" in target["note"] and "standardised" in target["note"]
    made = toy_targets.make(target, "two-moons")
    train, held = made.sample(4000, np.random.default_rng(0)), made.held_out(10_000, np.random.default_rng(0))
    wanted = (points - points.mean(0)) / points.std(0)
    seen = np.concatenate([np.unique(train, axis=0), held])
    assert len(seen) == 400 and len(held) == 80
    assert np.abs(np.sort(seen, 0) - np.sort(wanted, 0)).max() < 1e-4
    assert not made.known and made.entropy is None and toy_targets.picture(target, "two-moons", 16) is None
    with pytest.raises(ConfigError):
        made.log_prob(train)


@pytest.mark.parametrize(("sign", "header"), [(";", "a;b"), ("\t", "a\tb"), (" ", "a b"), (",", None), (",", '"a, quoted",b')])
def test_tables_of_many_kinds(tmp_path, sign, header):
    lines = [f"{x}{sign}{y}" for x, y in cloud(30)]
    path = write(tmp_path / "t.txt", "\ufeff" * (header == "a;b") + "\r\n".join(([header] if header else []) + lines))
    found = toy_targets.columns(path)
    assert found.rows == 30 and found.preview.shape == (30, 2) and np.isfinite(found.preview).all()
    assert found.names == (("a, quoted", "b") if header and "quoted" in header else ("a", "b") if header else ("column 1",
    "column 2"))
    made = toy_targets.make(toy_targets.from_points(path, 0, 1, 0), "rings")
    assert made.held_out(99, np.random.default_rng(0)).shape == (6, 2)


def test_a_million_rows_are_drawn_from_by_seed_and_said(tmp_path):
    np.save(tmp_path / "many.npy", np.random.default_rng(0).normal(size=(1_000_000, 2)).astype(np.float32))
    began = time.perf_counter()
    first, again, other = (toy_targets.from_points(tmp_path / "many.npy", 0, 1, seed) for seed in (3, 3, 4))
    assert time.perf_counter() - began < 5
    assert first == again and first["values"] != other["values"]
    assert f"{MAX_ROWS:,} of 1,000,000 rows were drawn (seed 3)" in first["note"]
    assert len(json.dumps(first)) < toy_targets.MAX_BYTES
    toy_targets.check(first, "rings")


def test_a_million_rows_of_text_are_quick_too(tmp_path):
    path = write(tmp_path / "many.csv", csv_of(cloud(1000)) + csv_of(cloud(1000, seed=1), "")[1:] * 999)
    began = time.perf_counter()
    assert toy_targets.columns(path).rows == 1_000_000
    target = toy_targets.from_points(path, "a", "b", 3)
    # Only the rows that are drawn are parsed: about half a second; the rest is for a busy machine.
    assert time.perf_counter() - began < 3
    assert f"{MAX_ROWS:,} of 1,000,000 rows were drawn (seed 3)" in target["note"]


def test_the_largest_numbers_there_are_do_not_overflow(tmp_path):
    points = cloud(50) * 1e306
    np.save(tmp_path / "huge.npy", points)
    made = toy_targets.make(toy_targets.from_points(tmp_path / "huge.npy", 0, 1, 0), "rings")
    assert np.isfinite(made.sample(100, np.random.default_rng(0))).all()


HOSTILE = {
    "empty.csv": "", "blank.csv": "\n \n", "header.csv": "a,b\n", "one.csv": "a,b\n1,2\n", "same.csv": "a,b\n" + "1,2\n" * 40,
    "text.csv": "a,b\n" + "x,y\n" * 40, "one-column.csv": "a\n" + "1\n2\n" * 20, "nan.csv": "a,b\n" + "nan,nan\n" * 40,
    "inf.csv": "a,b\n" + "inf,1\n" * 40, "ragged.csv": "a,b\n" + "1,2,3\n4\n" * 40, "wide.csv": ",".join("1" * 2000) + "\n",
    "line.csv": "a,b\n" + "".join(f"{i},{2 * i + 1}\n" for i in range(40)), "zeros.csv": "a,b\0\0",
    "quotes.csv": 'a,b\n"' + "1,2\n" * 40, "long.csv": "a,b\n" + "1" * 200_000 + ",2\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tables(tmp_path, name):
    path = write(tmp_path / name, HOSTILE[name])
    with pytest.raises(DataError) as error:
        toy_targets.columns(path)
        toy_targets.from_points(path, 0, 1, 0)
    says(error)


def hostile_arrays():
    return {
        "pickled": np.array([[{}, 1]] * 20, dtype=object), "cube": np.zeros((20, 2, 2)), "line": np.zeros(20),
        "none": np.zeros((0, 2)),
        "text": np.array([["a", "b"]] * 20), "complex": np.ones((20, 2), complex), "one": np.ones((1, 2)),
        "same": np.ones((50, 2)),
        "scalar": np.array(3.0), "thin": np.ones((50, 1)), "nan": np.full((50, 2), np.nan),
    }  # fmt: skip


@pytest.mark.parametrize("name", hostile_arrays())
def test_hostile_arrays(tmp_path, name):
    path = tmp_path / "array.npy"
    np.save(path, hostile_arrays()[name])
    with pytest.raises(DataError) as error:
        toy_targets.columns(path)
        toy_targets.from_points(path, 0, 1, 0)
    says(error)


def test_files_that_are_none(tmp_path):
    np.save(tmp_path / "cut.npy", cloud())
    whole = (tmp_path / "cut.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:500])
    (tmp_path / "claims.npy").write_bytes(whole[:10] + whole[10:].replace(b"(400, 2)", b"(4**9, 2"))
    np.savez(tmp_path / "zip.npz", cloud())
    os.rename(tmp_path / "zip.npz", tmp_path / "zip.npy")
    os.mkfifo(tmp_path / "pipe.csv")
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(2**31)  # takes no place on the disk
    for name in ("cut.npy", "claims.npy", "zip.npy", "pipe.csv", "huge.csv", "missing.csv", "."):
        with pytest.raises(DataError) as error:
            toy_targets.columns(tmp_path / name)
        says(error)


def test_a_column_that_is_not_there(tmp_path):
    path = write(tmp_path / "t.csv", csv_of(cloud()))
    for pair in ((0, 2), ("a", "c"), (-1, 0), (True, 0), (0, 0), ("a", 0)):
        with pytest.raises(DataError) as error:
            toy_targets.from_points(path, *pair, 0)
        says(error)


def test_points_with_what_is_no_number_are_refused():
    values = np.ones((20, 2), "<f4")
    values[3] = np.nan
    for data in (values.tobytes(), b"1" * 81, b"", values[:2].tobytes()):
        with pytest.raises(ConfigError) as error:
            toy_targets.check({"kind": "points", "title": "", "note": "", "values": packed(data)}, "rings")
        says(error)


# -- formulas --


def test_a_formula_is_normalised_and_exact():
    target = toy_targets.from_formula("7 - (x^2 + y²)/2".replace("²", "^2"))
    made = toy_targets.make(target, "two-moons")
    truth = 1 + math.log(2 * math.pi)
    assert isinstance(made, GridDensity)
    assert made.entropy == pytest.approx(truth, abs=2e-3)  # all but 1e-4 of it lies in the square
    assert made.log_normaliser == pytest.approx(7 + math.log(2 * math.pi), abs=1e-3) and "log Z = 8.838" in target["note"]
    assert made.log_prob(np.array([0.3, -0.4])) == pytest.approx(-math.log(2 * math.pi) - 0.125, abs=1e-3)
    assert mass_and_entropy(made)[0] == pytest.approx(1, abs=1e-3)


def test_up_is_up_and_functions_do_what_they_say():
    for text, x, y in (
        ("-9*hypot(x - 2, y - 1)^2", 2, 1), ("-9*max(abs(x + 2), abs(y), 0.1)", -2, 0), ("-20*(abs(x-1) + abs(y+2))", 1, -2),
        ("min(-9*(x-pi+e)^2, -9*(y-sin(pi/2))^2)", math.pi - math.e, 1),
    ):  # fmt: skip
        made = toy_targets.make(toy_targets.from_formula(text), "rings")
        assert np.abs(np.median(made.sample(2000, np.random.default_rng(0)), 0) - (x, y)).max() < 0.15, text


def test_where_a_formula_has_no_value_there_is_no_density():
    target = toy_targets.from_formula("log(x) - x - y^2")
    assert "no value on 50 %" in target["note"]
    assert toy_targets.make(target, "rings").sample(1000, np.random.default_rng(0))[:, 0].min() > -0.02


def test_cases_conditions_and_minus_infinity():
    """Each text against numpy's own words for it, everywhere on the square."""
    axis = np.linspace(-4, 4, 81)
    x, y = axis[None, :], axis[:, None]
    inf = np.inf
    for text, wanted in {
        "where(x > 0.5, x, -y)": np.where(x > 0.5, x, -y),
        "x if x <= y else -inf": np.where(x <= y, x, -inf),
        "1 if x < 0 else 2 if y >= 1 else 3": np.where(x < 0, 1, np.where(y >= 1, 2, 3)),
        "where(-1 < x <= 2 > y, 1, 0)": np.where((x > -1) & (x <= 2) & (y < 2), 1, 0),
        "where(x > 0 and y > 0 and x > y or not (x ≤ 2), -x^2, -∞)": np.where(
            (x > 0) & (y > 0) & (x > y) | (x > 2), -(x**2), -inf
        ),
        "where(¬ x > 0 ∨ y ≥ 3, 0, 1)": np.where((x <= 0) | (y >= 3), 0, 1),
        "2*where(sqrt(x) > 1, 1, 0) - 1": np.where(x > 1, 1, -1),  # no value is no case either
        "where(x > 0, log(x), -inf)": np.where(x > 0, np.log(np.where(x > 0, x, 1)), -inf),
    }.items():
        assert np.array_equal(evaluate(parse(text), x, y), np.broadcast_to(wanted, (81, 81))), text


def test_outside_a_region_there_is_no_density_in_draws_entropy_or_picture():
    target = toy_targets.from_formula("0 if -2 < x < 2 and 0 < y < 3 else -inf")
    assert target["note"].endswith("It is minus infinity on 81.2 % of the square; there is no density there.")
    made = toy_targets.make(target, "rings")
    assert isinstance(made, GridDensity)
    points = made.sample(5000, np.random.default_rng(0))
    edge = 0.5 * made.cell
    assert (np.abs(points[:, 0]) < 2 + edge).all() and (points[:, 1] > -edge).all() and (points[:, 1] < 3 + edge).all()
    assert np.isfinite(made.log_prob(points)).all()
    assert made.entropy == pytest.approx(math.log(12), abs=0.02) and made.entropy_error < 1e-3
    assert made.log_prob(np.array([[0.0, 1.0], [0.0, -1.0]])) == pytest.approx([-math.log(12), -np.inf])
    picture = toy_targets.picture(target, "rings", 64)
    assert picture is not None and np.isfinite(picture).all()
    assert picture[60].max() == 0 and picture[20, 32] == pytest.approx(12**-0.5)
    loss = ToyTrainer(ToyConfig(target=target, flow="realnvp", depth=2, width=8)).held_out(500)
    assert math.isfinite(loss.nll) and loss.nll > math.log(12)


@pytest.mark.parametrize(("text", "words"), [
    ("x > 0", "put it into where"), ("2*(x > 0)", "put it into where"), ("where(x, 1, 2)", "a comparison such as"),
    ("1 if y else 2", "a comparison such as"), ("where(x > 0, 1)", "takes three"), ("where(x > 0, y > 0, 2)", "put it into"),
    ("where(x == 0, 1, 2)", "<, <=, > or >="), ("where(x > 0 & y > 0, 1, 2)", "and, or, not"), ("where", "needs its brackets"),
    ("where(x in y, 1, 2)", "<, <=, > or >="), ("where(not x, 1, 2)", "a comparison such as"), ("inf", "beyond all numbers"),
    ("-inf", "minus infinity all over"), ("where(x > 9, 1, -inf)", "minus infinity all over"), ("inf()", "multiplication sign"),
])  # fmt: skip
def test_what_is_wrong_with_a_case_is_said(text, words):
    with pytest.raises(ConfigError, match=re.escape(words)) as error:
        toy_targets.from_formula(text)
    says(error)


HOSTILE_FORMULAS = [
    "where(x > 0, __import__('os'), 1)", "where(*[x > 0, 1, 2])", "where(x > 0, 1, b=2)", "where.real", "np.where(x > 0, 1, 2)",
    "where(where, 1, 2)", "where(x > 0, 1, 2)(x)", "1 if x > 0 else open(x)", "not x", "x > 0 and open(x)", "x is y",
    "where(" * 80 + "x > 0" + ", 1, 2)" * 80, "1 if " * 200 + "x > 0" + " else 2" * 200, "not " * 300 + "x > 0", "x if x > 0",
    "where(True, 1, 2)", "where(x > 0 if y > 0 else x < 0, 1, 2)", "[x for x in y]", "(x := 3) > 2",
    "", "   ", "__import__('os').system('x')", "import os", "x.real", "().__class__", "9**9**9", "9^9^9^9^9*x", "x +",
    "(x", "x)", ")(", "log(-1)", "0/0", "1/0", "exp(exp(exp(x+9)))", "-1/0*x/x", "log(0)", "x" * 2000,
    "(" * 60 + "x" + ")" * 60 + "+" * 500 + "x", "-" * 900 + "x", "(" * 400 + "x" + ")" * 400, "2**" * 300 + "x",
    "x < y", "x if y else 1", "[x]", "x[0]", "'a'", "True", "None", "1j", "lambda: 1", "f'{x}'", "x := 3", "sin",
    "sin()", "sin(x, y)", "hypot(x)", "min(x)", "sin(*x)", "sin(x=1)", "open(x)", "3(x)", "x(y)", "z", "sin(x)(y)",
    "x\0y", "9" * 900, "1e999", "x // y", "x % y", "x @ y", "~x", "x and y", "yield", "eval(x)", "x;y", "𝐱.a",
    "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE_FORMULAS)
def test_hostile_formulas(text):
    began = time.perf_counter()
    with pytest.raises(ConfigError) as error:
        toy_targets.from_formula(text)
    says(error)
    assert time.perf_counter() - began < 1
    with pytest.raises(ConfigError):
        ToyConfig(target={"kind": "formula", "text": text})


@pytest.mark.parametrize("text", [None, 3, b"x", ["x"]])
def test_a_formula_is_text(text):
    with pytest.raises(ConfigError):
        toy_targets.from_formula(text)


# -- trained on --


def targets(tmp_path):
    points = write(tmp_path / "t.csv", csv_of(cloud()))
    return [
        {"kind": "parameters", "noise": 0.3}, toy_targets.from_grid(blot(), "Mine"), toy_targets.from_points(points, 0, 1, 0),
        toy_targets.from_formula("-8*(hypot(x, y) - 2)^2"),
    ]  # fmt: skip


def test_every_kind_is_trained_on_and_comes_back_from_a_snapshot(tmp_path):
    for target in targets(tmp_path):
        trainer = ToyTrainer(ToyConfig(target=target, depth=2, width=8, batch=64))
        assert trainer.fast
        trainer.step(3)
        again = ToyTrainer.from_snapshot(trainer.snapshot())
        assert again.config == trainer.config and again.step() == trainer.step()
        loss = trainer.held_out()
        assert math.isfinite(loss.nll) and loss.nll == again.held_out().nll
        if trainer.density.known:
            assert loss.nll > trainer.density.entropy - 5 * loss.standard_error and loss.count == 10_000
        else:
            assert loss.count == 80 and trainer.card()["entropy"] is None
        json.dumps(trainer.card(), allow_nan=False)
        # Nobody here can license what a person drew or brought along.
        assert trainer.card()["data"]["licence"] == ("" if target["kind"] in ("grid", "points") else "CC0-1.0")


def test_old_settings_still_load_and_none_is_as_it_was():
    old = {name: value for name, value in ToyConfig().to_dict().items() if name != "target"}
    assert ToyConfig.from_dict(old) == ToyConfig() and ToyConfig().target is None
    assert toy_targets.make(None, "rings") is densities.get("rings")
