"""Tables of attributes: what is read, what is refused and why, and that rows stay with their pictures."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flowcore.data.attributes import read_attributes
from flowcore.data.datasets import open_dataset
from flowcore.errors import DataError

TABLE = "file,Smiling,Hat,hair\na.png,1,0,red\nb.png,-1,1,dark\nc.png,1,0,red\n"


def table(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [TABLE, TABLE.replace(",", ";"), TABLE.replace(",", "\t"), "\ufeff" + TABLE.replace("\n", "\r\n"),
     TABLE.replace("a.png", '"a.png"').replace("1", "1.0"), TABLE + "\n\n"],
)  # fmt: skip
def test_what_a_csv_says(tmp_path: Path, text: str) -> None:
    read = read_attributes(table(tmp_path, text))
    assert read.keys == ["a.png", "b.png", "c.png"]
    assert read.names == ["Smiling", "Hat", "hair=dark", "hair=red"]
    assert read.values.dtype == np.int8
    assert read.values.tolist() == [[1, -1, -1, 1], [-1, 1, 1, -1], [1, -1, -1, 1]]
    classes, numbers = read.classes_from("hair")
    assert classes == ["dark", "red"] and numbers.tolist() == [1, 0, 1]
    classes, numbers = read.classes_from("Smiling")
    assert classes == ["not Smiling", "Smiling"] and numbers.tolist() == [1, 0, 1]


def test_celebas_own_text(tmp_path: Path) -> None:
    text = "3\nSmiling Hat\n000001.jpg  1 -1\n000002.jpg -1 -1\n000003.jpg  1  1\n"
    read = read_attributes(table(tmp_path, text, "list_attr_celeba.txt"))
    assert read.keys == ["000001.jpg", "000002.jpg", "000003.jpg"] and read.names == ["Smiling", "Hat"]
    assert read.values.tolist() == [[1, -1], [-1, -1], [1, 1]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("no attributes",)),
        ("file\na.png\n", ("no attributes",)),
        ("file,Smiling\n", ("no attributes",)),
        ("file,A,A\na,1,1\n", ("'A'", "twice")),
        ("file,A,\na,1,1\n", ("empty",)),
        ("file,A\na.png,1\nb.png\n", ("line 3", "1 values", "2")),
        ("file,A\na.png,1\n,1\n", ("line 3", "no file name")),
        ("file,A\na.png,1\nb.png,1\na.png,0\n", ("line 4", "a.png", "line 2")),
        ("file,A\na.png,red\nb.png,\n", ("line 3", "A is empty")),
        ('file,A\na.png,"' + "x" * 200_000 + '"\n', ("line",)),
    ],
)
def test_what_a_csv_may_not_say(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(DataError) as caught:
        read_attributes(table(tmp_path, text))
    sentence = str(caught.value)
    assert "t.csv" in sentence and sentence.endswith(".") and "\n" not in sentence
    assert all(word in sentence for word in words), sentence


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"file,A\n\xff\xfe,1\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_attributes(tmp_path / "t.csv")
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "none.npz"):
        with pytest.raises(DataError, match=path.name):
            read_attributes(path)
    values = np.ones((3, 2), np.int8)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"attr": values}, "attr_names"),
        ({"attr_names": np.array(["a"]), "attr": values}, "shape"),
        ({"attr_names": np.array(["a", "b"]), "attr": values * 3}, "-1 and 1"),
        ({"attr_names": np.array(["a", "b"]), "attr": np.array([[{}]] * 3)}, "t.npz"),
    )
    for arrays, word in wrong:
        np.savez(tmp_path / "t.npz", **arrays)
        with pytest.raises(DataError, match=word):
            read_attributes(tmp_path / "t.npz")


def folder(root: Path, names: str) -> Path:
    for index, name in enumerate(names):
        path = root / "in" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (index, 200, 10)).save(path)
    return root / "in"


@pytest.mark.parametrize("memory", [0, 2**40], ids=["streamed", "in memory"])
def test_rows_go_with_their_pictures_through_every_split(tmp_path: Path, memory: int) -> None:
    names = "abcdefghijklmnopqrstuvwxyz"
    root = folder(tmp_path, names)
    (root / "c.png").write_bytes(b"broken")
    rows = {name: (1 if ord(name) % 3 == 0 else -1, "odd" if ord(name) % 2 else "even") for name in names[:-1]}
    lines = [f"{name}.png,{first},{second}" for name, (first, second) in reversed(rows.items())]
    path = table(tmp_path, "\n".join(["file,third,kind", *lines, "more.png,1,odd"]))
    seen = []
    for split in ("train", "validation", "test"):
        data = open_dataset(
            root, split, attributes=path, labels_from="kind", validation=0.2, memory=memory
        )
        assert data.attribute_names == ["third", "kind=even", "kind=odd"]
        assert data.attributes.shape == (len(data), 3) and data.classes == ["even", "odd"]
        for index, name in enumerate(data.names):
            third, kind = rows[name[0]]
            assert data.attributes[index].tolist() == [third, *((-1, 1) if kind == "odd" else (1, -1))]
            assert data.classes[data.labels[index]] == kind
            assert data.pictures[index][0, 0, 0] == names.index(name[0])
        seen += [*data.names, *(name for name, _ in data.skipped)]
        assert all(sentence == f"z.png has no row in {path}." for name, sentence in data.skipped if name == "z.png")
    assert sorted(seen) == [f"{name}.png" for name in names]


def test_a_table_of_other_pictures_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, "abc")
    with pytest.raises(DataError, match="names none of the pictures: it begins with 'x.png'"):
        open_dataset(root, attributes=table(tmp_path, "file,A\nx.png,1\n"))
    with pytest.raises(DataError, match="no column 'B': it has A"):
        open_dataset(root, attributes=table(tmp_path, "file,A\na.png,1\n"), labels_from="B")
    values = np.ones((2, 1), np.int8)
    np.savez(tmp_path / "t.npz", attr_names=np.array(["A"]), attr=values)
    with pytest.raises(DataError, match="2 rows without file names"):
        open_dataset(root, attributes=tmp_path / "t.npz")
    # names without endings, and names in folders
    assert open_dataset(root, attributes=table(tmp_path, "file,A\na,1\nb,0\nc,1\n")).attributes.tolist() == [[1], [-1], [1]]
    (root / "sub").mkdir()
    (root / "a.png").rename(root / "sub" / "a.png")
    data = open_dataset(root, attributes=table(tmp_path, "file,A\nsub/a.png,1\nb.png,0\nc.png,0\n"))
    assert data.names == ["b.png", "c.png", "sub/a.png"] and data.attributes.tolist() == [[-1], [-1], [1]]


def test_arrays_have_rows_by_number(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(40, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2))
    path = table(tmp_path, "\n".join(["n,A", *(f"{index},{index % 2}" for index in range(40))]))
    for split in ("train", "validation", "test"):
        data = open_dataset(tmp_path / "a.npz", split, attributes=path, labels_from="A")
        odd = data.pictures[:][:, 0, 0, 0] % 2 == 1
        assert ((data.attributes[:, 0] > 0) == odd).all() and (data.labels == odd).all()
    with pytest.raises(DataError, match="no row for the picture '1'"):
        open_dataset(tmp_path / "a.npz", attributes=table(tmp_path, "n,A\n0,1\n"))


def test_celeba(shared_data, tmp_path: Path) -> None:
    """The real faces and their real attributes: the table by order, and a CSV made of it by name, say the same."""
    root = shared_data("celeba10k")
    names, values = (np.load(root / "attributes.npz")[key] for key in ("attr_names", "attr"))
    small = tmp_path / "faces.zip"
    with zipfile.ZipFile(root / "celeba_000001-010000_89x109_jpeg.zip") as whole, zipfile.ZipFile(small, "w") as some:
        for number in range(1, 10001, 100):
            some.writestr(f"{number:06}.jpg", whole.read(f"{number:06}.jpg"))
    lines = [",".join([f"{i + 1:06}.jpg", *map(str, row)]) for i, row in enumerate(values)]
    path = table(tmp_path, "\n".join([",".join(["image_id", *names]), *lines]))
    data = open_dataset(small, "train", 32, attributes=path, labels_from="Smiling")
    assert len(data) == 90 and data.attribute_names == names.tolist() and data.skipped == []
    numbers = [int(name[:6]) - 1 for name in data.names]
    assert data.attributes is not None and data.labels is not None
    assert np.array_equal(data.attributes, values[numbers])
    assert np.array_equal(data.labels, values[numbers, names.tolist().index("Smiling")] > 0)
    by_order = read_attributes(root / "attributes.npz")
    assert np.array_equal(by_order.values, values) and not any(by_order.keys)
    assert by_order.rows_of([f"{i + 1:06}.jpg" for i in range(10_000)]).tolist() == list(range(10_000))


KEYS = ["{}.png", "{}", "{}.jpg", "{}.PNG", "img/{}.png", "IMG\\{}.png", "./img/{}.png", "C:\\data\\img\\{}.png",
        "/home/me/set/img/{}.png"]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("where", ["{}.png", "img/{}.png", "Img/{}.png"])
def test_names_are_matched_by_their_end_and_without_case(tmp_path: Path, key: str, where: str) -> None:
    read = read_attributes(table(tmp_path, "file,A\n" + "".join(f"{key.format(f'B{i}')},{i % 2}\n" for i in range(4))))
    pictures = [where.format(f"b{i}") for i in (2, 0, 3)]
    assert read.rows_of(pictures).tolist() == [2, 0, 3]


def test_names_that_fit_two_rows_fit_none(tmp_path: Path) -> None:
    read = read_attributes(table(tmp_path, "file,A\ncats/0.png,1\ndogs/0.png,0\nx/B.png,1\ny/b.png,0\nDeep/cats/7.png,1\n"))
    assert read.rows_of(["cats/0.png", "dogs/0.png", "0.png"]).tolist() == [0, 1, -1]
    assert read.rows_of(["DOGS/0.PNG", "birds/0.png", "set/cats/0.png"]).tolist() == [1, -1, 0]
    assert read.rows_of(["X/b.png", "b.png", "all/deep/cats/7.png", "7.png"]).tolist() == [2, -1, 4, 4]


def test_names_of_two_kinds_of_unicode(tmp_path: Path) -> None:
    read = read_attributes(table(tmp_path, "file,A\ncafe\u0301.png,1\nna\u00efve.png,0\n"))
    assert read.rows_of(["caf\u00e9.png", "nai\u0308ve.png"]).tolist() == [0, 1]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings_of_other_systems(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes(TABLE.replace(",", "\t").encode(encoding))
    assert read_attributes(tmp_path / "t.csv").keys == ["a.png", "b.png", "c.png"]


def test_signs_at_the_end_of_lines_and_other_minuses(tmp_path: Path) -> None:
    assert read_attributes(table(tmp_path, TABLE.replace("\n", ",\n"))).names == ["Smiling", "Hat", "hair=dark", "hair=red"]
    read = read_attributes(table(tmp_path, "file;A;B\na;\u22121;1,0\nb;1;0,0\n"))
    assert read.values.tolist() == [[-1, 1], [1, -1]]


@pytest.mark.timeout(20)
def test_wide_tables_are_answered_soon(tmp_path: Path) -> None:
    names = [f"a{i}" for i in range(300_000)]
    for columns, words in ((names[:-1] + ["a7"], "'a7'"), (names, "300,000 columns")):
        text = "file," + ",".join(columns) + "\n" + "x.png," + ",".join(["1"] * len(columns)) + "\n"
        with pytest.raises(DataError, match=words):
            read_attributes(table(tmp_path, text))
    head = "file," + ",".join(names[:2000]) + "\n"
    with pytest.raises(DataError, match="attributes of its words"):
        read_attributes(table(tmp_path, head + "".join(f"{i}.png" + f",w{i % 60}" * 2000 + "\n" for i in range(2000))))
    few = read_attributes(table(tmp_path, head + "".join(f"{i}.png" + f",w{i % 4}" * 2000 + "\n" for i in range(2000))))
    assert few.values.shape == (2000, 8000) and (few.values[5, 1::4] == 1).all() and few.names[1] == "a0=w1"
