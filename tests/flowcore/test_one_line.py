"""Whatever the text, one line that acts on nothing."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest

from flowcore.one_line import LIMIT, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A plain sentence, with “quotes”, ∂ and 图片.", "A plain sentence, with “quotes”, ∂ and 图片."),
        ("two\nlines", "two lines"),
        ("a \r\n\n\t b\u2028c", "a b c"),
        ("red\x1b[31m", r"red\x1b[31m"),
        ("title\x1b]0;gone\x07", r"title\x1b]0;gone\x07"),
        ("c1 \x9b2J", r"c1 \x9b2J"),
        ("photo\u202egnp.exe", r"photo\u202egnp.exe"),
        ("\u2066isolated\u2069", r"\u2066isolated\u2069"),
        ("caf\udce9.png", r"caf\xe9.png"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("wide\u3000space\u00a0", "wide space "),
        ("👩\u200d🎨 and می\u200cخواهم", "👩\u200d🎨 and می\u200cخواهم"),
        ("  indented", "  indented"),
        (17, "17"),
    ],
)
def test_what_acts_is_shown_and_what_is_words_stays(text, shown):
    assert one_line(text) == shown


def test_every_sign_there_is_gives_one_harmless_line():
    for code in range(sys.maxunicode + 1):
        line = one_line(f"a{chr(code)}b")
        assert line.splitlines() == [line], hex(code)
        for sign in line:
            assert unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp"), hex(code)
            assert unicodedata.category(sign) != "Cf" or sign in "\u200c\u200d", hex(code)


def test_a_long_sentence_keeps_its_ends_and_its_words_before_its_paths():
    path = "/home/somebody/" + "folder/" * 60 + "picture.png"
    line = one_line(f"{path} is a folder: give the name of a file in it.")
    assert len(line) <= LIMIT and line.startswith("/home/somebody/")
    assert line.endswith("picture.png is a folder: give the name of a file in it.")
    line = one_line("word " * 1000 + "end.")
    assert len(line) == LIMIT and line.endswith("word end.") and "…" in line
    assert one_line("x" * LIMIT) == "x" * LIMIT and len(one_line("x" * 10**7)) <= LIMIT
    assert len(one_line("\x1b" * 10**7, 50)) == 50


def test_random_texts_stay_within_the_limit():
    rng = random.Random(1)
    for _ in range(200):
        signs = (rng.choice([rng.randrange(0x20), rng.randrange(0x3000), 0x202E, 0x20]) for _ in range(rng.randrange(900)))
        text = "".join(map(chr, signs))
        assert len(one_line(text, 120)) <= 120
