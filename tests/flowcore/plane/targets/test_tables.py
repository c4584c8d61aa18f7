"""Tables as Excel in German or French, R, old instruments and people write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowcore.errors import DataError
from flowcore.plane.targets import targets as toy_targets
from flowcore.plane.targets.points import points_of
from flowcore.plane.targets.tables import TextTable
from flowcore.texts import number

RNG = np.random.default_rng(7)
POINTS = np.round(RNG.normal((5.1, -4.9), 0.6, (300, 2)), 3)


def lines(separator: str = ",", decimal: str = ".", head: str | None = "x{0}y", tail: str = "", minus: str = "-") -> str:
    rows = [separator.join(f"{v:.3f}".replace(".", decimal).replace("-", minus) for v in row) + tail for row in POINTS]
    return "\n".join(([head.format(separator) + tail] if head is not None else []) + rows) + "\n"


def read(tmp_path: Path, text: str | bytes, name: str = "a.csv") -> np.ndarray:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    table = TextTable(path)
    assert len(table.names) >= 2, table.names
    return table.cells(np.arange(table.rows), list(range(len(table.names))))


SIGNS = [(",", "."), (";", "."), ("\t", "."), ("|", "."), (" ", "."), ("   ", "."), (", ", "."), (" ; ", ","),
         (";", ","), ("\t", ","), (" ", ","), ("|", ",")]  # fmt: skip


@pytest.mark.parametrize("head", [None, "x{0}y", "length{0}a width", '"x"{0}"y"'])
@pytest.mark.parametrize(("separator", "decimal"), SIGNS)
def test_the_separator_is_what_gives_columns_of_numbers(tmp_path: Path, separator: str, decimal: str, head: str | None) -> None:
    if head == "length{0}a width" and separator.strip() == "":
        head = "length{0}width"
    assert (read(tmp_path, lines(separator, decimal, head)) == POINTS).all()


@pytest.mark.parametrize("tail", [",", ",,", " ", ", "])
def test_signs_at_the_end_of_each_row_make_no_column(tmp_path: Path, tail: str) -> None:
    assert (read(tmp_path, lines(tail=tail)) == POINTS).all()
    assert (read(tmp_path, lines(tail=tail).replace(f"x,y{tail}", "x,y")) == POINTS).all()
    assert (read(tmp_path, lines(";", ",", tail=tail.replace(",", ";"))) == POINTS).all()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_ends_of_lines(tmp_path: Path, encoding: str, end: str) -> None:
    text = lines("\t", ",", head="größe\tlänge").replace("\n", end)
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    table = TextTable(path)
    assert table.names == ("größe", "länge")
    assert (table.cells(np.arange(table.rows), [0, 1]) == POINTS).all()


@pytest.mark.parametrize("minus", ["\u2212", "\u2013", "\ufe63"])
def test_a_minus_is_a_minus(tmp_path: Path, minus: str) -> None:
    assert (read(tmp_path, lines(minus=minus)) == POINTS).all()
    assert (read(tmp_path, lines(";", ",", minus=minus)) == POINTS).all()


@pytest.mark.parametrize("rest", ["", "1,2\n", "words and more words\n"])
def test_an_unclosed_quote_costs_its_row_alone(tmp_path: Path, rest: str) -> None:
    text = lines().splitlines()
    text[40] = '"' + text[40]
    text[80] = text[80].replace(",", ',"')
    text[120] = '"an unclosed remark'
    values = read(tmp_path, "\n".join(text) + "\n" + rest)
    good = np.isfinite(values).all(axis=1)
    assert good.sum() >= 299 and (values[:119] == POINTS[:119]).all() and (values[120:300] == POINTS[120:]).all()


@pytest.mark.parametrize(("text", "decimal", "value"), [
    ("1,234.5", ".", 1234.5), ("1,234,567", ".", 1234567), ("1.234,5", ",", 1234.5), ("1 234,5", ",", 1234.5),
    ("1\u202f234,5", ",", 1234.5), ("1\u00a0234\u00a0567,25", ",", 1234567.25), ("1'234.5", ".", 1234.5),
    ("1’234.5", ".", 1234.5),
    ("-5,5", ",", -5.5), ("+3", ",", 3), ("1e3", ".", 1000), ("1,5E-3", ",", 0.0015), ("1.5D+03", ".", 1500), (" 7 ", ".", 7),
    (".5", ".", 0.5), ("5.", ".", 5),
])  # fmt: skip
def test_numbers_of_many_countries(text: str, decimal: str, value: float) -> None:
    assert number(text, decimal) == value


@pytest.mark.parametrize("text", ["", "-", ".", "1,2", "1.2.3", "0x10", "1_000", "NA", "#N/A", "12,34.5", "5 m", "1" * 500, "٣"])
def test_what_is_no_number(text: str) -> None:
    assert np.isnan(number(text))


def test_remarks_titles_and_excels_own_line(tmp_path: Path) -> None:
    for before in ("# made on Monday\n% by hand\n\n", "Export of station 7\n\n", "sep=,\n", "  \n"):
        path = tmp_path / "a.csv"
        path.write_text(before + lines() + "\n\n# end\n")
        table = TextTable(path)
        assert table.names == ("x", "y") and table.rows == 300, before
        assert (table.cells(np.arange(300), [0, 1]) == POINTS).all()
    assert (read(tmp_path, "sep=;\n" + lines(";", ",")) == POINTS).all()


def test_words_beside_numbers_and_rows_with_names(tmp_path: Path) -> None:
    row = "2020-01-0{} 10:00;Müller, Hans;{:.3f};{:.3f}"
    dated = "\n".join(row.format(i % 9 + 1, a, b).replace(".", ",") for i, (a, b) in enumerate(POINTS))
    assert (read(tmp_path, dated)[:, 2:] == POINTS).all()
    r = '"x","y"\n' + "\n".join(f'"{i}",{a:.3f},{b:.3f}' for i, (a, b) in enumerate(POINTS, 1))
    (tmp_path / "r.csv").write_text(r)
    table = TextTable(tmp_path / "r.csv")
    assert table.names == ("column 1", "x", "y") and (table.cells(np.arange(300), [1, 2]) == POINTS).all()


SENTINELS = [-9999.0, -999.0, 999.0, 9999.0, 99999.0, 1e30, -1e30, 9.96921e36, 1e20]


@pytest.mark.parametrize("missing", SENTINELS)
def test_numbers_that_stand_for_missing_ones_are_told_and_can_be_left_out(tmp_path: Path, missing: float) -> None:
    values = POINTS.copy()
    values[::25, 0] = missing
    np.savetxt(tmp_path / "a.csv", values, delimiter=",", header="x,y", comments="", fmt="%.9g")
    target = toy_targets.from_points(tmp_path / "a.csv", 0, 1, 0)
    assert "12 rows lie far outside" in target["note"] and f"--leave-out={missing:g}" in target["note"]
    without = toy_targets.from_points(tmp_path / "a.csv", 0, 1, 0, [missing])
    assert "far outside" not in without["note"] and "12 rows with" in without["note"]
    assert points_of(without).shape == (288, 2) and np.abs(points_of(without)).max() < 6


def test_one_slip_is_told_and_tails_are_not(tmp_path: Path) -> None:
    values = POINTS.copy()
    values[17, 1] = 4.2e12
    np.save(tmp_path / "a.npy", values)
    assert "1 row lies far outside" in toy_targets.from_points(tmp_path / "a.npy", 0, 1, 0)["note"]
    for tame in (POINTS, RNG.standard_t(3, (300, 2)), RNG.integers(0, 2, (300, 2)) + RNG.normal(0, 1e-3, (300, 2))):
        np.save(tmp_path / "b.npy", tame)
        assert "outside" not in toy_targets.from_points(tmp_path / "b.npy", 0, 1, 0)["note"]


HOSTILE = {
    "rows": b"1,2\n" * 6_000_000, "commas": b"," * 10_000_000, "digits": b"1" * 20_000_000, "quotes": b'"' * 5_000_000,
    "utf-16": b"\xff\xfe" + b"1\0,\0" * 2_000_000, "empty lines": b"1,2\n" + b"\n" * 30_000_000, "one line": b"1;" * 3_000_000,
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_tables_are_answered_in_a_sentence(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.csv").write_bytes(HOSTILE[kind])
    if kind == "rows":
        assert toy_targets.columns(tmp_path / "a.csv").rows == 5_999_999 + 1
        return
    with pytest.raises(DataError) as caught:
        toy_targets.columns(tmp_path / "a.csv")
    assert len(str(caught.value)) < 300 and str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["semi_de.csv", "semi_de_nohead.csv", "trailing2.csv", "sentinel.csv"])
def test_the_tables_that_came_out_wrong(name: str) -> None:
    path = Path(__file__).resolve().parents[5] / "shared" / "cases" / name
    if not path.exists():
        pytest.skip(f"the case {name} is not at hand (a folder shared/cases beside the checkout)")
    table = TextTable(path)
    values = table.cells(np.arange(table.rows), [0, 1])
    assert len(table.names) == 2 and np.isfinite(values).all()
    if name == "sentinel.csv":
        assert "-9999" in toy_targets.from_points(path, 0, 1, 0)["note"]
    else:
        assert values[0].tolist() == [5.126, 5.010]
        assert table.names == (("column 1", "column 2") if "nohead" in name else ("x", "y"))
